//! The subcommands, one file each: what it can be told on top, what it does below.

pub mod explain;
#[cfg(feature = "local")]
pub mod local;
pub mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A tracking pixel behind Google's load balancer, and every hit a row in BigQuery.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take Pub/Sub push deliveries of load-balancer log entries and store them in BigQuery
    Serve(Box<serve::Args>),
    /// Show what would become of URLs, log entries or push bodies, without sending anything
    Explain(explain::Args),
    /// Run the whole pipeline on this machine: pixel, push, service and BigQuery
    #[cfg(feature = "local")]
    Local(Box<local::Args>),
}

/// Runs the subcommand. Mistakes in the settings end with 2, as clap's own do.
pub async fn run(cli: Cli) -> ExitCode {
    match cli.command {
        Command::Serve(args) => serve::run(*args).await,
        Command::Explain(args) => explain::run(args),
        #[cfg(feature = "local")]
        Command::Local(args) => local::run(*args).await,
    }
}

/// SIGTERM, as Cloud Run sends it, or Ctrl-C.
async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
