//! The program `bigquery-emulator`: serves BigQuery's REST API on a port of this machine.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bigquery_emulator::BigQuery;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::filter::LevelFilter;

/// Time that running requests have to finish after a signal.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serve BigQuery's REST API from a local directory.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Data directory, created if it does not exist
    #[arg(long, value_name = "DIR", default_value = ".bigquery")]
    data_dir: PathBuf,
    /// Address to listen on; there is no access control
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 selects a free port
    #[arg(long, value_name = "PORT", default_value_t = 9050)]
    port: u16,
}

fn main() -> ExitCode {
    let args = Args::parse();
    tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).log_internal_errors(false).init();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Fails if the output is closed or its disk is full.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(args: Args) -> Result<(), String> {
    let bigquery = BigQuery::open(&args.data_dir).map_err(|error| format_open_error(&args, &error))?;
    let address = format!("{}:{}", args.host, args.port);
    let listener = TcpListener::bind((args.host.as_str(), args.port)).await;
    let listener = listener.map_err(|error| format!("cannot listen on {address}: {error}; choose another --host or --port"))?;
    let address = listener.local_addr().map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| format!("cannot handle SIGTERM: {error}"))?;

    print_address(address, &args);
    let mut until = stopped.clone();
    let served = axum::serve(listener, bigquery.router()).with_graceful_shutdown(async move { drop(until.wait_for(|stop| *stop).await) });
    let mut server = tokio::spawn(async move { served.await });
    tokio::select! {
        ended = &mut server => return Err(format!("cannot serve requests: {ended:?}")),
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(|error| format!("cannot handle SIGINT: {error}"))?,
    }
    stop.send_replace(true);
    if tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut server).await.is_err() {
        server.abort();
    }
    bigquery.close().await;
    Ok(())
}

/// Prints the address, and the line that sets `BIGQUERY_EMULATOR_HOST` in a shell.
fn print_address(address: SocketAddr, args: &Args) {
    let mut out = std::io::stdout().lock();
    let text = format!(
        "Listening on http://{address}, data directory {}\nexport BIGQUERY_EMULATOR_HOST=http://{address}\n",
        args.data_dir.display()
    );
    // The parent process may have closed the output.
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

fn format_open_error(args: &Args, error: &bigquery_emulator::OpenError) -> String {
    let mut message = format!("cannot open the data directory {}: {error}", args.data_dir.display());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    if matches!(error, bigquery_emulator::OpenError::InUse { .. }) {
        message.push_str("; stop that process or choose another --data-dir");
    }
    message
}
