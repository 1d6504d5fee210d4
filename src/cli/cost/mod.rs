//! `pixel-pipeline cost`: estimates the cost of a month of events on Google Cloud.
//!
//! ```text
//! args ── count ── estimate (a pure function) ── print (text, JSON, Markdown)
//!                  └── prices, assumed          └── numbers
//!                  tables (users and BigQuery's limits)
//! ```
//!
//! It sends no request. Prices change: each names its page and the day on which it was read.

mod assumed;
mod count;
mod estimate;
mod numbers;
mod prices;
mod print;
mod tables;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;

use super::error::{CliError, printed};
use super::output;
use count::Count;
use estimate::{Estimate, estimate};

/// Estimate the cost of a month of events on Google Cloud, for each part
///
/// Uses list prices for us-central1 and the US, with free tiers. Needs no network and no account. Write numbers as
/// 250000, 250k, 1.5M or 1e6.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Events in a month; several volumes, separated by spaces, are estimated one by one
    #[arg(long, value_name = "N", num_args = 1.., required = true)]
    events_per_month: Vec<Count>,
    /// Distinct user_ids on an average day: adds advice on a table per user
    #[arg(long, value_name = "U")]
    users: Option<Count>,
    /// Format of the estimate
    #[arg(long, value_enum, default_value_t = EstimateFormat::Text)]
    format: EstimateFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EstimateFormat {
    /// A table for each volume, with notes
    Text,
    /// One JSON object per line for each volume, with the prices
    Json,
    /// One table for all volumes, as in the README
    Markdown,
}

/// Prints an estimate for each volume.
pub async fn run(args: Args) -> ExitCode {
    printed(cost(&args)).map_or_else(CliError::report, |()| ExitCode::SUCCESS)
}

fn cost(args: &Args) -> io::Result<()> {
    let mut out = output::stdout();
    let estimates: Vec<_> = args.events_per_month.iter().map(|events| estimate(events.0)).collect();
    let tables = |estimate: &Estimate| args.users.map(|users| tables::tables(estimate.events_per_month, users.0));
    match args.format {
        EstimateFormat::Text => {
            for (at, estimate) in estimates.iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                print::text(estimate, tables(estimate).as_ref(), &mut out)?;
            }
        }
        EstimateFormat::Json => {
            for estimate in &estimates {
                print::json(estimate, tables(estimate).as_ref(), &mut out)?;
            }
        }
        EstimateFormat::Markdown => {
            print::markdown(&estimates, &mut out)?;
            for tables in estimates.iter().filter_map(tables) {
                writeln!(out)?;
                print::sentences(tables.sentences(), &mut out)?;
            }
        }
    }
    out.flush()
}
