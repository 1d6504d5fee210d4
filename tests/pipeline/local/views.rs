//! The views that `pixel-pipeline local` creates in its dataset.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::bigquery::{DATASET, TempDir};
use crate::support::local::{Local, PROJECT};

/// Starts `local`, stores an event, for which the template table must be ready, and stops it. Returns its log.
async fn logged(data_dir: &Path) -> String {
    let local = Local::start(data_dir, &[("TABLE_SUFFIX", "")]).await;
    let before = local.column("pixel", "event_id").await.len();
    local.fire("user_id=u&order_id=1").await;
    local.wait_for_rows("pixel", before + 1).await;
    let (status, log) = local.end("TERM").await;
    assert_eq!(status.code(), Some(0), "{log}");
    log
}

async fn view(local: &Local, name: &str) -> Value {
    local.get(&format!("datasets/{DATASET}/tables/{name}")).await
}

#[tokio::test]
async fn the_events_view_returns_all_events() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    local.wait_for_views().await;
    assert!(local.query("SELECT * FROM parsed_pixel.events").await.is_empty());
    local.fire("user_id=u&type=open").await;
    local.fire("user_id=v&type=open").await;
    let users = "SELECT user_id FROM parsed_pixel.events WHERE STARTS_WITH(table_suffix, CONCAT('_', user_id, '_')) ORDER BY user_id";
    local.wait_until("both events are stored", async || json!(local.query(users).await) == json!([["u"], ["v"]])).await;
    assert_eq!(json!(local.query("SELECT type, events, users FROM parsed_pixel.events_daily").await), json!([["open", "2", "2"]]));
}

#[tokio::test]
async fn a_changed_view_is_updated_and_others_are_unchanged() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[]).await;
    local.wait_for_views().await;
    let (events, daily) = (view(&local, "events").await, view(&local, "events_daily").await);
    assert!(events["view"]["query"].as_str().unwrap().contains("FROM `local.parsed_pixel.pixel*`"), "{events}");
    local.query("CREATE OR REPLACE VIEW parsed_pixel.events AS SELECT 1 AS event_id").await;
    local.end("TERM").await;

    let again = Local::start(dir.path(), &[]).await;
    again.wait_until("the view is updated", async || view(&again, "events").await["view"] == events["view"]).await;
    assert_eq!(view(&again, "events").await["schema"], events["schema"]);
    let (_, log) = again.end("TERM").await;
    assert!(log.contains("view updated"), "{log}");

    let log = logged(dir.path()).await;
    assert!(!log.contains("view updated") && !log.contains("view not created"), "no view is changed: {log}");
    let last = Local::start(dir.path(), &[]).await;
    assert_eq!(view(&last, "events_daily").await["etag"], daily["etag"], "the view was never changed");
}

#[tokio::test]
async fn a_table_named_events_is_unchanged() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[("TABLE_NAME", "event")]).await;
    let theirs = json!({"tableReference": {"projectId": PROJECT, "datasetId": DATASET, "tableId": "events"}, "schema": {"fields": [{"name": "a", "type": "STRING"}]}});
    local.wait_until("the dataset exists", async || local.tables().await.contains(&"event".to_owned())).await;
    local.post(&format!("datasets/{DATASET}/tables"), theirs).await;
    local.end("TERM").await;

    let log = logged(dir.path()).await;
    assert!(log.contains("a table of that name exists"), "{log}");
    let again = Local::start(dir.path(), &[]).await;
    assert_eq!(view(&again, "events").await["schema"]["fields"][0]["name"], "a");
    assert!(again.views().await.is_empty(), "a view of this table is not created either");
}

#[tokio::test]
async fn a_view_that_matches_the_wildcard_is_not_created() {
    let dir = TempDir::new();
    let settings = [("TABLE_NAME", "event"), ("TABLE_SUFFIX", "")];
    let local = Local::start(dir.path(), &settings).await;
    local.fire("user_id=u&order_id=1").await;
    local.wait_for_rows("event", 1).await;
    assert_eq!(json!(local.query("SELECT order_id FROM `parsed_pixel.event*`").await), json!([["1"]]));
    assert!(local.views().await.is_empty());
    let (_, log) = local.end("TERM").await;
    assert!(log.contains("starts with TABLE_NAME=event"), "{log}");
}

#[tokio::test]
async fn the_summary_does_not_count_views_as_tables() {
    let dir = TempDir::new();
    let mut local = Local::start(dir.path(), &[("TABLE_SUFFIX", "")]).await;
    local.wait_for_views().await;
    local.wait_until("the dead-letter table exists", async || local.tables().await.len() == 2).await;
    local.signal("TERM");
    let (_, summary) = local.wait().await;
    assert!(summary.lines().any(|line| line.split_whitespace().collect::<Vec<_>>() == ["tables", "created", "2"]), "{summary}");
}
