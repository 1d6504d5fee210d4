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
//! | `pixel_pipeline_in_flight_bytes` | gauge, bytes that they have reserved | |
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

use std::sync::LazyLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::metric_totals::MetricTotals;
use super::recorder::Recorder;

/// One process is one service.
static RECORDER: LazyLock<Recorder> = LazyLock::new(Recorder::new);

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

#[cfg(test)]
mod tests {
    use super::super::counter::MAX_SERIES;
    use super::*;

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
        let text = Recorder::new().render();
        let served = text.lines().filter_map(|line| line.strip_prefix("# TYPE pixel_pipeline_")?.split_once(' '));
        let served: BTreeSet<(&str, &str)> = served.collect();
        let undocumented: Vec<_> = served.difference(&documented).collect();
        assert!(undocumented.is_empty(), "the table on top of src/telemetry/metrics.rs lacks {undocumented:?}");
        let not_served: Vec<_> = documented.difference(&served).collect();
        assert!(not_served.is_empty(), "the table on top of src/telemetry/metrics.rs has {not_served:?}, which /metrics lacks");
    }
}
