//! BigQuery over HTTP: batches into `insertAll`. What it says of tables is in `tables`.
//!
//! One attempt each; who tries again, and when, is the batcher's business.

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
use super::insert_all::{self, Failure};
use super::{Destination, ErrorClass, InsertRow, Refusal, RowResult};
use crate::google::{Client, Endpoints, RetryPolicy, Tokens};
use crate::telemetry::Throttle;
use crate::telemetry::metrics;

/// More than any delivery waits; a header may name any number.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

/// Where the dataset is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// `https://bigquery.googleapis.com`, or an emulator's address; without `/bigquery/v2`.
    pub endpoint: String,
    /// The project that owns the dataset.
    pub project: String,
    /// DATASET.
    pub dataset: String,
}

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
    /// A client that has sent nothing yet. BATCH_GZIP says whether bodies are compressed.
    pub fn new(location: Location, tokens: Tokens, gzip: bool) -> Result<Arc<Self>, reqwest::Error> {
        let http = reqwest::Client::builder()
            // Cloud Run has no proxy, and reading the proxy's variables has surprised people.
            .no_proxy()
            // BigQuery has no redirects either: one is an error like any other.
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(3))
            // The control plane's; insertAll sets its own from the deadline.
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

    /// Waits until an insert was told that its table is not there.
    pub async fn table_missing(&self) {
        self.table_missing.notified().await;
    }

    fn dataset_url(&self) -> String {
        let Location { endpoint, project, dataset } = &self.location;
        format!("{endpoint}/bigquery/v2/projects/{project}/datasets/{dataset}")
    }

    async fn attempt(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> Result<Vec<RowResult>, Failure> {
        let no_token = |_| Failure::Again { trouble: ErrorClass::Denied, after: Duration::ZERO };
        let url = format!("{}/tables/{}/insertAll?prettyPrint=false", self.dataset_url(), destination.table);
        let body = self.encode(insert_all::body(&destination.suffix, rows));
        let late = |_| Failure::PASSING;
        let token = timeout_at(deadline, self.tokens.token()).await.map_err(late)?.map_err(no_token)?;
        match self.post(&url, &body, token.as_deref(), rows.len(), deadline).await {
            Err(Failure::Unauthorized) => {
                let token = timeout_at(deadline, self.tokens.token_instead_of(token.as_deref())).await.map_err(late)?.map_err(no_token)?;
                self.post(&url, &body, token.as_deref(), rows.len(), deadline).await
            }
            result => result,
        }
    }

    async fn post(&self, url: &str, body: &Bytes, token: Option<&str>, count: usize, deadline: Instant) -> Result<Vec<RowResult>, Failure> {
        let unavailable = |_| Failure::PASSING;
        let mut request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .timeout(deadline.saturating_duration_since(Instant::now()))
            .body(body.clone());
        if self.gzip {
            request = request.header(CONTENT_ENCODING, "gzip");
        }
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(unavailable)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let retry_after = retry_after.map(|seconds| Duration::from_secs(seconds).min(LONGEST_RETRY_AFTER));
        let answer = response.bytes().await.map_err(unavailable)?;
        if status == 200 { insert_all::read_fates(&answer, count) } else { Err(insert_all::read_failure(status, retry_after, &answer)) }
    }

    fn encode(&self, body: Vec<u8>) -> Bytes {
        if !self.gzip {
            return body.into();
        }
        // Level 1: BigQuery's rows shrink to a fifth, at a quarter of the default level's time.
        let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
        let _ = encoder.write_all(&body);
        encoder.finish().unwrap_or_default().into()
    }

    /// Says what went wrong, at most once a second. Not in BigQuery's words: they name the table,
    /// and with it the user.
    fn complain(&self, failure: &Failure, rows: usize) {
        metrics::insert_failed(failure_label(failure));
        if let Some(suppressed) = self.throttle.pass() {
            tracing::warn!(failure = failure_label(failure), rows, suppressed, "insertAll failed");
        }
    }
}

impl Sink for BigQuery {
    async fn store(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> Vec<RowResult> {
        let mut fates = vec![RowResult::Stopped; rows.len()];
        // A batch that is refused as a whole is halved until the row at fault stands alone.
        let mut work: Vec<Range<usize>> = std::iter::once(0..rows.len()).collect();
        while let Some(range) = work.pop() {
            let fate = match self.attempt(destination, &rows[range.clone()], deadline).await {
                Ok(settled) => {
                    fates[range].clone_from_slice(&settled);
                    continue;
                }
                Err(failure) => {
                    self.complain(&failure, range.len());
                    match failure {
                        Failure::BadRequest(_) if range.len() > 1 => {
                            let middle = range.start + range.len() / 2;
                            work.push(middle..range.end);
                            work.push(range.start..middle);
                            continue;
                        }
                        Failure::BadRequest(detail) => RowResult::Refused(Refusal { column: None, detail, no_such_field: false }),
                        Failure::Again { trouble, after } => RowResult::Again { trouble, after },
                        Failure::NotNow(trouble) => RowResult::NotNow(trouble),
                        Failure::Unauthorized => RowResult::NotNow(ErrorClass::Denied),
                        // A generated table takes BigQuery seconds to minutes to make, and a missing
                        // template is made again by whoever watches it.
                        Failure::NotFound => {
                            self.table_missing.notify_one();
                            RowResult::Again { trouble: ErrorClass::Unavailable, after: Duration::ZERO }
                        }
                    }
                }
            };
            fates[range].fill(fate);
        }
        fates
    }
}

fn failure_label(failure: &Failure) -> &'static str {
    match failure {
        Failure::Again { trouble, .. } | Failure::NotNow(trouble) => trouble.as_str(),
        Failure::Unauthorized => "unauthorized",
        Failure::NotFound => "not_found",
        Failure::BadRequest(_) => "bad_request",
    }
}
