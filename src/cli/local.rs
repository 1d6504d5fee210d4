//! `pixel-pipeline local`: the whole pipeline in one process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::config::ServeArgs;
use crate::local::bigquery::BigQuery;
use crate::local::pixel::{self, LoadBalancer};
use crate::local::subscription::Topic;
use crate::service::Service;
use crate::source::http_server;
use crate::{metrics, telemetry};

/// Run the whole pipeline on this machine: pixel, push, service and BigQuery.
///
/// Needs no account and sends nothing anywhere: every port is bound to 127.0.0.1. Takes the same
/// settings as `serve`; BIGQUERY_EMULATOR_HOST is ours to set and GOOGLE_CLOUD_PROJECT is
/// `local` unless given.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory of the tables, which survive a restart
    #[arg(long, env, value_name = "DIR", default_value = "./pixel-data", help_heading = "Local")]
    data_dir: PathBuf,
    /// Port of the pixel
    #[arg(long, env, value_name = "PORT", default_value_t = 8081, help_heading = "Local")]
    pixel_port: u16,
    /// Port of BigQuery's API
    #[arg(long, env, value_name = "PORT", default_value_t = 9050, help_heading = "Local")]
    bigquery_port: u16,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("cannot listen on port {port} ({setting}): {error}")]
    Port { port: u16, setting: &'static str, error: std::io::Error },
    #[error("cannot listen for signals: {0}")]
    Signal(std::io::Error),
    #[error(transparent)]
    Data(#[from] crate::local::bigquery::OpenError),
    #[error(transparent)]
    Service(#[from] crate::service::ServiceError),
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    #[error(transparent)]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Runs until SIGTERM or Ctrl-C.
pub async fn run(mut args: Args) -> ExitCode {
    let given = args.serve.google_cloud_project.take().filter(|project| !project.trim().is_empty());
    let project = given.unwrap_or_else(|| "local".to_owned());
    args.serve.google_cloud_project = Some(project.clone());
    telemetry::init(args.serve.log_format(), &args.serve.log_level, &project);
    let bigquery_listener = match bind(args.bigquery_port, "BIGQUERY_PORT").await {
        Ok(listener) => listener,
        Err(failure) => return fail(&failure),
    };
    args.serve.bigquery_emulator_host = Some(format!("http://{}", bigquery_listener.1));
    let config = match args.serve.load().await {
        Ok(config) => config,
        Err(problems) => {
            tracing::error!("the settings are wrong:\n{problems}");
            return ExitCode::from(2);
        }
    };
    match serve(args, config, project, bigquery_listener).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => fail(&failure),
    }
}

async fn serve(args: Args, config: crate::config::Config, project: String, bigquery_at: (TcpListener, SocketAddr)) -> Result<(), Failure> {
    let shutdown = super::shutdown_signal().map_err(Failure::Signal)?;
    let bigquery = BigQuery::open(&args.data_dir)?;
    let (push_listener, push_address) = bind(config.port, "PORT").await?;
    let (pixel_listener, pixel_address) = bind(args.pixel_port, "PIXEL_PORT").await?;
    let (bigquery_listener, bigquery_address) = bigquery_at;
    let (topic, subscription) = Topic::with_push_to(format!("http://{push_address}/"), &project)?;
    let tables = format!("http://{bigquery_address}/bigquery/v2/projects/{project}/datasets/{}/tables", config.location.dataset);

    // Ended one after the other, in the order in which an event passes them.
    let stop_pixel = watch::channel(()).0;
    let stop_service = watch::channel(()).0;
    let stop_bigquery = watch::channel(()).0;
    let mut bigquery_server = tokio::spawn(http_server::serve(bigquery_listener, bigquery.router(), closed(&stop_bigquery)));
    let service = Service::start(config, metrics::install()?)?;
    let mut service = tokio::spawn(service.run(push_listener, closed(&stop_service)));
    let mut pixel_server =
        tokio::spawn(http_server::serve(pixel_listener, pixel::router(LoadBalancer { project, topic }), closed(&stop_pixel)));
    let mut subscription = tokio::spawn(subscription.run());
    print_welcome(&pixel::url(pixel_address), push_address, bigquery_address, &tables);

    let ended = tokio::select! {
        () = shutdown => None,
        ended = &mut service => Some(ended),
    };
    let grace = Duration::from_secs(2);
    drop(stop_pixel);
    let _ = tokio::time::timeout(grace, &mut pixel_server).await;
    pixel_server.abort();
    // What is still being delivered may end; what is not acknowledged by then is lost with us.
    let _ = tokio::time::timeout(grace, &mut subscription).await;
    subscription.abort();
    drop(stop_service);
    let ended = match ended {
        Some(ended) => ended,
        None => service.await,
    };
    drop(stop_bigquery);
    let _ = tokio::time::timeout(grace, &mut bigquery_server).await;
    bigquery_server.abort();
    bigquery.close();
    match ended {
        Ok(result) => Ok(result?),
        // A task that panicked has said so itself.
        Err(_) => Ok(()),
    }
}

fn print_welcome(pixel: &str, push: SocketAddr, bigquery: SocketAddr, tables: &str) {
    println!(
        "pixel     {pixel}
push      http://{push}/
BigQuery  http://{bigquery}

Fire the pixel:
  curl -o /dev/null \"{pixel}?user_id=507f1f77bcf86cd799439011&order_id=42&type=click\"
See the tables, and the rows of one:
  curl {tables}
  curl {tables}/pixel_507f1f77bcf86cd799439011_{}/data
Stop with Ctrl-C; the tables stay.",
        jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::now()).strftime("%Y%m%d")
    );
}

async fn bind(port: u16, setting: &'static str) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error| Failure::Port { port, setting, error };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Ends when the sender is dropped.
fn closed(sender: &watch::Sender<()>) -> impl Future<Output = ()> + use<> {
    let mut receiver = sender.subscribe();
    async move { while receiver.changed().await.is_ok() {} }
}

fn fail(failure: &Failure) -> ExitCode {
    tracing::error!("cannot run: {}", telemetry::with_causes(failure));
    ExitCode::FAILURE
}
