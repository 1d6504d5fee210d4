//! `pixel-pipeline replay`: sends messages that are kept elsewhere through the pipeline again.
//!
//! ```text
//! files, gs:// ─ documents ┐
//! dead-letter table ──────┼─▶ Source ─▶ Runner ─▶ process (the service's pipeline) ─▶ Summary
//! subscription ───────────┘               └─▶ Source: checkpoint, delete, acknowledge
//! ```
//!
//! An event keeps its identity, which comes from the log entry. BigQuery drops a duplicate for about a minute, the view
//! `events` after that.

mod checkpoint;
mod error;
mod identity;
mod offset_tracker;
mod outcome;
mod period;
mod process;
mod progress;
mod runner;
mod setup;
mod shard;
mod source;
mod summary;
mod target;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValuesParser;

use super::deployed_keys;
use super::duration_arg::DurationArg;
use super::error::{CliError, printed};
use super::settings_file::SettingsFile;
use super::summary::SummaryFormat;
use super::{output, printable, usage};
use crate::config::SettingArgs;
#[cfg(feature = "pubsub")]
use crate::config::SubscriptionName;
use crate::config::command::Command;
use crate::decode::RejectReason;
use crate::telemetry;
use error::ReplayError;
use period::{Period, TimeArg};
use summary::ReplaySummary;

/// Process messages again: from archives, the dead-letter table, or a subscription
///
/// Each event keeps its identity: BigQuery drops a duplicate for about a minute, the view `events` after that.
/// Settings come from flags, then the environment, then the settings file. The keys HASH_USER_IDS and URL_SIGNING_KEY are
/// those of the deployed service, which are read from Secret Manager, unless they are given. Transient failures are retried. Ctrl-C stops reading and waits for entries in progress. In a Cloud Run job
/// with several tasks, each task processes its share.
///
/// A part of a file that is not the log entry of a request is reported and not stored: the file still has it. A file in
/// another format than JSON is refused before anything is stored.
///
/// Prints a summary. Exit codes: 0 if every entry was processed (stored, filtered, or a dead letter), 1 if not, 2 if the
/// command line, a setting or the format of a file is invalid.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("from").required(true).multiple(true))]
pub struct Args {
    /// Files of JSON, also gzip and zstd: log entries, push or pull bodies, or dead letters; one per line, in an array, or one
    /// after the other. Also patterns (*, ?, [a-z]), - for standard input, and gs://BUCKET/PREFIX for the archive of a log
    /// sink
    #[arg(value_name = "FILE", group = "from")]
    files: Vec<String>,
    /// Replay the dead-letter table. Entries that become dead letters again are only counted
    #[arg(long, group = "from", conflicts_with_all = ["files", "checkpoint"])]
    dead_letters: bool,
    /// Replay only dead letters with one of these reasons
    #[arg(long, value_name = "REASON", requires = "dead_letters", value_delimiter = ',',
        value_parser = PossibleValuesParser::new(RejectReason::ALL.map(RejectReason::as_str)))]
    reason: Vec<String>,
    /// Delete dead letters that become rows. BigQuery cannot delete rows of the last 30 minutes or so: run the command
    /// again later
    #[arg(long, requires = "dead_letters", conflicts_with = "dry_run")]
    delete: bool,
    /// Replay a pull subscription, such as pixel-dead-letter. Processed messages are acknowledged, all others returned
    #[cfg(feature = "pubsub")]
    #[arg(long, value_name = "NAME", group = "from", conflicts_with_all = ["files", "dead_letters", "checkpoint"])]
    subscription: Option<SubscriptionName>,
    /// Stop when the subscription delivers no message for this time
    #[cfg(feature = "pubsub")]
    #[arg(long, value_name = "DURATION", default_value = "10s", requires = "subscription")]
    idle_timeout: DurationArg,
    /// Count the outcomes, and store nothing
    #[arg(long)]
    dry_run: bool,
    /// Process only entries of this time or later: 2026-01-02 or 2026-01-02T03:04:05Z. The time of an entry is its
    /// timestamp, the time of a dead letter when it was received
    #[arg(long, value_name = "TIME")]
    since: Option<TimeArg>,
    /// Process only entries before this time
    #[arg(long, value_name = "TIME")]
    until: Option<TimeArg>,
    /// Maximum entries in progress
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    concurrency: u32,
    /// Maximum time to retry an entry
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    give_up_after: DurationArg,
    /// Record in this file how far each input is processed, and continue from there in the next run
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    checkpoint: Option<PathBuf>,
    /// Format of the summary
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    format: SummaryFormat,
    /// Number of this task, from 0
    #[arg(long, env = "CLOUD_RUN_TASK_INDEX", value_name = "N", default_value_t = 0, help_heading = "Cloud Run job")]
    task_index: u32,
    /// Number of tasks that share the work
    #[arg(long, env = "CLOUD_RUN_TASK_COUNT", value_name = "N", default_value_t = 1, help_heading = "Cloud Run job")]
    task_count: u32,
    #[command(flatten)]
    settings: SettingsFile,
    #[command(flatten)]
    operator: SettingArgs<{ Command::Replay as u8 }>,
}

impl Args {
    fn period(&self) -> Period {
        Period { since: self.since, until: self.until }
    }
}

/// Replays until everything is processed, or until Ctrl-C.
pub async fn run(args: Args) -> ExitCode {
    let args: Args = match args.settings.merge_file("replay", args.operator.is_local()) {
        Ok(args) => args,
        Err(error) => return error.report(),
    };
    let plan = match setup::plan(&args) {
        Ok(plan) => plan,
        Err(error) => return report_error(&error),
    };
    let operator = deployed_keys::load_operator(&args.operator).await;
    let project = operator.as_ref().map_or("", |operator| operator.service.location.project.as_str());
    telemetry::init(args.operator.log_format(), args.operator.log_level(), project);
    let operator = match operator {
        Ok(operator) => operator,
        Err(error) => return error.report(),
    };
    output::warn(&operator.service.warnings);
    let signal = match super::shutdown_signal() {
        Ok(signal) => signal,
        Err(error) => return report_error(&ReplayError::Signal(error)),
    };
    match setup::replay(&args, plan, &operator, signal).await {
        Ok(summary) => report(&args, &summary),
        Err(error) => report_error(&error),
    }
}

fn report(args: &Args, summary: &ReplaySummary) -> ExitCode {
    match &args.checkpoint {
        Some(path) if !summary.is_success() => {
            output::note(format_args!("to continue, run the command again with --checkpoint {}", path.display()));
        }
        None if summary.is_interrupted => output::note("without --checkpoint, the next run starts from the beginning"),
        _ => {}
    }
    let text = match args.format {
        SummaryFormat::Text => summary.text(),
        SummaryFormat::Json => summary.json(),
    };
    if let Err(error) = printed(output::print(&text)) {
        return error.report();
    }
    if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn report_error(error: &ReplayError) -> ExitCode {
    let message = printable(&telemetry::with_causes(error));
    if error.is_usage() {
        return usage(&message);
    }
    CliError::failed(message).report()
}
