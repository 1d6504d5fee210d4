//! `pixel-pipeline query`: SQL from the command line, against the local mode or a live project.
//!
//! ```text
//! args ── target (BigQuery, project) ── run (a job, its pages) ── output (table, CSV, JSON) ── pager
//!     └── parameters                   └── Ctrl-C: cancel        └── cell (BigQuery's encoding)
//! ```
//!
//! Rows are printed page by page; at most one page is in memory. The query runs as a job with an id that is chosen here,
//! so that Ctrl-C can cancel it on the server even before the first answer.

mod caret;
mod cell;
mod output;
mod pager;
mod parameters;
mod run;
mod target;

use std::io::{self, IsTerminal as _, Read as _};
use std::process::ExitCode;

use clap::ValueEnum;

use super::error::CliError;
use super::output::note;
use parameters::Parameter;
use target::TargetArgs;

/// Run a GoogleSQL query and print its rows
///
/// Select BigQuery by --local, BIGQUERY_EMULATOR_HOST, or --project-id with Application Default Credentials. Ctrl-C cancels
/// the query on the server.
///
/// Exit codes: 0 on success; 1 if the query fails or is cancelled, or without credentials; 2 if the command line is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The query; without it or with -, read it from standard input
    #[arg(value_name = "SQL")]
    sql: Option<String>,
    /// Format of the rows
    #[arg(long, value_enum, default_value_t = RowFormat::Table)]
    format: RowFormat,
    /// Value of a query parameter, as `day:DATE:2026-01-02`, `ids:ARRAY<INT64>:[1,2]`, or `:INT64:5` for a `?`
    #[arg(long = "param", value_name = "NAME:TYPE:VALUE")]
    parameters: Vec<Parameter>,
    /// Maximum rows to print
    #[arg(long, value_name = "N")]
    max_rows: Option<u64>,
    /// Pager for tables on a terminal; empty for none [default: less]
    #[arg(long, env, value_name = "COMMAND", hide_env_values = true)]
    pager: Option<String>,
    #[command(flatten)]
    target: TargetArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RowFormat {
    /// Aligned columns
    Table,
    /// Comma-separated values with a header
    Csv,
    /// An array of objects, one on each line
    Json,
}

/// Runs one query.
pub async fn run(args: Args) -> ExitCode {
    let address = match args.target.address() {
        Ok(address) => address,
        Err(error) => return usage(&error.to_string()),
    };
    let sql = match read_sql(args.sql.as_deref()) {
        Ok(sql) if sql.trim().is_empty() => return usage("the query is empty"),
        Ok(sql) => sql,
        Err(error) => return failure(&format!("cannot read the query: {error}")),
    };
    let target = match address.with_credentials() {
        Ok(target) => target,
        Err(error) => return failure(&error.to_string()),
    };
    let query = run::Query { sql, parameters: args.parameters, format: args.format, max_rows: args.max_rows, pager: args.pager };
    match run::run(&query, &target).await {
        Ok(run::End::Done) => ExitCode::SUCCESS,
        Ok(run::End::Interrupted) => failure("interrupted: the query was cancelled"),
        Err(error) => {
            let code = failure(&error.to_string());
            if let run::QueryError::Query { message, .. } = &error
                && let Some(excerpt) = caret::excerpt(&query.sql, message)
            {
                note(excerpt.trim_end_matches('\n'));
            }
            code
        }
    }
}

fn read_sql(argument: Option<&str>) -> io::Result<String> {
    match argument {
        Some(sql) if sql != "-" => Ok(sql.to_owned()),
        Some(_) | None => {
            if io::stdin().is_terminal() {
                note("Reading the query from standard input. End it with Ctrl-D.");
            }
            let mut sql = String::new();
            io::stdin().read_to_string(&mut sql)?;
            Ok(sql)
        }
    }
}

fn failure(problem: &str) -> ExitCode {
    CliError::failed(super::printable_lines(problem)).report()
}

/// In clap's form for a wrong command line.
fn usage(problem: &str) -> ExitCode {
    CliError::usage(format_args!("{problem}\n\nFor more information, try 'pixel-pipeline query --help'.")).report()
}
