//! A query as it is asked.

use serde_json::Value;

use crate::catalog::DatasetName;

/// A query as BigQuery's jobs.query and jobs.insert state it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The project that runs it: unqualified names are looked up there.
    pub project: String,
    /// The dataset of names that have none.
    pub default_dataset: Option<DatasetName>,
    /// The text.
    pub sql: String,
    /// BigQuery's `QueryParameter`s.
    pub parameters: Vec<Value>,
    /// Plan the query and report its schema, run nothing.
    pub dry_run: bool,
}
