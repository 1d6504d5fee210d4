//! The outcome of one entry. A leaf: sources, runner and summary share it.

use crate::ack::Outcome;

/// The result of processing an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryOutcome {
    /// Stored, filtered, or a dead letter.
    Processed(Outcome),
    /// Not processed because of `--since` and `--until`.
    Skipped(SkipReason),
    /// Not stored before `--give-up-after` or the shutdown.
    Failed(Outcome),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SkipReason {
    OutsidePeriod,
    /// Nobody knows whether it is in the period: a failure.
    NoTimestamp,
}

impl EntryOutcome {
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Self::Failed(_) | Self::Skipped(SkipReason::NoTimestamp))
    }

    /// The members `outcome` and `reason` of the summary; the reason is empty if the outcome has no reasons.
    pub(crate) fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Processed(outcome) => (outcome.as_str(), outcome.reason()),
            Self::Skipped(SkipReason::OutsidePeriod) => ("skipped", "outside_period"),
            Self::Skipped(SkipReason::NoTimestamp) => ("failed", "no_timestamp"),
            Self::Failed(outcome) => ("failed", outcome.reason()),
        }
    }
}
