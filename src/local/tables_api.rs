//! A small client of BigQuery's API for the tables of the local dataset: views, columns and the page's sample queries.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::decode::Schema;
use crate::decode::schema::SchemaError;
use crate::google::body::{BodyError, read_body};

/// Timeout of one request. Generous, because the machine may be busy at the start.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest answer about a table that is read.
const MAX_ANSWER_BYTES: usize = 8 << 20;

/// A client of one dataset's tables. Clones share its connections.
#[derive(Debug, Clone)]
pub struct TablesApi {
    http: reqwest::Client,
    /// The URL of the dataset's tables.
    url: String,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    #[error("BigQuery answered {status}: {message}")]
    Refused { status: StatusCode, message: String },
    #[error("cannot read BigQuery's answer")]
    Answer(#[from] serde_json::Error),
    #[error("cannot read the columns of table {table}")]
    Columns { table: String, source: SchemaError },
    #[error("table {0} does not exist")]
    Absent(String),
    #[error("cannot reach BigQuery")]
    Unreachable(#[from] BodyError),
}

impl TablesApi {
    /// `url` is the URL of the dataset's tables.
    pub fn new(http: reqwest::Client, url: String) -> Self {
        Self { http, url }
    }

    /// A table or view; `None` if BigQuery answers that it does not exist.
    pub async fn find(&self, table: &str) -> Result<Option<Value>, TablesError> {
        match self.call(Method::GET, &self.table_url(table), None).await {
            Err(TablesError::Refused { status: StatusCode::NOT_FOUND, .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// The columns of a table that must exist.
    pub async fn columns(&self, table: &str) -> Result<Schema, TablesError> {
        let resource = self.find(table).await?.ok_or_else(|| TablesError::Absent(table.to_owned()))?;
        columns_of(&resource, table)
    }

    /// Creates a table or view.
    pub async fn create(&self, resource: &Value) -> Result<(), TablesError> {
        self.call(Method::POST, &self.url, Some(resource)).await.map(drop)
    }

    /// Changes members of a table or view.
    pub async fn patch(&self, table: &str, changes: &Value) -> Result<(), TablesError> {
        self.call(Method::PATCH, &self.table_url(table), Some(changes)).await.map(drop)
    }

    fn table_url(&self, table: &str) -> String {
        format!("{}/{table}", self.url)
    }

    async fn call(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Value, TablesError> {
        let mut request = self.http.request(method, url).timeout(REQUEST_TIMEOUT);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.map_err(BodyError::from)?;
        let status = response.status();
        let body = read_body(response, MAX_ANSWER_BYTES).await?;
        if status.is_success() {
            return Ok(serde_json::from_slice(&body)?);
        }
        // A server in between may answer with something else than BigQuery's JSON.
        let error: Value = serde_json::from_slice(&body).unwrap_or_else(|_| json!({}));
        let message = error["error"]["message"].as_str().unwrap_or("without a message");
        Err(TablesError::Refused { status, message: message.to_owned() })
    }
}

/// The columns in a table's resource.
pub fn columns_of(resource: &Value, table: &str) -> Result<Schema, TablesError> {
    Schema::parse(&resource["schema"].to_string()).map_err(|source| TablesError::Columns { table: table.to_owned(), source })
}
