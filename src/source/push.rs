//! The push endpoint, and what Cloud Run and Prometheus ask of a service.
//!
//! | route | answer |
//! |---|---|
//! | `POST /` | by the table of [`crate::ack`]; 413 for a body of more than 16 MiB; asks [`super::auth`] first |
//! | `GET /health` | 200: the process is up |
//! | `GET /ready` | 200 once the template table has been seen, 503 before |
//! | `GET /metrics` | Prometheus text |
//!
//! Not `/healthz`: Cloud Run's front end answers that one itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::auth::Gate;
use super::delivery;
use super::http::panic::{self, Panicked};
use super::http::trace_context::TraceId;
use crate::ack::{InvalidRequestReason, Outcome, RetryReason, SaturatedReason, UnauthorizedReason};
use crate::pipeline::Pipeline;
use crate::telemetry::Throttle;
use crate::telemetry::metrics;

/// A message has at most 10 MB, which base64 and attributes make a little over 13 MB.
const BODY_LIMIT: usize = 16 << 20;

/// What the handlers share.
#[derive(Debug)]
pub struct Push {
    pipeline: Pipeline,
    gate: Gate,
    admitted: Semaphore,
    max_in_flight: usize,
    deadline: Duration,
    shutting_down: AtomicBool,
    throttle: Throttle,
    refusals: Throttle,
}

impl Push {
    /// `max_in_flight` and `deadline` are MAX_IN_FLIGHT and PUSH_DEADLINE.
    pub fn new(pipeline: Pipeline, gate: Gate, max_in_flight: usize, deadline: Duration) -> Self {
        Self {
            pipeline,
            gate,
            admitted: Semaphore::new(max_in_flight),
            max_in_flight,
            deadline,
            shutting_down: AtomicBool::new(false),
            throttle: Throttle::new(Duration::from_secs(1)),
            refusals: Throttle::new(Duration::from_secs(1)),
        }
    }

    /// From now on every delivery is sent away.
    pub fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    async fn settle(&self, request: Request) -> Response {
        let arrived = Instant::now();
        match panic::catch(self.settle_arrived(request, arrived)).await {
            Ok(response) => response,
            Err(Panicked) => self.answer(Outcome::Retry(RetryReason::Panic), arrived, &HeaderMap::new()),
        }
    }

    async fn settle_arrived(&self, request: Request, arrived: Instant) -> Response {
        if self.shutting_down.load(Ordering::Relaxed) {
            return self.answer(Outcome::Saturated(SaturatedReason::ShuttingDown), arrived, request.headers());
        }
        // Before the body is read: what is not read takes no memory.
        let Ok(_permit) = self.admitted.try_acquire() else {
            return self.answer(Outcome::Saturated(SaturatedReason::InFlight), arrived, request.headers());
        };
        let deadline = arrived + self.deadline;
        // The body of a stranger is not read either.
        if let Err(outcome) = self.gate.admit(request.headers(), Timestamp::now(), deadline).await {
            return self.answer(outcome, arrived, request.headers());
        }
        let (Parts { headers, .. }, body) = request.into_parts();
        let body = match tokio::time::timeout_at(deadline, axum::body::to_bytes(body, BODY_LIMIT)).await {
            Ok(Ok(body)) => body,
            // Too long, or cut off; in the latter case nobody is there to read the answer.
            Ok(Err(_)) => {
                let outcome = Outcome::InvalidRequest(InvalidRequestReason::BodyTooLarge);
                metrics::record_delivery(outcome.as_str(), outcome.reason(), arrived.elapsed());
                return (StatusCode::PAYLOAD_TOO_LARGE, "the body is longer than 16 MiB\n").into_response();
            }
            Err(_) => return self.answer(Outcome::Retry(RetryReason::Deadline), arrived, &headers),
        };
        let message = match delivery::read(&headers, &body) {
            Ok(message) => message,
            Err(error) => {
                let mut response = self.answer(Outcome::InvalidRequest(InvalidRequestReason::NoMessage), arrived, &headers);
                tracing::warn!(trace = trace(&headers), %error, "not a delivery");
                *response.body_mut() = format!("{error}\n").into();
                return response;
            }
        };
        let outcome = self.pipeline.process(&message, Timestamp::now(), deadline).await;
        self.answer(outcome, arrived, &headers)
    }

    fn answer(&self, outcome: Outcome, arrived: Instant, headers: &HeaderMap) -> Response {
        let (name, reason) = (outcome.as_str(), outcome.reason());
        metrics::record_delivery(name, reason, arrived.elapsed());
        match outcome {
            Outcome::Stored | Outcome::Filtered(_) | Outcome::InvalidRequest(_) => {}
            Outcome::DeadLetter(_) => {
                tracing::warn!(outcome = name, reason, trace = trace(headers), "a message went to the dead-letter table")
            }
            // By the hundred when BigQuery is down: one a second tells the story.
            Outcome::Retry(_) | Outcome::Saturated(_) => {
                if let Some(suppressed) = self.throttle.pass() {
                    tracing::warn!(outcome = name, reason, suppressed, trace = trace(headers), "a message was sent back to Pub/Sub");
                }
            }
            Outcome::Unauthorized(reason) => {
                if let Some(suppressed) = self.refusals.pass() {
                    let reason = reason.as_str();
                    tracing::warn!(
                        outcome = name,
                        reason,
                        suppressed,
                        trace = trace(headers),
                        "a request was refused: it is nobody's who may push"
                    );
                }
                return refusal(outcome.status(), reason);
            }
        }
        outcome.status().into_response()
    }
}

/// By RFC 6750 section 3. Says that a token is no good, and not why: a forger would learn from it.
fn refusal(status: StatusCode, reason: UnauthorizedReason) -> Response {
    let (challenge, body) = match reason {
        UnauthorizedReason::NoToken => (r#"Bearer realm="push""#, "pushing takes a valid token\n"),
        UnauthorizedReason::Account => (r#"Bearer realm="push", error="insufficient_scope""#, "this account may not push\n"),
        _ => (r#"Bearer realm="push", error="invalid_token""#, "pushing takes a valid token\n"),
    };
    (status, [(WWW_AUTHENTICATE, challenge)], body).into_response()
}

fn trace(headers: &HeaderMap) -> Option<String> {
    TraceId::of(headers).map(|id| id.as_str().to_owned())
}

/// The routes of the service.
pub fn router(push: Arc<Push>) -> Router {
    Router::new()
        .route("/", post(async |State(push): State<Arc<Push>>, request: Request| push.settle(request).await))
        .route("/health", get(async || "ok\n"))
        .route("/ready", get(ready))
        .route("/metrics", get(async |State(push): State<Arc<Push>>| render(&push)))
        .with_state(push)
}

async fn ready(State(push): State<Arc<Push>>) -> (StatusCode, &'static str) {
    if push.pipeline.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the template table has not been seen yet\n")
    }
}

fn render(push: &Push) -> String {
    metrics::set_in_flight(push.max_in_flight - push.admitted.available_permits());
    metrics::set_tables(push.pipeline.tables());
    metrics::render()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::decode::attributes::ValidAttributes;
    use crate::decode::table_suffix::SuffixTemplate;
    use crate::decode::{Privacy, Schema, Settings};
    use crate::google::Tokens;
    use crate::sink::batcher::{Batcher, Limits};
    use crate::sink::bigquery::{BigQuery, Location};
    use crate::sink::template::{TemplateSettings, TemplateWatcher};
    use crate::source::http::server;
    use crate::table_limit::{OverflowSuffix, TableLimiter, TableLimits};

    /// With a deadline that no clock can hold, so that each delivery panics where its own is worked out.
    fn push_that_panics(max_in_flight: usize) -> Push {
        let location = Location { endpoint: "http://127.0.0.1:9".to_owned(), project: "p".to_owned(), dataset: "d".to_owned() };
        let bigquery = BigQuery::new(location, Tokens::None, false).unwrap();
        let attributes = ValidAttributes::default();
        let suffix = SuffixTemplate::parse("", &attributes, "pixel").unwrap();
        let overflow = OverflowSuffix::parse("_overflow", &attributes, "pixel", &suffix).unwrap();
        let settings = TemplateSettings {
            table: "pixel".into(),
            dead_letter_table: "dead_letters".into(),
            schema: Schema::shipped(),
            auto_create: false,
            decode: Settings {
                valid_attributes: attributes,
                table_suffix: suffix,
                pixel_paths: Vec::new(),
                privacy: Privacy::default(),
                signatures: None,
            },
        };
        let (_, template) = TemplateWatcher::new(Arc::clone(&bigquery), settings);
        let limits = Limits { rows: 1, bytes: 1, inserts: 1, attempt: Duration::from_secs(1) };
        let (batcher, _) = Batcher::new(bigquery, limits);
        let table_limiter = TableLimiter::new(TableLimits { per_hour: 1, overflow });
        let pipeline = Pipeline::new(template, batcher, table_limiter, "pixel".into(), "dead_letters".into());
        Push::new(pipeline, Gate::Open, max_in_flight, Duration::MAX)
    }

    #[tokio::test]
    async fn a_panic_is_a_503_that_is_counted_and_takes_nothing_with_it() {
        let panics = || crate::telemetry::stats().deliveries.get(&("retry", "panic")).copied().unwrap_or(0);
        let before = panics();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let push = Arc::new(push_that_panics(1));
        let server = tokio::spawn(server::serve(listener, router(Arc::clone(&push)), std::future::pending()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for _ in 0..3 {
            // Not 429: what was in flight is not any more.
            assert_eq!(http.post(&url).body("{}").send().await.unwrap().status(), 503);
            assert_eq!(http.get(format!("{url}/health")).send().await.unwrap().status(), 200);
        }
        assert_eq!(push.admitted.available_permits(), 1);
        assert_eq!(panics() - before, 3);
        server.abort();
    }
}
