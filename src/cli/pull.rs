//! `pixel-pipeline pull`: the pipeline of the service, fed by a pull subscription.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::duration_arg::DurationArg;
use super::error::{CliError, printed};
use super::summary::{OutcomeCounts, SummaryFormat, rounded_seconds};
use super::{listener, output};
use crate::config::PullArgs;
use crate::config::settings::PORT;
use crate::service::pull::PullService;
use crate::source::pull::worker::{PullEnd, PullStats};
use crate::telemetry;

/// Pull log entries from a Pub/Sub subscription and store them in BigQuery.
///
/// Works like `serve`, with a pull subscription in place of push deliveries, and needs no port. A message is acknowledged
/// when it is stored, filtered or a dead letter, and returned after a transient failure. Runs until SIGTERM or Ctrl-C; with
/// --until-empty, as a scheduled job, until the subscription is empty. Then it stops pulling, finishes the messages in
/// progress within nine seconds, returns the rest, and prints a summary.
///
/// Exit codes: 0 if every message was settled, 1 if messages were returned or Pub/Sub refused the subscription, 2 if the
/// command line or a setting is invalid. Without --until-empty, a message that was returned after a transient failure counts
/// as settled: another worker may get it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when the subscription is empty
    #[arg(long)]
    until_empty: bool,
    /// Time without a message after which the subscription counts as empty. Messages of a process that was killed come again
    /// after 10 s
    #[arg(long, value_name = "DURATION", default_value = "30s", requires = "until_empty")]
    idle: DurationArg,
    /// Format of the summary
    #[arg(long, value_enum, default_value_t = SummaryFormat::Text)]
    format: SummaryFormat,
    #[command(flatten)]
    settings: PullArgs,
}

/// Pulls until SIGTERM, Ctrl-C, an error, or the end of the messages.
pub async fn run(args: Args) -> ExitCode {
    match pull(&args).await {
        Ok(code) => code,
        Err(error) => error.log_or_report(args.settings.log_format()),
    }
}

async fn pull(args: &Args) -> Result<ExitCode, CliError> {
    let settings = &args.settings;
    let shutdown = super::shutdown_signal();
    let config = settings.load_pull().await;
    let project = config.as_ref().map_or("", |config| config.service.location.project.as_str());
    telemetry::init(settings.log_format(), settings.log_level(), project);
    let config = config.map_err(CliError::settings)?;
    let shutdown = shutdown.map_err(|error| CliError::cannot("listen for signals", &error))?;
    for warning in &config.service.warnings {
        tracing::warn!("{warning}");
    }
    let idle = args.until_empty.then_some(args.idle.0);
    tokio::pin!(shutdown);
    let service = tokio::select! {
        service = PullService::start(&config, idle) => service.map_err(|error| CliError::cannot("pull", &error))?,
        () = &mut shutdown => return Err(CliError::failed("cannot pull: stopped by a signal before Pub/Sub answered")),
    };
    let listener = match config.service.values.optional_number(&PORT) {
        Some(port) => {
            let (listener, port) = listener::bind(port).await?;
            tracing::info!(port, "listening");
            Some(listener)
        }
        None => None,
    };
    tracing::info!(subscription = config.subscription, version = env!("CARGO_PKG_VERSION"), "pulling");
    let started = Instant::now();
    let (end, stats) = service.run(listener, shutdown).await.map_err(|error| CliError::cannot("pull", &error))?;
    let summary = PullSummary { end, stats, is_until_empty: args.until_empty, duration: started.elapsed() };
    printed(output::print(&match args.format {
        SummaryFormat::Text => summary.text(),
        SummaryFormat::Json => summary.json(),
    }))?;
    match &summary.end {
        PullEnd::Failed(error) => Err(CliError::cannot("pull", error)),
        PullEnd::Stopped | PullEnd::Empty if summary.is_success() => Ok(ExitCode::SUCCESS),
        PullEnd::Stopped | PullEnd::Empty => Ok(ExitCode::FAILURE),
    }
}

struct PullSummary {
    end: PullEnd,
    stats: PullStats,
    is_until_empty: bool,
    duration: Duration,
}

impl PullSummary {
    /// Whether every message was settled.
    fn is_success(&self) -> bool {
        let is_complete = match self.end {
            PullEnd::Stopped => !self.is_until_empty,
            PullEnd::Empty => true,
            PullEnd::Failed(_) => false,
        };
        is_complete && self.unsettled() == 0
    }

    /// Messages that were returned last.
    fn unsettled(&self) -> usize {
        self.stats.returned + self.stats.interrupted
    }

    fn counts(&self) -> OutcomeCounts {
        OutcomeCounts(self.stats.outcomes.clone())
    }

    fn json(&self) -> String {
        let errors: Vec<String> = match &self.end {
            PullEnd::Failed(error) => vec![error.to_string()],
            PullEnd::Stopped | PullEnd::Empty => Vec::new(),
        };
        let summary = json!({
            "deliveries": self.stats.deliveries,
            "outcomes": self.counts().json(),
            "unsettled": self.unsettled(),
            "unconfirmed": self.stats.unconfirmed,
            "interrupted": self.is_until_empty && matches!(self.end, PullEnd::Stopped),
            "errors": errors,
            "seconds": rounded_seconds(self.duration),
        });
        format!("{summary}\n")
    }

    fn text(&self) -> String {
        let noun = if self.stats.deliveries == 1 { "message" } else { "messages" };
        let mut text = format!("{} {noun} pulled in {:.1} s\n{}", self.stats.deliveries, self.duration.as_secs_f64(), self.counts());
        if self.unsettled() > 0 {
            text += &format!("{} messages were returned to Pub/Sub: run the command again\n", self.unsettled());
        }
        text
    }
}
