//! `pixel-pipeline replay`: messages that are kept somewhere, through the pipeline once more.
//!
//! ```text
//! files, gs:// ── lines ──┐
//! dead_letters ───────────┼─▶ feed ─▶ run ─▶ settle (the service's pipeline) ─▶ tally
//! subscription ───────────┘            └── watermark ─▶ checkpoint, ack, delete
//! ```
//!
//! An event keeps its identity, because that is made of the log entry: what is stored already is dropped by
//! BigQuery for about a minute, and by the view `events` for ever.

mod archive;
mod checkpoint;
mod dead_letters;
mod entry;
mod feed;
mod files;
pub mod lines;
mod period;
mod progress;
mod run;
mod settle;
mod shard;
#[cfg(feature = "pubsub")]
mod subscription;
mod tally;
mod watermark;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use clap::builder::PossibleValuesParser;

use super::duration_arg::DurationArg;
use super::settings_file::SettingsFile;
use super::usage;
use crate::config::ReplayArgs;
use crate::decode::RejectReason;
use crate::telemetry;
use period::{Moment, Period};

/// Send messages through the pipeline once more: archives, dead letters, or what a subscription has kept.
///
/// An event keeps its identity, so that what is stored already is dropped by BigQuery for about a minute and by
/// the view `events` after that. Takes the settings of the service: flags, else the environment, else the file; its keys
/// (HASH_USER_IDS, URL_SIGNING_KEY) are in no file and have to be given, or ids are stored as they are and no signature is asked for. What cannot be stored now is tried again.
/// Ctrl-C lets what is under way end. On a Cloud Run job with many tasks, each entry belongs to one of them.
///
/// Prints a summary, and exits with 0 if everything is settled (stored, filtered, or a dead letter), with 1 if
/// not, and with 2 if the command line or a setting is wrong.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("from").required(true).multiple(true))]
pub struct Args {
    /// Files of JSON lines, each a log entry or the body of a push, also gzip; globs; - for standard input;
    /// gs://BUCKET/PREFIX for objects as a log sink archives them
    #[arg(value_name = "FILE", group = "from")]
    files: Vec<String>,
    /// The dead-letter table. What becomes a dead letter again is only counted
    #[arg(long, group = "from", conflicts_with_all = ["files", "subscription", "checkpoint"])]
    dead_letters: bool,
    /// Only dead letters with one of these reasons
    #[arg(long, value_name = "REASON", requires = "dead_letters", value_delimiter = ',',
        value_parser = PossibleValuesParser::new(RejectReason::ALL.map(RejectReason::as_str)))]
    reason: Vec<String>,
    /// Delete the dead letters that become rows. BigQuery keeps those of the last half hour or so: run it again
    #[arg(long, requires = "dead_letters", conflicts_with = "dry_run")]
    delete: bool,
    /// A pull subscription, as pixel-dead-letter. What is settled is acknowledged, and all else goes back
    #[cfg(feature = "pubsub")]
    #[arg(long, value_name = "NAME", group = "from", conflicts_with_all = ["files", "checkpoint"])]
    subscription: Option<String>,
    /// How long the subscription may bring nothing before it is taken to be empty
    #[cfg(feature = "pubsub")]
    #[arg(long, value_name = "DURATION", default_value = "10s", requires = "subscription")]
    idle_timeout: DurationArg,
    /// Count what would become of the entries, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Only entries of this time and later, as 2026-01-02 or 2026-01-02T03:04:05Z. The time of an entry is its own
    /// timestamp, that of a dead letter when it was received
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only entries before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
    /// Entries that may be under way at once
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    concurrency: u32,
    /// How long an entry that cannot be stored is tried
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    give_up_after: DurationArg,
    /// File that remembers how far each file or object is settled, and from which a later run goes on
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    checkpoint: Option<PathBuf>,
    /// How to print the summary
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Which of the tasks this is, from 0
    #[arg(long, env = "CLOUD_RUN_TASK_INDEX", value_name = "N", default_value_t = 0, help_heading = "Cloud Run job")]
    task_index: u32,
    /// How many tasks share the work
    #[arg(long, env = "CLOUD_RUN_TASK_COUNT", value_name = "N", default_value_t = 1, help_heading = "Cloud Run job")]
    task_count: u32,
    #[command(flatten)]
    settings: SettingsFile,
    #[command(flatten)]
    operator: ReplayArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line for each outcome
    Text,
    /// One object
    Json,
}

impl Args {
    fn period(&self) -> Period {
        Period { since: self.since, until: self.until }
    }
}

/// Replays until everything is settled, or until Ctrl-C.
pub async fn run(args: Args) -> ExitCode {
    let args: Args = match args.settings.merge_file("replay", args.operator.is_local()) {
        Ok(args) => args,
        Err(error) => return error.report(),
    };
    let operator = args.operator.load_operator().await;
    let project = operator.as_ref().map_or("", |operator| operator.service.location.project.as_str());
    telemetry::init(args.operator.log_format(), args.operator.log_level(), project);
    let operator = match operator {
        Ok(operator) => operator,
        Err(problems) => return usage(&format!("invalid settings:\n{problems}")),
    };
    match run::run(&args, operator).await {
        Ok(code) => code,
        Err(failure @ (run::Failure::Usage(_) | run::Failure::Input { .. } | run::Failure::Checkpoint(_))) => usage(&failure.to_string()),
        Err(failure) => {
            eprintln!("error: {}", super::printable(&telemetry::with_causes(&failure)));
            ExitCode::FAILURE
        }
    }
}
