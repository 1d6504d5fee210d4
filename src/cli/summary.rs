//! What the summaries of `replay` and `pull` have in common: the format, and the counts by outcome and reason.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use serde_json::{Value, json};

/// The format of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryFormat {
    /// One line for each outcome
    Text,
    /// One JSON object
    Json,
}

/// Seconds with three decimals.
pub(crate) fn rounded_seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

/// Counts by outcome and reason. `Display` writes a line for each.
#[derive(Debug, Default)]
pub(crate) struct OutcomeCounts(pub(crate) BTreeMap<(&'static str, &'static str), u64>);

impl OutcomeCounts {
    pub(crate) fn add(&mut self, outcome: &'static str, reason: &'static str, count: u64) {
        *self.0.entry((outcome, reason)).or_default() += count;
    }

    pub(crate) fn json(&self) -> Vec<Value> {
        let object = |((outcome, reason), count): (&(&str, &str), &u64)| json!({"outcome": outcome, "reason": Some(reason).filter(|reason| !reason.is_empty()), "count": count});
        self.0.iter().map(object).collect()
    }
}

impl fmt::Display for OutcomeCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ((outcome, reason), count) in &self.0 {
            match *reason {
                "" => writeln!(f, "{count:>12}  {outcome}")?,
                reason => writeln!(f, "{count:>12}  {outcome} ({reason})")?,
            }
        }
        Ok(())
    }
}
