//! Why a function has no value, in BigQuery's words.

use datafusion::error::DataFusionError;

use crate::error::RESOURCES_EXCEEDED;

/// The message that the caller of the query reads. Travels through DataFusion as
/// [`DataFusionError::External`], from which the engine takes it out again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FunctionError(String);

impl FunctionError {
    pub(crate) fn new(message: impl Into<String>) -> FunctionError {
        FunctionError(message.into())
    }

    /// The results do not fit into memory.
    pub(crate) fn resources_exceeded() -> FunctionError {
        FunctionError(RESOURCES_EXCEEDED.to_owned())
    }
}

impl From<FunctionError> for DataFusionError {
    fn from(failure: FunctionError) -> DataFusionError {
        DataFusionError::External(Box::new(failure))
    }
}
