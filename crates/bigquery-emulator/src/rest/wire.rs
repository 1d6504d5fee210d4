//! JSON over HTTP: extractors of request bodies and query parameters, and JSON responses.
//!
//! axum's own extractors do not fit, for two reasons. Clients send wrong content types: `gcp-bigquery-client` sends gzip as
//! `application/octet-stream`, and some clients send none. So these extractors ignore the content type and use only
//! `Content-Encoding`. And error responses must have BigQuery's format.

use std::io::Read;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// Maximum size of a request body, compressed and decompressed: BigQuery's limit of 10 MB.
pub(crate) const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// A JSON response. Its status is 200 unless it is paired with another status.
pub(crate) struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json; charset=UTF-8");
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, json)], body).into_response(),
            Err(error) => {
                tracing::error!(%error, "cannot serialize the response");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// A decompressed and parsed request body.
pub(crate) struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let gzip = is_gzip(request.headers())?;
        let body = Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => ApiError::UploadTooLarge { limit: BODY_LIMIT },
            other => ApiError::BadPayload(other.to_string()),
        })?;
        let body = if gzip { gunzip(&body)? } else { body };
        serde_json::from_slice(&body).map(JsonBody).map_err(|error| ApiError::BadPayload(format!("Invalid JSON payload received. {error}")))
    }
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, ApiError> {
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(false),
        Some(b"gzip" | b"x-gzip") => Ok(true),
        Some(other) => Err(ApiError::BadPayload(format!("Unsupported Content-Encoding: {}.", String::from_utf8_lossy(other)))),
    }
}

fn gunzip(body: &[u8]) -> Result<Bytes, ApiError> {
    let mut inflated = Vec::new();
    // Read at most one byte over the limit: a small body may decompress to gigabytes.
    MultiGzDecoder::new(body)
        .take(BODY_LIMIT as u64 + 1)
        .read_to_end(&mut inflated)
        .map_err(|error| ApiError::BadPayload(format!("The gzip body is invalid: {error}.")))?;
    if inflated.len() > BODY_LIMIT {
        return Err(ApiError::UploadTooLarge { limit: BODY_LIMIT });
    }
    Ok(inflated.into())
}

/// Query parameters; unknown ones (`alt`, `prettyPrint`, `key`) are ignored.
pub(crate) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(params) =
            Query::from_request_parts(parts, state).await.map_err(|rejection: QueryRejection| ApiError::Invalid(rejection.body_text()))?;
        Ok(Params(params))
    }
}

/// The query parameters of a list of names.
///
/// The page token is the last name of the previous page. Unlike a position, it stays valid when names are added or
/// removed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Paging {
    max_results: Option<u32>,
    page_token: String,
}

impl Paging {
    const MAX_RESULTS: u32 = 1_000;

    /// Maximum number of entries of the page.
    pub(crate) fn limit(&self) -> usize {
        self.max_results.unwrap_or(Self::MAX_RESULTS).min(Self::MAX_RESULTS) as usize
    }

    /// The page begins after this name; empty for the first page.
    pub(crate) fn after(&self) -> &str {
        &self.page_token
    }

    /// Truncates the entries to the limit. Returns the next page token if there were more. The caller reads one entry more
    /// than the limit.
    pub(crate) fn truncate<T>(&self, found: &mut Vec<T>, name: impl Fn(&T) -> String) -> Option<String> {
        if found.len() <= self.limit() {
            return None;
        }
        found.truncate(self.limit());
        found.last().map(name)
    }
}
