//! A middleware in front of the BigQuery emulator that responds to some requests itself.

use std::io;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::bigquery::TestBigQuery;

/// An empty emulator behind `gate`, which gets method and path, as in `GET /bigquery/v2/projects`, and the body. Without
/// a response from it, the emulator serves the request.
pub async fn bigquery_behind(gate: impl Fn(&str, &str) -> Option<Response> + Clone + Send + Sync + 'static) -> TestBigQuery {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    TestBigQuery::serve_behind(listener, |router| {
        router.layer(from_fn(move |request: Request, next: Next| {
            let gate = gate.clone();
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, usize::MAX).await.unwrap();
                match gate(&format!("{} {}", parts.method, parts.uri.path()), &String::from_utf8_lossy(&body)) {
                    Some(answer) => answer,
                    None => next.run(Request::from_parts(parts, Body::from(body))).await,
                }
            }
        }))
    })
}

/// An error response in the format of Google's APIs.
pub fn refusal(status: u16, message: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), error_body(status, message).to_string()).into_response()
}

/// The body of an error of Google's APIs.
pub fn error_body(status: u16, message: &str) -> Value {
    let code = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };
    json!({"error": {"code": status, "message": message, "status": code}})
}

/// Closes the connection without a response.
pub fn reset() -> Response {
    let broken: io::Result<Bytes> = Err(io::ErrorKind::ConnectionReset.into());
    Response::new(Body::from_stream(stream::iter([broken])))
}

/// Never responds.
pub fn silence() -> Response {
    Response::new(Body::from_stream(stream::pending::<io::Result<Bytes>>()))
}
