//! The report: the counts since the last report as lines in the log, once a minute and at the end.
//!
//! Nothing scrapes `/metrics` on Cloud Run. Cloud Logging makes metrics of these lines instead, by
//! `deploy/monitoring/metrics`, so the names of the fields are an interface:
//!
//! | `report` | one line for each | further fields |
//! |---|---|---|
//! | `deliveries` | `outcome` and `reason` that occurred | `outcome`, `reason`, `count` |
//! | `end_to_end` | `quantile` of 0.5, 0.95, 0.99 and 1, if a row was stored | `quantile`, `seconds` |
//! | `inserts` | report in which there was one | `requests`, `rows` |
//! | `insert_failures` | `failure` that occurred | `failure`, `count` |
//! | `overflow` | `cause` that occurred | `cause`, `count` |
//! | `parameters_not_kept` | report in which there was one, with the most frequent names | `names`, `count` |
//!
//! Values are those of the metrics of the same names: a report is the difference of two reads of
//! [`super::metrics::stats`]. Lines have the level INFO. An idle service writes none.

use std::cmp::Reverse;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior};

use super::metric_totals::MetricTotals;
use super::metrics;

/// Cloud Monitoring samples once a minute.
const INTERVAL: Duration = Duration::from_secs(60);
/// Names in a line of `parameters_not_kept`.
const MAX_NAMES: usize = 10;
/// Each with its label.
const QUANTILES: [(&str, f64); 4] = [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99), ("1", 1.0)];

/// The timer of the reports, and the totals of the last one.
///
/// The service polls it; it is not a task. Cloud Run takes the CPU away between requests. The timer is late then, and
/// fires with the next request or probe.
#[derive(Debug)]
pub struct ReportInterval {
    interval: Interval,
    reported: MetricTotals,
}

impl ReportInterval {
    /// The first report is due in a minute and contains everything since the start of the process.
    pub fn start() -> Self {
        let mut interval = tokio::time::interval_at(Instant::now() + INTERVAL, INTERVAL);
        // Ticks that were missed without a CPU are skipped.
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { interval, reported: MetricTotals::default() }
    }

    /// Waits for the end of the minute.
    pub async fn next(&mut self) {
        self.interval.tick().await;
    }

    /// Writes the counts since the last report.
    pub fn write(&mut self) {
        let stats = metrics::stats();
        let longest = metrics::take_longest_end_to_end();
        write(&stats.since(&self.reported), longest);
        self.reported = stats;
    }
}

fn write(stats: &MetricTotals, longest: f64) {
    for ((outcome, reason), count) in &stats.deliveries {
        tracing::info!(report = "deliveries", outcome, reason, count, "report");
    }
    if stats.end_to_end_seconds.count() > 0 {
        for (quantile, fraction) in QUANTILES {
            let milliseconds = (metrics::end_to_end_quantile(fraction, stats, longest) * 1000.0).round();
            tracing::info!(report = "end_to_end", quantile, seconds = milliseconds / 1000.0, "report");
        }
    }
    let requests = stats.insert_rows.count();
    if requests > 0 {
        tracing::info!(report = "inserts", requests, rows = stats.insert_rows.sum as u64, "report");
    }
    for ((failure, _), count) in &stats.insert_failures {
        tracing::info!(report = "insert_failures", failure, count, "report");
    }
    for ((cause, _), count) in &stats.overflow {
        tracing::info!(report = "overflow", cause, count, "report");
    }
    let count: u64 = stats.parameters_not_kept.values().sum();
    if count > 0 {
        let mut names: Vec<(&String, &u64)> = stats.parameters_not_kept.iter().collect();
        names.sort_by_key(|(_, count)| Reverse(**count));
        let names = names.iter().take(MAX_NAMES).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        tracing::info!(report = "parameters_not_kept", names, count, "report");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_report_is_due_each_minute_and_missed_ones_are_skipped() {
        let mut interval = ReportInterval::start();
        let started = Instant::now();
        interval.next().await;
        assert_eq!(started.elapsed(), INTERVAL);
        // No CPU for ten minutes and a bit.
        tokio::time::advance(Duration::from_secs(625)).await;
        let thawed = Instant::now();
        interval.next().await;
        assert!(thawed.elapsed() < Duration::from_secs(1), "the late one comes at once");
        interval.next().await;
        assert!(thawed.elapsed() >= INTERVAL, "and the next after a minute: {:?}", thawed.elapsed());
    }
}
