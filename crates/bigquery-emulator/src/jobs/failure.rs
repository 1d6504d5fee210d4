//! Why a job has no result: BigQuery's `ErrorProto`, which is kept with the job and answered again
//! to everyone who asks.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::super::errors::ApiError;
use super::super::googlesql::QueryError;

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
            QueryError::Api(ApiError::Job(error)) => error,
            QueryError::Api(error) => {
                let (status, reason) = error.code();
                JobError { status, reason, message: error.to_string(), location: None }
            }
        }
    }
}
