//! [`QueryError`], and its conversion from the errors of DataFusion and Arrow.

use std::error::Error;

use datafusion::arrow::error::ArrowError;
use datafusion::common::DataFusionError;
use datafusion::sql::sqlparser::tokenizer::Location;
use tokio::task::JoinError;

use crate::error_location::location_suffix;

pub(crate) const RESOURCES_EXCEEDED: &str =
    "Resources exceeded during query execution: The query could not be executed in the allotted memory.";

const TOO_COMPLEX: &str = "too many subqueries or query is too complex";

/// The error of a query.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query is invalid or not supported: BigQuery's reason `invalidQuery`. If the location is known, the message
    /// ends with ` at [LINE:COLUMN]`.
    #[error("{0}")]
    Invalid(String),
    /// A dataset or table does not exist. The text is `Dataset p:d was not found in location US` or
    /// `Table p:d.t was not found in location US`.
    #[error("Not found: {0}")]
    NotFound(String),
    /// The query needs more memory than the limit: reason `resourcesExceeded`.
    #[error("{RESOURCES_EXCEEDED}")]
    ResourcesExceeded,
    /// The query needs more time or memory to plan than the limit: reason `resourcesExceeded`. The text is the cause. If
    /// the location is known, it ends with ` at [LINE:COLUMN]`.
    #[error("Resources exceeded during query execution: Not enough resources for query planning - {0}")]
    TooComplex(String),
    /// The catalog returned an error.
    #[error(transparent)]
    Catalog(Box<dyn Error + Send + Sync>),
    /// A task of the query panicked. The log has the location of the panic.
    #[error("An internal error occurred and the request could not be completed.")]
    Panicked,
    /// The engine is shutting down.
    #[error("The query engine is closing. Please try again.")]
    Closing,
}

impl QueryError {
    /// Wraps the error of a [`Catalog`](crate::Catalog).
    pub fn catalog(error: impl Error + Send + Sync + 'static) -> QueryError {
        QueryError::Catalog(Box::new(error))
    }

    /// The query is nested too deeply at this location.
    pub(crate) fn too_deep(location: Location) -> QueryError {
        QueryError::TooComplex(format!("query is too deeply nested{}", location_suffix(location)))
    }

    /// The query is too large at this location.
    pub(crate) fn too_complex(location: Location) -> QueryError {
        QueryError::TooComplex(format!("{TOO_COMPLEX}{}", location_suffix(location)))
    }
}

/// Keeps the innermost message and drops DataFusion's prefixes.
impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> QueryError {
        if let Some(error) = wrapped_query_error(&error) {
            return error;
        }
        match innermost_message(&error) {
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

/// Passes an error of this crate through DataFusion.
impl From<QueryError> for DataFusionError {
    fn from(error: QueryError) -> DataFusionError {
        DataFusionError::External(Box::new(error))
    }
}

/// The error of this crate that passed through DataFusion.
fn wrapped_query_error(error: &DataFusionError) -> Option<QueryError> {
    match error.find_root() {
        DataFusionError::External(inner) => match inner.downcast_ref::<QueryError>()? {
            QueryError::TooComplex(cause) => Some(QueryError::TooComplex(cause.clone())),
            QueryError::Closing => Some(QueryError::Closing),
            QueryError::ResourcesExceeded => Some(QueryError::ResourcesExceeded),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the innermost message, which is the message of this crate's function if a function failed.
pub(crate) fn innermost_message(error: &DataFusionError) -> String {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => innermost_message(inner),
        DataFusionError::Shared(inner) => innermost_message(inner),
        DataFusionError::Collection(errors) => errors.first().map_or_else(|| first_line(&error.strip_backtrace()), innermost_message),
        DataFusionError::ArrowError(inner, _) => arrow_message(inner),
        DataFusionError::External(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => innermost_message(inner),
            None => inner.to_string(),
        },
        DataFusionError::ResourcesExhausted(_) => RESOURCES_EXCEEDED.to_owned(),
        DataFusionError::Plan(text) | DataFusionError::Execution(text) | DataFusionError::NotImplemented(text) => first_line(text),
        other => first_line(&other.strip_backtrace()),
    }
}

fn arrow_message(error: &ArrowError) -> String {
    match error {
        ArrowError::ExternalError(inner) => match inner.downcast_ref::<DataFusionError>() {
            Some(inner) => innermost_message(inner),
            None => inner.to_string(),
        },
        // The texts of one column exceed 2 GiB.
        ArrowError::OffsetOverflowError(_) => RESOURCES_EXCEEDED.to_owned(),
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
