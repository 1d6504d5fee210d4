//! [`ApiError`]: the errors of requests, and their responses with BigQuery's status codes, reasons and JSON.
//!
//! Handlers and the closures of the writer return [`ApiError`]. Invalid rows of an insertAll are not errors of the
//! request; they are `insertErrors` of a successful response (see `streaming::insertion`).
//! Reference: <https://cloud.google.com/bigquery/docs/error-messages>.

use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use googlesql::QueryError;
use serde_json::{Value, json};

/// The error of a request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The dataset, table or job does not exist. The text is `Dataset p:d`, `Table p:d.t` or `Job p:US.j`.
    #[error("Not found: {0}")]
    NotFound(String),
    /// There is no route for the method and path.
    #[error("Not found: this server has no {method} {path}")]
    UnknownRoute { method: Method, path: String },
    /// The dataset, table or job already exists. The text is the same as in `NotFound`.
    #[error("Already Exists: {0}")]
    Duplicate(String),
    /// A value in the request is invalid.
    #[error("{0}")]
    Invalid(String),
    /// The body cannot be read, or its JSON is invalid.
    #[error("{0}")]
    BadPayload(String),
    /// A request without `deleteContents` deletes a dataset with tables. The text is `p:d`.
    #[error("Dataset {0} is still in use")]
    ResourceInUse(String),
    /// The body, compressed or decompressed, exceeds the limit.
    #[error("Request payload size exceeds the limit: {limit} bytes.")]
    UploadTooLarge { limit: usize },
    /// The etag in `If-Match` is not the current one.
    #[error("Precondition check failed.")]
    ConditionNotMet,
    /// The emulator does not support this feature of BigQuery.
    #[error("{0}")]
    NotImplemented(String),
    /// A job or a dry run failed.
    #[error("{}", .0.message)]
    Job(JobError),
    /// SQLite cannot read or write the database.
    #[error("The BigQuery emulator cannot use its database: {0}")]
    Storage(#[from] rusqlite::Error),
    /// SQLite cannot commit the transaction. The request stored nothing.
    #[error("The BigQuery emulator cannot commit: {0}")]
    Commit(Arc<rusqlite::Error>),
    /// A stored value is invalid.
    #[error("The BigQuery emulator's database is corrupt: {0}")]
    Corrupt(#[from] serde_json::Error),
    /// A task of the request panicked. The log has the location of the panic.
    #[error("An internal error occurred and the request could not be completed.")]
    Panicked,
    /// The server is shutting down.
    #[error("The BigQuery emulator is shutting down. Please try again.")]
    Closing,
}

impl ApiError {
    /// Converts the error of a task that panicked or was cancelled.
    pub(crate) fn from_join_error(error: tokio::task::JoinError) -> ApiError {
        if error.is_panic() { ApiError::Panicked } else { ApiError::Closing }
    }

    /// The status code and BigQuery's reason for it.
    pub(crate) fn code(&self) -> (StatusCode, &'static str) {
        match self {
            ApiError::NotFound(_) | ApiError::UnknownRoute { .. } => (StatusCode::NOT_FOUND, "notFound"),
            ApiError::Duplicate(_) => (StatusCode::CONFLICT, "duplicate"),
            ApiError::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
            ApiError::BadPayload(_) => (StatusCode::BAD_REQUEST, "badRequest"),
            ApiError::ResourceInUse(_) => (StatusCode::BAD_REQUEST, "resourceInUse"),
            ApiError::UploadTooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "uploadTooLarge"),
            ApiError::ConditionNotMet => (StatusCode::PRECONDITION_FAILED, "conditionNotMet"),
            ApiError::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, "notImplemented"),
            ApiError::Job(error) => (error.status, error.reason),
            ApiError::Storage(_) | ApiError::Commit(_) | ApiError::Corrupt(_) | ApiError::Panicked => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internalError")
            }
            ApiError::Closing => (StatusCode::SERVICE_UNAVAILABLE, "backendError"),
        }
    }
}

/// Converts the error of a query that is not a job, such as the query of a view.
impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> ApiError {
        match error {
            QueryError::Invalid(_) | QueryError::ResourcesExceeded | QueryError::TooComplex(_) => ApiError::Invalid(error.to_string()),
            QueryError::NotFound(what) => ApiError::NotFound(what),
            QueryError::Panicked => ApiError::Panicked,
            QueryError::Closing => ApiError::Closing,
            QueryError::Catalog(error) => match error.downcast::<ApiError>() {
                Ok(error) => *error,
                Err(error) => ApiError::Invalid(error.to_string()),
            },
        }
    }
}

/// Wraps an error of the catalog, which passes through the query engine.
impl From<ApiError> for QueryError {
    fn from(error: ApiError) -> QueryError {
        QueryError::catalog(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, reason) = self.code();
        if let ApiError::Storage(_) | ApiError::Commit(_) | ApiError::Corrupt(_) = self {
            tracing::error!(error = %self, "request failed");
        }
        let mut body = error_body(status.as_u16(), reason, &self.to_string());
        if let ApiError::Job(JobError { location: Some(location), .. }) = self {
            body["error"]["errors"][0]["location"] = Value::from(location);
            body["error"]["errors"][0]["locationType"] = Value::from("parameter");
        }
        let json = HeaderValue::from_static("application/json; charset=UTF-8");
        (status, [(CONTENT_TYPE, json)], body.to_string()).into_response()
    }
}

/// The JSON body of an error.
pub(crate) fn error_body(code: u16, reason: &str, message: &str) -> Value {
    json!({
        "error": {
            "code": code,
            "message": message,
            "errors": [{"message": message, "domain": "global", "reason": reason}],
            "status": canonical_status(code),
        }
    })
}

/// The canonical status name of Google's APIs for an HTTP status code.
fn canonical_status(code: u16) -> &'static str {
    match code {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ALREADY_EXISTS",
        412 => "FAILED_PRECONDITION",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        400..=499 => "INVALID_ARGUMENT",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}

/// The error of a failed or cancelled job.
#[derive(Clone, Debug)]
pub(crate) struct JobError {
    /// The HTTP status of getQueryResults and jobs.query. jobs.get responds with 200.
    pub status: StatusCode,
    pub reason: &'static str,
    pub message: String,
    /// The invalid member of the request: `query` or `None`.
    pub location: Option<&'static str>,
}

impl JobError {
    pub(crate) fn invalid_query(message: String) -> JobError {
        JobError { status: StatusCode::BAD_REQUEST, reason: "invalidQuery", message, location: Some("query") }
    }

    /// The job was cancelled, timed out, or the server shut down.
    pub(crate) fn stopped(cause: &str) -> JobError {
        // 499 means "client closed request". The http crate has no constant for it.
        let status = StatusCode::from_u16(499).expect("499 is a valid status code");
        JobError { status, reason: "stopped", message: format!("Job execution was cancelled: {cause}"), location: None }
    }

    /// The query panicked. The log has the location of the panic.
    pub(crate) fn internal() -> JobError {
        let message = "An internal error occurred and the request could not be completed.".to_owned();
        JobError { status: StatusCode::INTERNAL_SERVER_ERROR, reason: "internalError", message, location: None }
    }

    /// The `ErrorProto` of `status.errorResult` and `status.errors`.
    pub(crate) fn to_json(&self) -> Value {
        let mut error = json!({"reason": self.reason, "message": self.message});
        if let Some(location) = self.location {
            error["location"] = Value::from(location);
        }
        error
    }
}

impl From<QueryError> for JobError {
    fn from(error: QueryError) -> JobError {
        match error {
            QueryError::Invalid(message) => JobError::invalid_query(message),
            QueryError::ResourcesExceeded | QueryError::TooComplex(_) => {
                JobError { status: StatusCode::BAD_REQUEST, reason: "resourcesExceeded", message: error.to_string(), location: None }
            }
            other => match ApiError::from(other) {
                ApiError::Job(error) => error,
                error => {
                    let (status, reason) = error.code();
                    JobError { status, reason, message: error.to_string(), location: None }
                }
            },
        }
    }
}
