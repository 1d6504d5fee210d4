//! `pixel-pipeline local` as a process of its own.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::bigquery::DATASET;
use super::service::{PATIENCE, RESPONSE_TIMEOUT, command, send_signal};

/// The project of `local` unless it is told another one.
pub const PROJECT: &str = "local";

/// A running local pipeline. Ends with its handle.
pub struct Local {
    child: Child,
    /// `http://127.0.0.1:PORT/pixel.png`
    pub pixel: String,
    /// `http://127.0.0.1:PORT/`
    pub push: String,
    /// `http://127.0.0.1:PORT`
    pub bigquery: String,
    /// What it printed, up to the last line.
    pub welcome: String,
    http: reqwest::Client,
    stdout: Lines<BufReader<ChildStdout>>,
    log: JoinHandle<String>,
}

/// `local` on free ports, with that data directory.
pub fn local(data_dir: &Path) -> Command {
    let mut command = command("local");
    command.args(["--pixel-port", "0", "--bigquery-port", "0", "--data-dir"]).arg(data_dir).env("PORT", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Local {
    /// Starts it and reads where it is.
    pub async fn start(data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_with(data_dir, &[], settings).await
    }

    /// The same, with flags that have no environment variable.
    pub async fn start_with(data_dir: &Path, flags: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut command = local(data_dir);
        command.args(flags).envs(settings.iter().copied());
        Self::spawn(command).await
    }

    /// The same from a command that becomes `local`.
    pub async fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let log = tokio::spawn(read_all(child.stderr.take().unwrap()));
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = async {
            let mut welcome = String::new();
            while let Some(line) = stdout.next_line().await.unwrap() {
                welcome += &line;
                welcome.push('\n');
                if line.contains("Ctrl-C") {
                    break;
                }
            }
            welcome
        };
        let welcome = tokio::time::timeout(PATIENCE, read).await.expect("it prints its welcome");
        let url = |name: &str| {
            let line = welcome.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("there is no {name} in {welcome:?}")).trim().to_owned()
        };
        let http = reqwest::Client::builder().no_proxy().timeout(RESPONSE_TIMEOUT).build().unwrap();
        Self { pixel: url("pixel"), push: url("push"), bigquery: url("BigQuery"), child, http, stdout, log, welcome }
    }

    /// Fires the pixel with that query.
    pub async fn fire(&self, query: &str) -> reqwest::Response {
        self.http.get(format!("{}?{query}", self.pixel)).send().await.expect("the pixel answers")
    }

    /// The value of a metric with exactly these labels; 0 if there is none.
    pub async fn metric(&self, name_and_labels: &str) -> f64 {
        let metrics = self.http.get(format!("{}metrics", self.push)).send().await.unwrap().text().await.unwrap();
        metrics.lines().find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' ')?.parse().ok()).unwrap_or(0.0)
    }

    /// Asks BigQuery's API, below the project's path.
    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}/bigquery/v2/projects/{PROJECT}/{path}", self.bigquery);
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Tells BigQuery's API, below the project's path.
    pub async fn post(&self, path: &str, body: Value) {
        let url = format!("{}/bigquery/v2/projects/{PROJECT}/{path}", self.bigquery);
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// The values of one column of a table; none if there is no such table.
    pub async fn column(&self, table: &str, column: &str) -> Vec<String> {
        let table = format!("datasets/{DATASET}/tables/{table}");
        let resource = self.get(&table).await;
        let Some(fields) = resource["schema"]["fields"].as_array() else { return Vec::new() };
        let index = fields.iter().position(|field| field["name"] == column).expect("there is such a column");
        let data = self.get(&format!("{table}/data?maxResults=100000")).await;
        let rows = data["rows"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row["f"][index]["v"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The ids of the tables, without the views.
    pub async fn tables(&self) -> Vec<String> {
        self.listed("TABLE").await
    }

    /// The ids of the views.
    pub async fn views(&self) -> Vec<String> {
        self.listed("VIEW").await
    }

    /// Waits until both views are there. They are made a moment after the service is ready.
    pub async fn wait_for_views(&self) {
        self.wait_until("the views are there", async || self.views().await == ["events", "events_daily"]).await;
    }

    async fn listed(&self, kind: &str) -> Vec<String> {
        let list = self.get(&format!("datasets/{DATASET}/tables?maxResults=1000")).await;
        let tables = list["tables"].as_array().cloned().unwrap_or_default();
        let of_kind = tables.iter().filter(|table| table["type"] == kind);
        of_kind.map(|table| table["tableReference"]["tableId"].as_str().unwrap().to_owned()).collect()
    }

    /// The rows of a query's answer.
    pub async fn query(&self, sql: &str) -> Vec<Vec<Value>> {
        let url = format!("{}/bigquery/v2/projects/{PROJECT}/queries", self.bigquery);
        let body = json!({"query": sql, "useLegacySql": false, "timeoutMs": 20_000});
        let text = self.http.post(url).body(body.to_string()).send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer["error"].is_null(), "{sql}: {text}");
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        list(&answer["rows"]).iter().map(|row| list(&row["f"]).iter().map(|cell| cell["v"].clone()).collect()).collect()
    }

    /// Waits until a table has at least so many rows.
    pub async fn wait_for_rows(&self, table: &str, count: usize) {
        self.wait_until("the rows are there", async || self.column(table, "event_id").await.len() >= count).await;
    }

    /// Waits until something is so.
    pub async fn wait_until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let wait = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}, within {PATIENCE:?}");
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal, such as `INT`.
    pub fn signal(&self, signal: &str) {
        send_signal(&self.child, signal);
    }

    /// Waits for its end; returns its status, and what it printed at the end.
    pub async fn wait(&mut self) -> (ExitStatus, String) {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        let mut summary = String::new();
        while let Some(line) = self.stdout.next_line().await.unwrap() {
            summary += &line;
            summary.push('\n');
        }
        (status, summary)
    }

    /// Ends it with a signal; returns its status and what it logged.
    pub async fn end(mut self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        let (status, _) = self.wait().await;
        (status, self.log.await.unwrap())
    }
}

async fn read_all(mut stderr: ChildStderr) -> String {
    let mut log = String::new();
    stderr.read_to_string(&mut log).await.unwrap();
    log
}
