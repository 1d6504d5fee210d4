//! The program `bigquery-emulator`, as a process.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A failing test ends after this time.
const TIMEOUT: Duration = Duration::from_secs(60);

fn program(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bigquery-emulator"));
    command.arg("--data-dir").arg(data_dir).args(["--port", "0"]).kill_on_drop(true);
    command
}

/// A running emulator.
struct Program {
    child: Child,
    url: String,
    http: Client,
}

impl Program {
    async fn start(data_dir: &Path) -> Program {
        let mut child = program(data_dir).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.strip_prefix("export BIGQUERY_EMULATOR_HOST=") {
                    return url.to_owned();
                }
            }
            panic!("the program ended without its address")
        };
        let url = timeout(TIMEOUT, url).await.unwrap();
        Program { child, url, http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let response = self.http.post(format!("{}/bigquery/v2/projects/p{path}", self.url)).body(body.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{path}: {}", response.status());
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    async fn count(&self) -> Value {
        self.post("/queries", json!({"query": "SELECT COUNT(*) FROM shop.sales", "useLegacySql": false})).await["rows"][0]["f"][0]["v"]
            .clone()
    }

    async fn stop(mut self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().await.unwrap().success());
        let status = timeout(TIMEOUT, self.child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{signal}: {status}");
    }
}

#[tokio::test]
async fn the_program_stops_on_a_signal_and_keeps_its_data() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path()).await;
    program.post("/datasets", json!({"datasetReference": {"projectId": "p", "datasetId": "shop"}})).await;
    let reference = json!({"projectId": "p", "datasetId": "shop", "tableId": "sales"});
    let schema = json!({"fields": [{"name": "item", "type": "STRING"}]});
    program.post("/datasets/shop/tables", json!({"tableReference": reference, "schema": schema})).await;
    program.post("/datasets/shop/tables/sales/insertAll", json!({"rows": [{"json": {"item": "pen"}}]})).await;
    assert_eq!(program.count().await, "1");
    program.stop("TERM").await;

    let program = Program::start(dir.path()).await;
    assert_eq!(program.count().await, "1");
    program.stop("INT").await;
}

#[tokio::test]
async fn a_directory_in_use_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let first = Program::start(dir.path()).await;
    let output = timeout(TIMEOUT, program(dir.path()).output()).await.unwrap().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("error: cannot open the data directory") && error.contains("is in use by another process"), "{error}");
    first.stop("TERM").await;
}
