//! The identity of events: deliveries of one event are deduplicated, and different events are not.

use std::time::Duration;

use serde_json::json;

use crate::support::entry::USER;
use crate::support::{Entry, Service, TestBigQuery, wrapped};

/// One table for all events, so that rows with equal ids are deduplicated.
const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");

async fn deliver(service: &Service, body: String) {
    assert_eq!(service.push(body).await.status, 204);
}

#[tokio::test]
async fn two_events_of_a_user_in_one_second_are_both_stored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for order in ["1", "2"] {
        deliver(&service, Entry::of_query(&format!("user_id={USER}&order_id={order}")).pushed()).await;
    }
    let table = format!("pixel_{USER}_20260102");
    let mut orders: Vec<_> = bigquery.rows(&table).await.into_iter().map(|row| row["order_id"].as_str().unwrap().to_owned()).collect();
    orders.sort();
    assert_eq!(orders, ["1", "2"]);
}

#[tokio::test]
async fn equal_requests_at_the_same_time_are_two_events() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let entry = Entry::of_query("user_id=u");
    deliver(&service, entry.clone().with("/insertId", json!("1abc")).pushed()).await;
    deliver(&service, entry.with("/insertId", json!("1abd")).pushed()).await;
    assert_eq!(bigquery.rows("pixel").await.len(), 2);
}

#[tokio::test]
async fn an_entry_with_two_message_ids_is_stored_once() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let entry = Entry::of_query("user_id=u").json();
    deliver(&service, wrapped(entry.as_bytes(), "1")).await;
    deliver(&service, wrapped(entry.as_bytes(), "2")).await;
    deliver(&service, wrapped(entry.as_bytes(), "2")).await;
    assert_eq!(bigquery.events().await.len(), 1);
}

#[tokio::test]
async fn a_restart_does_not_change_the_event_id() {
    let bigquery = TestBigQuery::start().await;
    let entry = Entry::of_query("user_id=u").json();
    for message_id in ["1", "2"] {
        let service = Service::start(&bigquery, &[]).await;
        deliver(&service, wrapped(entry.as_bytes(), message_id)).await;
    }
    assert_eq!(bigquery.events().await.len(), 1, "the second process computes the same id");
}

#[tokio::test]
async fn the_timestamps_format_does_not_change_the_event_id() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let entry = Entry::of_query("user_id=u");
    for spelling in
        ["2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.500Z", "2026-01-02T03:04:05.500000000+00:00", "2026-01-02T04:04:05.5+01:00"]
    {
        deliver(&service, entry.clone().with("/timestamp", json!(spelling)).pushed()).await;
    }
    assert_eq!(bigquery.rows("pixel").await.len(), 1);
}

/// Cloud Logging guarantees that an insertId is unique within one log and one timestamp only.
#[tokio::test]
async fn an_insert_id_is_unique_within_log_and_timestamp() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let entry = Entry::of_query("user_id=u");
    deliver(&service, entry.pushed()).await;
    deliver(&service, entry.clone().with("/logName", json!("projects/another/logs/requests")).pushed()).await;
    deliver(&service, entry.with("/timestamp", json!("2026-01-02T03:04:05.402198Z")).pushed()).await;
    assert_eq!(bigquery.rows("pixel").await.len(), 3);
}

#[tokio::test]
async fn an_entry_without_insert_id_is_identified_by_its_message_id() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let entry = Entry::of_query("user_id=u").without("/insertId").json();
    for message_id in ["1", "2", "1"] {
        deliver(&service, wrapped(entry.as_bytes(), message_id)).await;
    }
    assert_eq!(bigquery.rows("pixel").await.len(), 2);
}

/// Unwrapped messages without metadata differ in their bytes only.
#[tokio::test]
async fn an_entry_without_any_id_is_identified_by_its_bytes() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    for order in ["1", "2", "1"] {
        deliver(&service, Entry::of_query(&format!("user_id=u&order_id={order}")).without("/insertId").json()).await;
    }
    assert_eq!(bigquery.rows("pixel").await.len(), 2);
}

#[tokio::test]
async fn the_column_event_id_is_the_rows_insert_id() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    deliver(&service, Entry::of_query("user_id=u").pushed()).await;
    let event_id = bigquery.rows("pixel").await[0]["event_id"].as_str().unwrap().to_owned();
    let row = json!({"event_id": "x", "event_timestamp": "2026-01-02T03:04:05Z"});
    bigquery.insert("pixel", &event_id, row.clone()).await;
    assert_eq!(bigquery.rows("pixel").await.len(), 1, "BigQuery has seen that insertId");
    bigquery.insert("pixel", "another", row).await;
    assert_eq!(bigquery.rows("pixel").await.len(), 2);
}

/// BigQuery deduplicates by insertId for about a minute. Pub/Sub can redeliver days later.
#[tokio::test]
async fn duplicates_in_bigquery_have_the_same_event_id() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let entry = Entry::of_query("user_id=u");
    deliver(&service, entry.pushed()).await;
    bigquery.faults().advance_clock(Duration::from_secs(120));
    deliver(&service, entry.pushed()).await;
    let rows = bigquery.rows("pixel").await;
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["event_id"], rows[1]["event_id"]);
}
