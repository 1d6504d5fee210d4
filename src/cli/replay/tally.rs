//! What became of all entries, counted, and said at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::settle::Verdict;
use crate::cli::dead_letter_table::Deleted;

/// Lines on standard error for single entries; the rest is only counted.
const SHOWN: u64 = 20;

/// Counts by outcome and reason.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: BTreeMap<(&'static str, &'static str), u64>,
    entries: u64,
    not_settled: u64,
    said: u64,
}

/// What else there is to say.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) took: Duration,
    pub(crate) dry_run: bool,
    pub(crate) interrupted: bool,
    /// Sources that could not be read to their ends, and dead letters that could not be deleted.
    pub(crate) broken: Vec<String>,
    /// Of the dead letters that became rows.
    pub(crate) deleted: Option<Deleted>,
}

impl Tally {
    pub(crate) fn count(&mut self, verdict: Verdict) {
        let (outcome, reason) = match verdict {
            Verdict::Settled(outcome) => (outcome.as_str(), outcome.reason()),
            Verdict::LeftOut(reason) => ("left_out", reason),
            Verdict::GivenUp(outcome) => ("not_settled", outcome.reason()),
        };
        self.not_settled += u64::from(matches!(verdict, Verdict::GivenUp(_)));
        self.add(outcome, reason, 1);
    }

    /// Of lines that cannot be entries.
    pub(crate) fn unreadable(&mut self, problem: &'static str) {
        self.not_settled += 1;
        self.add("not_settled", problem, 1);
    }

    /// Of entries that were under way at the end.
    pub(crate) fn interrupted(&mut self, count: u64) {
        if count > 0 {
            self.not_settled += count;
            self.add("not_settled", "interrupted", count);
        }
    }

    fn add(&mut self, outcome: &'static str, reason: &'static str, count: u64) {
        *self.counts.entry((outcome, reason)).or_default() += count;
        self.entries += count;
    }

    pub(crate) fn entries(&self) -> u64 {
        self.entries
    }

    pub(crate) fn all_settled(&self) -> bool {
        self.not_settled == 0
    }

    /// Whether one more entry may be named.
    pub(crate) fn may_name(&mut self) -> bool {
        self.said += 1;
        self.said <= SHOWN
    }

    /// How many were not named because there were too many.
    pub(crate) fn unnamed(&self) -> u64 {
        self.said.saturating_sub(SHOWN)
    }

    pub(crate) fn json(&self, ending: &Ending) -> String {
        let outcomes: Vec<_> = self
            .counts
            .iter()
            .map(|((outcome, reason), count)| json!({"outcome": outcome, "reason": Some(reason).filter(|reason| !reason.is_empty()), "count": count}))
            .collect();
        let mut summary = json!({
            "entries": self.entries,
            "outcomes": outcomes,
            "not_settled": self.not_settled,
            "dry_run": ending.dry_run,
            "interrupted": ending.interrupted,
            "broken": ending.broken,
            "seconds": (ending.took.as_secs_f64() * 1e3).round() / 1e3,
        });
        if let Some(Deleted { deleted, held }) = ending.deleted {
            summary["dead_letters_deleted"] = deleted.into();
            summary["dead_letters_too_young"] = held.into();
        }
        format!("{summary}\n")
    }

    pub(crate) fn text(&self, ending: &Ending) -> String {
        let what = if ending.dry_run { "read, and nothing stored" } else { "replayed" };
        let mut text = format!(
            "{} {} {what} in {:.1} s\n",
            self.entries,
            if self.entries == 1 { "entry" } else { "entries" },
            ending.took.as_secs_f64()
        );
        for ((outcome, reason), count) in &self.counts {
            let name = if reason.is_empty() { (*outcome).to_owned() } else { format!("{outcome} ({reason})") };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{count:>12}  {name}");
        }
        if let Some(Deleted { deleted, held }) = ending.deleted {
            let _ = writeln!(text, "{deleted} dead letters deleted");
            if held > 0 {
                let _ = writeln!(
                    text,
                    "{held} became rows and are still there: BigQuery deletes no row that was streamed in the last half hour or so; run this again later"
                );
            }
        }
        text
    }
}
