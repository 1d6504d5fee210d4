//! Google's command-line tool `bq`, with a separate configuration and without an account.

use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use super::super::server::{DATASET, PROJECT, TestServer};
use super::{ENDLESS, output, printed, skipped};

const BQ: &str = "bq (of the Cloud SDK)";

async fn is_bq_installed() -> bool {
    let mut command = Command::new("sh");
    output(command.args(["-c", "command -v bq"])).await.is_some_and(|found| found.status.success())
}

/// `bq` with the two files that the README describes.
struct Bq {
    /// A home directory without accounts, projects and .bigqueryrc.
    home: TempDir,
}

impl Bq {
    fn of(server: &TestServer) -> Self {
        let bq = Self { home: tempfile::tempdir().unwrap() };
        bq.write("token", "local");
        let api = &server.url;
        bq.write("bqrc", &format!("api = {api}\nproject_id = {PROJECT}\noauth_access_token = local\n[query]\n--use_legacy_sql=false\n"));
        bq
    }

    async fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new("bq");
        command
            .env("CLOUDSDK_CONFIG", self.home.path())
            .env("HOME", self.home.path())
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .env("BIGQUERYRC", self.home.path().join("bqrc"))
            .env("CLOUDSDK_AUTH_ACCESS_TOKEN_FILE", self.home.path().join("token"))
            .current_dir(self.home.path())
            .args(args);
        output(&mut command).await.expect("bq starts")
    }

    /// Runs `bq`, which must succeed. Returns its output.
    async fn text(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "bq {args:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Runs `bq`, which must succeed. Returns its output as JSON.
    async fn json(&self, args: &[&str]) -> Value {
        printed(&self.run(&[&["--format=json"], args].concat()).await)
    }

    /// Runs `bq`, which must fail. Returns its message.
    async fn error(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "bq {args:?}: {text}");
        // `bq` wraps lines of its messages.
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.path().join(name), text).unwrap();
    }
}

fn names(list: &Value, reference: &str, id: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[reference][id].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn bq_makes_fills_reads_and_removes_a_table() {
    if !is_bq_installed().await {
        return skipped("bq_makes_fills_reads_and_removes_a_table", BQ);
    }
    let server = TestServer::with_dataset().await;
    let bq = Bq::of(&server);
    bq.text(&["mk", "shop"]).await;
    assert!(bq.error(&["mk", "shop"]).await.contains("already exists"));
    bq.text(&["mk", "--table", "shop.orders", "id:STRING,total:NUMERIC,at:TIMESTAMP"]).await;
    let order = |id: &str, total: &str| json!({"id": id, "total": total, "at": "2026-01-02 03:04:05"}).to_string();
    bq.write("orders.json", &format!("{}\n{}\n", order("a", "1.5"), order("b", "2")));
    bq.text(&["insert", "shop.orders", "orders.json"]).await;
    bq.write("wrong.json", r#"{"id": "c", "wrong": 1}"#);
    assert!(bq.error(&["insert", "shop.orders", "wrong.json"]).await.contains("no such field: wrong"));

    let mut rows = bq.json(&["head", "shop.orders"]).await;
    rows.as_array_mut().unwrap().sort_by_key(|row| row["id"].to_string());
    assert_eq!(rows[0], json!({"id": "a", "total": "1.5", "at": "2026-01-02 03:04:05"}));
    let sql = "SELECT COUNT(*) AS orders, SUM(total) AS total FROM shop.orders";
    assert_eq!(bq.json(&["query", sql]).await, json!([{"orders": "2", "total": "3.5"}]));
    assert_eq!(bq.json(&["show", "shop.orders"]).await["numRows"], "2");

    bq.text(&["rm", "-f", "-t", "shop.orders"]).await;
    assert!(bq.error(&["show", "shop.orders"]).await.contains("Not found"));
    bq.text(&["rm", "-r", "-f", "-d", "shop"]).await;
    assert_eq!(names(&bq.json(&["ls"]).await, "datasetReference", "datasetId"), [DATASET]);
}

#[tokio::test]
async fn bq_queries() {
    if !is_bq_installed().await {
        return skipped("bq_queries", BQ);
    }
    let server = TestServer::with_dataset().await;
    let bq = Bq::of(&server);
    assert_eq!(bq.json(&["query", "SELECT 1 AS x, 'ü' AS s, NULL AS n"]).await, json!([{"x": "1", "s": "ü", "n": null}]));
    assert_eq!(bq.text(&["query", "--format=csv", "SELECT 1 AS x, 'a,b' AS s"]).await, "x,s\n1,\"a,b\"\n");
    assert_eq!(bq.json(&["query", "--rpc", "SELECT 1 AS x"]).await, json!([{"x": "1"}]));
    let named = ["query", "--parameter=n:INT64:5", "--parameter=ids:ARRAY<INT64>:[1,2]", "SELECT @n AS n, @ids AS ids"];
    assert_eq!(bq.json(&named).await, json!([{"n": "5", "ids": ["1", "2"]}]));
    assert_eq!(bq.json(&["query", "--parameter=:STRING:a", "SELECT ? AS s"]).await, json!([{"s": "a"}]));
    let many = bq.json(&["query", "-n", "20000", "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 20000)) AS x"]).await;
    assert_eq!(many.as_array().unwrap().len(), 20_000);
    let dry = bq.text(&["query", "--dry_run", "SELECT 1 AS x"]).await;
    assert!(dry.contains("Query successfully validated"), "{dry}");

    let error = bq.error(&["query", "SELECT missing"]).await;
    assert!(error.contains("Error in query string") && error.contains("missing at [1:8]"), "{error}");
    let legacy = bq.error(&["query", "--use_legacy_sql=true", "SELECT 1"]).await;
    assert!(legacy.contains("does not support legacy SQL"), "{legacy}");
    bq.write("rows.csv", "1\n");
    let load = bq.error(&["load", &format!("{DATASET}.t"), "rows.csv", "x:INTEGER"]).await;
    assert!(load.contains("does not support load jobs"), "{load}");
}

#[tokio::test]
async fn bq_lists_shows_and_cancels_jobs() {
    if !is_bq_installed().await {
        return skipped("bq_lists_shows_and_cancels_jobs", BQ);
    }
    let server = TestServer::with_dataset().await;
    let bq = Bq::of(&server);
    bq.text(&["query", "--job_id=done", "SELECT 1 AS x"]).await;
    bq.text(&["query", "--job_id=running", "--nosync", ENDLESS]).await;
    let jobs = bq.json(&["ls", "-j"]).await;
    assert_eq!(names(&jobs, "jobReference", "jobId"), ["running", "done"]);
    let shown = bq.json(&["show", "-j", "done"]).await;
    assert_eq!((&shown["status"]["state"], &shown["statistics"]["query"]["statementType"]), (&json!("DONE"), &json!("SELECT")));
    assert_eq!(bq.json(&["head", "-j", "done"]).await, json!([{"x": "1"}]));
    bq.text(&["cancel", "running"]).await;
    let error = bq.json(&["show", "-j", "running"]).await["status"]["errorResult"].clone();
    assert_eq!(error["reason"], "stopped");
    bq.text(&["rm", "-f", "-j", "done"]).await;
    assert_eq!(names(&bq.json(&["ls", "-j"]).await, "jobReference", "jobId"), ["running"]);
}
