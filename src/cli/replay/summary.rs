//! The summary of a run: entries by outcome and reason, and errors. Text or JSON.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::outcome::EntryOutcome;
use crate::cli::dead_letter_table::Deleted;
use crate::cli::summary::{OutcomeCounts, rounded_seconds};

#[derive(Debug, Default)]
pub(crate) struct ReplaySummary {
    counts: OutcomeCounts,
    entries: u64,
    failed: u64,
    /// Parts of inputs that are not entries.
    broken: u64,
    /// Why there was no entry, if there was none.
    pub(crate) if_empty: &'static str,
    pub(crate) duration: Duration,
    pub(crate) is_dry_run: bool,
    pub(crate) is_interrupted: bool,
    /// Inputs that were not read to their ends, and dead letters that could not be deleted.
    pub(crate) errors: Vec<String>,
    /// Present with `--delete`.
    pub(crate) deleted: Option<Deleted>,
}

impl ReplaySummary {
    /// The summary of a run that was interrupted before its first entry.
    pub(crate) fn interrupted() -> Self {
        Self { is_interrupted: true, ..Self::default() }
    }

    pub(crate) fn record(&mut self, outcome: EntryOutcome) {
        let (name, reason) = outcome.labels();
        self.failed += u64::from(outcome.is_failure());
        self.add(name, reason, 1);
    }

    /// Counts entries that have no [`EntryOutcome`]: they were not processed at all.
    pub(crate) fn record_failed(&mut self, reason: &'static str, count: u64) {
        if count > 0 {
            self.failed += count;
            self.add("failed", reason, count);
        }
    }

    /// Counts a part of an input that is not an entry.
    pub(crate) fn record_broken(&mut self, reason: &'static str) {
        self.counts.add("broken", reason, 1);
        self.broken += 1;
    }

    fn add(&mut self, outcome: &'static str, reason: &'static str, count: u64) {
        self.counts.add(outcome, reason, count);
        self.entries += count;
    }

    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether every entry was read and processed.
    pub(crate) fn is_success(&self) -> bool {
        self.failed == 0 && self.broken == 0 && self.errors.is_empty() && !self.is_interrupted
    }

    /// Why nothing was processed, if it is not an error.
    fn empty_reason(&self) -> Option<&'static str> {
        let is_skipped = |((outcome, _), _): (&(&str, &str), &u64)| *outcome == "skipped";
        match self.entries {
            _ if !self.is_success() => None,
            0 => Some(self.if_empty),
            _ if self.counts.0.iter().all(is_skipped) => Some("no entry is in the period of --since and --until"),
            _ => None,
        }
    }

    pub(crate) fn json(&self) -> String {
        let mut summary = json!({
            "entries": self.entries,
            "outcomes": self.counts.json(),
            "failed": self.failed,
            "broken": self.broken,
            "dry_run": self.is_dry_run,
            "interrupted": self.is_interrupted,
            "errors": self.errors,
            "seconds": rounded_seconds(self.duration),
        });
        if let Some(Deleted { deleted, held }) = self.deleted {
            summary["dead_letters_deleted"] = deleted.into();
            summary["dead_letters_in_streaming_buffer"] = held.into();
        }
        format!("{summary}\n")
    }

    pub(crate) fn text(&self) -> String {
        let noun = if self.entries == 1 { "entry" } else { "entries" };
        let (verb, note) = if self.is_dry_run { ("decoded", " (dry run: nothing was stored)") } else { ("replayed", "") };
        let mut text = format!("{} {noun} {verb} in {:.1} s{note}\n", self.entries, self.duration.as_secs_f64());
        if let Some(reason) = self.empty_reason() {
            let _ = writeln!(text, "nothing to replay: {reason}");
        }
        // Writing to a String cannot fail.
        let _ = write!(text, "{}", self.counts);
        if let Some(Deleted { deleted, held }) = self.deleted {
            let _ = writeln!(text, "{deleted} dead letters deleted");
            if held > 0 {
                let _ = writeln!(
                    text,
                    "{held} dead letters became rows but were not deleted: BigQuery cannot delete a row within about 30 minutes of its insertion; run the command again later"
                );
            }
        }
        text
    }
}
