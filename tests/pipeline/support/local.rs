//! A `pixel-pipeline local` process.

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::task::JoinHandle;

use super::bigquery::DATASET;
use super::http;
use super::service::{command, send_signal};
use super::wait::{wait_until, within};

/// The default project of `local`.
pub const PROJECT: &str = "local";

/// A running local pipeline. Killed on drop.
pub struct Local {
    child: Child,
    /// `http://127.0.0.1:PORT/pixel.png`
    pub pixel: String,
    /// `http://127.0.0.1:PORT/`
    pub push: String,
    /// `http://127.0.0.1:PORT`
    pub bigquery: String,
    /// Its output up to the line that explains how to end it.
    pub welcome: String,
    http: reqwest::Client,
    stdout: Lines<BufReader<ChildStdout>>,
    log: JoinHandle<String>,
}

/// `local` on free ports with this data directory.
pub fn local(data_dir: &Path) -> Command {
    let mut command = command("local");
    command.args(["--pixel-port", "0", "--bigquery-port", "0", "--data-dir"]).arg(data_dir).env("PORT", "0");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Local {
    /// Starts a local pipeline and reads its addresses.
    pub async fn start(data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_with(data_dir, &[], settings).await
    }

    /// Starts a local pipeline with flags that have no environment variable.
    pub async fn start_with(data_dir: &Path, flags: &[&str], settings: &[(&str, &str)]) -> Self {
        let mut command = local(data_dir);
        command.args(flags).envs(settings.iter().copied());
        Self::spawn(command).await
    }

    /// Starts a local pipeline from a command that executes `local`.
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
        let welcome = within("the local pipeline prints its addresses", read).await;
        let url = |name: &str| {
            let line = welcome.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.unwrap_or_else(|| panic!("no {name} in {welcome:?}")).trim().to_owned()
        };
        let http = http::client();
        Self { pixel: url("pixel"), push: url("push"), bigquery: url("BigQuery"), child, http, stdout, log, welcome }
    }

    /// Requests the pixel with this query.
    pub async fn fire(&self, query: &str) -> reqwest::Response {
        self.http.get(format!("{}?{query}", self.pixel)).send().await.expect("the pixel responds")
    }

    /// The value of a metric with exactly these labels; 0 without such a metric.
    pub async fn metric(&self, name_and_labels: &str) -> f64 {
        let metrics = self.http.get(format!("{}metrics", self.push)).send().await.unwrap().text().await.unwrap();
        metrics.lines().find_map(|line| line.strip_prefix(name_and_labels)?.strip_prefix(' ')?.parse().ok()).unwrap_or(0.0)
    }

    /// Sends a GET request to BigQuery's API, below the project's path.
    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}/bigquery/v2/projects/{PROJECT}/{path}", self.bigquery);
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// Sends a POST request to BigQuery's API, below the project's path.
    pub async fn post(&self, path: &str, body: Value) {
        let url = format!("{}/bigquery/v2/projects/{PROJECT}/{path}", self.bigquery);
        let request = self.http.post(url).header("content-type", "application/json").body(body.to_string());
        request.send().await.unwrap().error_for_status().unwrap();
    }

    /// The values of one column of a table; none if the table does not exist.
    pub async fn column(&self, table: &str, column: &str) -> Vec<String> {
        let table = format!("datasets/{DATASET}/tables/{table}");
        let resource = self.get(&table).await;
        let Some(fields) = resource["schema"]["fields"].as_array() else { return Vec::new() };
        let index = fields.iter().position(|field| field["name"] == column).expect("the column exists");
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

    /// Waits until both views exist. They are created shortly after the service is ready.
    pub async fn wait_for_views(&self) {
        wait_until("both views exist", async || self.views().await == ["events", "events_daily"]).await;
    }

    async fn listed(&self, kind: &str) -> Vec<String> {
        let list = self.get(&format!("datasets/{DATASET}/tables?maxResults=1000")).await;
        let tables = list["tables"].as_array().cloned().unwrap_or_default();
        let of_kind = tables.iter().filter(|table| table["type"] == kind);
        of_kind.map(|table| table["tableReference"]["tableId"].as_str().unwrap().to_owned()).collect()
    }

    /// The rows of a query's result.
    pub async fn query(&self, sql: &str) -> Vec<Vec<Value>> {
        let url = format!("{}/bigquery/v2/projects/{PROJECT}/queries", self.bigquery);
        let body = json!({"query": sql, "useLegacySql": false, "timeoutMs": 20_000});
        let text = self.http.post(url).body(body.to_string()).send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert!(answer["error"].is_null(), "{sql}: {text}");
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        list(&answer["rows"]).iter().map(|row| list(&row["f"]).iter().map(|cell| cell["v"].clone()).collect()).collect()
    }

    /// Waits until a table has at least `count` rows.
    pub async fn wait_for_rows(&self, table: &str, count: usize) {
        wait_until(&format!("{table} has {count} rows"), async || self.column(table, "event_id").await.len() >= count).await;
    }

    /// Waits until the condition is true.
    pub async fn wait_until(&self, what: &str, condition: impl AsyncFnMut() -> bool) {
        wait_until(what, condition).await;
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("the process is running")
    }

    /// Sends the process a signal, such as `INT`.
    pub fn signal(&self, signal: &str) {
        send_signal(&self.child, signal);
    }

    /// Waits until the process ends. Returns its status and the rest of its output.
    pub async fn wait(&mut self) -> (ExitStatus, String) {
        // The output is read while the process runs: a full pipe would block it.
        let end = async {
            let mut summary = String::new();
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                summary += &line;
                summary.push('\n');
            }
            (self.child.wait().await.unwrap(), summary)
        };
        within("the local pipeline ends", end).await
    }

    /// Ends the process with a signal. Returns its status and its log.
    pub async fn end(mut self, signal: &str) -> (ExitStatus, String) {
        self.signal(signal);
        let (status, _) = self.wait().await;
        (status, within("the log ends", self.log).await.unwrap())
    }
}

async fn read_all(mut stderr: ChildStderr) -> String {
    let mut log = String::new();
    stderr.read_to_string(&mut log).await.unwrap();
    log
}
