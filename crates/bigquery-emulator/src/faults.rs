//! Faults on request: the setting with which tests make this server fail as BigQuery can.
//!
//! Without it this server never fails by itself. A test that wants to see what the pipeline does
//! about a 503, a lost answer or a bad row asks for exactly that, over the real HTTP client, in
//! place of a mocked one:
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
//! Compiled in with the feature `faults` only; no request can ask for a fault.

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

/// What shall go wrong with one insertAll request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Nothing is stored; this is the answer.
    Status(Status),
    /// The request waits this long, then is served.
    Delay(Duration),
    /// The request waits until there is a permit for it, then is served.
    Hold(Arc<Semaphore>),
    /// The rows are stored; the answer is the right one, this long after.
    SlowAnswer(Duration),
    /// Nothing is stored; the connection ends without an answer.
    ResetBefore,
    /// The rows are stored; the connection ends without an answer.
    ResetAfter,
    /// The rows are stored; this is the answer.
    StoredThen(Status),
    /// The row with this index is refused (`insertErrors`, reason `invalid`), whatever it holds;
    /// the others fare as `skipInvalidRows` says.
    RowInvalid {
        /// Position in `rows`, from 0.
        index: usize,
    },
    /// Rows with this text in their JSON are refused (`insertErrors`, reason `invalid`).
    RowsInvalid {
        /// Anything but a control character, or it is escaped.
        containing: String,
        /// Whether their neighbours are `stopped` even with `skipInvalidRows`. Otherwise they fare as it says.
        stops_others: bool,
    },
    /// The rows are stored; the answer is a 200 with half of its JSON.
    TruncatedBody,
}

/// An answer other than the right one.
#[derive(Clone, Debug)]
pub struct Status {
    code: u16,
    reason: String,
    retry_after: Option<u64>,
    body: Option<String>,
}

impl Status {
    /// An error in BigQuery's shape: an HTTP status code, and a reason such as `backendError`.
    pub fn new(code: u16, reason: impl Into<String>) -> Status {
        Status { code, reason: reason.into(), retry_after: None, body: None }
    }

    /// Adds a `Retry-After` header, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Status {
        self.retry_after = Some(seconds);
        self
    }

    /// Sends this text in place of the JSON, as HTML: what a proxy on the way would send.
    #[must_use]
    pub fn body(mut self, html: impl Into<String>) -> Status {
        self.body = Some(html.into());
        self
    }

    /// The answer; 500 if `code` is no HTTP status.
    pub(crate) fn response(&self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (kind, body) = match &self.body {
            Some(html) => ("text/html; charset=UTF-8", html.clone()),
            None => ("application/json; charset=UTF-8", error_body(status.as_u16(), &self.reason, "Made to fail by a test.").to_string()),
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

/// How many insertAll requests have come in, the rows in them, and what went wrong with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InsertAllCount {
    /// HTTP requests.
    pub requests: u64,
    /// Rows in those whose body could be read.
    pub rows: u64,
    /// Requests that met a fault, were answered with an error, or had a row refused.
    pub failed: u64,
    /// Requests in which some rows were refused and others were not.
    pub mixed: u64,
    /// Rows that were not stored because of a neighbour.
    pub stopped: u64,
}

/// The faults that shall happen. See the module for an example.
#[derive(Debug, Default)]
pub struct Faults {
    plan: Mutex<Plan>,
    streaming_buffer: Arc<StreamingBuffer>,
}

#[derive(Debug, Default)]
struct Plan {
    next: VecDeque<Aimed>,
    always: Option<Aimed>,
    each: Option<Decide>,
    refused: Option<String>,
    tables_get: Option<Status>,
    new_table_404: Option<Duration>,
    /// When each generated table was first named, while `new_table_404` is set.
    first_named: HashMap<String, Instant>,
    count: InsertAllCount,
    stored: Option<Stored>,
    clock_ahead: Duration,
}

/// Says of a table which fault its next insertAll meets.
struct Decide(Box<Decision>);

type Decision = dyn FnMut(&str) -> Option<Fault> + Send;

impl fmt::Debug for Decide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decide").finish_non_exhaustive()
    }
}

/// Tables and insertIds, if they are kept: 64 bits of a keyed hash of each pair, for there may be a million.
#[derive(Debug, Default)]
struct Stored {
    pairs: HashSet<u64>,
    hasher: RandomState,
}

/// A fault for tables whose id contains a text; the empty text is in all of them.
#[derive(Debug)]
struct Aimed {
    table_contains: String,
    fault: Fault,
}

impl Faults {
    /// None so far.
    pub(crate) fn with(streaming_buffer: Arc<StreamingBuffer>) -> Faults {
        Faults { streaming_buffer, ..Faults::default() }
    }

    /// Queues a fault: it happens to the next insertAll that no earlier fault takes.
    pub fn next(&self, fault: Fault) {
        self.next_on("", fault);
    }

    /// Queues a fault for the next insertAll to a table whose id (suffix included) contains this
    /// text; requests to other tables pass by it.
    pub fn next_on(&self, table_contains: &str, fault: Fault) {
        self.plan().next.push_back(Aimed { table_contains: table_contains.to_owned(), fault });
    }

    /// A fault for every insertAll that no queued one takes; `None` ends it.
    pub fn always(&self, fault: Option<Fault>) {
        self.plan().always = fault.map(|fault| Aimed { table_contains: String::new(), fault });
    }

    /// The same for tables whose id contains this text. There is one such fault at a time.
    pub fn always_on(&self, table_contains: &str, fault: Fault) {
        self.plan().always = Some(Aimed { table_contains: table_contains.to_owned(), fault });
    }

    /// For every insertAll that neither a queued fault nor the one above takes: `decide` is told its table, and says
    /// what shall go wrong with it, if anything.
    pub fn each(&self, decide: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.plan().each = Some(Decide(Box::new(decide)));
    }

    /// From now on rows with this text in their JSON are refused as [`Fault::RowsInvalid`] has it, by every
    /// insertAll and whatever else goes wrong with it.
    pub fn refuse(&self, containing: &str) {
        self.plan().refused = Some(containing.to_owned());
    }

    /// The answer of every `tables.get`; `None` ends it.
    pub fn tables_get(&self, status: Option<Status>) {
        self.plan().tables_get = status;
    }

    /// A table named by a template suffix answers 404 (to insertAll with that suffix, and to
    /// `tables.get`) until this long after it was first named: BigQuery's delay in making
    /// generated tables known. `None` ends it. Follows tokio's clock.
    pub fn new_table_404(&self, delay: Option<Duration>) {
        let mut plan = self.plan();
        plan.new_table_404 = delay;
        plan.first_named.clear();
    }

    /// From now on refuses every DELETE of rows that insertAll stored within half an hour, as BigQuery does.
    pub fn hold_streamed_rows(&self) {
        self.streaming_buffer.hold();
    }

    /// Moves this server's clock ahead, to see insertIds forgotten without waiting a minute, and streamed rows let go.
    pub fn advance_clock(&self, by: Duration) {
        self.plan().clock_ahead += by;
        self.streaming_buffer.age(by);
    }

    /// The insertAll requests since the server was opened.
    pub fn insert_all_requests(&self) -> InsertAllCount {
        self.plan().count
    }

    /// From now on keeps in mind what insertAll stores, for [`has_stored`](Self::has_stored).
    pub fn keep_stored(&self) {
        self.plan().stored.get_or_insert_default();
    }

    /// Whether the row with this insertId is in that table: since its commit, which is before its answer.
    pub fn has_stored(&self, table: &str, insert_id: &str) -> bool {
        let plan = self.plan();
        plan.stored.as_ref().is_some_and(|stored| stored.pairs.contains(&stored.hasher.hash_one((table, insert_id))))
    }

    /// Milliseconds since 1970 by this server's clock.
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

    /// So many of the rows of a request were refused, and so many stopped.
    pub(crate) fn count_refused(&self, rows: usize, refused: usize, stopped: usize) {
        let mut plan = self.plan();
        plan.count.mixed += u64::from((1..rows).contains(&refused));
        plan.count.stopped += stopped as u64;
    }

    /// Rows of that table are committed.
    pub(crate) fn stored<'a>(&self, table: &TableRef, insert_ids: impl Iterator<Item = &'a str> + Clone) {
        self.streaming_buffer.take(table, insert_ids.clone());
        if let Some(stored) = &mut self.plan().stored {
            let Stored { pairs, hasher } = stored;
            pairs.extend(insert_ids.map(|id| hasher.hash_one((table.table.as_str(), id))));
        }
    }

    /// The fault that the next insertAll to this table meets.
    pub(crate) fn take(&self, table: &str) -> Option<Fault> {
        let mut plan = self.plan();
        let meets = |aimed: &Aimed| table.contains(&aimed.table_contains);
        match plan.next.iter().position(meets) {
            Some(at) => plan.next.remove(at).map(|aimed| aimed.fault),
            None => match plan.always.as_ref().filter(|aimed| meets(aimed)) {
                Some(aimed) => Some(aimed.fault.clone()),
                None => plan.each.as_mut().and_then(|decide| (decide.0)(table)),
            },
        }
    }

    /// The text of rows that are refused by every insertAll.
    pub(crate) fn refused(&self) -> Option<String> {
        self.plan().refused.clone()
    }

    /// Whether a generated table is still unknown; its first mention starts the delay.
    pub(crate) fn hides(&self, table: &str) -> bool {
        let mut plan = self.plan();
        let Some(delay) = plan.new_table_404 else {
            return false;
        };
        let first = plan.first_named.entry(table.to_owned());
        first.or_insert_with(Instant::now).elapsed() < delay
    }

    /// The answer that `tables.get` of this table has to give in place of the right one.
    pub(crate) fn on_tables_get(&self, table: &str) -> Option<Response> {
        let plan = self.plan();
        if let Some(status) = &plan.tables_get {
            return Some(status.response());
        }
        let delay = plan.new_table_404?;
        let hidden = plan.first_named.get(table)?.elapsed() < delay;
        hidden.then(|| ApiError::NotFound(format!("Table {table}")).into_response())
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A 200 with half of its JSON.
pub(crate) fn truncated() -> Response {
    let half = r#"{"kind":"bigquery#tableDataIns"#;
    let json = HeaderValue::from_static("application/json; charset=UTF-8");
    ([(CONTENT_TYPE, json)], half).into_response()
}

/// The connection ends without an answer: the body fails before anything, even the status line,
/// has left hyper's buffer, and hyper then closes the connection.
pub(crate) fn reset() -> Response {
    let broken: io::Result<Bytes> = Err(io::ErrorKind::ConnectionReset.into());
    Response::new(Body::from_stream(stream::iter([broken])))
}
