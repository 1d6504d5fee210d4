//! Rows that BigQuery does not delete yet.

use std::time::Duration;

use serde_json::{Value, json};

use super::{OLD, forget, forget_with_receipt, letter, letters, send_events, users, with_events};
use crate::support::{Entry, TestBigQuery};

const HALF_AN_HOUR: Duration = Duration::from_secs(31 * 60);

#[tokio::test]
async fn young_dead_letters_are_not_deleted_and_are_on_the_receipt() {
    let bigquery = with_events(&["u"], &[]).await;
    // BigQuery's timestamps have no nanoseconds.
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap();
    letter(&bigquery, "young", &now.to_string(), &Entry::of_query("user_id=u").json()).await;
    letter(&bigquery, "old", OLD, &Entry::of_query("user_id=u").json()).await;
    let (code, receipt, remarks) = forget(&bigquery, &[], &["--user-id=u", "--yes"]).await;
    assert_eq!(code, Some(1));
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!((&receipt["deleted"]["dead_letters"], &receipt["still_held"]["dead_letters"]), (&json!(1), &json!(1)));
    let again: jiff::Timestamp = receipt["run_again_after"].as_str().unwrap().parse().unwrap();
    assert!(again > now && remarks.contains("run the command again after"), "{remarks}");
    assert_eq!(letters(&bigquery).await, ["young"]);
}

/// A row may be younger than its event: after a replay, or as a late dead letter.
#[tokio::test]
async fn rows_in_the_streaming_buffer_are_left_to_a_later_run() {
    let one_table = [("TABLE_SUFFIX", "")];
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().hold_streamed_rows();
    send_events(&bigquery, &["u", "v"], &one_table).await;
    letter(&bigquery, "theirs", OLD, &Entry::of_query("user_id=u").json()).await;

    let (code, receipt, remarks) = forget_with_receipt(&bigquery, &one_table, &["--user-id=u", "--yes"]).await;
    let held = json!({"rows_in_shared_tables": {"pixel": 2}, "dead_letters": 1});
    assert_eq!((code, &receipt["still_held"], &receipt["is_complete"]), (Some(1), &held, &json!(false)), "{remarks}");
    assert!(receipt["run_again_after"].is_string() && remarks.contains("run the command again after"), "{remarks}");
    assert_eq!((users(&bigquery, "pixel").await.len(), letters(&bigquery).await.len()), (4, 1));

    bigquery.faults().advance_clock(HALF_AN_HOUR);
    send_events(&bigquery, &["w"], &one_table).await;
    let (code, receipt, remarks) = forget_with_receipt(&bigquery, &one_table, &["--user-id=u", "--yes"]).await;
    let none = json!({"rows_in_shared_tables": {}, "dead_letters": 0});
    assert_eq!((code, &receipt["still_held"], &receipt["is_complete"]), (Some(0), &none, &json!(true)), "{remarks}");
    assert_eq!(receipt["deleted"]["rows_in_shared_tables"], json!({"pixel": 2}), "young rows of others do not prevent it");
    assert_eq!(users(&bigquery, "pixel").await, ["v", "v", "w", "w"]);
    assert!(letters(&bigquery).await.is_empty());
}

#[tokio::test]
async fn a_users_own_table_is_deleted_with_its_streaming_buffer() {
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().hold_streamed_rows();
    send_events(&bigquery, &["u"], &[]).await;
    let (code, receipt, _) = forget_with_receipt(&bigquery, &[], &["--user-id=u", "--yes"]).await;
    assert_eq!((code, &receipt["deleted"]["tables"]), (Some(0), &json!(2)));
}
