//! Why a query has no result.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use tokio::task::JoinError;

pub(crate) const RESOURCES_EXCEEDED: &str =
    "Resources exceeded during query execution: The query could not be executed in the allotted memory.";

/// Why a query has no result.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The text is not a query, or not one that this engine supports: BigQuery's reason `invalidQuery`. The message
    /// ends with the location, ` at [LINE:COLUMN]`, where there is one.
    #[error("{0}")]
    Invalid(String),
    /// A dataset or table that the query names does not exist; holds "Dataset p:d" or "Table p:d.t", and where it was
    /// searched for.
    #[error("Not found: {0}")]
    NotFound(String),
    /// The query needs more memory than queries are given: reason `resourcesExceeded`.
    #[error("{RESOURCES_EXCEEDED}")]
    ResourcesExceeded,
    /// The catalog could not be read, or refused what the query asked for.
    #[error(transparent)]
    Catalog(Box<dyn Error + Send + Sync>),
    /// A task of the query panicked: the log has the location.
    #[error("An internal error occurred and the request could not be completed.")]
    Panicked,
    /// The engine is shutting down.
    #[error("The query engine is closing. Please try again.")]
    Closing,
}

impl QueryError {
    /// The error of a [`Catalog`](crate::Catalog).
    pub fn catalog(error: impl Error + Send + Sync + 'static) -> QueryError {
        QueryError::Catalog(Box::new(error))
    }
}

/// Keeps the innermost message, without DataFusion's own words around it.
impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> QueryError {
        match message(&error) {
            message if message == RESOURCES_EXCEEDED => QueryError::ResourcesExceeded,
            message => QueryError::Invalid(message),
        }
    }
}

impl From<JoinError> for QueryError {
    fn from(error: JoinError) -> QueryError {
        if error.is_panic() { QueryError::Panicked } else { QueryError::Closing }
    }
}

/// The innermost message: what a function of ours said, if one did.
pub(crate) fn message(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => message(inner),
        DataFusionError::Shared(inner) => message(inner),
        DataFusionError::Collection(errors) => errors.first().map(message).unwrap_or_default(),
        DataFusionError::ArrowError(inner, _) => arrow(inner),
        DataFusionError::External(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => message(inner),
            None => inner.to_string(),
        },
        DataFusionError::ResourcesExhausted(_) => RESOURCES_EXCEEDED.to_owned(),
        DataFusionError::Plan(text) | DataFusionError::Execution(text) | DataFusionError::NotImplemented(text) => first_line(text),
        other => first_line(&other.strip_backtrace()),
    }
}

fn arrow(error: &ArrowError) -> String {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => message(inner),
            None => inner.to_string(),
        },
        ArrowError::DivideByZero => "division by zero".to_owned(),
        ArrowError::ArithmeticOverflow(text) | ArrowError::ComputeError(text) => first_line(text),
        other => first_line(&other.to_string()),
    }
}

fn first_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line {
        "Scalar subquery returned more than one row" => "Scalar subquery produced more than one element".to_owned(),
        line => line.strip_prefix("Error during planning: ").unwrap_or(line).to_owned(),
    }
}
