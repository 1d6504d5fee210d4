//! Why a function has no value, in BigQuery's words.

use datafusion::error::DataFusionError;

use crate::googlesql::RESOURCES_EXCEEDED;

/// The message that the caller of the query reads. Travels through DataFusion as
/// [`DataFusionError::External`], from which the engine takes it out again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }

    /// The results do not fit into memory.
    pub(crate) fn resources_exceeded() -> Failure {
        Failure(RESOURCES_EXCEEDED.to_owned())
    }
}

impl From<Failure> for DataFusionError {
    fn from(failure: Failure) -> DataFusionError {
        DataFusionError::External(Box::new(failure))
    }
}
