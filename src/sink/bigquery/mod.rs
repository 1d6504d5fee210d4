//! BigQuery over HTTP: batches into `insertAll`. Requests about tables are in `tables`.
//!
//! One attempt for each call: the batcher decides when to retry.

mod tables;

use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use reqwest::redirect::Policy;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::batcher::Sink;
use super::error::{ErrorClass, Refusal, RequestError, RowResult};
use super::insert_all;
use super::insert_body::InsertBody;
use super::{Destination, InsertRow};
use crate::google::{Client, Endpoints, RetryPolicy, Tokens};
use crate::telemetry::Throttle;
use crate::telemetry::metrics;

pub use crate::config::Location;

/// Longer than any delivery waits. The header may contain any number.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// A client of one dataset.
#[derive(Debug)]
pub struct BigQuery {
    http: reqwest::Client,
    /// For everything but insertAll, with the same connections.
    client: Client,
    tokens: Tokens,
    location: Location,
    gzip: bool,
    table_missing: Notify,
    throttle: Throttle,
}

impl BigQuery {
    /// A client that has sent nothing yet. `gzip` is BATCH_GZIP.
    pub fn new(location: Location, tokens: Tokens, gzip: bool) -> Result<Arc<Self>, reqwest::Error> {
        let http = reqwest::Client::builder()
            // Cloud Run has no proxy, and proxy variables of a shell must not redirect rows.
            .no_proxy()
            // BigQuery sends no redirects: one is an error like any other.
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(3))
            // For requests about tables; insertAll sets its own from the deadline.
            .timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true)
            .user_agent(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let throttle = Throttle::new(Duration::from_secs(1));
        let endpoints = Endpoints { bigquery: format!("{}/bigquery/v2", location.endpoint), ..Endpoints::default() };
        // The template watcher repeats its requests itself.
        let client = Client::with_http(http.clone(), endpoints, tokens.clone(), &location.project, RetryPolicy::ONCE);
        Ok(Arc::new(Self { http, client, tokens, location, gzip, table_missing: Notify::new(), throttle }))
    }

    /// Waits until an insert fails because its table does not exist.
    pub async fn table_missing(&self) {
        self.table_missing.notified().await;
    }

    fn dataset_url(&self) -> String {
        let Location { endpoint, project, dataset } = &self.location;
        format!("{endpoint}/bigquery/v2/projects/{project}/datasets/{dataset}")
    }

    async fn attempt(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> Result<Vec<RowResult>, RequestError> {
        let no_token = |_| RequestError::Retry { class: ErrorClass::Denied, after: Duration::ZERO };
        let url = format!("{}/tables/{}/insertAll?prettyPrint=false", self.dataset_url(), destination.table);
        let body = self.encode(InsertBody::new(&destination.suffix, rows));
        let late = |_| RequestError::TRANSIENT;
        let token = timeout_at(deadline, self.tokens.token()).await.map_err(late)?.map_err(no_token)?;
        match self.post(&url, &body, token.as_deref(), rows.len(), deadline).await {
            Err(RequestError::Unauthorized) => {
                let token = timeout_at(deadline, self.tokens.token_instead_of(token.as_deref())).await.map_err(late)?.map_err(no_token)?;
                self.post(&url, &body, token.as_deref(), rows.len(), deadline).await
            }
            result => result,
        }
    }

    async fn post(
        &self,
        url: &str,
        body: &RequestBody,
        token: Option<&str>,
        count: usize,
        deadline: Instant,
    ) -> Result<Vec<RowResult>, RequestError> {
        let unavailable = |_| RequestError::TRANSIENT;
        let mut request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .timeout(deadline.saturating_duration_since(Instant::now()))
            .body(body.to_stream());
        if self.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(unavailable)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
        let answer = response.bytes().await.map_err(unavailable)?;
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
        if let Some(suppressed) = self.throttle.pass() {
            tracing::warn!(failure, rows, suppressed, "insertAll failed");
        }
    }
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
        let mut results = vec![RowResult::NotAttempted; rows.len()];
        // A request that is refused as a whole is halved until the row that causes it is alone.
        let mut work: Vec<Range<usize>> = std::iter::once(0..rows.len()).collect();
        while let Some(range) = work.pop() {
            let result = match self.attempt(destination, &rows[range.clone()], deadline).await {
                Ok(of_range) => {
                    results[range].clone_from_slice(&of_range);
                    continue;
                }
                Err(error) => {
                    self.record_failure(&error, range.len());
                    match error {
                        RequestError::BadRequest(_) if range.len() > 1 => {
                            let middle = range.start + range.len() / 2;
                            work.push(middle..range.end);
                            work.push(range.start..middle);
                            continue;
                        }
                        RequestError::BadRequest(detail) => RowResult::Refused(Refusal { column: None, detail, no_such_field: false }),
                        RequestError::Retry { class, after } => RowResult::Retry { class, after },
                        RequestError::Unavailable(class) => RowResult::Unavailable(class),
                        RequestError::Unauthorized => RowResult::Unavailable(ErrorClass::Denied),
                        // BigQuery takes seconds to minutes to create a generated table, and the watcher creates a
                        // missing template.
                        RequestError::NotFound => {
                            self.table_missing.notify_one();
                            RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO }
                        }
                    }
                }
            };
            results[range].fill(result);
        }
        results
    }
}
