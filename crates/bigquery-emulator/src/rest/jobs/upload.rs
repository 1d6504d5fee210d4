//! Where load jobs send their data: not a route of this server.

use axum::body::to_bytes;
use axum::extract::Request;
use serde_json::Value;

use crate::error::ApiError;
use crate::jobs::refused;
use crate::rest::wire::{BODY_LIMIT, Json};

/// `POST /upload/…`: the data of a load job. It is read and dropped: a client that still writes when
/// the answer comes may see a broken pipe instead. That of a larger body does.
pub(crate) async fn upload(request: Request) -> Result<Json<Value>, ApiError> {
    drop(to_bytes(request.into_body(), BODY_LIMIT).await);
    refused::kind("load").map(|()| Json(Value::Null))
}
