//! Table resources of BigQuery: the one place that reads a live table's schema.

use serde_json::Value;

use super::client::Client;
use super::endpoints::Api;
use super::error::{ApiError, ApiResult, Lookup};
use crate::decode::Schema;

/// The path of a dataset.
pub(crate) fn dataset_path(project: &str, dataset: &str) -> String {
    format!("projects/{project}/datasets/{dataset}")
}

/// The path of a table.
pub(crate) fn table_path(project: &str, dataset: &str, table: &str) -> String {
    format!("{}/tables/{table}", dataset_path(project, dataset))
}

/// The live schema of a table.
pub(crate) async fn schema(client: &Client, project: &str, dataset: &str, table: &str) -> ApiResult<Lookup<Schema>> {
    match client.get(Api::BigQuery, &table_path(project, dataset, table)).await? {
        Lookup::Found(resource) => schema_of(&resource).map(Lookup::Found),
        Lookup::Absent => Ok(Lookup::Absent),
    }
}

/// The schema in a table resource.
pub(crate) fn schema_of(resource: &Value) -> ApiResult<Schema> {
    let unreadable = |error| ApiError::unreadable(Api::BigQuery, format!("the table's schema: {error}"));
    Schema::parse(&resource["schema"].to_string()).map_err(unreadable)
}
