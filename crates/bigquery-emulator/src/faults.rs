//! Fault injection: tests make insertAll and tables.get fail like BigQuery can.
//!
//! A test can check how a client handles a 503, a lost response or an invalid row, with a real HTTP client instead of a
//! mock:
//!
//! ```
//! use bigquery_emulator::{BigQuery, Fault, Status};
//!
//! fn arm(bigquery: &BigQuery) {
//!     bigquery.faults().next(Fault::Status(Status::new(503, "backendError").retry_after(1)));
//!     bigquery.faults().next_on("pixel_u1", Fault::ResetAfter);
//! }
//! ```
//!
//! The module needs the feature `faults`. Requests cannot trigger faults.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::BuildHasher as _;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::error::{ApiError, error_body};
use crate::names::TableRef;
use crate::streaming_buffer::StreamingBuffer;

/// A fault of one insertAll request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Stores nothing and responds with this status.
    Status(Status),
    /// Delays the request.
    Delay(Duration),
    /// Holds the request until the semaphore has a permit.
    Hold(Arc<Semaphore>),
    /// Stores the rows and delays the response.
    SlowAnswer(Duration),
    /// Stores nothing and resets the connection.
    ResetBefore,
    /// Stores the rows and resets the connection.
    ResetAfter,
    /// Stores the rows and responds with this status.
    StoredThen(Status),
    /// Rejects the row with this index (`insertErrors`, reason `invalid`). `skipInvalidRows` applies to the other
    /// rows.
    RowInvalid {
        /// Position in `rows`, from 0.
        index: usize,
    },
    /// Rejects rows with a value whose JSON contains this text (`insertErrors`, reason `invalid`, location its column).
    RowsInvalid {
        /// The text. It cannot contain control characters, because JSON escapes them.
        containing: String,
        /// Whether the other rows are `stopped` even with `skipInvalidRows`.
        stops_others: bool,
    },
    /// Stores the rows and responds with status 200 and incomplete JSON.
    TruncatedBody,
}

/// An error response.
#[derive(Clone, Debug)]
pub struct Status {
    code: u16,
    reason: String,
    retry_after: Option<u64>,
    body: Option<String>,
}

impl Status {
    /// An error with BigQuery's JSON: an HTTP status code, and a reason such as `backendError`.
    pub fn new(code: u16, reason: impl Into<String>) -> Status {
        Status { code, reason: reason.into(), retry_after: None, body: None }
    }

    /// Adds a `Retry-After` header, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Status {
        self.retry_after = Some(seconds);
        self
    }

    /// Sends HTML instead of JSON, like a proxy.
    #[must_use]
    pub fn body(mut self, html: impl Into<String>) -> Status {
        self.body = Some(html.into());
        self
    }

    /// Builds the response. Its status is 500 if `code` is not a valid HTTP status.
    pub(crate) fn response(&self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (kind, body) = match &self.body {
            Some(html) => ("text/html; charset=UTF-8", html.clone()),
            None => ("application/json; charset=UTF-8", error_body(status.as_u16(), &self.reason, "Injected fault.").to_string()),
        };
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Counts of insertAll requests, rows and failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InsertAllCount {
    /// Number of HTTP requests.
    pub requests: u64,
    /// Number of rows in requests with a valid body.
    pub rows: u64,
    /// Number of requests with a fault, an error response or a rejected row.
    pub failed: u64,
    /// Number of requests with both rejected and accepted rows.
    pub mixed: u64,
    /// Number of `stopped` rows.
    pub stopped: u64,
}

/// The planned faults. The module has an example.
#[derive(Debug, Default)]
pub struct Faults {
    plan: Mutex<FaultPlan>,
    streaming_buffer: Arc<StreamingBuffer>,
}

#[derive(Debug, Default)]
struct FaultPlan {
    next: VecDeque<TargetedFault>,
    always: Option<TargetedFault>,
    decide: Option<DecideFault>,
    rejected: Option<String>,
    tables_get: Option<Status>,
    new_table_404: Option<Duration>,
    /// The time of the first request for each generated table, while `new_table_404` is set.
    first_named: HashMap<String, Instant>,
    count: InsertAllCount,
    stored: Option<StoredRowIds>,
    clock_ahead: Duration,
}

/// Decides the fault of the next insertAll to a table.
struct DecideFault(Box<Decision>);

type Decision = dyn FnMut(&str) -> Option<Fault> + Send;

impl fmt::Debug for DecideFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecideFault").finish_non_exhaustive()
    }
}

/// The stored rows: a 64-bit keyed hash of each pair of table and insertId, because there may be a million.
#[derive(Debug, Default)]
struct StoredRowIds {
    pairs: HashSet<u64>,
    hasher: RandomState,
}

/// A fault for tables whose id contains a text. The empty text matches all tables.
#[derive(Debug)]
struct TargetedFault {
    table_contains: String,
    fault: Fault,
}

impl Faults {
    /// No faults.
    pub(crate) fn new(streaming_buffer: Arc<StreamingBuffer>) -> Faults {
        Faults { streaming_buffer, ..Faults::default() }
    }

    /// Queues a fault for the next insertAll request.
    pub fn next(&self, fault: Fault) {
        self.next_on("", fault);
    }

    /// Queues a fault for the next insertAll to a table whose id, including the suffix, contains the text.
    pub fn next_on(&self, table_contains: &str, fault: Fault) {
        self.plan().next.push_back(TargetedFault { table_contains: table_contains.to_owned(), fault });
    }

    /// Sets a fault for every insertAll without a queued fault. `None` removes it.
    pub fn always(&self, fault: Option<Fault>) {
        self.plan().always = fault.map(|fault| TargetedFault { table_contains: String::new(), fault });
    }

    /// The same for tables whose id contains the text. It replaces the previous fault of this kind.
    pub fn always_on(&self, table_contains: &str, fault: Fault) {
        self.plan().always = Some(TargetedFault { table_contains: table_contains.to_owned(), fault });
    }

    /// Calls `decide` with the table of every insertAll that has no other fault. It returns the fault, if any.
    pub fn decide(&self, decide: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.plan().decide = Some(DecideFault(Box::new(decide)));
    }

    /// Rejects rows whose JSON contains the text in every insertAll, like [`Fault::RowsInvalid`], in addition to other
    /// faults.
    pub fn reject_rows_containing(&self, containing: &str) {
        self.plan().rejected = Some(containing.to_owned());
    }

    /// Sets the response of every `tables.get`. `None` removes it.
    pub fn tables_get(&self, status: Option<Status>) {
        self.plan().tables_get = status;
    }

    /// Hides a generated table for this time after the first request: insertAll with its suffix and `tables.get`
    /// respond with 404. BigQuery has such a delay. `None` removes it. It uses tokio's clock.
    pub fn new_table_404(&self, delay: Option<Duration>) {
        let mut plan = self.plan();
        plan.new_table_404 = delay;
        plan.first_named.clear();
    }

    /// Rejects every DELETE of rows that insertAll stored in the last 30 minutes, like BigQuery.
    pub fn hold_streamed_rows(&self) {
        self.streaming_buffer.enable();
    }

    /// Advances the server's clock, so that insertIds and the streaming buffer expire.
    pub fn advance_clock(&self, by: Duration) {
        self.plan().clock_ahead += by;
        self.streaming_buffer.advance_clock(by);
    }

    /// The counts since the server was opened.
    pub fn insert_all_requests(&self) -> InsertAllCount {
        self.plan().count
    }

    /// Records the rows that insertAll stores, for [`has_stored`](Self::has_stored).
    pub fn record_stored_rows(&self) {
        self.plan().stored.get_or_insert_default();
    }

    /// Whether the row with this insertId was committed to the table.
    pub fn has_stored(&self, table: &str, insert_id: &str) -> bool {
        let plan = self.plan();
        plan.stored.as_ref().is_some_and(|stored| stored.pairs.contains(&stored.hasher.hash_one((table, insert_id))))
    }

    /// Milliseconds since 1970 of the server's clock.
    pub(crate) fn now(&self) -> i64 {
        let now = SystemTime::now() + self.plan().clock_ahead;
        let since = now.duration_since(UNIX_EPOCH).expect("the clock shows a time after 1970");
        i64::try_from(since.as_millis()).expect("the clock shows a year before 292,278,994")
    }

    pub(crate) fn count(&self, rows: usize) {
        let mut plan = self.plan();
        plan.count.requests += 1;
        plan.count.rows += rows as u64;
    }

    pub(crate) fn count_failed(&self) {
        self.plan().count.failed += 1;
    }

    /// Counts the rejected and the stopped rows of a request.
    pub(crate) fn count_rejected(&self, rows: usize, rejected: usize, stopped: usize) {
        let mut plan = self.plan();
        plan.count.mixed += u64::from((1..rows).contains(&rejected));
        plan.count.stopped += stopped as u64;
    }

    /// Records committed rows.
    pub(crate) fn add_stored<'a>(&self, table: &TableRef, insert_ids: impl Iterator<Item = &'a str> + Clone) {
        self.streaming_buffer.add(table, insert_ids.clone());
        if let Some(stored) = &mut self.plan().stored {
            let StoredRowIds { pairs, hasher } = stored;
            pairs.extend(insert_ids.map(|id| hasher.hash_one((table.table.as_str(), id))));
        }
    }

    /// Takes the fault of the next insertAll to the table.
    pub(crate) fn take_fault(&self, table: &str) -> Option<Fault> {
        let mut plan = self.plan();
        let applies = |targeted: &TargetedFault| table.contains(&targeted.table_contains);
        match plan.next.iter().position(applies) {
            Some(at) => plan.next.remove(at).map(|targeted| targeted.fault),
            None => match plan.always.as_ref().filter(|targeted| applies(targeted)) {
                Some(targeted) => Some(targeted.fault.clone()),
                None => plan.decide.as_mut().and_then(|decide| (decide.0)(table)),
            },
        }
    }

    /// The text of the rows that every insertAll rejects.
    pub(crate) fn rejected_text(&self) -> Option<String> {
        self.plan().rejected.clone()
    }

    /// Whether a generated table is hidden. The first call for a table starts the delay.
    pub(crate) fn is_hidden(&self, table: &str) -> bool {
        let mut plan = self.plan();
        let Some(delay) = plan.new_table_404 else {
            return false;
        };
        let first = plan.first_named.entry(table.to_owned());
        first.or_insert_with(Instant::now).elapsed() < delay
    }

    /// The injected response of `tables.get`, if any.
    pub(crate) fn tables_get_response(&self, table: &str) -> Option<Response> {
        let plan = self.plan();
        if let Some(status) = &plan.tables_get {
            return Some(status.response());
        }
        let delay = plan.new_table_404?;
        let hidden = plan.first_named.get(table)?.elapsed() < delay;
        hidden.then(|| ApiError::NotFound(format!("Table {table}")).into_response())
    }

    fn plan(&self) -> MutexGuard<'_, FaultPlan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A response with status 200 and incomplete JSON.
pub(crate) fn truncated_response() -> Response {
    let half = r#"{"kind":"bigquery#tableDataIns"#;
    let json = HeaderValue::from_static("application/json; charset=UTF-8");
    ([(CONTENT_TYPE, json)], half).into_response()
}

/// A response that resets the connection. Its body fails before hyper sends the status line, and hyper closes the
/// connection.
pub(crate) fn reset_response() -> Response {
    let broken: io::Result<Bytes> = Err(io::ErrorKind::ConnectionReset.into());
    Response::new(Body::from_stream(stream::iter([broken])))
}
