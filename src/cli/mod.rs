//! The subcommands, one file or folder each: the arguments on top, the work below. `config::command` lists them. `error`
//! has the exit codes of all; `welcome` belongs to `local`.

mod check;
mod cost;
mod dead_letter_table;
mod deployed_keys;
pub mod documents;
mod duration_arg;
mod error;
mod explain;
mod forget;
mod input;
mod listener;
#[cfg(feature = "local")]
mod local;
mod output;
mod pixel;
#[cfg(feature = "pubsub")]
mod pull;
#[cfg(feature = "query")]
mod query;
mod replay;
mod serve;
mod settings_file;
mod sign;
mod streaming_buffer;
mod summary;
#[cfg(test)]
mod tests;
mod tokens;
#[cfg(feature = "local")]
mod welcome;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::command::with_commands;
use error::{CliError, EXIT_CODES};

/// Store each request for a tracking pixel behind Google's load balancer as a row in BigQuery.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

macro_rules! define {
    ($($(#[$feature:meta])? $command:ident $module:ident)+) => {
        // No comments on the variants: they would hide those of the arguments from --help.
        #[derive(Debug, Subcommand)]
        enum CliCommand {
            $($(#[$feature])? $command(Box<$module::Args>),)+
        }

        /// Runs the subcommand. Its exit code is one of [`EXIT_CODES`].
        pub async fn run(cli: Cli) -> ExitCode {
            match cli.command {
                $($(#[$feature])? CliCommand::$command(args) => $module::run(*args).await,)+
            }
        }
    };
}
with_commands!(define);

/// The command line. On help or a mistake, it prints that and returns the exit code.
pub fn parse() -> Result<Cli, ExitCode> {
    Cli::try_parse().map_err(|error| error::report_clap(&error))
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
