//! The estimate's assumptions about an event. Change a number here if a better one is known.

use super::prices::GIB;

/// Google's month of 730 hours.
pub(crate) const MONTH_SECONDS: f64 = 730.0 * 3600.0;
pub(crate) const MONTH_DAYS: f64 = 730.0 / 24.0;

/// Bytes of a request for the pixel, with its headers. An assumption: a long URL and a referer.
pub(crate) const REQUEST: f64 = 600.0;

/// Bytes of its answer: 68 of the picture, the rest headers. An assumption.
pub(crate) const RESPONSE: f64 = 700.0;

/// Share of requests that the CDN forwards to the bucket. An assumption, and a high one: each cache
/// requests a picture with a lifetime of one day once a day.
pub(crate) const MISSES: f64 = 0.05;

/// Bytes of a log entry. Published entries of load balancers have 866 to 1,560 as compact JSON, and
/// 1,240 on average, each kind counted once. So do the fixtures of the tests.
pub(crate) const ENTRY: f64 = 1250.0;

/// Bytes of a Pub/Sub message: the entry, the attribute `logging.googleapis.com/timestamp` (33 and 30
/// bytes), 20 for the time of publication, 17 for the id.
pub(crate) const MESSAGE: f64 = ENTRY + 100.0;

/// Bytes of the entry that Cloud Run itself logs for each push. An assumption, not measured.
pub(crate) const RUN_LOG_ENTRY: f64 = 1000.0;

/// Seconds for which a push occupies an instance that has no other: insertAll takes 40 to 100 ms (the
/// service itself, some 50 µs of CPU), and Cloud Run rounds up to a tenth of a second.
pub(crate) const PUSH: f64 = 0.1;

/// The instance, as `deploy` makes it.
pub(crate) const VCPU: f64 = 1.0;
pub(crate) const MEMORY: f64 = 0.5 * GIB;
pub(crate) const CONCURRENCY: f64 = 500.0;

/// Events in a second for which Cloud Run starts another instance: at 60 % of its concurrency.
pub(crate) const INSTANCE_RATE: f64 = 0.6 * CONCURRENCY / PUSH;

/// Bytes of a row in a table, in BigQuery's logical count: names, times and a user agent of 120.
pub(crate) const ROW: f64 = 512.0;

/// Queries in a month, each over the rows of a month: one a day.
pub(crate) const QUERIES: f64 = 30.0;
