//! The push endpoint.
//!
//! | route | answer |
//! |---|---|
//! | `POST /` | by the table of [`crate::ack`]; [`super::auth`] checks the headers before the body is read |
//! | `POST` of another path | 404 |
//! | `GET` | as in [`super::status`] |

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use jiff::Timestamp;
use tokio::time::Instant;

use super::auth::Gate;
use super::delivery;
use super::http::body::{self, BodyError};
use super::http::panic::{self, Panicked};
use super::http::trace_context::TraceId;
use super::outcome_log::{LOG_INTERVAL, OutcomeLog};
use super::status::{self, Status};
use crate::ack::{InvalidRequestReason, Outcome, RetryReason, SaturatedReason, UnauthorizedReason};
use crate::admission::Admission;
use crate::pipeline::Pipeline;
use crate::telemetry::Throttle;
use crate::telemetry::{metrics, trace};

/// A message has at most 10 MB. With base64 and attributes the body is a little over 13 MB.
const MAX_BODY_BYTES: usize = 16 << 20;
/// A larger body is dropped as soon as its payload is decoded: the payload takes less memory, and its row as much again.
const LARGE_BODY_BYTES: usize = 16 << 10;
/// Memory of a delivery besides its body and its row: the buffers of its connection, and its task. Measured with bodies of 64 KiB.
pub const DELIVERY_BYTES: usize = 24 << 10;
/// Characters of an unknown path in a log line.
const MAX_LOGGED_PATH: usize = 100;

/// A push to another path, which is quoted without its query.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not the path of the push endpoint: set the endpoint of the subscription to the URL of the service with the path /")]
struct WrongPath(String);

/// The state of the handlers.
#[derive(Debug)]
pub struct Push {
    pipeline: Pipeline,
    gate: Gate,
    admission: Arc<Admission>,
    deadline: Duration,
    shutting_down: AtomicBool,
    outcome_log: OutcomeLog,
    invalid_throttle: Throttle,
}

/// The data of a request for log lines and metrics.
struct Arrival {
    at: Instant,
    trace: Option<String>,
}

impl Push {
    /// `deadline` is PUSH_DEADLINE.
    pub fn new(pipeline: Pipeline, gate: Gate, admission: Arc<Admission>, deadline: Duration) -> Self {
        Self {
            pipeline,
            gate,
            admission,
            deadline,
            shutting_down: AtomicBool::new(false),
            outcome_log: OutcomeLog::new(),
            invalid_throttle: Throttle::new(LOG_INTERVAL),
        }
    }

    /// Rejects every delivery from now on.
    pub fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Relaxed);
    }

    async fn handle(&self, request: Request) -> Response {
        let arrival = Arrival { at: Instant::now(), trace: TraceId::of(request.headers()).map(TraceId::into_string) };
        match panic::catch(trace::scope(arrival.trace.clone(), self.process(request, &arrival))).await {
            Ok(response) => response,
            Err(Panicked) => self.answer(Outcome::Retry(RetryReason::Panic), &arrival),
        }
    }

    async fn process(&self, request: Request, arrival: &Arrival) -> Response {
        if self.shutting_down.load(Ordering::Relaxed) {
            return self.answer(Outcome::Saturated(SaturatedReason::ShuttingDown), arrival);
        }
        let deadline = arrival.at + self.deadline;
        // First: a request that waits for the key of its token, or is unauthorized, is not in flight.
        if let Err(outcome) = self.gate.admit(request.headers(), Timestamp::now(), deadline).await {
            return self.answer(outcome, arrival);
        }
        // Before the body is read: an unread body takes no memory.
        let Some(mut admitted) = self.admission.admit() else {
            return self.answer(Outcome::Saturated(SaturatedReason::InFlight), arrival);
        };
        let (Parts { headers, .. }, body) = request.into_parts();
        let body = match body::read(body, MAX_BODY_BYTES, deadline, &mut admitted).await {
            Ok(body) => body,
            Err(error) => {
                let reason = match &error {
                    BodyError::Deadline => return self.answer(Outcome::Retry(RetryReason::Deadline), arrival),
                    BodyError::NotAdmitted => return self.answer(Outcome::Saturated(SaturatedReason::InFlightBytes), arrival),
                    BodyError::TooLarge { .. } => InvalidRequestReason::BodyTooLarge,
                    BodyError::Malformed(_) => InvalidRequestReason::MalformedBody,
                    BodyError::Disconnected(_) => InvalidRequestReason::Disconnected,
                };
                return self.reject(reason, &error, arrival);
            }
        };
        let message = match delivery::read(&headers, &body) {
            Ok(message) => message,
            Err(error) => return self.reject(InvalidRequestReason::NoMessage, &error, arrival),
        };
        let decoded = if body.len() < LARGE_BODY_BYTES { Err(message) } else { message.into_decoded() };
        let outcome = match decoded {
            Ok(message) => {
                drop((headers, body));
                self.pipeline.process(&message, Timestamp::now(), deadline, &mut admitted).await
            }
            Err(message) => self.pipeline.process(&message, Timestamp::now(), deadline, &mut admitted).await,
        };
        self.answer(outcome, arrival)
    }

    /// Answers a request for an unknown path. A `POST` is the push of a subscription whose endpoint is wrong.
    fn handle_other_path(&self, request: &Request) -> Response {
        if request.method() != Method::POST {
            return StatusCode::NOT_FOUND.into_response();
        }
        let arrival = Arrival { at: Instant::now(), trace: TraceId::of(request.headers()).map(TraceId::into_string) };
        let error = WrongPath(request.uri().path().chars().take(MAX_LOGGED_PATH).collect());
        self.reject(InvalidRequestReason::WrongPath, &error, &arrival)
    }

    /// Answers an invalid request with the reason, which does not quote the body.
    fn reject(&self, reason: InvalidRequestReason, error: &dyn std::error::Error, arrival: &Arrival) -> Response {
        if let Some(suppressed) = self.invalid_throttle.pass() {
            let (reason, trace) = (reason.as_str(), arrival.trace.as_deref());
            tracing::warn!(reason, suppressed, trace, %error, "invalid push request rejected");
        }
        let mut response = self.answer(Outcome::InvalidRequest(reason), arrival);
        *response.body_mut() = format!("{error}\n").into();
        response
    }

    fn answer(&self, outcome: Outcome, arrival: &Arrival) -> Response {
        self.outcome_log.record(outcome, arrival.at.elapsed(), arrival.trace.as_deref());
        match outcome {
            Outcome::Unauthorized(reason) => unauthorized(outcome.status(), reason),
            _ => outcome.status().into_response(),
        }
    }
}

/// By RFC 6750 section 3. The answer does not contain the reason: it would help a forger.
fn unauthorized(status: StatusCode, reason: UnauthorizedReason) -> Response {
    let (challenge, body) = match reason {
        UnauthorizedReason::NoToken => (r#"Bearer realm="push""#, "a valid token is required\n"),
        UnauthorizedReason::Account => (r#"Bearer realm="push", error="insufficient_scope""#, "this account is not authorized to push\n"),
        _ => (r#"Bearer realm="push", error="invalid_token""#, "a valid token is required\n"),
    };
    (status, [(WWW_AUTHENTICATE, challenge)], body).into_response()
}

/// The routes of the service.
pub fn router(push: Arc<Push>) -> Router {
    Router::new()
        .route("/", post(async |State(push): State<Arc<Push>>, request: Request| push.handle(request).await))
        .fallback(async |State(push): State<Arc<Push>>, request: Request| push.handle_other_path(&request))
        .with_state(Arc::clone(&push))
        .merge(status::router(push))
}

impl Status for Push {
    fn is_ready(&self) -> bool {
        self.pipeline.is_ready()
    }

    fn set_gauges(&self) {
        metrics::set_in_flight(self.admission.messages(), self.admission.bytes());
        metrics::set_waiting_for_keys(self.gate.waiting());
        metrics::set_tables(self.pipeline.tables());
    }
}

#[cfg(test)]
mod tests;
