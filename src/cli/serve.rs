//! `pixel-pipeline serve`: the service that runs on Cloud Run.

use std::process::ExitCode;

use super::error::CliError;
use super::listener;
use crate::config::ServeArgs;
use crate::config::settings::PORT;
use crate::service::Service;
use crate::telemetry;

/// Receive Pub/Sub push deliveries of load-balancer log entries and store them in BigQuery.
///
/// Every setting is a flag and an environment variable. The service ends with 0 after SIGTERM.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: ServeArgs,
}

/// Serves until SIGTERM or Ctrl-C.
pub async fn run(Args { settings }: Args) -> ExitCode {
    match serve(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.log_or_report(settings.log_format()),
    }
}

async fn serve(settings: &ServeArgs) -> Result<(), CliError> {
    let shutdown = super::shutdown_signal();
    let config = settings.load().await;
    let project = config.as_ref().map_or("", |config| config.location.project.as_str());
    telemetry::init(settings.log_format(), settings.log_level(), project);
    let config = config.map_err(CliError::settings)?;
    let shutdown = shutdown.map_err(|error| CliError::cannot("listen for signals", &error))?;
    for warning in config.auth_warning.iter().chain(&config.warnings) {
        tracing::warn!("{warning}");
    }
    let port = config.values.number(&PORT);
    let service = Service::start(config).map_err(|error| CliError::cannot("start the service", &error))?.with_reports();
    let (listener, port) = listener::bind(port).await?;
    tracing::info!(port, version = env!("CARGO_PKG_VERSION"), "listening");
    service.run(listener, shutdown).await.map_err(|error| CliError::cannot("run the service", &error))
}
