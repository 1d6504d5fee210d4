//! `pixel-pipeline forget`: everything of one user, found and deleted.
//!
//! ```text
//! subject (whom) ─▶ tables (which may hold rows of theirs, and which do: condition, column) ──┐
//!               └─▶ letters (which dead letters are theirs: mention) ────────────────────────┴─▶ erase ─▶ receipt
//! ```
//!
//! A name is not believed: a prefix of a table's name is not a user. What is deleted is decided by what the
//! column says; as a whole, a table goes only if its name is made of the user's values. Nothing that is kept (the
//! receipt, standard error) says who it was.

mod column;
mod condition;
mod erase;
mod letters;
mod mention;
mod named;
mod receipt;
mod subject;
mod tables;

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use super::dead_letter_table::DeadLetterTable;
use super::google::Google;
use super::settings_file::SettingsFile;
use super::{printable, usage};
use crate::config::{ForgetArgs, Operator};
use crate::sink::credentials::NoToken;
use crate::telemetry;
use erase::Erased;
use subject::{Attribute, Subject};

/// Delete everything of one user: tables, rows in tables that others share, and dead letters.
///
/// Lists what there is; deletes it with --yes, and prints a receipt as JSON, which does not name the user. A table that
/// is named after the user goes as a whole, others lose rows. Where HASH_USER_IDS is set, give the id itself: what holds
/// the id and what holds its hash are both found. BigQuery deletes no row that was streamed in the last half hour or so:
/// what it still holds is said, and when to run it again. Not reached are archives, what Pub/Sub has not delivered yet,
/// and BigQuery's time travel, by which deleted data can be restored for up to seven days.
///
/// Exits with 0 if nothing of the user is left, or without --yes; with 1 if something is or an error or Ctrl-C came
/// between, after a receipt of what is gone; and with 2 if the command line or a setting is wrong.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("whom").required(true).multiple(true))]
pub struct Args {
    /// The same as --attribute user_id=X
    #[arg(long, value_name = "X", group = "whom")]
    user_id: Option<String>,
    /// One of VALID_ATTRIBUTES, and its value. If there are several, all have to be so
    #[arg(long, value_name = "NAME=VALUE", group = "whom")]
    attribute: Vec<Attribute>,
    /// Delete, and not only list
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    settings: SettingsFile,
    #[command(flatten)]
    operator: ForgetArgs,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    NoToken(#[from] NoToken),
    #[error("no HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    #[error("cannot listen for signals: {0}")]
    Signal(#[from] std::io::Error),
    #[error("interrupted: the last statement may have been carried out, and not be on the receipt")]
    Interrupted,
    #[error("cannot {what}: {error}")]
    Google { what: String, error: String },
}

impl Failure {
    fn google(what: impl Into<String>, error: impl Display) -> Self {
        Self::Google { what: what.into(), error: error.to_string() }
    }
}

/// Lists or deletes.
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
        Err(Failure::Usage(problem)) => usage(&problem),
        Err(failure) => {
            eprintln!("error: {}", printable(&failure.to_string()));
            ExitCode::FAILURE
        }
    }
}

async fn forget(args: Args, operator: &Operator) -> Result<ExitCode, Failure> {
    let user_id = args.user_id.map(|value| Attribute { name: "user_id".to_owned(), value });
    let subject = Subject::new(user_id.into_iter().chain(args.attribute).collect(), &operator.service).map_err(Failure::Usage)?;
    let (config, tokens) = (&operator.service, operator.tokens().await?);
    let google = Arc::new(Google::new(operator.endpoints.clone(), tokens, &config.location.project).await?);
    let template = &config.template.table;
    let schema =
        tables::schema(&google, config, template).await.map_err(|error| Failure::google(format!("look into {template}"), error))?;
    let subject = match schema {
        Some(schema) => subject.in_tables_of(schema),
        None => subject,
    };
    let found = tables::find(&google, config, &subject).await?;
    let dead_letters = DeadLetterTable::new(Arc::clone(&google), config);
    let letters = letters::find(&dead_letters, &subject).await?;
    if !args.yes {
        print!("{}", receipt::list(&found, letters.len()));
        return Ok(ExitCode::SUCCESS);
    }
    let (now, shutdown) = (Timestamp::now(), super::shutdown_signal()?);
    let mut erased = Erased::default();
    let ended = tokio::select! {
        ended = erased.erase(&google, config, &found, (&dead_letters, letters.as_slice()), now) => ended,
        () = shutdown => Err(Failure::Interrupted),
    };
    println!("{}", receipt::receipt(&erased, ended.is_ok(), &subject, config, now));
    for line in receipt::remarks(&erased, now) {
        eprintln!("{line}");
    }
    ended.map(|()| if erased.held() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
