//! Every metric of the service, named in one place, and the one recorder that counts each event once.
//!
//! Three readers: [`render`] writes the Prometheus text, [`super::report`] writes the log lines of each minute, and
//! the console of the local mode reads [`stats`]. Recording takes no lock. Labels are bounded: no table, no
//! user, no URL, and of parameters' names those that [`super::parameter_names`] accepts.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `pixel_pipeline_deliveries_total` | counter | `outcome`, `reason` |
//! | `pixel_pipeline_delivery_seconds` | histogram, from arrival to response | |
//! | `pixel_pipeline_end_to_end_seconds` | histogram, from the request for the pixel to its row | |
//! | `pixel_pipeline_in_flight` | gauge, deliveries without a response yet | |
//! | `pixel_pipeline_in_flight_bytes` | gauge, bytes that their bodies have reserved | |
//! | `pixel_pipeline_waiting_for_keys` | gauge, requests whose token waits for the keys of PUSH_JWKS_URL | |
//! | `pixel_pipeline_insert_rows` | histogram, rows of one insertAll | |
//! | `pixel_pipeline_insert_seconds` | histogram | |
//! | `pixel_pipeline_insert_failures_total` | counter | `failure` |
//! | `pixel_pipeline_pending_rows` | gauge, rows that wait for an insertAll or are part of one | |
//! | `pixel_pipeline_overflow_total` | counter, events that were stored in the overflow table | `cause` |
//! | `pixel_pipeline_parameters_not_kept_total` | counter, parameters of events that VALID_ATTRIBUTES does not list | `name`, bounded |
//! | `pixel_pipeline_html_escaped_total` | counter, events whose URL was escaped for HTML | |
//! | `pixel_pipeline_rows_without_column_total` | counter, rows that were stored without a column that their table lacks | |
//! | `pixel_pipeline_tables` | gauge, tables that this instance sent rows to and remembers, overflow tables aside | |
//! | `pixel_pipeline_unauthorized_total` | counter, push requests from unauthorized callers | `cause`, which is `reason` above |
//! | `pixel_pipeline_build_info` | gauge, always 1 | `version` |
//!
//! The reasons of `pixel_pipeline_deliveries_total`, by outcome:
//!
//! | `outcome` | `reason` |
//! |---|---|
//! | `stored` | empty |
//! | `filtered` | `cdn_request`, `health_check`, `path`, `method`, `status`, `missing_attribute`, `opted_out`, `unsigned`, `bad_signature` |
//! | `dead_letter` | as in the table: `no_data`, `bad_base64`, `bad_json`, `no_request_url`, `timestamp_out_of_range`, `required_column`, `invalid` |
//! | `retry` | `unavailable`, `quota`, `denied`, `table_refused`, `unreadable` (BigQuery), `no_template`, `template_mismatch`, `dead_letter_not_stored`, `deadline`, `no_keys`, `panic` |
//! | `saturated` | `in_flight`, `in_flight_bytes`, `shutting_down` |
//! | `invalid_request` | `wrong_path`, `no_message`, `malformed_body`, `body_too_large`, `disconnected` |
//! | `unauthorized` | `no_token`, `malformed`, `algorithm`, `unknown_key`, `signature`, `claims`, `expired`, `not_yet_valid`, `issuer`, `audience`, `account` |
//!
//! So dead letters by reason are the series of `outcome="dead_letter"`, and retries by cause those of `outcome="retry"`.
//! Retries within a delivery are in `pixel_pipeline_insert_failures_total`.
//!
//! Grammar of both tables, which tests read: one row for each metric or outcome; names and label values stand in
//! backquotes, and nothing else does; a cell with several values separates them by commas.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::counter::{Counters, Labels};
use super::histogram::{Buckets, Histogram};
use super::parameter_names::ParameterNames;

/// An entry takes seconds to arrive, and hours after an outage.
const END_TO_END_BOUNDS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 1800.0, 7200.0, 86400.0];
const SECONDS_BOUNDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const ROWS_BOUNDS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0];

/// One process is one service.
static RECORDER: LazyLock<MetricsRecorder> = LazyLock::new(MetricsRecorder::new);

#[derive(Debug)]
struct MetricsRecorder {
    deliveries: Counters,
    delivery_seconds: Histogram,
    end_to_end_seconds: Histogram,
    in_flight: AtomicUsize,
    in_flight_bytes: AtomicUsize,
    waiting_for_keys: AtomicUsize,
    insert_rows: Histogram,
    insert_seconds: Histogram,
    insert_failures: Counters,
    pending_rows: AtomicUsize,
    overflow: Counters,
    parameters_not_kept: ParameterNames,
    html_escaped: AtomicU64,
    rows_without_column: AtomicU64,
    tables: AtomicUsize,
}

/// Counts since the process started, or between two reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricTotals {
    /// Deliveries by outcome and reason.
    pub deliveries: BTreeMap<Labels, u64>,
    /// Seconds from request to row.
    pub end_to_end_seconds: Buckets,
    /// Rows of each insertAll request.
    pub insert_rows: Buckets,
    /// insertAll requests that failed as a whole, by failure.
    pub insert_failures: BTreeMap<Labels, u64>,
    /// Events in the overflow table, by cause.
    pub overflow: BTreeMap<Labels, u64>,
    /// Parameters that VALID_ATTRIBUTES does not list, by name.
    pub parameters_not_kept: BTreeMap<String, u64>,
}

/// Records the response to a delivery: the labels of its outcome and the time since its arrival.
pub fn record_delivery(outcome: &'static str, reason: &'static str, took: Duration) {
    RECORDER.deliveries.increment((outcome, reason));
    RECORDER.delivery_seconds.record(took.as_secs_f64());
}

/// Records that an event's row was stored, that many seconds after its request. Clocks differ: it may be below 0.
pub fn record_stored(seconds: f64) {
    RECORDER.end_to_end_seconds.record(seconds);
}

/// Records the end of an insertAll request, successful or not.
pub fn record_insert(rows: usize, took: Duration) {
    RECORDER.insert_rows.record(rows as f64);
    RECORDER.insert_seconds.record(took.as_secs_f64());
}

/// Records an insertAll request that failed as a whole.
pub fn record_insert_failure(failure: &'static str) {
    RECORDER.insert_failures.increment((failure, ""));
}

/// A row that waits for an insertAll or is part of one. It is counted until it is dropped.
#[derive(Debug)]
pub struct PendingRow(());

impl PendingRow {
    /// Counts one row.
    #[expect(clippy::new_without_default, reason = "it has an effect")]
    pub fn new() -> Self {
        RECORDER.pending_rows.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for PendingRow {
    fn drop(&mut self) {
        RECORDER.pending_rows.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Records an event that was stored in the overflow table.
pub fn record_overflow(cause: &'static str) {
    RECORDER.overflow.increment((cause, ""));
}

/// Records a parameter of an event that VALID_ATTRIBUTES does not list.
pub fn record_parameter_not_kept(name: &str) {
    RECORDER.parameters_not_kept.increment(name);
}

/// Records an event whose URL has `&amp;` for `&`.
pub fn record_html_escaped() {
    RECORDER.html_escaped.fetch_add(1, Ordering::Relaxed);
}

/// Records a row that was stored without a column that its table lacks.
pub fn record_row_without_column() {
    RECORDER.rows_without_column.fetch_add(1, Ordering::Relaxed);
}

/// Sets the number of deliveries without a response yet, and the bytes of their bodies.
pub fn set_in_flight(count: usize, bytes: usize) {
    RECORDER.in_flight.store(count, Ordering::Relaxed);
    RECORDER.in_flight_bytes.store(bytes, Ordering::Relaxed);
}

/// Sets the number of requests whose token waits for a key.
pub fn set_waiting_for_keys(count: usize) {
    RECORDER.waiting_for_keys.store(count, Ordering::Relaxed);
}

/// Sets the number of known tables.
pub fn set_tables(count: usize) {
    RECORDER.tables.store(count, Ordering::Relaxed);
}

/// The counts since the process started.
pub fn stats() -> MetricTotals {
    RECORDER.stats()
}

/// The quantiles (0 to 1) of the seconds from request to row in `stats`, of which `longest` is the largest.
pub(crate) fn end_to_end_quantile(quantile: f64, stats: &MetricTotals, longest: f64) -> f64 {
    RECORDER.end_to_end_seconds.quantile(quantile, &stats.end_to_end_seconds, longest)
}

/// The longest time from request to row since the last call.
pub(crate) fn take_longest_end_to_end() -> f64 {
    RECORDER.end_to_end_seconds.take_max()
}

/// All metrics in Prometheus's text format.
pub fn render() -> String {
    RECORDER.render()
}

impl MetricTotals {
    /// The counts after `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            deliveries: difference(&self.deliveries, &earlier.deliveries),
            end_to_end_seconds: self.end_to_end_seconds.since(&earlier.end_to_end_seconds),
            insert_rows: self.insert_rows.since(&earlier.insert_rows),
            insert_failures: difference(&self.insert_failures, &earlier.insert_failures),
            overflow: difference(&self.overflow, &earlier.overflow),
            parameters_not_kept: difference(&self.parameters_not_kept, &earlier.parameters_not_kept),
        }
    }
}

/// The labels that were counted after `earlier`.
fn difference<L: Clone + Ord>(now: &BTreeMap<L, u64>, earlier: &BTreeMap<L, u64>) -> BTreeMap<L, u64> {
    let counts = now.iter().map(|(labels, count)| (labels.clone(), count - earlier.get(labels).copied().unwrap_or(0)));
    counts.filter(|(_, count)| *count > 0).collect()
}

impl MetricsRecorder {
    fn new() -> Self {
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

    fn stats(&self) -> MetricTotals {
        MetricTotals {
            deliveries: self.deliveries.read(),
            end_to_end_seconds: self.end_to_end_seconds.read(),
            insert_rows: self.insert_rows.read(),
            insert_failures: self.insert_failures.read(),
            overflow: self.overflow.read(),
            parameters_not_kept: self.parameters_not_kept.read(),
        }
    }

    fn render(&self) -> String {
        let deliveries = self.deliveries.read();
        let unauthorized = deliveries.iter().filter(|((outcome, _), _)| *outcome == "unauthorized");
        let unauthorized = unauthorized.map(|((_, cause), count)| ((*cause, ""), *count)).collect();
        let mut text = Text(String::with_capacity(8 << 10));
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
        text.gauge("in_flight_bytes", "Bytes that the bodies of these deliveries have reserved.", "", bytes);
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
        text.0
    }
}

/// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>. Label values have no
/// character that needs an escape: they are constants of the code or names that [`super::parameter_names`] accepts.
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP pixel_pipeline_{name} {help}"));
        self.line(format_args!("# TYPE pixel_pipeline_{name} {kind}"));
    }

    fn counters(&mut self, name: &str, help: &str, labels: &[&str], series: &BTreeMap<Labels, u64>) {
        self.head(name, help, "counter");
        for ((first, second), count) in series {
            let values = labels.iter().zip([first, second]);
            let pairs: Vec<String> = values.map(|(label, value)| format!("{label}=\"{value}\"")).collect();
            self.line(format_args!("pixel_pipeline_{name}{{{}}} {count}", pairs.join(",")));
        }
        self.0.push('\n');
    }

    fn names(&mut self, name: &str, help: &str, series: &BTreeMap<String, u64>) {
        self.head(name, help, "counter");
        for (label, count) in series {
            self.line(format_args!("pixel_pipeline_{name}{{name=\"{label}\"}} {count}"));
        }
        self.0.push('\n');
    }

    fn counter(&mut self, name: &str, help: &str, count: u64) {
        self.head(name, help, "counter");
        self.line(format_args!("pixel_pipeline_{name} {count}\n"));
    }

    fn gauge(&mut self, name: &str, help: &str, labels: &str, value: usize) {
        self.head(name, help, "gauge");
        self.line(format_args!("pixel_pipeline_{name}{labels} {value}\n"));
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram, bounds: &[f64]) {
        let buckets = histogram.read();
        let count = buckets.count();
        self.head(name, help, "histogram");
        for bound in bounds {
            let up_to = histogram.count_up_to(*bound, &buckets);
            self.line(format_args!("pixel_pipeline_{name}_bucket{{le=\"{bound}\"}} {up_to}"));
        }
        self.line(format_args!("pixel_pipeline_{name}_bucket{{le=\"+Inf\"}} {count}"));
        self.line(format_args!("pixel_pipeline_{name}_sum {}", buckets.sum));
        self.line(format_args!("pixel_pipeline_{name}_count {count}\n"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes every text");
    }
}

#[cfg(test)]
mod tests {
    use super::super::counter::MAX_SERIES;
    use super::*;

    #[test]
    fn the_prometheus_text_has_every_sample_once() {
        let recorder = MetricsRecorder::new();
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
    fn the_documented_reasons_fit_into_one_metric() {
        let table = include_str!("metrics.rs").lines().skip_while(|line| !line.starts_with("//! | `outcome` |"));
        let reasons: usize = table.take_while(|line| line.starts_with("//! |")).map(|line| line.matches('`').count() / 2).sum();
        assert!((30..MAX_SERIES).contains(&reasons), "{reasons}");
    }

    /// Each table row on top of this file: the metric and its kind.
    #[test]
    fn every_metric_is_in_the_table_and_no_other() {
        use std::collections::BTreeSet;

        let rows = include_str!("metrics.rs").lines().filter_map(|line| line.strip_prefix("//! | `pixel_pipeline_"));
        let documented: BTreeSet<(&str, &str)> = rows
            .map(|row| row.split_once("` | ").expect("a name and a kind"))
            .map(|(name, rest)| (name, rest.split([',', ' ']).next().expect("a part")))
            .collect();
        let text = MetricsRecorder::new().render();
        let served = text.lines().filter_map(|line| line.strip_prefix("# TYPE pixel_pipeline_")?.split_once(' '));
        let served: BTreeSet<(&str, &str)> = served.collect();
        let undocumented: Vec<_> = served.difference(&documented).collect();
        assert!(undocumented.is_empty(), "the table on top of src/telemetry/metrics.rs lacks {undocumented:?}");
        let not_served: Vec<_> = documented.difference(&served).collect();
        assert!(not_served.is_empty(), "the table on top of src/telemetry/metrics.rs has {not_served:?}, which /metrics lacks");
    }

    #[test]
    fn counts_between_two_reads_exclude_earlier_counts() {
        let recorder = MetricsRecorder::new();
        recorder.deliveries.increment(("stored", ""));
        let first = recorder.stats();
        recorder.deliveries.increment(("retry", "quota"));
        assert_eq!(recorder.stats().since(&first).deliveries, BTreeMap::from([(("retry", "quota"), 1)]));
        assert_eq!(first.since(&MetricTotals::default()).deliveries, BTreeMap::from([(("stored", ""), 1)]));
    }
}
