//! The upload routes of load jobs, which are not supported.

use axum::body::to_bytes;
use axum::extract::Request;
use serde_json::Value;

use crate::error::ApiError;
use crate::jobs::unsupported;
use crate::rest::wire::{BODY_LIMIT, Json};

/// `POST /upload/…`: reads and drops the data, and responds that load jobs are not supported. A client that is still
/// sending when the response arrives may see a broken pipe instead. That happens with a body over the limit.
pub(crate) async fn upload(request: Request) -> Result<Json<Value>, ApiError> {
    drop(to_bytes(request.into_body(), BODY_LIMIT).await);
    unsupported::check_job_type("load").map(|()| Json(Value::Null))
}
