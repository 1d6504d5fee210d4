//! Tables that do not exist yet, are deleted, or change.

use std::time::Duration;

use bigquery_emulator::{Fault, Status};
use serde_json::{Value, json};

use super::scenario::{FAILING, FILTERED, HEALTHY, REJECTED, Scenario, settings};
use crate::support::load_generator::TestMessage;
use crate::support::{Service, TestBigQuery};

fn dead_letters() -> Value {
    serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json"))).unwrap()
}

fn columns(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "type": "STRING"})).collect()
}

/// A template table with these columns, and a service that creates no tables.
async fn with_columns(names: &[&str]) -> (TestBigQuery, Service) {
    let bigquery = TestBigQuery::with_template(columns(names)).await;
    bigquery.create_table("dead_letters", dead_letters()).await;
    let service = Service::start(&bigquery, &settings(&ATTRIBUTES)).await;
    (bigquery, service)
}

const ATTRIBUTES: [(&str, &str); 2] = [("VALID_ATTRIBUTES", "user_id,order_id"), ("AUTO_CREATE", "false")];

/// Some senders use a new table for each message, and each new table is 404 for 300 ms.
#[tokio::test]
async fn the_404_window_of_new_tables_delays_no_existing_table() {
    const NEW: &str = "new";
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().new_table_404(Some(Duration::from_millis(300)));
    let service = Service::start(&bigquery, &settings(&[])).await;
    let mut scenario = Scenario::under_load(bigquery, service);
    scenario.warm_up().await;
    let deliveries = scenario.deliveries();
    scenario.load.send(NEW, 5, Duration::from_millis(100), || TestMessage::event(&format!("new{}", fastrand::u32(..)), "1"));
    scenario.wait_for_failures(20, &[HEALTHY]).await;
    deliveries.wait_until("new tables are created", async || deliveries.acked(NEW) >= 10).await;
    scenario.finish().await.assert_unaffected(&[HEALTHY]);
    assert_eq!(deliveries.nacked(NEW), 0, "the window is shorter than the deadline");
}

/// BigQuery's 404 window may last for minutes.
#[tokio::test]
async fn a_404_window_beyond_the_deadline_nacks_only_new_tables() {
    const NEW: &str = "new";
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().new_table_404(Some(Duration::from_secs(5)));
    let service = Service::start(&bigquery, &settings(&[])).await;
    let mut scenario = Scenario::under_load(bigquery, service);
    scenario.warm_up().await;
    let deliveries = scenario.deliveries();
    let nacked = deliveries.nacked(HEALTHY);
    assert!(nacked >= 3, "the tables of the usual messages were new, too");
    scenario.load.send(NEW, 5, Duration::from_millis(100), || TestMessage::event(&format!("new{}", fastrand::u32(..)), "1"));
    scenario.wait_for_failures(10, &[HEALTHY]).await;
    deliveries.wait_until("new tables are created", async || deliveries.acked(NEW) >= 5).await;
    scenario.finish().await.assert_p99(HEALTHY);
    assert!(deliveries.nacked(NEW) >= 10, "each was nacked more than once: {}", deliveries.nacked(NEW));
    assert_eq!((deliveries.nacked(HEALTHY), deliveries.aborted(HEALTHY)), (nacked, 0), "messages of existing tables");
    assert_eq!(deliveries.nacked(REJECTED), 0);
}

#[tokio::test]
async fn a_template_created_after_the_start_loses_no_messages() {
    let bigquery = TestBigQuery::start().await;
    bigquery.create_dataset().await;
    let service = Service::start_unready(&bigquery.url, &settings(&ATTRIBUTES)).await;
    let scenario = Scenario::under_load(bigquery, service);
    let deliveries = scenario.deliveries();
    deliveries
        .wait_until("messages of all kinds are nacked", async || {
            [HEALTHY, FAILING, REJECTED, FILTERED].iter().all(|kind| deliveries.nacked(kind) >= 1)
        })
        .await;
    assert!(scenario.service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"no_template\"}").await >= 1.0);
    assert_eq!(deliveries.acked(HEALTHY), 0);
    scenario.bigquery.create_table("dead_letters", dead_letters()).await;
    scenario.bigquery.create_table("pixel", columns(&["event_id", "user_id", "order_id"])).await;
    scenario.warm_up().await;
    scenario.finish().await;
}

#[tokio::test]
async fn a_template_deleted_and_created_again_loses_no_messages() {
    let names = ["event_id", "user_id", "order_id"];
    let (bigquery, service) = with_columns(&names).await;
    let scenario = Scenario::under_load(bigquery, service);
    scenario.warm_up().await;
    scenario.bigquery.delete_table("pixel").await;
    scenario.wait_for_failures(10, &[]).await;
    let deliveries = scenario.deliveries();
    deliveries.wait_until("messages are nacked", async || deliveries.nacked(HEALTHY) >= 3).await;
    scenario.bigquery.create_table("pixel", columns(&names)).await;
    scenario.finish().await;
    assert_eq!(deliveries.nacked(REJECTED), 0, "the dead-letter table existed");
}

/// Existing generated tables lack the column until their owner adds it; new ones have it.
#[tokio::test]
async fn an_added_column_is_filled_where_the_table_has_it() {
    const NEW: &str = "new";
    let (bigquery, service) = with_columns(&["event_id", "user_id", "order_id"]).await;
    let mut scenario = Scenario::under_load(bigquery, service);
    scenario.warm_up().await;
    let with_host = columns(&["event_id", "user_id", "order_id", "host"]);
    scenario.bigquery.patch_schema("pixel", with_host.clone()).await;
    scenario.wait_for_failures(0, &[HEALTHY, FAILING]).await;
    scenario.responses().assert_unaffected(&[HEALTHY, FAILING]);

    scenario.replace(Service::start(&scenario.bigquery, &settings(&ATTRIBUTES)).await);
    scenario.load.send(NEW, 1, Duration::from_millis(100), || TestMessage::event("newcomer", "1"));
    let deliveries = scenario.deliveries();
    let has_host =
        async |table: &str| scenario.bigquery.rows(table).await.iter().any(|row| row.get("host").is_some_and(|host| !host.is_null()));
    deliveries.wait_until("a new table has the column", async || has_host("pixel_newcomer_20260102").await).await;
    assert!(!has_host("pixel_failing_20260102").await);
    scenario.bigquery.patch_schema("pixel_failing_20260102", with_host).await;
    deliveries.wait_until("the column of the older table is filled", async || has_host("pixel_failing_20260102").await).await;
    // The rejected messages are the only dead letters.
    scenario.finish().await;
}

/// The service cannot know whether the operator gives up the attribute or has made a mistake.
#[tokio::test]
async fn a_removed_attribute_nacks_all_messages_until_it_is_back() {
    let names = ["event_id", "user_id", "order_id"];
    let (bigquery, service) = with_columns(&names).await;
    let mut scenario = Scenario::under_load(bigquery, service);
    scenario.warm_up().await;
    scenario.bigquery.replace_table("pixel", columns(&names[..2])).await;
    // A new table gets the template's columns, so BigQuery refuses its first row.
    scenario.load.send("new", 1, Duration::from_millis(100), || TestMessage::event("newcomer", "1"));
    let deliveries = scenario.deliveries();
    deliveries
        .wait_until("messages are nacked", async || [HEALTHY, FAILING, REJECTED].iter().all(|kind| deliveries.nacked(kind) >= 3))
        .await;
    let line = scenario.service.wait_for_log("the template table has changed").await;
    assert!(line.contains("order_id"), "{line}");
    scenario.bigquery.replace_table("pixel", columns(&names)).await;
    // The rejected messages are the only dead letters.
    scenario.finish().await;
}

#[tokio::test]
async fn an_unavailable_dead_letter_table_delays_no_row() {
    let scenario = Scenario::start().await;
    scenario.bigquery.faults().always_on("dead_letters", Fault::Status(Status::new(503, "backendError")));
    scenario.wait_for_failures(3, &[HEALTHY, FAILING]).await;
    let deliveries = scenario.deliveries();
    deliveries.wait_until("dead letters are nacked", async || deliveries.nacked(REJECTED) >= 2).await;
    scenario.bigquery.faults().always(None);
    scenario.finish().await.assert_unaffected(&[HEALTHY, FAILING]);
    assert_eq!(deliveries.nacked(FILTERED), 0);
}
