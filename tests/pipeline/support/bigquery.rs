//! The BigQuery emulator on its own port, and queries of what it stores.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use bigquery_emulator::{BigQuery, Faults};
use jiff::Timestamp;
use pixel_pipeline::source::http::server;
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::http;
use super::wait::wait_until;

/// The project of all tests.
pub const PROJECT: &str = "test-project";
/// The dataset of all tests: the default of the service.
pub const DATASET: &str = "parsed_pixel";

/// Whether a table has the row of this event id. The answer is immediate and exact.
pub type StoredLookup = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// An emulator with its own data directory, which is removed on drop.
pub struct TestBigQuery {
    bigquery: BigQuery,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    server: JoinHandle<()>,
    _dir: TempDir,
    http: reqwest::Client,
}

impl TestBigQuery {
    /// An empty one: the service creates dataset and tables.
    pub async fn start() -> Self {
        Self::serve(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Serves on a listener whose address the service may already have.
    pub fn serve(listener: TcpListener) -> Self {
        Self::serve_behind(listener, |router| router)
    }

    /// Serves behind a middleware.
    pub fn serve_behind(listener: TcpListener, middleware: impl FnOnce(Router) -> Router) -> Self {
        let dir = TempDir::new();
        let bigquery = BigQuery::open(dir.path()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(server::serve(listener, middleware(bigquery.router()), std::future::pending()));
        Self { bigquery, url, server, _dir: dir, http: http::client() }
    }

    /// With a template table of these columns, as `[{"name": …, "type": …}, …]`.
    pub async fn with_template(columns: Value) -> Self {
        let bigquery = Self::start().await;
        bigquery.create_dataset().await;
        bigquery.create_table("pixel", columns).await;
        bigquery
    }

    /// The faults to inject, and the counts of insertAll requests.
    pub fn faults(&self) -> &Faults {
        self.bigquery.faults()
    }

    /// Looks up rows that are stored from now on.
    pub fn stored_lookup(&self) -> StoredLookup {
        self.faults().record_stored_rows();
        let bigquery = self.bigquery.clone();
        Arc::new(move |table, event_id| bigquery.faults().has_stored(table, event_id))
    }

    /// Creates the dataset.
    pub async fn create_dataset(&self) {
        let dataset = json!({"datasetReference": {"projectId": PROJECT, "datasetId": DATASET}});
        self.send(self.http.post(format!("{}/bigquery/v2/projects/{PROJECT}/datasets", self.url)).body(dataset.to_string())).await.unwrap();
    }

    /// Creates a table.
    pub async fn create_table(&self, table: &str, columns: Value) {
        let resource =
            json!({"tableReference": {"projectId": PROJECT, "datasetId": DATASET, "tableId": table}, "schema": {"fields": columns}});
        self.send(self.http.post(self.tables_url()).body(resource.to_string())).await.unwrap();
    }

    /// Replaces a table by one with other columns.
    pub async fn replace_table(&self, table: &str, columns: Value) {
        self.delete_table(table).await;
        self.create_table(table, columns).await;
    }

    /// Stores one row in a table, as another program would. Returns the response.
    pub async fn insert(&self, table: &str, insert_id: &str, row: Value) -> Value {
        let body = json!({"rows": [{"insertId": insert_id, "json": row}]});
        self.send(self.http.post(format!("{}/{table}/insertAll", self.tables_url())).body(body.to_string())).await.unwrap()
    }

    /// Posts to a path below the project, as in `/queries`. Returns the status and the response.
    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}/bigquery/v2/projects/{PROJECT}{path}", self.url));
        let response = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap_or_default())
    }

    /// Replaces a table's schema by one with more columns.
    pub async fn patch_schema(&self, table: &str, columns: Value) {
        let patch = json!({"schema": {"fields": columns}});
        self.send(self.http.patch(format!("{}/{table}", self.tables_url())).body(patch.to_string())).await.unwrap();
    }

    /// Deletes a table.
    pub async fn delete_table(&self, table: &str) {
        self.send(self.http.delete(format!("{}/{table}", self.tables_url()))).await.unwrap();
    }

    /// The names of the tables, sorted.
    pub async fn tables(&self) -> Vec<String> {
        let Ok(list) = self.send(self.http.get(format!("{}?maxResults=1000", self.tables_url()))).await else { return Vec::new() };
        let tables = list["tables"].as_array().cloned().unwrap_or_default();
        let mut names: Vec<String> = tables.iter().map(|table| table["tableReference"]["tableId"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    }

    /// Waits until the table exists. The service creates the dead-letter table shortly after it is ready.
    pub async fn wait_for_table(&self, table: &str) {
        wait_until(&format!("the table {table} exists"), async || self.table(table).await.is_some()).await;
    }

    /// The resource of a table.
    pub async fn table(&self, table: &str) -> Option<Value> {
        self.send(self.http.get(format!("{}/{table}", self.tables_url()))).await.ok()
    }

    /// The rows of a table, each an object of its columns. Scalars are strings, as in the API. Empty if the table does not
    /// exist.
    pub async fn rows(&self, table: &str) -> Vec<Map<String, Value>> {
        let Some(resource) = self.table(table).await else { return Vec::new() };
        let names: Vec<String> =
            resource["schema"]["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
        let data = self.send(self.http.get(format!("{}/{table}/data?maxResults=10000", self.tables_url()))).await.unwrap();
        let rows = data["rows"].as_array().cloned().unwrap_or_default();
        rows.iter()
            .map(|row| names.iter().cloned().zip(row["f"].as_array().unwrap().iter().map(|cell| plain(&cell["v"]))).collect())
            .collect()
    }

    /// Reads these columns of every row of a table, page by page. `columns` is a list with commas, in the schema's order.
    pub async fn each_row(&self, table: &str, columns: &str, mut read: impl FnMut(&[&str])) {
        let url = format!("{}/{table}/data?maxResults=10000&selectedFields={columns}", self.tables_url());
        let mut page = String::new();
        loop {
            let data = self.send(self.http.get(format!("{url}{page}"))).await.unwrap();
            for row in data["rows"].as_array().into_iter().flatten() {
                let cells = row["f"].as_array().unwrap().iter().map(|cell| cell["v"].as_str().unwrap_or_default());
                read(&cells.collect::<Vec<_>>());
            }
            match data["pageToken"].as_str() {
                Some(token) => page = format!("&pageToken={token}"),
                None => return,
            }
        }
    }

    /// The rows of the template table and of all generated tables, each with the table's name.
    pub async fn events(&self) -> Vec<(String, Map<String, Value>)> {
        let mut events = Vec::new();
        for table in self.tables().await.into_iter().filter(|table| table.starts_with("pixel")) {
            events.extend(self.rows(&table).await.into_iter().map(|row| (table.clone(), row)));
        }
        events
    }

    /// Waits until at least `count` insertAll requests have arrived since the start.
    pub async fn wait_for_requests(&self, count: u64) {
        wait_until(&format!("{count} insertAll requests have arrived"), async || self.faults().insert_all_requests().requests >= count)
            .await;
    }

    /// Calls a method of the project's API, as in `/jobs`. Returns the status and the response.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.http.request(method, format!("{}/bigquery/v2/projects/{PROJECT}{path}", self.url));
        let request = if body.is_null() { request } else { request.body(body.to_string()) };
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default())
    }

    fn tables_url(&self) -> String {
        format!("{}/bigquery/v2/projects/{PROJECT}/datasets/{DATASET}/tables", self.url)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Value, String> {
        let response = request.header("content-type", "application/json").send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        if status.is_success() { Ok(serde_json::from_str(&text).unwrap_or_default()) } else { Err(text) }
    }
}

impl Drop for TestBigQuery {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// The time in a TIMESTAMP cell, which the API writes as `1.767323045402197E9`.
pub fn time(cell: &Value) -> Timestamp {
    let seconds: f64 = cell.as_str().expect("a TIMESTAMP").parse().unwrap();
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).unwrap()
}

/// A cell without the wrapping of REPEATED values.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(values) => values.iter().map(|value| plain(&value["v"])).collect(),
        scalar => scalar.clone(),
    }
}

/// A directory that is removed when the test ends.
pub struct TempDir(tempfile::TempDir);

impl TempDir {
    /// A new, empty directory.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory can be created"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
