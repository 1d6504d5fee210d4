//! BigQuery over HTTP: batches into `insertAll`. Requests about tables are in `tables`.
//!
//! One attempt for each call: the batcher decides when to retry. `split` decides which rows share a request, and `confirm`
//! whether refused rows are at fault. `hedge` sends a request without an answer a second time, and `retry_times` keeps
//! Retry-After. `connections` sends the requests. `redact` prepares BigQuery's messages for the log.

mod confirm;
mod connections;
mod hedge;
mod redact;
mod retry_times;
mod split;
mod suspects;
mod tables;

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{CONTENT_ENCODING, HeaderValue};
use reqwest::{Method, Url};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use self::confirm::{Alone, confirm};
use self::connections::Connections;
use self::hedge::hedged;
use self::redact::redact;
use self::retry_times::RetryTimes;
use self::split::{RefusedRow, Split};
use self::suspects::Suspects;
use super::batcher::Sink;
use super::error::{ErrorClass, RequestError, RowResult};
use super::insert_all;
use super::insert_body::InsertBody;
use super::refusal::Refusal;
use super::{Destination, InsertRow};
use crate::google::body::read_body;
use crate::google::transport::{self, TransportError};
use crate::google::{Client, Endpoints, Tokens, Transport};
use crate::telemetry::Throttle;
use crate::telemetry::metrics;

pub use crate::config::Location;

/// Longer than any delivery waits. The header may contain any number.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// Longest answer to an insertAll that is read: this, and more for each row, which may have an error in it.
const MAX_ANSWER_BYTES: usize = 64 << 10;
const MAX_ANSWER_BYTES_PER_ROW: usize = 4 << 10;
/// BigQuery takes requests and rows of 10 MB. A refusal of less is not because of the size, whatever it says.
const MIN_TOO_LARGE_BYTES: usize = 1 << 20;
/// One line per minute about what an operator has to fix.
const ERROR_INTERVAL: Duration = Duration::from_secs(60);

/// A client of one dataset.
#[derive(Debug)]
pub struct BigQuery {
    transport: Arc<dyn Transport>,
    /// For everything but insertAll, with the same connections.
    client: Client,
    tokens: Tokens,
    location: Location,
    gzip: bool,
    hedge_delay: Duration,
    /// The addresses of insertAll, by table without suffix: to parse one takes longer than to copy it.
    insert_urls: Mutex<HashMap<Arc<str>, Url>>,
    retry_times: RetryTimes,
    table_missing: Notify,
    failure_throttle: Throttle,
    unreadable_throttle: Throttle,
    table_throttle: Throttle,
    suspects: Mutex<Suspects>,
}

impl BigQuery {
    /// A client that has sent nothing yet. `gzip` is BATCH_GZIP, `deadline` is PUSH_DEADLINE.
    pub fn new(location: Location, tokens: Tokens, gzip: bool, deadline: Duration) -> Arc<Self> {
        Self::with_transport(Arc::new(Connections::new(deadline)), location, tokens, gzip, deadline)
    }

    /// The same with requests sent by `transport`.
    pub fn with_transport(transport: Arc<dyn Transport>, location: Location, tokens: Tokens, gzip: bool, deadline: Duration) -> Arc<Self> {
        let endpoints = Endpoints { bigquery: format!("{}/bigquery/v2", location.endpoint), ..Endpoints::default() };
        let client = Client::of_service(Arc::clone(&transport), endpoints, tokens.clone(), &location.project);
        Arc::new(Self {
            transport,
            client,
            tokens,
            location,
            gzip,
            // Leaves the second request more time than the first one has had.
            hedge_delay: deadline.mul_f64(0.4).min(Duration::from_secs(60)),
            insert_urls: Mutex::default(),
            retry_times: RetryTimes::default(),
            table_missing: Notify::new(),
            failure_throttle: Throttle::new(Duration::from_secs(1)),
            unreadable_throttle: Throttle::new(ERROR_INTERVAL),
            table_throttle: Throttle::new(ERROR_INTERVAL),
            suspects: Mutex::default(),
        })
    }

    /// Waits until an insert fails because its table does not exist.
    pub async fn table_missing(&self) {
        self.table_missing.notified().await;
    }

    fn insert_url(&self, table: &Arc<str>) -> Result<Url, TransportError> {
        let mut urls = self.insert_urls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = urls.get(table) {
            return Ok(url.clone());
        }
        let Location { endpoint, project, dataset } = &self.location;
        let url = format!("{endpoint}/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{table}/insertAll?prettyPrint=false");
        let url = transport::parse_url(&url)?;
        urls.insert(Arc::clone(table), url.clone());
        Ok(url)
    }

    /// Sends the rows, and sends them a second time if BigQuery does not answer for long. Sends no request until the table's
    /// Retry-After has passed.
    async fn insert(&self, destination: &Destination, rows: &[&InsertRow], deadline: Instant) -> Result<Vec<RowResult>, RequestError> {
        let url = self.insert_url(&destination.table).map_err(|_| RequestError::TRANSIENT)?;
        let body = self.encode(InsertBody::new(&destination.suffix, rows));
        let request = || async {
            self.retry_times.check(destination, Instant::now())?;
            let answer = self.attempt(&url, &body, rows.len(), deadline).await;
            if let Err(error) = &answer {
                self.retry_times.record(destination, error, Instant::now());
            }
            answer
        };
        hedged(self.hedge_delay, request).await
    }

    async fn insert_and_record(
        &self,
        destination: &Destination,
        rows: &[&InsertRow],
        deadline: Instant,
    ) -> Result<Vec<RowResult>, RequestError> {
        let bytes: usize = rows.iter().map(|row| row.json.len()).sum();
        let answer = match self.insert(destination, rows, deadline).await {
            Err(RequestError::TooLarge(Some(message))) if bytes < MIN_TOO_LARGE_BYTES => Err(RequestError::BadRequest(message)),
            answer => answer,
        };
        if let Err(error) = &answer {
            self.record_failure(error, rows.len());
            if *error == RequestError::NotFound {
                self.table_missing.notify_one();
            }
        }
        answer
    }

    async fn attempt(&self, url: &Url, body: &RequestBody, count: usize, deadline: Instant) -> Result<Vec<RowResult>, RequestError> {
        let no_token = |_| RequestError::Retry { class: ErrorClass::Denied, after: Duration::ZERO };
        let late = |_| RequestError::TRANSIENT;
        let token = timeout_at(deadline, self.tokens.token()).await.map_err(late)?.map_err(no_token)?;
        match self.post(url, body, token.as_deref(), count, deadline).await {
            Err(RequestError::Unauthorized) => {
                let token = timeout_at(deadline, self.tokens.token_instead_of(token.as_deref())).await.map_err(late)?.map_err(no_token)?;
                self.post(url, body, token.as_deref(), count, deadline).await
            }
            result => result,
        }
    }

    async fn post(
        &self,
        url: &Url,
        body: &RequestBody,
        token: Option<&str>,
        count: usize,
        deadline: Instant,
    ) -> Result<Vec<RowResult>, RequestError> {
        let no_answer = |_: TransportError| RequestError::TRANSIENT;
        let timeout = deadline.saturating_duration_since(Instant::now());
        let mut request = transport::request(Method::POST, url.clone(), timeout);
        transport::set_json(&mut request, body.to_stream());
        if self.gzip {
            request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(token) = token {
            transport::authorize(&mut request, token).map_err(no_answer)?;
        }
        let response = self.transport.send(request).await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let retry_after = transport::retry_after(response.headers()).map(|after| after.min(MAX_RETRY_AFTER));
        let limit = MAX_ANSWER_BYTES + count * MAX_ANSWER_BYTES_PER_ROW;
        let answer = read_body(response, limit).await.map_err(|_| RequestError::TRANSIENT)?;
        if status == 200 { insert_all::read_results(&answer, count) } else { Err(insert_all::read_error(status, retry_after, &answer)) }
    }

    fn encode(&self, body: InsertBody) -> RequestBody {
        if !self.gzip {
            return RequestBody::Plain(body);
        }
        // Level 1: BigQuery's rows shrink to a fifth, at a quarter of the default level's time.
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        const IN_MEMORY: &str = "writing to a Vec does not fail";
        for chunk in body {
            encoder.write_all(&chunk).expect(IN_MEMORY);
        }
        RequestBody::Gzip(encoder.finish().expect(IN_MEMORY).into())
    }

    /// Counts the failure and logs it at most once a second. Without BigQuery's message, which contains the table and
    /// with it the user id.
    fn record_failure(&self, error: &RequestError, rows: usize) {
        let failure = error.as_str();
        metrics::record_insert_failure(failure);
        if let RequestError::Unreadable(problem) = error
            && let Some(suppressed) = self.unreadable_throttle.pass()
        {
            tracing::error!(
                problem,
                suppressed,
                "an answer to insertAll is not BigQuery's, so no row counts as stored: check for a proxy or an emulator in place of BigQuery"
            );
        } else if let Some(suppressed) = self.failure_throttle.pass() {
            tracing::warn!(failure, rows, suppressed, "insertAll failed");
        }
    }

    /// Locked for the duration of one lookup.
    fn suspects(&self) -> MutexGuard<'_, Suspects> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs that BigQuery refuses every request for a table.
    fn record_refused_table(&self, destination: &Destination, refusal: &Refusal, row: &InsertRow) {
        if let Some(suppressed) = self.table_throttle.pass() {
            let Destination { table, suffix } = destination;
            let answer = redact(refusal, suffix.as_str(), &row.json);
            tracing::error!(
                %table,
                answer,
                suppressed,
                "BigQuery refuses every row for a table, so their messages are nacked: fix the table or the settings (TABLE_NAME, TABLE_SUFFIX)"
            );
        }
    }
}

fn is_table_refused(results: &[RowResult], refused: &RefusedRow) -> bool {
    results[refused.row] == RowResult::Unavailable(ErrorClass::TableRefused)
}

/// A body that can be sent again.
enum RequestBody {
    Plain(InsertBody),
    Gzip(Bytes),
}

impl RequestBody {
    fn to_stream(&self) -> reqwest::Body {
        match self {
            Self::Plain(body) => reqwest::Body::wrap(body.clone()),
            Self::Gzip(bytes) => bytes.clone().into(),
        }
    }
}

impl Sink for BigQuery {
    async fn store(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> Vec<RowResult> {
        let mut split = Split::new(rows);
        while let Some(positions) = split.next() {
            let request: Vec<&InsertRow> = positions.iter().map(|position| &rows[*position]).collect();
            let answer = self.insert_and_record(destination, &request, deadline).await;
            split.record(positions, answer);
        }
        let (mut results, refused_rows) = split.finish();
        let send = |row: usize| async move { self.insert_and_record(destination, &[&rows[row]], deadline).await };
        confirm(rows, &refused_rows, &mut results, &send).await;
        if results.contains(&RowResult::Stored) {
            self.suspects().record_stored(destination);
        }
        for suspect in refused_rows.iter().filter(|refused| refused.is_suspect()) {
            let row = &rows[suspect.row];
            if is_table_refused(&results, suspect) && self.suspects().record_refused(destination, row.event_id, Instant::now()) {
                // A table may fail every second time, so the row is sent once more.
                results[suspect.row] = Alone::new(row, send(suspect.row).await).or_refused(&suspect.refusal);
            }
        }
        if let Some(RefusedRow { row, refusal, .. }) = refused_rows.iter().find(|refused| is_table_refused(&results, refused)) {
            self.record_refused_table(destination, refusal, &rows[*row]);
        }
        results
    }
}

#[cfg(test)]
mod tests;
