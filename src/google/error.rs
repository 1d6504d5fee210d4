//! The results of a request to Google's APIs: a resource, its absence, or an error.

use super::credentials::TokenError;
use super::endpoints::Api;

/// The result of a request.
pub type ApiResult<T> = Result<T, ApiError>;

/// A resource, or the API's own statement that it does not exist: status 404 with Google's error. The 404 of a proxy
/// and every other failure are an [`ApiError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup<T> {
    Found(T),
    Absent,
}

/// Why a request failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    #[error("API {service} is not enabled in project {project}")]
    Disabled { service: &'static str, project: String },
    #[error("permission denied: grant {role} ({message})")]
    Denied { role: &'static str, project: String, message: String },
    #[error("{service} does not accept the access token ({message}): run `gcloud auth application-default login`")]
    Unauthenticated { service: &'static str, message: String },
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("{service} answers {status}: {message}")]
    Status { service: &'static str, status: u16, message: String },
    #[error("cannot reach {service}: {cause}")]
    Unreachable { service: &'static str, cause: String },
    #[error("cannot read the answer of {service}: {problem}")]
    Unreadable { service: &'static str, problem: String },
    #[error("{0} does not exist")]
    Absent(String),
    #[error("BigQuery has not finished job {job} after {seconds} s. It may still run")]
    Timeout { job: String, seconds: u64 },
}

impl<T> Lookup<T> {
    /// The resource, for a caller that requires it.
    pub fn require(self, what: impl Into<String>) -> ApiResult<T> {
        match self {
            Self::Found(resource) => Ok(resource),
            Self::Absent => Err(ApiError::Absent(what.into())),
        }
    }
}

impl ApiError {
    pub(crate) fn unreadable(api: Api, problem: impl Into<String>) -> Self {
        Self::Unreadable { service: api.service(), problem: problem.into() }
    }
}
