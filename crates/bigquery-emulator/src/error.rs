//! Every way a request can fail, and its answer in BigQuery's error shape.
//!
//! Handlers and the closures they hand to the writer return [`ApiError`]; this file alone knows
//! status codes and reasons. It does not know which rows of an insertAll were bad: those are
//! `insertErrors` of a successful answer (see `insertion`).
//!
//! Shape and reasons: <https://cloud.google.com/bigquery/docs/error-messages>.

use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use googlesql::QueryError;
use serde_json::{Value, json};

/// A refused or failed request.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The dataset, table or job does not exist; holds "Dataset p:d", "Table p:d.t" or "Job p:US.j".
    #[error("Not found: {0}")]
    NotFound(String),
    /// No route has this method and path.
    #[error("Not found: this server has no {method} {path}")]
    UnknownRoute { method: Method, path: String },
    /// The dataset, table or job exists already; holds the same.
    #[error("Already Exists: {0}")]
    Duplicate(String),
    /// The request names or describes something that cannot be.
    #[error("{0}")]
    Invalid(String),
    /// The body cannot be read, or is not the JSON that was expected.
    #[error("{0}")]
    BadPayload(String),
    /// A dataset with tables is to be deleted without `deleteContents`; holds "p:d".
    #[error("Dataset {0} is still in use")]
    ResourceInUse(String),
    /// The body, or what it inflates to, is over the limit.
    #[error("Request payload size exceeds the limit: {limit} bytes.")]
    UploadTooLarge { limit: usize },
    /// `If-Match` names another version of the resource.
    #[error("Precondition check failed.")]
    ConditionNotMet,
    /// BigQuery can do this, this server cannot.
    #[error("{0}")]
    NotImplemented(String),
    /// A job has failed, or its query cannot be run.
    #[error("{}", .0.message)]
    Job(JobError),
    /// SQLite refused to read or write.
    #[error("The local BigQuery could not use its file: {0}")]
    Storage(#[from] rusqlite::Error),
    /// The transaction this request was part of could not be committed: nothing of it is stored.
    #[error("The local BigQuery could not commit: {0}")]
    Commit(Arc<rusqlite::Error>),
    /// What is stored is not what this server stores.
    #[error("The local BigQuery's file holds something unexpected: {0}")]
    Damaged(#[from] serde_json::Error),
    /// What worked on the request panicked: the log says where.
    #[error("An internal error occurred and the request could not be completed.")]
    Panicked,
    /// The writer or reader this request was handed to has gone away.
    #[error("The local BigQuery is closing. Please try again.")]
    Closing,
}

impl ApiError {
    /// Why a task did not come to its end.
    pub(crate) fn of_task(error: tokio::task::JoinError) -> ApiError {
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
            ApiError::Storage(_) | ApiError::Commit(_) | ApiError::Damaged(_) | ApiError::Panicked => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internalError")
            }
            ApiError::Closing => (StatusCode::SERVICE_UNAVAILABLE, "backendError"),
        }
    }
}

/// The error of a query that is not a job: of a view, for instance.
impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> ApiError {
        match error {
            QueryError::Invalid(_) | QueryError::ResourcesExceeded => ApiError::Invalid(error.to_string()),
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

/// The catalog's errors pass through the query engine.
impl From<ApiError> for QueryError {
    fn from(error: ApiError) -> QueryError {
        QueryError::catalog(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, reason) = self.code();
        if let ApiError::Storage(_) | ApiError::Commit(_) | ApiError::Damaged(_) = self {
            tracing::error!(error = %self, "the local BigQuery failed");
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

/// BigQuery's JSON around an error.
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

/// The name Google's APIs give to a class of errors beside its HTTP code.
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

/// The end of a job that failed or was ended.
#[derive(Clone, Debug)]
pub(crate) struct JobError {
    /// The status of getQueryResults, and of jobs.query; jobs.get answers 200 all the same.
    pub status: StatusCode,
    pub reason: &'static str,
    pub message: String,
    /// What of the request is at fault: `query`, if anything.
    pub location: Option<&'static str>,
}

impl JobError {
    pub(crate) fn invalid_query(message: String) -> JobError {
        JobError { status: StatusCode::BAD_REQUEST, reason: "invalidQuery", message, location: Some("query") }
    }

    /// Somebody or something ended the job before it was done.
    pub(crate) fn stopped(why: &str) -> JobError {
        // 499: "client closed request", which is no constant of the http crate.
        let status = StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST);
        JobError { status, reason: "stopped", message: format!("Job execution was cancelled: {why}"), location: None }
    }

    /// The query ended without a word: it panicked, and the log has more.
    pub(crate) fn internal() -> JobError {
        let message = "An internal error occurred and the request could not be completed.".to_owned();
        JobError { status: StatusCode::INTERNAL_SERVER_ERROR, reason: "internalError", message, location: None }
    }

    /// As `status.errorResult` and the members of `status.errors`.
    pub(crate) fn shown(&self) -> Value {
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
            QueryError::ResourcesExceeded => {
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
