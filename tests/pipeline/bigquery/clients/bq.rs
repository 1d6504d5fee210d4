//! `bq`, with the two files that `local` writes for it and no account.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tokio::process::Command;

use super::{ENDLESS, output, printed, stored};
use crate::support::bigquery::{DATASET, TempDir};
use crate::support::external::skipped;
use crate::support::local::Local;

const BQ: &str = "bq (of the Cloud SDK)";

async fn there_is_bq() -> bool {
    let mut command = Command::new("sh");
    output(command.args(["-c", "command -v bq"])).await.is_some_and(|found| found.status.success())
}

/// `bq` as a newcomer runs it who has pasted the exports.
struct Bq {
    exports: Vec<(String, String)>,
    /// Nobody's own account, project and .bigqueryrc.
    home: TempDir,
}

impl Bq {
    fn of(local: &Local) -> Self {
        let lines = local.welcome.lines().filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='));
        let exports: Vec<_> = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(exports.len(), 2, "{}", local.welcome);
        Self { exports, home: TempDir::new() }
    }

    async fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new("bq");
        command
            .env("CLOUDSDK_CONFIG", self.home.path())
            .env("HOME", self.home.path())
            .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
            .envs(self.exports.iter().cloned())
            .current_dir(self.home.path())
            .args(args);
        output(&mut command).await.expect("bq starts")
    }

    /// What it prints, having ended well.
    async fn text(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "bq {args:?}: {text} {}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// What it prints as JSON.
    async fn json(&self, args: &[&str]) -> Value {
        printed(&self.run(&[&["--format=json"], args].concat()).await)
    }

    /// What it says of its failure.
    async fn refusal(&self, args: &[&str]) -> String {
        let output = self.run(args).await;
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "bq {args:?}: {text}");
        // It wraps its messages.
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
async fn bq_lists_shows_and_reads_what_was_stored() {
    if !there_is_bq().await {
        return skipped("bq_lists_shows_and_reads_what_was_stored", BQ);
    }
    let dir = TempDir::new();
    let local = stored(dir.path()).await;
    let bq = Bq::of(&local);
    let bq = async |args: &[&str]| bq.json(args).await;
    local.wait_for_views().await;
    let datasets = bq(&["ls"]).await;
    assert_eq!(names(&datasets, "datasetReference", "datasetId"), [DATASET]);
    assert_eq!(
        names(&bq(&["ls", DATASET]).await, "tableReference", "tableId"),
        ["dead_letters", "events", "events_daily", "pixel", "pixel_u1"]
    );
    let table = bq(&["show", &format!("{DATASET}.pixel_u1")]).await;
    assert_eq!(table["numRows"], "2");
    assert_eq!(table["schema"], bq(&["show", &format!("{DATASET}.pixel")]).await["schema"], "as the template's");

    let mut rows = bq(&["head", &format!("{DATASET}.pixel_u1")]).await;
    rows.as_array_mut().unwrap().sort_by_key(|row| row["order_id"].to_string().len());
    let seen: Vec<_> = rows.as_array().unwrap().iter().map(|row| json!([row["user_id"], row["order_id"], row["type"]])).collect();
    assert_eq!(seen, [json!(["u1", "1", "click"]), json!(["u1", "ü\"\n", "click"])]);
    let dead_letters = bq(&["head", &format!("{DATASET}.dead_letters")]).await;
    assert_eq!((&dead_letters[0]["reason"], &dead_letters[0]["delivery_attempt"]), (&json!("bad_base64"), &json!("3")));
}

#[tokio::test]
async fn bq_makes_fills_reads_and_removes_a_table() {
    if !there_is_bq().await {
        return skipped("bq_makes_fills_reads_and_removes_a_table", BQ);
    }
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let bq = Bq::of(&local);
    bq.text(&["mk", "shop"]).await;
    assert!(bq.refusal(&["mk", "shop"]).await.contains("already exists"));
    bq.text(&["mk", "--table", "shop.orders", "id:STRING,total:NUMERIC,at:TIMESTAMP"]).await;
    let order = |id: &str, total: &str| json!({"id": id, "total": total, "at": "2026-01-02 03:04:05"}).to_string();
    bq.write("orders.json", &format!("{}\n{}\n", order("a", "1.5"), order("b", "2")));
    bq.text(&["insert", "shop.orders", "orders.json"]).await;
    bq.write("wrong.json", r#"{"id": "c", "wrong": 1}"#);
    assert!(bq.refusal(&["insert", "shop.orders", "wrong.json"]).await.contains("no such field: wrong"));

    let mut rows = bq.json(&["head", "shop.orders"]).await;
    rows.as_array_mut().unwrap().sort_by_key(|row| row["id"].to_string());
    assert_eq!(rows[0], json!({"id": "a", "total": "1.5", "at": "2026-01-02 03:04:05"}));
    let sql = "SELECT COUNT(*) AS orders, SUM(total) AS total FROM shop.orders";
    assert_eq!(bq.json(&["query", sql]).await, json!([{"orders": "2", "total": "3.5"}]));
    assert_eq!(bq.json(&["show", "shop.orders"]).await["numRows"], "2");

    bq.text(&["rm", "-f", "-t", "shop.orders"]).await;
    assert!(bq.refusal(&["show", "shop.orders"]).await.contains("Not found"));
    bq.text(&["rm", "-r", "-f", "-d", "shop"]).await;
    assert_eq!(names(&bq.json(&["ls"]).await, "datasetReference", "datasetId"), [DATASET]);
}

#[tokio::test]
async fn bq_queries() {
    if !there_is_bq().await {
        return skipped("bq_queries", BQ);
    }
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let bq = Bq::of(&local);
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

    let error = bq.refusal(&["query", "SELECT missing"]).await;
    assert!(error.contains("Error in query string") && error.contains("missing at [1:8]"), "{error}");
    let legacy = bq.refusal(&["query", "--use_legacy_sql=true", "SELECT 1"]).await;
    assert!(legacy.contains("no legacy SQL"), "{legacy}");
    bq.write("rows.csv", "1\n");
    let load = bq.refusal(&["load", &format!("{DATASET}.t"), "rows.csv", "x:INTEGER"]).await;
    assert!(load.contains("no load jobs"), "{load}");
}

#[tokio::test]
async fn bq_lists_shows_and_cancels_jobs() {
    if !there_is_bq().await {
        return skipped("bq_lists_shows_and_cancels_jobs", BQ);
    }
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let bq = Bq::of(&local);
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

#[tokio::test]
async fn the_files_for_bq_are_nobody_elses_and_follow_the_port() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new();
    let token = dir.path().join("bq-token");
    std::fs::write(&token, "of an earlier version, for all to read").unwrap();
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o644)).unwrap();
    let local = Local::start(dir.path(), &[("GOOGLE_CLOUD_PROJECT", "my-project")]).await;
    assert_eq!(std::fs::metadata(&token).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&token).unwrap(), "local");
    let run_control = std::fs::read_to_string(dir.path().join("bqrc")).unwrap();
    for line in [format!("api = {}", local.bigquery), "project_id = my-project".to_owned(), "--use_legacy_sql=false".to_owned()] {
        assert!(run_control.lines().any(|other| other == line), "{line}: {run_control}");
    }
    for (name, value) in Bq::of(&local).exports {
        assert!(Path::new(&value).is_absolute() && Path::new(&value).is_file(), "{name}={value}");
    }
}
