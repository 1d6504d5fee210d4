//! `pixel-pipeline local`: the whole pipeline in one process.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use url::Url;

use super::duration_arg::DurationArg;
use super::error::{CliError, printed};
use super::output;
use super::welcome::welcome;
use crate::config::command::Command;
use crate::config::settings::{
    BIGQUERY_EMULATOR_HOST, BIGQUERY_PORT, DATA_DIR, FRONT, PIXEL_PORT, PORT, PROJECT_ID, PUBSUB_EMULATOR_HOST, PUSH_AUTH,
};
use crate::config::{Config, Problems, RawSettings, SettingArgs};
use crate::local::address::Bound;
use crate::local::bq::BqFiles;
use crate::local::demo::Rate;
use crate::local::front::FrontKind;
use crate::local::pubsub::{DeadLetterPolicy, SubscriptionPolicy};
use crate::local::template_table::TemplateTableError;
use crate::local::topology::{Listeners, PubsubMode, Topology, TopologyError, TopologySettings};
use crate::telemetry;
use bigquery_emulator::BigQuery;

/// Time for the events in progress at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// Run the whole pipeline on this machine: pixel, push, service and BigQuery.
///
/// Needs no account and sends nothing to Google: every port is bound to 127.0.0.1, unless --host names another address.
/// The pixel is at each path of PIXEL_PATH.
///
/// Stops at SIGTERM, Ctrl-C, or after --for. Then it waits up to ten seconds for events in progress (a second Ctrl-C ends
/// the wait), and prints a summary. Fails if events were lost.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of all ports. If it is not a loopback address, other machines can read and write all data
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), help_heading = "Local")]
    host: IpAddr,
    /// Simulate visitors with this rate of requests for the pixel [default without a value: 3]
    #[arg(long, value_name = "EVENTS_PER_SECOND", num_args = 0..=1, default_missing_value = "3", help_heading = "Local")]
    demo: Option<Rate>,
    /// Stop after this time, such as 30s, 2m or 1h30m
    #[arg(long = "for", value_name = "DURATION", help_heading = "Local")]
    duration: Option<DurationArg>,
    /// Delivery attempts until a message goes to the dead-letter topic, which is in memory: 5 to 100. Not with the Pub/Sub
    /// emulator
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(5..=100), help_heading = "Local")]
    max_delivery_attempts: u32,
    /// URL of the service for the Pub/Sub emulator, if that runs on another machine or in a container
    #[arg(long, value_name = "URL", requires = "pubsub_emulator_host", help_heading = "Emulators")]
    push_endpoint: Option<Url>,
    #[command(flatten)]
    settings: SettingArgs<{ Command::Local as u8 }>,
}

/// Runs until SIGTERM, Ctrl-C, or the end of `--for`.
pub async fn run(mut args: Args) -> ExitCode {
    let project = args.settings.project().map_or_else(|| "local".to_owned(), |(_, project)| project);
    args.settings.set(&PROJECT_ID, project.as_str());
    telemetry::init(args.settings.log_format(), args.settings.log_level(), &project);
    serve(args, project).await.unwrap_or_else(CliError::report)
}

async fn serve(mut args: Args, project: String) -> Result<ExitCode, CliError> {
    let shutdown = super::shutdown_signal().map_err(|error| CliError::cannot("listen for signals", &error))?;
    let (mut config, data_dir) = load(&mut args.settings).await.map_err(CliError::settings)?;
    output::warn(&config.warnings);
    let settings =
        TopologySettings { project, front: FrontKind::of(config.values.text(&FRONT)), pubsub: pubsub(&args, &config), demo: args.demo };
    let bind = async |port: u16, setting: &'static str| Bound::bind(args.host, port, setting).await.map_err(CliError::failed);
    let bigquery_port = bind(config.values.number(&BIGQUERY_PORT), BIGQUERY_PORT.name).await?;
    config.location.endpoint = bigquery_port.url();
    let bigquery = BigQuery::open(&data_dir).map_err(|error| CliError::cannot("open the tables", &error))?;
    let bq = BqFiles::write(&data_dir, &bigquery_port.url(), &settings.project);
    let bq = bq.map_err(|error| CliError::cannot(&format!("write the files for bq into {}", data_dir.display()), &error))?;
    let service = bind(config.values.number(&PORT), "PORT").await?;
    let pixel = bind(config.values.number(&PIXEL_PORT), PIXEL_PORT.name).await?;
    let listeners = Listeners { pixel, service, bigquery: bigquery_port };
    let topology = Topology::start(settings, config, bigquery, listeners).await;
    let mut topology = topology.map_err(not_started)?;
    let notes: String = topology.schema_notes.iter().map(|note| format!("{}\n", super::printable(note))).collect();
    // The pipeline runs without a reader of its output, and reports a failure at the end.
    let banner = output::print(&(notes + &welcome(&topology.handles, &bq, args.host, args.demo, args.duration)));

    let failure = tokio::select! {
        () = shutdown => None,
        () = after(args.duration) => None,
        error = topology.service_ended() => Some(error),
    };
    // Listen again only now: otherwise the first signal would count as the second.
    let second_signal = super::shutdown_signal().map_err(|error| CliError::cannot("listen for signals", &error))?;
    let drain_timeout = if failure.is_some() { Duration::ZERO } else { DRAIN_TIMEOUT };
    let summary = topology.shut_down(drain_timeout, second_signal).await;
    let print_result = output::print(&format!("\n{summary}"));
    match failure {
        Some(error) => Err(CliError::cannot("run the service", &error)),
        None if summary.lost() > 0 => {
            Err(CliError::failed(format!("{} messages were lost: they were not stored or filtered in time", summary.lost())))
        }
        None => printed(banner.and(print_result)).map(|()| ExitCode::SUCCESS),
    }
}

/// The settings and the directory of the tables, all mistakes at once. The address of BigQuery is set when its port is bound.
async fn load(settings: &mut RawSettings) -> Result<(Config, PathBuf), Problems> {
    settings.set(&BIGQUERY_EMULATOR_HOST, "127.0.0.1");
    let mut problems = Problems::default();
    if !matches!(settings.raw(&PUSH_AUTH), "" | "none") {
        problems.add(PUSH_AUTH.name, "pushes have no token here, and all of them would be rejected: unset it");
        settings.set(&PUSH_AUTH, "none");
    }
    let config = match settings.load().await {
        Ok(config) => Some(config),
        Err(Problems(more)) => {
            problems.0.extend(more);
            None
        }
    };
    let data_dir = settings.optional(&DATA_DIR).map(PathBuf::from).ok_or("it is empty: set it to a directory");
    let data_dir = problems.check(DATA_DIR.name, data_dir);
    problems.or(config.zip(data_dir))
}

fn pubsub(args: &Args, config: &Config) -> PubsubMode {
    let policy = SubscriptionPolicy {
        dead_letter: Some(DeadLetterPolicy { max_delivery_attempts: args.max_delivery_attempts }),
        ..SubscriptionPolicy::default()
    };
    match config.values.address(&PUBSUB_EMULATOR_HOST) {
        None => PubsubMode::InProcess(policy),
        Some(address) => PubsubMode::Emulator {
            address,
            push_endpoint: args.push_endpoint.as_ref().map(Url::to_string),
            ack_deadline: policy.ack_deadline,
        },
    }
}

/// A schema that the local BigQuery refuses, or that lacks an attribute, is a mistake in the settings.
fn not_started(error: TopologyError) -> CliError {
    match error {
        TopologyError::TemplateTable(TemplateTableError::Mismatch(mismatch)) => {
            let problems: Vec<String> = mismatch.0.iter().map(|problem| super::printable(&problem.to_string())).collect();
            CliError::settings(problems.join("\n"))
        }
        TopologyError::TemplateTable(error @ TemplateTableError::NotCreated { .. }) => {
            CliError::usage(super::printable(&error.to_string()))
        }
        error => CliError::cannot("start the pipeline", &error),
    }
}

/// Waits for this time, or forever without one.
async fn after(duration: Option<DurationArg>) {
    match duration {
        Some(DurationArg(duration)) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
