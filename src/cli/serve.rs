//! `pixel-pipeline serve`: the service that runs on Cloud Run.

use std::process::ExitCode;

use tokio::net::TcpListener;

use crate::config::ServeArgs;
use crate::service::Service;
use crate::telemetry;

/// Take Pub/Sub push deliveries of load-balancer log entries and store them in BigQuery.
///
/// Every setting is a flag and an environment variable. Exits with 2 if one is wrong, with 1 if
/// the service cannot run, and with 0 after SIGTERM.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    serve: ServeArgs,
}

/// Serves until SIGTERM or Ctrl-C.
pub async fn run(Args { serve: args }: Args) -> ExitCode {
    let shutdown = super::shutdown_signal();
    let config = args.load().await;
    let project = config.as_ref().map_or("", |config| config.location.project.as_str());
    telemetry::init(args.log_format(), &args.log_level, project);
    let config = match config {
        Ok(config) => config,
        Err(problems) => {
            tracing::error!("the settings are wrong:\n{problems}");
            return ExitCode::from(2);
        }
    };
    let shutdown = match shutdown {
        Ok(shutdown) => shutdown,
        Err(error) => return fail(&error),
    };
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let port = config.port;
    let service = match Service::start(config) {
        Ok(service) => service.with_reports(),
        Err(error) => return fail(&error),
    };
    let listener = match TcpListener::bind(("0.0.0.0", port)).await {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!("cannot listen on port {port} (PORT): {error}");
            return ExitCode::FAILURE;
        }
    };
    // Not the setting: 0 stands for any free port.
    let port = listener.local_addr().map_or(port, |address| address.port());
    tracing::info!(port, version = env!("CARGO_PKG_VERSION"), "listening");
    match service.run(listener, shutdown).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    tracing::error!("the service cannot run:\n{}", telemetry::with_causes(error));
    ExitCode::FAILURE
}
