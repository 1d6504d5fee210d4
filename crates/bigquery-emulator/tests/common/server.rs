//! Starts an emulator on a free port, and sends requests to it.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::future::IntoFuture as _;

use bigquery_emulator::BigQuery;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The project of all tests.
pub const PROJECT: &str = "test-project";
/// The dataset of all tests.
pub const DATASET: &str = "parsed_pixel";

/// An emulator with a temporary data directory.
pub struct TestServer {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    task: JoinHandle<std::io::Result<()>>,
    http: reqwest::Client,
    _dir: TempDir,
}

impl TestServer {
    /// Starts an emulator without datasets.
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bigquery = BigQuery::open(dir.path()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(axum::serve(listener, bigquery.router()).into_future());
        Self { url, task, http: reqwest::Client::builder().no_proxy().build().unwrap(), _dir: dir }
    }

    /// Starts an emulator with an empty dataset.
    pub async fn with_dataset() -> Self {
        let server = Self::start().await;
        let dataset = json!({"datasetReference": {"projectId": PROJECT, "datasetId": DATASET}});
        let (status, answer) = server.post("/datasets", &dataset).await;
        assert_eq!(status, 200, "{answer}");
        server
    }

    /// Starts an emulator with a table `pixel` with these columns.
    pub async fn with_template(columns: Value) -> Self {
        let server = Self::with_dataset().await;
        let reference = json!({"projectId": PROJECT, "datasetId": DATASET, "tableId": "pixel"});
        let table = json!({"tableReference": reference, "schema": {"fields": columns}});
        let (status, answer) = server.post(&format!("/datasets/{DATASET}/tables"), &table).await;
        assert_eq!(status, 200, "{answer}");
        server
    }

    /// Stores one row. Returns the answer.
    pub async fn insert(&self, table: &str, insert_id: &str, row: Value) -> Value {
        let body = json!({"rows": [{"insertId": insert_id, "json": row}]});
        let (status, answer) = self.post(&format!("/datasets/{DATASET}/tables/{table}/insertAll"), &body).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// Reads the rows of a table. A row is a list of cell values.
    pub async fn rows(&self, table: &str) -> Vec<Vec<Value>> {
        let (status, answer) = self.call(Method::GET, &format!("/datasets/{DATASET}/tables/{table}/data"), Value::Null).await;
        assert_eq!(status, 200, "{answer}");
        let rows = answer["rows"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["f"].as_array().expect("cells").iter().map(|cell| cell["v"].clone()).collect()).collect()
    }

    /// Posts to a path below the project, as in `/queries`. Returns the status and the answer.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call(Method::POST, path, body.clone()).await
    }

    /// Calls a method of the project's API, as in `/jobs`. Returns the status and the answer.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}/bigquery/v2/projects/{PROJECT}{path}", self.url));
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
