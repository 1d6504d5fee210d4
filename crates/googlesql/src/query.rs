//! [`Query`]: the text, parameters and options of a query.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query>.

use serde_json::Value;

use crate::catalog::DatasetName;

/// A query with the parameters and options of BigQuery's jobs.query and jobs.insert.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The project that runs the query. Names without a project are in it.
    pub project: String,
    /// The dataset of table names without a dataset.
    pub default_dataset: Option<DatasetName>,
    /// The text.
    pub sql: String,
    /// BigQuery's `QueryParameter`s.
    pub parameters: Vec<Value>,
    /// Plan the query and return its schema, but do not run it.
    pub dry_run: bool,
}
