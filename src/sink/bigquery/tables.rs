//! Requests about tables: reading a table's schema, and creating tables and their dataset.
//!
//! gcp-bigquery-client creates datasets. It cannot read or create tables for us: its `TableFieldSchema` has no
//! `maxLength`, `precision`, `scale` or `defaultValueExpression`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gcp_bigquery_client::client_builder::ClientBuilder;
use gcp_bigquery_client::error::BQError;
use gcp_bigquery_client::model::dataset::Dataset;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{BigQuery, Location};
use crate::decode::Schema;
use crate::telemetry::with_causes;

/// A metadata server answers in milliseconds or not at all.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request about a table failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("cannot reach BigQuery: {0}")]
    Unreachable(String),
    #[error("BigQuery returned {status}: {message}")]
    Status { status: u16, message: String },
    #[error("cannot read the table's schema: {0}")]
    Unreadable(String),
}

impl BigQuery {
    /// The schema of a table. `None` only if BigQuery says that the table does not exist; a schema that cannot be
    /// parsed is an error.
    pub async fn schema_of(&self, table: &str) -> Result<Option<Schema>, ControlError> {
        let url = format!("{}/tables/{table}?prettyPrint=false", self.dataset_url());
        match self.call(self.http.get(url)).await {
            Ok(table) => {
                let unreadable = |error: &dyn std::error::Error| ControlError::Unreadable(error.to_string());
                let table: Value = serde_json::from_slice(&table).map_err(|error| unreadable(&error))?;
                Schema::of_table(&table).map(Some).map_err(|error| unreadable(&error))
            }
            Err(ControlError::Status { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates a table, and its dataset if that does not exist. An existing table stays as it is.
    pub async fn create_table(&self, table: &str, schema: &Schema) -> Result<(), ControlError> {
        match self.insert_table(table, schema).await {
            Err(ControlError::Status { status: 404, .. }) => {
                self.create_dataset().await?;
                self.insert_table(table, schema).await
            }
            result => result,
        }
    }

    async fn insert_table(&self, table: &str, schema: &Schema) -> Result<(), ControlError> {
        let Location { project, dataset, .. } = &self.location;
        let resource = json!({
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "schema": {"fields": schema.fields()},
        });
        let request =
            self.http.post(format!("{}/tables", self.dataset_url())).header(CONTENT_TYPE, "application/json").body(resource.to_string());
        match self.call(request).await {
            Ok(_) | Err(ControlError::Status { status: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn create_dataset(&self) -> Result<(), ControlError> {
        let client = ClientBuilder::new()
            .with_v2_base_url(format!("{}/bigquery/v2", self.location.endpoint))
            .with_client(self.http.clone())
            .build_from_authenticator(Arc::new(self.tokens.clone()))
            .await
            .map_err(|error| ControlError::Unreachable(error.to_string()))?;
        match client.dataset().create(Dataset::new(&self.location.project, &self.location.dataset)).await {
            Ok(_) => Ok(()),
            Err(BQError::ResponseError { error }) if error.error.code == 409 => Ok(()),
            Err(BQError::ResponseError { error }) => {
                Err(ControlError::Status { status: u16::try_from(error.error.code).unwrap_or(500), message: error.error.message })
            }
            Err(error) => Err(ControlError::Unreachable(error.to_string())),
        }
    }

    async fn call(&self, request: reqwest::RequestBuilder) -> Result<Bytes, ControlError> {
        let unreachable = |error: reqwest::Error| ControlError::Unreachable(with_causes(&error));
        let token = tokio::time::timeout(TOKEN_TIMEOUT, self.tokens.token()).await;
        let token = token.map_err(|_| ControlError::Unreachable("no access token within 10 s".to_owned()))?;
        let token = token.map_err(|error| ControlError::Unreachable(error.to_string()))?;
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = response.bytes().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(body);
        }
        // The body of a proxy's error is not JSON.
        let error: Option<Value> = serde_json::from_slice(&body).ok();
        let message = error.as_ref().and_then(|error| error["error"]["message"].as_str()).unwrap_or("no message").to_owned();
        Err(ControlError::Status { status: status.as_u16(), message })
    }
}
