//! Why a function has no value, in BigQuery's words.

use datafusion::error::DataFusionError;

/// The message that the caller of the query reads. Travels through DataFusion as
/// [`DataFusionError::External`], from which the engine takes it out again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(in crate::local::bigquery::googlesql) struct Failure(String);

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }
}

impl From<Failure> for DataFusionError {
    fn from(failure: Failure) -> DataFusionError {
        DataFusionError::External(Box::new(failure))
    }
}
