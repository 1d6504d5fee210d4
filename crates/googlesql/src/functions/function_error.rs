//! The error of a function call.

use datafusion::error::DataFusionError;

use crate::error::RESOURCES_EXCEEDED;

/// An error message for the user, in BigQuery's words. It passes through DataFusion as
/// [`DataFusionError::External`]. The engine unwraps it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FunctionError(String);

impl FunctionError {
    pub(crate) fn new(message: impl Into<String>) -> FunctionError {
        FunctionError(message.into())
    }

    /// The query exceeds the memory limit.
    pub(crate) fn resources_exceeded() -> FunctionError {
        FunctionError(RESOURCES_EXCEEDED.to_owned())
    }
}

impl From<FunctionError> for DataFusionError {
    fn from(error: FunctionError) -> DataFusionError {
        DataFusionError::External(Box::new(error))
    }
}
