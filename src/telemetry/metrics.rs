//! Every metric of the service, named in one place. Labels are bounded: no table, no user, no URL.
//!
//! | name | kind | labels |
//! |---|---|---|
//! | `pixel_pipeline_deliveries_total` | counter | `outcome`, `reason` |
//! | `pixel_pipeline_delivery_seconds` | histogram, from arrival to answer | |
//! | `pixel_pipeline_end_to_end_seconds` | histogram, from the request for the pixel to its row | |
//! | `pixel_pipeline_in_flight` | gauge, deliveries that wait for their answer | |
//! | `pixel_pipeline_insert_rows` | histogram, rows of one insertAll | |
//! | `pixel_pipeline_insert_seconds` | histogram | |
//! | `pixel_pipeline_insert_failures_total` | counter | `failure` |
//! | `pixel_pipeline_overflow_total` | counter, events that were stored in the overflow table | `cause` |
//! | `pixel_pipeline_tables` | gauge, tables that this instance sent rows to and remembers, overflow tables aside | |
//! | `pixel_pipeline_unauthorized_total` | counter, requests of nobody who may push | `cause`, which is `reason` above |
//! | `pixel_pipeline_build_info` | gauge, always 1 | `version` |
//!
//! The reasons of `pixel_pipeline_deliveries_total`, by outcome:
//!
//! | `outcome` | `reason` |
//! |---|---|
//! | `stored` | empty |
//! | `filtered` | `path`, `method`, `missing_attribute`, `opted_out`, `unsigned`, `bad_signature` |
//! | `dead_letter` | as in the table: `no_data`, `bad_base64`, `bad_json`, `no_request_url`, `timestamp_out_of_range`, `required_column`, `invalid` |
//! | `retry` | `unavailable`, `quota`, `denied` (BigQuery), `no_template`, `dead_letter_not_stored`, `deadline`, `no_keys`, `panic` |
//! | `saturated` | `in_flight`, `shutting_down` |
//! | `not_a_delivery` | `no_message`, `malformed_body`, `body_too_large`, `disconnected` |
//! | `unauthorized` | `no_token`, `malformed`, `algorithm`, `unknown_key`, `signature`, `claims`, `expired`, `not_yet_valid`, `issuer`, `audience`, `account` |
//!
//! So dead letters by reason are the series of `outcome="dead_letter"`, and retries by cause those of `outcome="retry"`.
//! What was tried again within a delivery is in `pixel_pipeline_insert_failures_total`.
//!
//! What is counted here is also said in the log, once a minute, by [`crate::telemetry::report`].

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use jiff::SignedDuration;
use metrics::{Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use crate::ack::Outcome;
use crate::table_limit::OverflowCause;
use crate::telemetry::report;

const DELIVERIES: &str = "pixel_pipeline_deliveries_total";
const DELIVERY_SECONDS: &str = "pixel_pipeline_delivery_seconds";
const END_TO_END_SECONDS: &str = "pixel_pipeline_end_to_end_seconds";
const IN_FLIGHT: &str = "pixel_pipeline_in_flight";
const INSERT_ROWS: &str = "pixel_pipeline_insert_rows";
const INSERT_SECONDS: &str = "pixel_pipeline_insert_seconds";
const INSERT_FAILURES: &str = "pixel_pipeline_insert_failures_total";
const OVERFLOW: &str = "pixel_pipeline_overflow_total";
const TABLES: &str = "pixel_pipeline_tables";
const UNAUTHORIZED: &str = "pixel_pipeline_unauthorized_total";
const BUILD_INFO: &str = "pixel_pipeline_build_info";

/// An entry takes seconds to reach us, and hours when something was down.
const SECONDS_END_TO_END: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 1800.0, 7200.0, 86400.0];
const SECONDS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const ROWS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0];

// In every event's way, hence looked up once.
static STORED: LazyLock<Counter> = LazyLock::new(|| counter!(DELIVERIES, "outcome" => "stored", "reason" => ""));
static DELIVERY: LazyLock<Histogram> = LazyLock::new(|| histogram!(DELIVERY_SECONDS));
static END_TO_END: LazyLock<Histogram> = LazyLock::new(|| histogram!(END_TO_END_SECONDS));
static ROWS_OF_INSERT: LazyLock<Histogram> = LazyLock::new(|| histogram!(INSERT_ROWS));
static SECONDS_OF_INSERT: LazyLock<Histogram> = LazyLock::new(|| histogram!(INSERT_SECONDS));

/// Starts counting for the whole process. The handle renders, and must be told to tidy up now and
/// then: histograms keep single samples until it does.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(END_TO_END_SECONDS.to_owned()), &SECONDS_END_TO_END)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_rows".to_owned()), &ROWS)?
        .install_recorder()?;
    describe_counter!(DELIVERIES, "Push deliveries by what became of them.");
    describe_histogram!(DELIVERY_SECONDS, "Time from the arrival of a delivery to its answer, in seconds.");
    describe_histogram!(END_TO_END_SECONDS, "Time from the request for the pixel to its row in BigQuery, in seconds.");
    describe_gauge!(IN_FLIGHT, "Deliveries that wait for their answer.");
    describe_histogram!(INSERT_ROWS, "Rows in one insertAll request.");
    describe_histogram!(INSERT_SECONDS, "Time of one insertAll request, in seconds.");
    describe_counter!(INSERT_FAILURES, "insertAll requests that failed as a whole, by kind of failure.");
    describe_counter!(OVERFLOW, "Events that were stored in the overflow table, by cause.");
    describe_gauge!(TABLES, "Tables that this instance sent rows to and remembers, overflow tables aside.");
    describe_counter!(UNAUTHORIZED, "Requests of nobody who may push, by what was wrong with their tokens.");
    describe_gauge!(BUILD_INFO, "1, with the version that runs.");
    gauge!(BUILD_INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    Ok(handle)
}

/// A delivery was answered.
pub fn delivered(outcome: Outcome, took: Duration) {
    match outcome {
        Outcome::Stored => STORED.increment(1),
        _ => counter!(DELIVERIES, "outcome" => outcome.as_str(), "reason" => outcome.reason()).increment(1),
    }
    if let Outcome::Unauthorized(cause) = outcome {
        counter!(UNAUTHORIZED, "cause" => cause.as_str()).increment(1);
    }
    DELIVERY.record(took);
    report::delivered(outcome);
}

/// An event's row was stored, so long after its request.
pub fn stored(age: SignedDuration) {
    // Clocks differ: an event may seem to come from the future.
    let seconds = age.as_secs_f64().max(0.0);
    END_TO_END.record(seconds);
    report::stored(seconds);
}

/// How many deliveries wait.
pub fn in_flight(count: usize) {
    gauge!(IN_FLIGHT).set(count as f64);
}

/// An insertAll request ended, well or badly.
pub fn inserted(rows: usize, took: Duration) {
    ROWS_OF_INSERT.record(rows as f64);
    SECONDS_OF_INSERT.record(took);
    report::inserted(rows);
}

/// An insertAll request failed as a whole.
pub fn insert_failed(failure: &'static str) {
    counter!(INSERT_FAILURES, "failure" => failure).increment(1);
    report::insert_failed(failure);
}

/// An event was stored in the overflow table.
pub fn overflowed(cause: OverflowCause) {
    counter!(OVERFLOW, "cause" => cause.as_str()).increment(1);
    report::overflowed(cause);
}

/// How many tables are known.
pub fn tables(count: usize) {
    gauge!(TABLES).set(count as f64);
}

/// Deliveries so far, by outcome and reason, as the handle renders them.
pub fn deliveries(handle: &PrometheusHandle) -> BTreeMap<(String, String), u64> {
    handle.render().lines().filter_map(read_delivery).collect()
}

/// `pixel_pipeline_deliveries_total{outcome="filtered",reason="path"} 3`. No value of ours has a
/// quote in it.
fn read_delivery(line: &str) -> Option<((String, String), u64)> {
    let (labels, count) = line.strip_prefix(DELIVERIES)?.strip_prefix('{')?.split_once("} ")?;
    let label = |name: &str| {
        let value = labels.split(',').find_map(|label| label.strip_prefix(name)?.strip_prefix("=\""))?;
        Some(value.strip_suffix('"')?.to_owned())
    };
    Some(((label("outcome")?, label("reason")?), count.parse().ok()?))
}
