//! The subcommands, one file or folder each: the arguments on top, the work below. `error` has the exit codes of all;
//! `welcome` belongs to `local`.

pub mod check;
pub mod cost;
mod dead_letter_table;
mod duration_arg;
mod error;
pub mod explain;
pub mod forget;
mod input;
#[cfg(feature = "local")]
pub mod local;
#[cfg(feature = "query")]
pub mod query;
pub mod replay;
pub mod serve;
mod settings_file;
pub mod sign;
mod streaming_buffer;
#[cfg(test)]
mod tests;
mod tokens;
#[cfg(feature = "local")]
mod welcome;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use error::{CliError, EXIT_CODES};

/// Store each request for a tracking pixel behind Google's load balancer as a row in BigQuery.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

// No comments on the variants: they would hide those of the arguments from --help.
#[derive(Debug, Subcommand)]
enum CliCommand {
    Serve(Box<serve::Args>),
    Explain(Box<explain::Args>),
    Check(Box<check::Args>),
    Cost(cost::Args),
    Sign(sign::Args),
    Replay(Box<replay::Args>),
    Forget(Box<forget::Args>),
    #[cfg(feature = "local")]
    Local(Box<local::Args>),
    #[cfg(feature = "query")]
    Query(query::Args),
}

/// Runs the subcommand. Its exit code is one of [`EXIT_CODES`].
pub async fn run(cli: Cli) -> ExitCode {
    match cli.command {
        CliCommand::Serve(args) => serve::run(*args).await,
        CliCommand::Explain(args) => explain::run(*args),
        CliCommand::Check(args) => check::run(*args).await,
        CliCommand::Cost(args) => cost::run(args),
        CliCommand::Sign(args) => sign::run(args),
        CliCommand::Forget(args) => forget::run(*args).await,
        CliCommand::Replay(args) => replay::run(*args).await,
        #[cfg(feature = "local")]
        CliCommand::Local(args) => local::run(*args).await,
        #[cfg(feature = "query")]
        CliCommand::Query(args) => query::run(args).await,
    }
}

/// Ends at SIGTERM, which Cloud Run sends, or at Ctrl-C. It listens from the call on, not from the first poll: a signal in
/// between would kill the process.
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// The command line or a setting is wrong.
fn usage(problem: &str) -> ExitCode {
    CliError::usage(problem).report()
}

/// Control characters of untrusted text must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// The same for a text of several lines, which it keeps, and tabs.
#[cfg(feature = "query")]
fn printable_lines(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c }).collect()
}
