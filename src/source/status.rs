//! The endpoints for Cloud Run and Prometheus, beside any source.
//!
//! | route | answer |
//! |---|---|
//! | `GET /health` | 200: the process is up |
//! | `GET /ready` | 200 after the template table has been read, 503 before |
//! | `GET /metrics` | Prometheus text |
//!
//! Not `/healthz`: Cloud Run's front end answers that path itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;

use crate::telemetry::metrics;

/// A source of messages, as these endpoints see it.
pub trait Status: Send + Sync + 'static {
    /// Whether the schema of the template table is known.
    fn is_ready(&self) -> bool;

    /// Sets the gauges of the metrics.
    fn set_gauges(&self);
}

/// The three routes.
pub fn router<S: Status>(source: Arc<S>) -> Router {
    Router::new()
        .route("/health", get(async || "ok\n"))
        .route("/ready", get(ready::<S>))
        .route("/metrics", get(render::<S>))
        .with_state(source)
}

async fn ready<S: Status>(State(source): State<Arc<S>>) -> (StatusCode, &'static str) {
    if source.is_ready() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the template table has not been read yet\n")
    }
}

async fn render<S: Status>(State(source): State<Arc<S>>) -> String {
    source.set_gauges();
    metrics::render()
}
