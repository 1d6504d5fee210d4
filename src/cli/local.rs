//! `pixel-pipeline local`: the whole pipeline in one process.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use url::Url;

use super::duration_arg::DurationArg;
use super::welcome::welcome;
use crate::config::{self, Config, ServeArgs};
use crate::local::address::{BindError, Bound};
use crate::local::bq::BqFiles;
use crate::local::demo::Rate;
use crate::local::pubsub::{DeadLetterPolicy, Policy};
use crate::local::topology::{Listeners, Pubsub, Settings, Topology, TopologyError};
use crate::service::ServiceError;
use crate::source::auth::PushAuth;
use crate::telemetry;
use bigquery_emulator::{BigQuery, OpenError};

/// How long messages may take to be settled once no more come.
const DRAIN: Duration = Duration::from_secs(10);

/// Run the whole pipeline on this machine: pixel, push, service and BigQuery.
///
/// Needs no account and sends nothing anywhere: every port is bound to 127.0.0.1 unless --host says
/// otherwise. Takes the same settings as `serve`; BIGQUERY_EMULATOR_HOST is ours to set and
/// GOOGLE_CLOUD_PROJECT is `local` unless given. The pixel is at each path of PIXEL_PATH.
///
/// Ends at SIGTERM, Ctrl-C, or after --for, gives what was requested ten seconds to arrive (a second
/// Ctrl-C: none), and prints a summary. Exits with 0, with 1 if it could not run or lost messages, and
/// with 2 if a setting is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of the tables, which survive a restart
    #[arg(long, env, value_name = "DIR", default_value = "./pixel-data", help_heading = "Local")]
    data_dir: PathBuf,
    /// Address of all ports. On any but a loopback address, others can read and write everything
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), help_heading = "Local")]
    host: IpAddr,
    /// Port of the pixel
    #[arg(long, env, value_name = "PORT", default_value_t = 8081, help_heading = "Local")]
    pixel_port: u16,
    /// Port of BigQuery's API
    #[arg(long, env, value_name = "PORT", default_value_t = 9050, help_heading = "Local")]
    bigquery_port: u16,
    /// Fire the pixel as visitors would, so many times a second; 3 if it is not said
    #[arg(long, value_name = "EVENTS_PER_SECOND", num_args = 0..=1, default_missing_value = "3", help_heading = "Local")]
    demo: Option<Rate>,
    /// End after that time, as 30s, 2m or 1h30m
    #[arg(long = "for", value_name = "DURATION", help_heading = "Local")]
    duration: Option<DurationArg>,
    /// Delivery attempts after which a message goes to the dead-letter topic, which is in memory: 5 to 100. Not with
    /// the Pub/Sub emulator
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(5..=100), help_heading = "Local")]
    max_delivery_attempts: u32,
    /// Google's Pub/Sub emulator, to be used in place of our own topic and subscription
    #[arg(long, env, value_name = "HOST:PORT", help_heading = "Local")]
    pubsub_emulator_host: Option<String>,
    /// The service's URL as the Pub/Sub emulator sees it, where that is another machine or a container
    #[arg(long, value_name = "URL", requires = "pubsub_emulator_host", help_heading = "Local")]
    push_endpoint: Option<Url>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the settings are wrong:\n{0}")]
    Settings(String),
    #[error(transparent)]
    Port(#[from] BindError),
    #[error("cannot listen for signals")]
    Signal(#[source] std::io::Error),
    #[error(transparent)]
    Data(#[from] OpenError),
    #[error("cannot write the files for bq into {}", dir.display())]
    Bq { dir: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Topology(#[from] TopologyError),
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// Runs until SIGTERM, Ctrl-C, or the end of `--for`.
pub async fn run(mut args: Args) -> ExitCode {
    let given = args.serve.google_cloud_project.take().filter(|project| !project.trim().is_empty());
    let project = given.unwrap_or_else(|| "local".to_owned());
    args.serve.google_cloud_project = Some(project.clone());
    telemetry::init(args.serve.log_format(), &args.serve.log_level, &project);
    match serve(args, project).await {
        Ok(code) => code,
        Err(failure @ Failure::Settings(_)) => {
            tracing::error!("{failure}");
            ExitCode::from(2)
        }
        Err(failure) => {
            tracing::error!("cannot run: {}", telemetry::with_causes(&failure));
            ExitCode::FAILURE
        }
    }
}

async fn serve(mut args: Args, project: String) -> Result<ExitCode, Failure> {
    let shutdown = super::shutdown_signal().map_err(Failure::Signal)?;
    let bigquery_port = Bound::bind(args.host, args.bigquery_port, "BIGQUERY_PORT").await?;
    args.serve.bigquery_emulator_host = Some(bigquery_port.url());
    let (config, settings) = load(&args, project).await?;
    let bigquery = BigQuery::open(&args.data_dir)?;
    let bq = BqFiles::write(&args.data_dir, &bigquery_port.url(), &settings.project)
        .map_err(|source| Failure::Bq { dir: args.data_dir.clone(), source })?;
    let service = Bound::bind(args.host, config.port, "PORT").await?;
    let pixel = Bound::bind(args.host, args.pixel_port, "PIXEL_PORT").await?;
    let listeners = Listeners { pixel, service, bigquery: bigquery_port };
    let mut topology = Topology::start(settings, config, bigquery, listeners).await?;
    print(&welcome(&topology.handles, &bq, args.host, args.demo, args.duration));

    let failure = tokio::select! {
        () = shutdown => None,
        () = after(args.duration) => None,
        error = topology.service_ended() => Some(error),
    };
    // Only now, or the first signal would count as the second.
    let hurry = super::shutdown_signal().map_err(Failure::Signal)?;
    let patience = if failure.is_some() { Duration::ZERO } else { DRAIN };
    let summary = topology.shut_down(patience, hurry).await;
    print(&format!("\n{summary}"));
    match failure {
        Some(error) => Err(error.into()),
        None if summary.lost() > 0 => {
            tracing::warn!(messages = summary.lost(), "messages were lost: they were neither stored nor filtered in time");
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

/// The settings of service and topology, all mistakes at once.
async fn load(args: &Args, project: String) -> Result<(Config, Settings), Failure> {
    let config = args.serve.load().await.map_err(|problems| problems.to_string()).and_then(let_in);
    let pubsub = pubsub(args);
    match (config, pubsub) {
        (Ok(config), Ok(pubsub)) => Ok((config, Settings { project, pubsub, demo: args.demo })),
        (config, pubsub) => {
            let problems: Vec<String> = config.err().into_iter().chain(pubsub.err()).collect();
            Err(Failure::Settings(problems.join("\n")))
        }
    }
}

/// Whoever pushes here has no token.
fn let_in(config: Config) -> Result<Config, String> {
    match config.push_auth {
        PushAuth::None => Ok(config),
        PushAuth::Iam { .. } | PushAuth::Oidc { .. } => {
            Err("PUSH_AUTH: pushes have no token here, and none of them would be let in: unset it".to_owned())
        }
    }
}

fn pubsub(args: &Args) -> Result<Pubsub, String> {
    let policy = Policy { dead_letter: Some(DeadLetterPolicy { max_delivery_attempts: args.max_delivery_attempts }), ..Policy::default() };
    match args.pubsub_emulator_host.as_deref().map(str::trim).filter(|host| !host.is_empty()) {
        None => Ok(Pubsub::InProcess(policy)),
        Some(host) => {
            let address = config::parse_address(host).map_err(|problem| format!("PUBSUB_EMULATOR_HOST: {problem}"))?;
            Ok(Pubsub::Emulator {
                address,
                push_endpoint: args.push_endpoint.as_ref().map(Url::to_string),
                ack_deadline: policy.ack_deadline,
            })
        }
    }
}

/// To standard output, which may have been closed by whoever read it.
fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Ends after that time; without one, never.
async fn after(duration: Option<DurationArg>) {
    match duration {
        Some(DurationArg(duration)) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
