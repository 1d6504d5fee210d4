//! Tables that are not there, not yet, not any more, or not as they were.

use std::time::Duration;

use bigquery_emulator::{Fault, Status};
use serde_json::{Value, json};

use super::trial::{FILTERED, PROMPT, REJECTED, SICK, Trial, WELL, settings, unaffected};
use crate::support::pubsub::Message;
use crate::support::{Service, TestBigQuery};

fn dead_letters() -> Value {
    serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json"))).unwrap()
}

fn columns(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "type": "STRING"})).collect()
}

/// With a template of these columns and a service that makes no tables.
async fn with_columns(names: &[&str]) -> (TestBigQuery, Service) {
    let bigquery = TestBigQuery::with_template(columns(names)).await;
    bigquery.create_table("dead_letters", dead_letters()).await;
    let service = Service::start(&bigquery, &settings(&ATTRIBUTES)).await;
    (bigquery, service)
}

const ATTRIBUTES: [(&str, &str); 2] = [("VALID_ATTRIBUTES", "user_id,order_id"), ("AUTO_CREATE", "false")];

/// Every message of some senders is the first of its table, and every table is 404 for a while.
#[tokio::test]
async fn the_404_window_of_new_tables_keeps_no_old_table_waiting_and_loses_nothing() {
    const NEW: &str = "new";
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().new_table_404(Some(Duration::from_millis(300)));
    let service = Service::start(&bigquery, &settings(&[])).await;
    let mut trial = Trial::under_load(bigquery, service);
    trial.warm_up().await;
    let ledger = trial.ledger();
    trial.player.send(NEW, 5, Duration::from_millis(100), || Message::event(&format!("new{}", fastrand::u32(..)), "1"));
    trial.suffer(20, &[WELL]).await;
    ledger.until("new tables are made", async || ledger.acked(NEW) >= 10).await;
    trial.recover().await;
    assert_eq!(ledger.nacked(NEW), 0, "the window is shorter than the deadline");
    unaffected(&ledger, &[WELL]);
}

/// That of real ones may last for minutes.
#[tokio::test]
async fn a_404_window_that_outlasts_the_deadline_sends_new_tables_back_and_loses_nothing() {
    const NEW: &str = "new";
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().new_table_404(Some(Duration::from_secs(5)));
    let service = Service::start(&bigquery, &settings(&[])).await;
    let mut trial = Trial::under_load(bigquery, service);
    trial.warm_up().await;
    let ledger = trial.ledger();
    let nacked = ledger.nacked(WELL);
    assert!(nacked >= 3, "these tables were new as well");
    trial.player.send(NEW, 5, Duration::from_millis(100), || Message::event(&format!("new{}", fastrand::u32(..)), "1"));
    trial.suffer(10, &[WELL]).await;
    ledger.until("new tables are made", async || ledger.acked(NEW) >= 5).await;
    trial.recover().await;
    assert!(ledger.nacked(NEW) >= 10, "each was nacked more than once: {}", ledger.nacked(NEW));
    assert_eq!((ledger.nacked(WELL), ledger.cut_off(WELL)), (nacked, 0), "of tables that were there");
    assert!(ledger.p99(WELL) <= PROMPT, "{:?}", ledger.p99(WELL));
    assert_eq!(ledger.nacked(REJECTED), 0);
}

#[tokio::test]
async fn a_template_table_that_is_made_after_the_service_started_loses_nothing() {
    let bigquery = TestBigQuery::start().await;
    bigquery.create_dataset().await;
    let service = Service::start_unready(&bigquery.url, &settings(&ATTRIBUTES)).await;
    let trial = Trial::under_load(bigquery, service);
    let ledger = trial.ledger();
    ledger
        .until("messages of all kinds are nacked", async || [WELL, SICK, REJECTED, FILTERED].iter().all(|kind| ledger.nacked(kind) >= 1))
        .await;
    assert!(trial.service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"no_template\"}").await >= 1.0);
    assert_eq!(ledger.acked(WELL), 0);
    trial.bigquery.create_table("dead_letters", dead_letters()).await;
    trial.bigquery.create_table("pixel", columns(&["event_id", "user_id", "order_id"])).await;
    trial.warm_up().await;
    trial.recover().await;
}

#[tokio::test]
async fn a_template_table_that_goes_and_comes_back_loses_nothing() {
    let names = ["event_id", "user_id", "order_id"];
    let (bigquery, service) = with_columns(&names).await;
    let trial = Trial::under_load(bigquery, service);
    trial.warm_up().await;
    trial.bigquery.delete_table("pixel").await;
    trial.suffer(10, &[]).await;
    let ledger = trial.ledger();
    ledger.until("messages are nacked", async || ledger.nacked(WELL) >= 3).await;
    trial.bigquery.create_table("pixel", columns(&names)).await;
    trial.recover().await;
    assert_eq!(ledger.nacked(REJECTED), 0, "the dead-letter table was there");
}

#[tokio::test]
async fn a_column_that_is_added_under_way_has_no_effect_and_is_filled_by_the_next_process() {
    let (bigquery, service) = with_columns(&["event_id", "user_id", "order_id"]).await;
    let mut trial = Trial::under_load(bigquery, service);
    trial.warm_up().await;
    trial.bigquery.patch_schema("pixel", columns(&["event_id", "user_id", "order_id", "host"])).await;
    trial.suffer(0, &[WELL, SICK]).await;
    let ledger = trial.ledger();
    unaffected(&ledger, &[WELL, SICK]);
    let follows = trial.bigquery.table("pixel_well1_20260102").await.unwrap();
    assert_eq!(follows["schema"]["fields"].as_array().unwrap().len(), 4, "the generated tables have the column");
    trial.replace(Service::start(&trial.bigquery, &settings(&ATTRIBUTES)).await);
    ledger
        .until("the column is filled", async || trial.bigquery.rows("pixel_sick_20260102").await.iter().any(|row| !row["host"].is_null()))
        .await;
    let hosts = trial.bigquery.rows("pixel_sick_20260102").await;
    assert!(hosts.iter().any(|row| row["host"].is_null()), "and was not by the first");
    trial.recover().await;
}

/// Generated tables keep the column; those that are made afterwards have none.
#[tokio::test]
async fn a_column_that_is_gone_under_way_costs_its_values_and_no_rows() {
    const NEW: &str = "new";
    let (bigquery, service) = with_columns(&["event_id", "user_id", "order_id"]).await;
    let mut trial = Trial::under_load(bigquery, service);
    trial.warm_up().await;
    trial.bigquery.replace_table("pixel", columns(&["event_id", "user_id"])).await;
    trial.player.send(NEW, 3, Duration::from_millis(100), || Message::event(&format!("new{}", fastrand::u32(..)), "1"));
    trial.suffer(1, &[WELL]).await;
    let ledger = trial.ledger();
    ledger.until("new tables are made", async || ledger.acked(NEW) >= 10).await;
    let line = trial.service.wait_for_log("the template table has changed").await;
    assert!(line.contains("order_id"), "{line}");
    // No dead letters but the rejected messages.
    trial.recover().await;
}

#[tokio::test]
async fn a_dead_letter_table_that_is_unavailable_keeps_its_messages_unacked_and_no_row_waiting() {
    let trial = Trial::start().await;
    trial.bigquery.faults().always_on("dead_letters", Fault::Status(Status::new(503, "backendError")));
    trial.suffer(3, &[WELL, SICK]).await;
    let ledger = trial.ledger();
    ledger.until("dead letters are nacked", async || ledger.nacked(REJECTED) >= 2).await;
    trial.bigquery.faults().always(None);
    trial.recover().await;
    unaffected(&ledger, &[WELL, SICK]);
    assert_eq!(ledger.nacked(FILTERED), 0);
}
