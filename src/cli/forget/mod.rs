//! `pixel-pipeline forget`: everything of one user, found and deleted.
//!
//! ```text
//! subject (whom) ─▶ tables (which may hold rows of theirs, and which do) ──┐
//!               └─▶ letters (which dead letters are theirs) ───────────────┴─▶ erase ─▶ receipt
//! ```
//!
//! A name is not believed: a prefix of a table's name is not a user. What is deleted is decided by what the
//! column says.

mod erase;
mod letters;
mod receipt;
mod subject;
mod tables;

use std::process::ExitCode;

use jiff::Timestamp;

use super::google::{Google, Unseen};
use super::printable;
use super::settings_file::SettingsFile;
use crate::config::{Operator, OperatorArgs};
use crate::sink::credentials::NoToken;
use crate::telemetry;
use subject::{Attribute, Subject};

/// Delete everything of one user: tables, rows in tables that others share, and dead letters.
///
/// Lists what there is; deletes it with --yes, and prints a receipt as JSON, which does not name the user. BigQuery
/// deletes no row that was streamed in the last half hour or so: what it still holds is said, and when to run it
/// again. Not reached are archives, what Pub/Sub has not delivered yet, and BigQuery's time travel, by which deleted
/// data can be restored for up to seven days.
///
/// Exits with 0 if nothing of the user is left, or without --yes; with 1 if something is, and with 2 if the command
/// line or a setting is wrong.
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
    operator: OperatorArgs,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    NoToken(#[from] NoToken),
    #[error("no HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    #[error("cannot {what}: {error}")]
    Google { what: String, error: Unseen },
}

/// Lists or deletes.
pub async fn run(args: Args) -> ExitCode {
    let args: Args = match args.settings.under("forget", args.operator.is_local()) {
        Ok(args) => args,
        Err(error) => return error.report(),
    };
    let serve = &args.operator.serve;
    telemetry::init(serve.log_format(), &serve.log_level, "");
    let operator = match args.operator.load().await {
        Ok(operator) => operator,
        Err(problems) => return usage(&format!("the settings are wrong:\n{problems}")),
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
    // It would look for the id in the clear, find nothing, and say so.
    if operator.service.template.decode.privacy.hashed_ids.is_some() {
        let problem = "HASH_USER_IDS is set, and the tables hold hashes: unset it, and give the hash (`printf %s ID | openssl dgst \
                       -sha256 -hmac KEY`, its first 32 digits) in place of the id; dead letters hold the id itself";
        return Err(Failure::Usage(problem.to_owned()));
    }
    let user_id = args.user_id.map(|value| Attribute { name: "user_id".to_owned(), value });
    let subject = Subject::new(user_id.into_iter().chain(args.attribute).collect(), &operator.service).map_err(Failure::Usage)?;
    let tokens = operator.tokens().await?;
    let google = Google::new(operator.endpoints.clone(), tokens, &operator.service.location.project).await?;
    let found = tables::find(&google, &operator.service, &subject).await?;
    let letters = letters::find(&google, &operator.service, &subject).await?;
    if !args.yes {
        print!("{}", receipt::list(&found, letters.len()));
        return Ok(ExitCode::SUCCESS);
    }
    let now = Timestamp::now();
    let erased = erase::erase(&google, &operator.service, &subject, &found, &letters, now).await?;
    println!("{}", receipt::receipt(&erased, &subject, &operator.service, now));
    for line in receipt::remarks(&erased, now) {
        eprintln!("{line}");
    }
    Ok(if erased.held() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::from(2)
}
