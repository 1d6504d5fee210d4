//! The values of all metrics of a process, and their names and helps in the Prometheus text.
//!
//! [`super::metrics`] has the table of the metrics and the functions that record them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::counter::Counters;
use super::histogram::Histogram;
use super::metric_totals::MetricTotals;
use super::parameter_names::ParameterNames;
use super::prometheus_text::PrometheusText;

/// An entry takes seconds to arrive, and hours after an outage.
const END_TO_END_BOUNDS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 1800.0, 7200.0, 86400.0];
const SECONDS_BOUNDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const ROWS_BOUNDS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0];

#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) deliveries: Counters,
    pub(super) delivery_seconds: Histogram,
    pub(super) end_to_end_seconds: Histogram,
    pub(super) in_flight: AtomicUsize,
    pub(super) in_flight_bytes: AtomicUsize,
    pub(super) waiting_for_keys: AtomicUsize,
    pub(super) insert_rows: Histogram,
    pub(super) insert_seconds: Histogram,
    pub(super) insert_failures: Counters,
    pub(super) pending_rows: AtomicUsize,
    pub(super) overflow: Counters,
    pub(super) parameters_not_kept: ParameterNames,
    pub(super) html_escaped: AtomicU64,
    pub(super) rows_without_column: AtomicU64,
    pub(super) tables: AtomicUsize,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            deliveries: Counters::new(),
            delivery_seconds: Histogram::new(&SECONDS_BOUNDS),
            end_to_end_seconds: Histogram::with_fine_buckets(&END_TO_END_BOUNDS),
            in_flight: AtomicUsize::new(0),
            in_flight_bytes: AtomicUsize::new(0),
            waiting_for_keys: AtomicUsize::new(0),
            insert_rows: Histogram::new(&ROWS_BOUNDS),
            insert_seconds: Histogram::new(&SECONDS_BOUNDS),
            insert_failures: Counters::new(),
            pending_rows: AtomicUsize::new(0),
            overflow: Counters::new(),
            parameters_not_kept: ParameterNames::new(),
            html_escaped: AtomicU64::new(0),
            rows_without_column: AtomicU64::new(0),
            tables: AtomicUsize::new(0),
        }
    }

    /// The counts so far.
    pub(super) fn stats(&self) -> MetricTotals {
        MetricTotals {
            deliveries: self.deliveries.read(),
            end_to_end_seconds: self.end_to_end_seconds.read(),
            insert_rows: self.insert_rows.read(),
            insert_failures: self.insert_failures.read(),
            overflow: self.overflow.read(),
            parameters_not_kept: self.parameters_not_kept.read(),
        }
    }

    /// All metrics in Prometheus's text format.
    pub(super) fn render(&self) -> String {
        let deliveries = self.deliveries.read();
        let unauthorized = deliveries.iter().filter(|((outcome, _), _)| *outcome == "unauthorized");
        let unauthorized = unauthorized.map(|((_, cause), count)| ((*cause, ""), *count)).collect();
        let mut text = PrometheusText::new();
        text.counters("deliveries_total", "Push deliveries by outcome.", &["outcome", "reason"], &deliveries);
        text.counters(
            "insert_failures_total",
            "insertAll requests that failed as a whole, by kind of failure.",
            &["failure"],
            &self.insert_failures.read(),
        );
        text.counters("overflow_total", "Events that were stored in the overflow table, by cause.", &["cause"], &self.overflow.read());
        text.names(
            "parameters_not_kept_total",
            "Parameters of events that VALID_ATTRIBUTES does not list, by name.",
            &self.parameters_not_kept.read(),
        );
        let escaped = self.html_escaped.load(Ordering::Relaxed);
        text.counter("html_escaped_total", "Events whose URL was escaped for HTML once too often.", escaped);
        text.counter(
            "rows_without_column_total",
            "Rows that were stored without a column that their table lacks.",
            self.rows_without_column.load(Ordering::Relaxed),
        );
        text.counters("unauthorized_total", "Push requests from unauthorized callers, by cause.", &["cause"], &unauthorized);
        text.gauge("in_flight", "Deliveries without a response yet.", "", self.in_flight.load(Ordering::Relaxed));
        let bytes = self.in_flight_bytes.load(Ordering::Relaxed);
        text.gauge("in_flight_bytes", "Bytes that these deliveries have reserved.", "", bytes);
        let waiting = self.waiting_for_keys.load(Ordering::Relaxed);
        text.gauge("waiting_for_keys", "Requests whose token waits for the keys of PUSH_JWKS_URL.", "", waiting);
        let pending = self.pending_rows.load(Ordering::Relaxed);
        text.gauge("pending_rows", "Rows that wait for an insertAll request or are part of one.", "", pending);
        let tables = self.tables.load(Ordering::Relaxed);
        text.gauge("tables", "Tables that this instance sent rows to and remembers, overflow tables aside.", "", tables);
        text.gauge("build_info", "1, with the running version.", concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}"), 1);
        text.histogram(
            "delivery_seconds",
            "Time from the arrival of a delivery to its response, in seconds.",
            &self.delivery_seconds,
            &SECONDS_BOUNDS,
        );
        text.histogram(
            "end_to_end_seconds",
            "Time from the request for the pixel to its row in BigQuery, in seconds.",
            &self.end_to_end_seconds,
            &END_TO_END_BOUNDS,
        );
        text.histogram("insert_rows", "Rows in one insertAll request.", &self.insert_rows, &ROWS_BOUNDS);
        text.histogram("insert_seconds", "Time of one insertAll request, in seconds.", &self.insert_seconds, &SECONDS_BOUNDS);
        text.into_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_prometheus_text_has_every_sample_once() {
        let recorder = Recorder::new();
        for (outcome, reason) in [("stored", ""), ("stored", ""), ("unauthorized", "expired")] {
            recorder.deliveries.increment((outcome, reason));
        }
        recorder.insert_rows.record(3.0);
        recorder.end_to_end_seconds.record(90.0);
        recorder.in_flight.store(7, Ordering::Relaxed);
        let text = recorder.render();
        for line in [
            "# HELP pixel_pipeline_deliveries_total Push deliveries by outcome.",
            "# TYPE pixel_pipeline_deliveries_total counter",
            "pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"} 2",
            "pixel_pipeline_unauthorized_total{cause=\"expired\"} 1",
            "pixel_pipeline_in_flight 7",
            "pixel_pipeline_insert_rows_bucket{le=\"2\"} 0",
            "pixel_pipeline_insert_rows_bucket{le=\"5\"} 1",
            "pixel_pipeline_insert_rows_bucket{le=\"+Inf\"} 1",
            "pixel_pipeline_insert_rows_sum 3",
            "pixel_pipeline_insert_rows_count 1",
            "pixel_pipeline_end_to_end_seconds_bucket{le=\"60\"} 0",
            "pixel_pipeline_end_to_end_seconds_bucket{le=\"120\"} 1",
            concat!("pixel_pipeline_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
        ] {
            assert_eq!(text.lines().filter(|found| *found == line).count(), 1, "{line} in {text}");
        }
    }

    #[test]
    fn counts_between_two_reads_exclude_earlier_counts() {
        let recorder = Recorder::new();
        recorder.deliveries.increment(("stored", ""));
        let first = recorder.stats();
        recorder.deliveries.increment(("retry", "quota"));
        assert_eq!(recorder.stats().since(&first).deliveries, BTreeMap::from([(("retry", "quota"), 1)]));
        assert_eq!(first.since(&MetricTotals::default()).deliveries, BTreeMap::from([(("stored", ""), 1)]));
    }
}
