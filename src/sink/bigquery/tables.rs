//! The control plane: reads a table, and creates tables and their dataset, by the shared [`Client`](crate::google::Client).
//!
//! Table resources are JSON here and not types of a crate: gcp-bigquery-client's `TableFieldSchema` has no `maxLength`,
//! `precision`, `scale` or `defaultValueExpression`, and would drop them from the tables it creates.

use serde_json::{Value, json};

use super::{BigQuery, Location};
use crate::decode::Schema;
use crate::google::bigquery::Table;
use crate::google::{Api, ApiError, ApiResult, Lookup, bigquery};

impl BigQuery {
    /// A table, or `None` if it does not exist.
    pub async fn table(&self, table: &str) -> ApiResult<Option<Table>> {
        let Location { project, dataset, .. } = &self.location;
        match bigquery::table(&self.client, project, dataset, table).await? {
            Lookup::Found(table) => Ok(Some(table)),
            Lookup::Absent => Ok(None),
        }
    }

    /// Creates a table, and its dataset if it does not exist. An existing table is left unchanged.
    pub async fn create_table(&self, table: &str, schema: &Schema) -> ApiResult<()> {
        let Location { project, dataset, .. } = &self.location;
        let table = json!({
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": schema.fields()},
        });
        let path = format!("{}/tables", bigquery::dataset_path(project, dataset));
        if let Lookup::Found(()) = self.create(&path, &table).await? {
            return Ok(());
        }
        let dataset_resource = json!({"datasetReference": {"projectId": project, "datasetId": dataset}});
        self.create(&format!("projects/{project}/datasets"), &dataset_resource).await?.require(format!("project {project}"))?;
        self.create(&path, &table).await?.require(format!("dataset {dataset}"))
    }

    /// Creates a resource, unless it exists. Absent is its parent.
    async fn create(&self, path: &str, resource: &Value) -> ApiResult<Lookup<()>> {
        let is_created = |answer: &Value| ["datasetReference", "tableReference"].iter().any(|member| answer[*member].is_object());
        match self.client.post(Api::BigQuery, path, resource).await {
            Ok(Lookup::Found(answer)) if !is_created(&answer) => {
                Err(ApiError::unreadable(Api::BigQuery, "the answer does not name the created resource"))
            }
            Ok(Lookup::Found(_)) => Ok(Lookup::Found(())),
            Ok(Lookup::Absent) => Ok(Lookup::Absent),
            Err(ApiError::Status { status: 409, .. }) => Ok(Lookup::Found(())),
            Err(error) => Err(error),
        }
    }
}
