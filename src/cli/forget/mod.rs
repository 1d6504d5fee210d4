//! `pixel-pipeline forget`: finds and deletes the data of one user.
//!
//! ```text
//! subject (the user) ─▶ tables (with rows of the user: condition, column) ─────┐
//!                   └─▶ letters (dead letters of the user: mention) ───────────┴─▶ erase ─▶ receipt
//! ```
//!
//! The columns decide which rows are deleted, not the table's name. A whole table is deleted only if its name is made
//! of the user's values. The receipt and standard error do not identify the user.

mod column;
mod condition;
mod erase;
mod letters;
mod mention;
mod receipt;
mod subject;
mod table_label;
mod tables;

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use super::dead_letter_table::DeadLetterTable;
use super::error::{CliError, printed};
use super::settings_file::SettingsFile;
use super::{output, printable, usage};
use crate::config::command::Command;
use crate::config::{Operator, SettingArgs};
use crate::google::{Client, Lookup, TokenError, bigquery};
use crate::telemetry;
use erase::Erased;
use subject::{AttributeArg, Subject};

/// Delete the data of one user: tables, rows in shared tables, and dead letters
///
/// Without --yes, list the data. With --yes, delete it and print a receipt as JSON, which does not identify the user. A
/// table whose name is made of the user's values is deleted as a whole; from other tables, rows are deleted. With
/// HASH_USER_IDS, give the id itself: rows with the id and rows with its hash are both found. BigQuery does not delete
/// rows that were streamed within about half an hour: the receipt counts them and has the time of the next run. Not
/// deleted are archives, and messages that Pub/Sub has not delivered yet. BigQuery's time travel can restore deleted data
/// for up to seven days.
///
/// Exit codes: 0 if no data of the user is left, or without --yes; 1 if data is left, or after an error or Ctrl-C (the
/// receipt lists the deleted data); 2 if the command line or a setting is wrong.
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
    #[error("{0}")]
    Receipt(String),
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
    let operator = match args.operator.load_operator().await {
        Ok(operator) => operator,
        Err(problems) => return usage(&format!("invalid settings:\n{problems}")),
    };
    match forget(args, &operator).await {
        Ok(code) => code,
        Err(ForgetError::Usage(problem)) => usage(&problem),
        Err(failure) => CliError::failed(printable(&failure.to_string())).report(),
    }
}

async fn forget(args: Args, operator: &Operator) -> Result<ExitCode, ForgetError> {
    let user_id = args.user_id.map(|value| AttributeArg { name: "user_id".to_owned(), value });
    let subject = Subject::new(user_id.into_iter().chain(args.attribute).collect(), &operator.service).map_err(ForgetError::Usage)?;
    let (config, tokens) = (&operator.service, operator.tokens().await?);
    let google = Arc::new(Client::new(operator.endpoints.clone(), tokens, &config.location.project).await?);
    let template = &config.template.table;
    let schema = bigquery::schema(&google, &config.location.project, &config.location.dataset, template).await;
    let subject = match schema.map_err(|error| ForgetError::google(format!("read the schema of {template}"), error))? {
        Lookup::Found(schema) => subject.with_schema(schema),
        Lookup::Absent => subject,
    };
    let found = tables::find(&google, config, &subject).await?;
    let dead_letters = DeadLetterTable::new(Arc::clone(&google), config);
    let letters = letters::find(&dead_letters, &subject).await?;
    if !args.yes {
        let printed = printed(output::print(&receipt::list(&found, letters.len())));
        return Ok(printed.map_or_else(CliError::report, |()| ExitCode::SUCCESS));
    }
    let (now, shutdown) = (Timestamp::now(), super::shutdown_signal()?);
    let mut erased = Erased::default();
    let ended = tokio::select! {
        ended = erased.erase(&google, config, &found, (&dead_letters, letters.as_slice()), now) => ended,
        () = shutdown => Err(ForgetError::Interrupted),
    };
    let receipt = receipt::receipt(&erased, ended.is_ok(), &subject, config, now);
    printed(output::print(&format!("{receipt}\n"))).map_err(|error| ForgetError::Receipt(error.message().to_owned()))?;
    for line in receipt::remarks(&erased, now) {
        output::note(line);
    }
    ended.map(|()| if erased.held() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
