//! `pixel-pipeline local`: first use, restart, kill and invalid settings.

mod clients;
mod cloud_run;
mod console;
mod demo;
mod pixel;
mod pubsub_emulator;
mod schema;
mod subscription;
mod views;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::bigquery::{DATASET, TempDir};
use crate::support::entry::USER;
use crate::support::external::skipped;
use crate::support::local::{Local, PROJECT, local};
use crate::support::service::TIMEOUT;

/// One table for all events, so that no test depends on the current date.
const ONE_TABLE: [(&str, &str); 1] = [("TABLE_SUFFIX", "")];

/// Runs `local` with settings for which it must exit. Returns its exit code and its log.
async fn run_to_failure(data_dir: &Path, settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let run = local(data_dir).envs(settings.iter().copied()).output();
    let output = tokio::time::timeout(TIMEOUT, run).await.expect("local exits").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_pixel_request_becomes_a_row() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let request = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .get(format!("{}?user_id={USER}&order_id=a+b%2F%C3%BC&type=click&x=1", local.pixel));
    let answer =
        request.header("user-agent", "Mozilla/5.0 \"é\"").header("referer", "https://www.example.com/?a=b&c").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut table = None;
    local
        .wait_until("a generated table appears", async || {
            table = local.tables().await.into_iter().find(|table| table.starts_with("pixel_"));
            table.is_some()
        })
        .await;
    let table = table.unwrap();
    let date = table.strip_prefix(&format!("pixel_{USER}_")).unwrap_or_else(|| panic!("{table}"));
    assert!(date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit()), "{table}");
    local.wait_for_rows(&table, 1).await;
    for (column, value) in [
        ("user_id", USER),
        ("order_id", "a b/ü"),
        ("type", "click"),
        ("user_agent", "Mozilla/5.0 \"é\""),
        ("referer", "https://www.example.com/?a=b&c"),
    ] {
        assert_eq!(local.column(&table, column).await, [value], "{column}");
    }
}

#[tokio::test]
async fn the_printed_commands_work_unchanged() {
    if Command::new("curl").arg("--version").output().await.is_err() {
        return skipped("the_printed_commands_work_unchanged", "curl");
    }
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    let commands: Vec<&str> = local.welcome.lines().map(str::trim).filter(|line| line.starts_with("curl ")).collect();
    let [fire, tables, rows] = commands[..] else { panic!("expected three commands: {}", local.welcome) };
    let run = async |line: &str| {
        let output = Command::new("sh").args(["-c", line]).env("CURL_HOME", dir.path()).output().await.unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_default()
    };
    run(fire).await;
    // Not the printed name: the date may have changed since.
    local
        .wait_until("the row's table appears", async || {
            local.tables().await.iter().any(|table| table.starts_with(&format!("pixel_{USER}_")))
        })
        .await;
    local.wait_for_views().await;
    let listed = run(tables).await;
    assert!(listed["tables"].as_array().is_some_and(|tables| tables.len() == 3 + 2), "three tables, two views: {listed}");
    let table = local.tables().await.into_iter().find(|table| table.starts_with(&format!("pixel_{USER}_"))).unwrap();
    local.wait_for_rows(&table, 1).await;
    assert!(rows.contains(&table), "{rows} names {table}");
    assert_eq!(run(rows).await["totalRows"], "1");
}

#[tokio::test]
async fn rows_survive_a_restart() {
    let dir = TempDir::new();
    let before = Local::start(dir.path(), &ONE_TABLE).await;
    for n in 0..5 {
        before.fire(&format!("user_id=u&order_id={n}")).await;
    }
    before.wait_for_rows("pixel", 5).await;
    let (status, log) = before.end("TERM").await;
    assert_eq!(status.code(), Some(0), "{log}");
    let after = Local::start(dir.path(), &ONE_TABLE).await;
    assert_eq!(HashSet::<String>::from_iter(after.column("pixel", "order_id").await), (0..5).map(|n| n.to_string()).collect());
    // The existing table is used.
    after.fire("user_id=u&order_id=5").await;
    after.wait_for_rows("pixel", 6).await;
}

#[tokio::test]
async fn ctrl_c_exits_with_0_and_stores_every_event() {
    let dir = TempDir::new();
    let running = Local::start(dir.path(), &ONE_TABLE).await;
    for n in 0..20 {
        running.fire(&format!("user_id=u&order_id={n}")).await;
    }
    // Without waiting: answered requests are delivered during the shutdown.
    let (status, log) = running.end("INT").await;
    assert_eq!(status.code(), Some(0), "{log}");
    let again = Local::start(dir.path(), &ONE_TABLE).await;
    assert_eq!(again.column("pixel", "event_id").await.len(), 20);
}

#[tokio::test]
async fn acknowledged_rows_survive_kill_9() {
    let dir = TempDir::new();
    for round in 1..=3 {
        let local = Arc::new(Local::start(dir.path(), &ONE_TABLE).await);
        let before = local.column("pixel", "event_id").await.len();
        let stop = Arc::new(AtomicBool::new(false));
        let visitors: Vec<_> = (0..8)
            .map(|visitor| {
                let (url, stop) = (local.pixel.clone(), Arc::clone(&stop));
                tokio::spawn(async move {
                    let http = reqwest::Client::builder().no_proxy().build().unwrap();
                    let mut n = 0;
                    // Ends when the process is killed.
                    while !stop.load(Ordering::Relaxed) && http.get(format!("{url}?user_id=u{visitor}&order_id={n}")).send().await.is_ok() {
                        n += 1;
                    }
                })
            })
            .collect();
        let label = "pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}";
        let mut acknowledged = 0.0;
        local
            .wait_until("some deliveries are acknowledged", async || {
                acknowledged = local.metric(label).await;
                acknowledged >= 100.0 * f64::from(round)
            })
            .await;
        let seen: HashSet<String> = local.column("pixel", "event_id").await.into_iter().collect();
        let local = Arc::into_inner(local).expect("the last reference");
        let (status, _) = local.end("KILL").await;
        assert_eq!(status.code(), None, "killed");
        stop.store(true, Ordering::Relaxed);
        for visitor in visitors {
            visitor.await.unwrap();
        }
        let again = Local::start(dir.path(), &ONE_TABLE).await;
        let rows = again.column("pixel", "event_id").await;
        let there: HashSet<String> = rows.iter().cloned().collect();
        assert!(rows.len() >= before + acknowledged as usize, "{} rows, {before} before, {acknowledged} acknowledged", rows.len());
        assert!(seen.is_subset(&there), "a row is lost");
        assert_eq!(there.len(), rows.len(), "no row is duplicated");
        again.end("TERM").await;
    }
}

#[tokio::test]
async fn a_second_process_on_a_data_directory_exits_with_1() {
    let dir = TempDir::new();
    let first = Local::start(dir.path(), &ONE_TABLE).await;
    let (code, log) = run_to_failure(dir.path(), &ONE_TABLE).await;
    assert_eq!(code, Some(1));
    assert!(log.contains("in use by another process") && log.contains(dir.path().to_str().unwrap()), "{log}");
    first.fire("user_id=u").await;
    first.wait_for_rows("pixel", 1).await;
}

#[tokio::test]
async fn a_foreign_database_file_is_rejected_and_unchanged() {
    let dir = TempDir::new();
    let file = dir.path().join("bigquery.sqlite");
    let theirs = "my diary\n".repeat(1000);
    std::fs::write(&file, &theirs).unwrap();
    let (code, log) = run_to_failure(dir.path(), &ONE_TABLE).await;
    assert_eq!(code, Some(1));
    assert!(log.contains("bigquery.sqlite is not a database of the BigQuery emulator"), "{log}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), theirs);
}

#[tokio::test]
async fn a_data_directory_error_names_path_and_cause() {
    let dir = TempDir::new();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (code, log) = run_to_failure(&file.join("data"), &ONE_TABLE).await;
    assert_eq!(code, Some(1));
    assert!(log.contains(file.join("data").to_str().unwrap()), "{log}");
    assert!(log.contains("Not a directory"), "the cause: {log}");
}

#[tokio::test]
async fn a_port_in_use_is_reported_with_its_setting() {
    let dir = TempDir::new();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (setting, args) in
        [("PIXEL_PORT", ["--pixel-port", &port]), ("BIGQUERY_PORT", ["--bigquery-port", &port]), ("PORT", ["--port", &port])]
    {
        let mut command = crate::support::service::command("local");
        command.env("PIXEL_PORT", "0").env("BIGQUERY_PORT", "0").env("PORT", "0").args(args).arg("--data-dir").arg(dir.path());
        let output = tokio::time::timeout(TIMEOUT, command.output()).await.expect("local exits").unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains(&format!("port {port} ({setting})")), "{log}");
    }
}

#[tokio::test]
async fn all_invalid_settings_are_reported() {
    let dir = TempDir::new();
    let (code, log) = run_to_failure(dir.path(), &[("TABLE_SUFFIX", "{unknown}"), ("PUSH_DEADLINE", "soon")]).await;
    assert_eq!(code, Some(2));
    assert!(log.contains("TABLE_SUFFIX") && log.contains("PUSH_DEADLINE"), "{log}");
}

/// The service nacks while its dataset is missing.
#[tokio::test]
async fn nacked_messages_are_delivered_again() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[("TABLE_SUFFIX", ""), ("AUTO_CREATE", "false"), ("PUSH_DEADLINE", "100ms")]).await;
    assert_eq!(local.fire("user_id=u&order_id=early").await.status(), 200, "the pixel does not wait");
    let label = "pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"no_template\"}";
    local.wait_until("the delivery is nacked twice", async || local.metric(label).await >= 2.0).await;
    let schema: Value = serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/pixel.json"))).unwrap();
    local.post("datasets", json!({"datasetReference": {"projectId": PROJECT, "datasetId": DATASET}})).await;
    let table = json!({"tableReference": {"projectId": PROJECT, "datasetId": DATASET, "tableId": "pixel"}, "schema": {"fields": schema}});
    local.post(&format!("datasets/{DATASET}/tables"), table).await;
    local.wait_for_rows("pixel", 1).await;
    assert_eq!(local.column("pixel", "order_id").await, ["early"]);
    local.wait_for_views().await;
}
