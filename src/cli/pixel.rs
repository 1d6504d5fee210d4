//! `pixel-pipeline pixel`: the pixel as a public service on Cloud Run.

use std::process::ExitCode;

use super::error::CliError;
use super::listener;
use crate::config::PixelArgs;
use crate::{pixel_server, telemetry};

/// Serve the pixel: a public service in place of load balancer, CDN and bucket.
///
/// Cloud Run logs each request, and the log sink exports those entries to the topic. The service itself stores nothing. It
/// answers GET and HEAD of a path in PIXEL_PATH with an image that must not be cached (a GIF if the path ends in .gif, else a
/// PNG), POST with 204, other methods with 405, and other paths with 404. It ends with 0 after SIGTERM.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: PixelArgs,
}

/// Serves until SIGTERM or Ctrl-C.
pub async fn run(Args { settings }: Args) -> ExitCode {
    match serve(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.log_or_report(settings.log_format()),
    }
}

async fn serve(settings: &PixelArgs) -> Result<(), CliError> {
    let shutdown = super::shutdown_signal();
    telemetry::init(settings.log_format(), settings.log_level(), "");
    let config = settings.load_pixel().map_err(CliError::settings)?;
    let shutdown = shutdown.map_err(|error| CliError::cannot("listen for signals", &error))?;
    let (listener, port) = listener::bind(config.port).await?;
    tracing::info!(port, version = env!("CARGO_PKG_VERSION"), "listening");
    pixel_server::serve(listener, config.paths, shutdown).await;
    Ok(())
}
