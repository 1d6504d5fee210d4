//! `pixel-pipeline forget`: finds and deletes the data of one user.
//!
//! ```text
//! subject (the user) ─▶ tables (dataset ─▶ search: ownership, condition, counts) ─▶ found ─┐
//! (spelling)        └─▶ letters (dead letters of the user: mention) ───────────────────────┴─▶ Plan ─▶ erase ─▶ receipt
//!                                                                                                     └─▶ journal
//! ```
//!
//! The columns decide which rows are deleted, not the table's name. A whole table is deleted only if its name is made
//! of the user's values and all its rows are the user's. What could not be read is never taken for absent: it is listed, and
//! the result is incomplete. Receipt, journal and standard error do not identify the user.

mod breaker;
mod column;
mod condition;
mod counts;
mod dataset;
mod erase;
mod found;
mod journal;
mod letters;
mod mention;
mod ownership;
mod receipt;
mod search;
mod similar;
mod spelling;
mod subject;
mod table_kind;
mod table_label;
mod tables;

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::dead_letter_table::DeadLetterTable;
use super::deployed_keys;
use super::error::{CliError, printed};
use super::settings_file::SettingsFile;
use super::{output, printable, usage};
use crate::config::command::Command;
use crate::config::{Config, Operator, SettingArgs};
use crate::google::{Client, Lookup, TokenError, bigquery};
use crate::telemetry;
use breaker::{CircuitBreaker, is_unavailable};
use erase::{Erased, Eraser, Target};
use found::Found;
use journal::Journal;
use letters::FoundLetters;
use subject::{AttributeArg, Subject};

/// Delete the data of one user: tables, rows in shared tables, and dead letters
///
/// Without --yes, list the data. With --yes, delete it and print a receipt as JSON, which does not identify the user. All
/// tables of the dataset are searched, whatever their names are. A table whose name is made of the user's values, with rows
/// of the user only, is deleted as a whole; from other tables, rows are deleted. With HASH_USER_IDS, give the id itself:
/// rows with the id and rows with its hash are both found. BigQuery does not delete rows that were streamed within about
/// half an hour: the receipt counts them and has the time of the next run. A table whose requests fail is listed, and the
/// others follow.
///
/// Listed and not deleted: rows with another spelling of the id, rows that name other users as well, rows that contain the
/// id in another column, snapshots, materialized views, external tables, and tables that cannot be searched. Not searched:
/// other datasets, archives, and messages that Pub/Sub has not delivered yet. BigQuery's time travel can restore deleted
/// data for up to seven days.
///
/// Exit codes: 0 if no data of the user is left, or without --yes; 1 if data is left or a table could not be searched, or
/// after an error or Ctrl-C (the receipt lists the deleted data); 2 if the command line or a setting is wrong.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("user").required(true).multiple(true))]
pub struct Args {
    /// User id; the same as --attribute user_id=ID
    #[arg(long, value_name = "ID", group = "user")]
    user_id: Option<String>,
    /// Attribute of VALID_ATTRIBUTES and its value. Repeat it to require several attributes together
    #[arg(long, value_name = "NAME=VALUE", group = "user")]
    attribute: Vec<AttributeArg>,
    /// Delete the data instead of listing it
    #[arg(long)]
    yes: bool,
    /// Append a line to this file before each deletion and after it, and the receipt [default: standard error]
    #[arg(long, value_name = "FILE", requires = "yes")]
    journal: Option<PathBuf>,
    /// With HASH_USER_IDS, also find rows that hold an id of 32 hexadecimal digits itself. It may be another user's hash
    #[arg(long)]
    unhashed: bool,
    #[command(flatten)]
    settings: SettingsFile,
    #[command(flatten)]
    operator: SettingArgs<{ Command::Forget as u8 }>,
}

#[derive(Debug, thiserror::Error)]
enum ForgetError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("cannot create an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    #[error("cannot listen for signals: {0}")]
    Signal(#[from] std::io::Error),
    #[error("interrupted: the last statement may have run although it is not on the receipt. Run the command again")]
    Interrupted,
    #[error("cannot write the receipt to standard output: {0}. Nothing was deleted")]
    Receipt(std::io::Error),
    #[error("standard output is closed or the null device, and the receipt would be lost: give --journal FILE. Nothing was deleted")]
    NoOutput,
    #[error("cannot write the receipt to standard output: {0}. It is on standard error instead")]
    Output(std::io::Error),
    #[error("cannot write to the journal ({place}): {error}. Nothing was deleted after that")]
    Journal { place: String, error: std::io::Error },
    #[error("cannot {what}: {error}")]
    Google { what: String, error: String },
}

impl ForgetError {
    fn google(what: impl Into<String>, error: impl Display) -> Self {
        Self::Google { what: what.into(), error: error.to_string() }
    }
}

/// Lists or deletes the user's data.
pub async fn run(args: Args) -> ExitCode {
    let args: Args = match args.settings.merge_file("forget", args.operator.is_local()) {
        Ok(args) => args,
        Err(error) => return error.report(),
    };
    telemetry::init(args.operator.log_format(), args.operator.log_level(), "");
    let operator = match deployed_keys::load_operator(&args.operator).await {
        Ok(operator) => operator,
        Err(error) => return error.report(),
    };
    output::warn(&operator.service.warnings);
    match forget(args, &operator).await {
        Ok(code) => code,
        Err(ForgetError::Usage(problem)) => usage(&problem),
        Err(failure) => CliError::failed(printable(&failure.to_string())).report(),
    }
}

/// What was found, and is to be deleted.
#[derive(Debug)]
struct Plan {
    found: Found,
    letters: Vec<FoundLetters>,
}

impl Plan {
    fn letters_count(&self) -> u64 {
        self.letters.iter().map(|letters| letters.event_ids.len() as u64).sum()
    }

    /// Whether a table could not be searched.
    fn has_unread_tables(&self) -> bool {
        self.found.kept.iter().any(|kept| kept.rows.is_none())
    }
}

async fn forget(args: Args, operator: &Operator) -> Result<ExitCode, ForgetError> {
    if args.yes && args.journal.is_none() && output::is_discarded() {
        return Err(ForgetError::NoOutput);
    }
    let user_id = args.user_id.map(|value| AttributeArg { name: "user_id".to_owned(), value });
    let attributes = user_id.into_iter().chain(args.attribute).collect();
    let subject = Subject::new(attributes, args.unhashed, operator).map_err(ForgetError::Usage)?;
    let (config, tokens) = (&operator.service, operator.tokens().await?);
    let google = Arc::new(Client::new(operator.endpoints.clone(), tokens, &config.location.project).await?);
    let template = &config.template.table;
    let schema = bigquery::schema(&google, &config.location.project, &config.location.dataset, template).await;
    let subject = match schema {
        Ok(Lookup::Found(schema)) => subject.with_schema(schema),
        Ok(Lookup::Absent) => subject,
        Err(error) if is_unavailable(&error) => return Err(ForgetError::google(format!("read the schema of {template}"), error)),
        // The search lists the table as unread.
        Err(_) => subject,
    };
    let breaker = CircuitBreaker::default();
    let plan = plan(&google, config, &subject, &breaker, !args.yes).await?;
    if args.yes {
        let target = Target { google: &google, config, breaker: &breaker };
        return delete(target, &subject, &plan, args.journal.as_deref()).await;
    }
    let code = if plan.has_unread_tables() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    Ok(printed(output::print(&receipt::list(&plan, &subject))).map_or_else(CliError::report, |()| code))
}

async fn plan(
    google: &Arc<Client>,
    config: &Config,
    subject: &Subject,
    breaker: &CircuitBreaker,
    with_ids: bool,
) -> Result<Plan, ForgetError> {
    let mut found = tables::find(google, config, subject, breaker, with_ids).await?;
    let mut letters = Vec::new();
    for (label, kind) in std::mem::take(&mut found.dead_letters) {
        let table = DeadLetterTable::named(Arc::clone(google), config, label.name());
        let result = breaker.run(letters::find(table, label.clone(), subject), |error| Some(error)).await;
        match (result, kind.protection(config, label.name())) {
            (Ok(found_letters), None) => {
                found.keep_joint_letters(&label, found_letters.joint);
                letters.push(found_letters);
            }
            (Ok(found_letters), Some(protection)) => {
                let count = (found_letters.event_ids.len() as u64).saturating_add(found_letters.joint);
                found.keep_protected(label, count, protection);
            }
            (Err(error), _) => found.keep_unread(label, &error),
        }
    }
    Ok(Plan { found, letters })
}

async fn delete(target: Target<'_>, subject: &Subject, plan: &Plan, journal: Option<&Path>) -> Result<ExitCode, ForgetError> {
    let (now, shutdown) = (Timestamp::now(), super::shutdown_signal()?);
    let failed = |place: String| move |error| ForgetError::Journal { place, error };
    let path = journal.map_or_else(|| "standard error".to_owned(), |path| path.display().to_string());
    let mut journal = Journal::open(journal).map_err(failed(path))?;
    let before = receipt::before(plan, subject, target.config, now);
    journal.receipt(&before).map_err(failed(journal.place()))?;
    output::print(&receipt::begin(&before)).map_err(ForgetError::Receipt)?;

    let mut erased = Erased::default();
    let mut eraser = Eraser { target, journal: &mut journal, erased: &mut erased };
    let ended = tokio::select! {
        ended = eraser.erase(&plan.found.tables, &plan.letters, now) => ended,
        () = shutdown => Err(ForgetError::Interrupted),
    };
    let after = receipt::after(plan, &erased, ended.is_ok(), now);
    let receipt: Map<String, Value> = before.into_iter().chain(after.clone()).collect();
    let in_journal = journal.receipt(&receipt);
    let on_output = output::print(&receipt::end(&after));
    if on_output.is_err() || in_journal.is_err() {
        output::note(format_args!("receipt: {}", json!(receipt)));
    }
    for line in receipt::remarks(plan, &erased, now) {
        output::note(printable(&line));
    }
    ended?;
    in_journal.map_err(failed(journal.place()))?;
    on_output.map_err(ForgetError::Output)?;
    Ok(if receipt::is_complete(plan, &erased) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
