//! What happened since the last report, as lines in the log, once a minute and at the end.
//!
//! On Cloud Run nobody scrapes `/metrics`. Cloud Logging makes metrics of these lines instead, by
//! `deploy/monitoring/metrics`, so the names of the fields are an interface:
//!
//! | `report` | one line for each | further fields |
//! |---|---|---|
//! | `deliveries` | `outcome` and `reason` that occurred | `outcome`, `reason`, `count` |
//! | `end_to_end` | `quantile` of 0.5, 0.95, 0.99 and 1, if a row was stored | `quantile`, `seconds` |
//! | `inserts` | report in which there was one | `requests`, `rows` |
//! | `insert_failures` | `failure` that occurred | `failure`, `count` |
//! | `overflow` | `cause` that occurred | `cause`, `count` |
//!
//! Values are those of the metrics of the same names in [`crate::telemetry::metrics`], which is the only caller.
//! Lines have the level INFO. A quiet service writes none.

mod latencies;

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::ack::Outcome;
use crate::table_limit::OverflowCause;
use latencies::Latencies;

/// No more often than Cloud Monitoring samples.
const EVERY: Duration = Duration::from_secs(60);
/// As they are written: the label of a metric is text.
const QUANTILES: [(&str, f64); 4] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99), ("1", 1.0)];

// One process is one service, and what counts here is everywhere: as with the metrics.
static SINCE_LAST: LazyLock<Mutex<Report>> = LazyLock::new(Mutex::default);

/// Says when a report is due.
///
/// A timer and no task that waits for one: Cloud Run takes the CPU away between requests. It is late
/// then, and fires on the way of the next request or probe.
#[derive(Debug)]
pub struct ReportInterval(Interval);

impl ReportInterval {
    /// The first is over a minute from now.
    pub fn start() -> Self {
        let mut interval = tokio::time::interval_at(Instant::now() + EVERY, EVERY);
        // Those that passed without a CPU are not made up for.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self(interval)
    }

    /// Waits for the end of the minute.
    pub async fn next(&mut self) {
        self.0.tick().await;
    }
}

/// Writes what happened since the last time.
pub fn write() {
    let report = with(std::mem::take);
    report.write();
}

/// A delivery was answered.
pub(crate) fn delivered(outcome: Outcome) {
    with(|report| *report.deliveries.entry(outcome).or_default() += 1);
}

/// An event's row was stored, so long after its request.
pub(crate) fn stored(seconds: f64) {
    with(|report| report.latencies.record(seconds));
}

/// An insertAll request ended, well or badly.
pub(crate) fn inserted(rows: usize) {
    with(|report| {
        report.requests += 1;
        report.rows += rows as u64;
    });
}

/// An insertAll request failed as a whole.
pub(crate) fn insert_failed(failure: &'static str) {
    with(|report| *report.failures.entry(failure).or_default() += 1);
}

/// An event was stored in the overflow table.
pub(crate) fn overflowed(cause: OverflowCause) {
    with(|report| *report.overflow.entry(cause).or_default() += 1);
}

/// Nothing below panics, and held it is for nanoseconds.
fn with<T>(change: impl FnOnce(&mut Report) -> T) -> T {
    change(&mut SINCE_LAST.lock().unwrap_or_else(PoisonError::into_inner))
}

/// As many entries as there are outcomes and failures, whatever comes.
#[derive(Debug, Default)]
struct Report {
    deliveries: HashMap<Outcome, u64>,
    latencies: Latencies,
    requests: u64,
    rows: u64,
    failures: BTreeMap<&'static str, u64>,
    overflow: BTreeMap<OverflowCause, u64>,
}

impl Report {
    fn write(self) {
        let mut deliveries: Vec<_> =
            self.deliveries.into_iter().map(|(outcome, count)| (outcome.as_str(), outcome.reason(), count)).collect();
        deliveries.sort_unstable();
        for (outcome, reason, count) in deliveries {
            tracing::info!(report = "deliveries", outcome, reason, count, "report");
        }
        if !self.latencies.is_empty() {
            for (quantile, fraction) in QUANTILES {
                // Of a millisecond nobody reads a fraction.
                let seconds = (self.latencies.quantile(fraction) * 1000.0).round() / 1000.0;
                tracing::info!(report = "end_to_end", quantile, seconds, "report");
            }
        }
        if self.requests > 0 {
            tracing::info!(report = "inserts", requests = self.requests, rows = self.rows, "report");
        }
        for (failure, count) in self.failures {
            tracing::info!(report = "insert_failures", failure, count, "report");
        }
        for (cause, count) in self.overflow {
            tracing::info!(report = "overflow", cause = cause.as_str(), count, "report");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_report_is_due_after_a_minute_and_late_ones_are_not_made_up_for() {
        let mut minutes = ReportInterval::start();
        let started = Instant::now();
        minutes.next().await;
        assert_eq!(started.elapsed(), EVERY);
        // No CPU for ten minutes and a bit.
        tokio::time::advance(Duration::from_secs(625)).await;
        let thawed = Instant::now();
        minutes.next().await;
        assert!(thawed.elapsed() < Duration::from_secs(1), "the late one comes at once");
        minutes.next().await;
        assert!(thawed.elapsed() >= EVERY, "and the next after a minute: {:?}", thawed.elapsed());
    }
}
