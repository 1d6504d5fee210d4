//! Replay from the dead-letter table.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{column, replay, replayed, run};
use crate::support::gate::{bigquery_behind, refusal};
use crate::support::{Entry, TestBigQuery};

/// Inserts a dead letter that was received on `day`.
async fn letter(bigquery: &TestBigQuery, id: &str, reason: &str, day: &str, data: &[u8]) {
    let row = json!({
        "event_id": id, "received_timestamp": format!("{day}T00:00:00Z"), "reason": reason, "data": STANDARD.encode(data),
        "message_id": format!("m-{id}"), "publish_time": "2026-01-02T03:04:07.5Z", "attributes": "{\"a\":\"b\"}", "delivery_attempt": 3,
    });
    let answer = bigquery.insert("dead_letters", id, row).await;
    assert!(answer["insertErrors"].is_null(), "{answer}");
}

/// With an empty dead-letter table.
async fn bigquery() -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    with_letters(&bigquery, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json"))).await;
    bigquery
}

async fn with_letters(bigquery: &TestBigQuery, columns: &str) {
    bigquery.create_dataset().await;
    bigquery.create_table("dead_letters", serde_json::from_str(columns).unwrap()).await;
}

#[tokio::test]
async fn replayed_dead_letters_become_rows_or_stay_unduplicated() {
    let bigquery = bigquery().await;
    letter(&bigquery, "1", "required_column", "2026-01-02", Entry::of_query("user_id=u&order_id=1").json().as_bytes()).await;
    letter(&bigquery, "2", "bad_json", "2026-01-02", b"{").await;
    // Without an insertId, the message id is the identity.
    let anonymous = Entry::of_query("user_id=u&order_id=3").without("/insertId").json();
    letter(&bigquery, "3", "invalid", "2026-01-03", anonymous.as_bytes()).await;
    for _ in 0..2 {
        let replayed = replayed(&bigquery, &["--dead-letters"]).await;
        assert_eq!((replayed.count("stored"), replayed.count("dead_letter")), (2, 1));
        assert_eq!(bigquery.rows("dead_letters").await.len(), 3);
    }
    assert_eq!(column(&bigquery, "pixel", "order_id").await, ["1", "3"]);
}

#[tokio::test]
async fn dead_letters_are_selected_by_reason_and_period() {
    let bigquery = bigquery().await;
    for (id, reason, day) in [
        ("1", "invalid", "2026-01-02"),
        ("2", "required_column", "2026-01-02"),
        ("3", "invalid", "2026-01-03"),
        ("4", "no_data", "2026-01-02"),
    ] {
        letter(&bigquery, id, reason, day, Entry::of_query(&format!("user_id=u&order_id={id}")).json().as_bytes()).await;
    }
    let args = ["--dead-letters", "--reason=invalid,required_column", "--until=2026-01-03"];
    assert_eq!(replayed(&bigquery, &[&args[..], &["--dry-run"]].concat()).await.count("stored"), 2);
    assert!(bigquery.rows("pixel").await.is_empty());
    assert_eq!(replayed(&bigquery, &args).await.count("stored"), 2);
    assert_eq!(column(&bigquery, "pixel", "order_id").await, ["1", "2"]);
    assert_eq!(replayed(&bigquery, &["--dead-letters", "--since=2026-01-03"]).await.count("stored"), 1);
}

#[tokio::test]
async fn delete_removes_recovered_dead_letters_but_no_recent_ones() {
    let bigquery = bigquery().await;
    let data = |id: &str| Entry::of_query(&format!("user_id=u&order_id={id}")).json().into_bytes();
    letter(&bigquery, "old", "invalid", "2026-01-02", &data("old")).await;
    letter(&bigquery, "bad", "bad_json", "2026-01-02", b"{").await;
    // BigQuery's timestamps have no nanoseconds.
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap().to_string();
    let young = json!({
        "event_id": "young", "received_timestamp": now, "reason": "invalid", "data": STANDARD.encode(data("young")),
    });
    let answer = bigquery.insert("dead_letters", "young", young).await;
    assert!(answer["insertErrors"].is_null(), "{answer}");
    let replayed = replayed(&bigquery, &["--dead-letters", "--delete"]).await;
    assert_eq!(replayed.count("stored"), 2);
    let summary = replayed.summary();
    assert_eq!((&summary["dead_letters_deleted"], &summary["dead_letters_in_streaming_buffer"]), (&json!(1), &json!(1)));
    assert_eq!(column(&bigquery, "dead_letters", "event_id").await, ["bad", "young"]);
}

/// A dead letter may be streamed long after it was received.
#[tokio::test]
async fn dead_letters_in_the_streaming_buffer_are_counted_and_kept() {
    let bigquery = bigquery().await;
    bigquery.faults().hold_streamed_rows();
    letter(&bigquery, "late", "invalid", "2026-01-02", Entry::of_query("user_id=u&order_id=1").json().as_bytes()).await;
    for (advance, deleted, left) in [(0, 0, 1), (31 * 60, 1, 0)] {
        bigquery.faults().advance_clock(Duration::from_secs(advance));
        let summary = replayed(&bigquery, &["--dead-letters", "--delete"]).await.summary();
        assert_eq!((&summary["dead_letters_deleted"], &summary["dead_letters_in_streaming_buffer"]), (&json!(deleted), &json!(left)));
    }
}

#[tokio::test]
async fn a_refused_delete_is_an_error_in_the_summary() {
    let bigquery = bigquery_behind(|_, body| body.contains("DELETE FROM").then(|| refusal(403, "Access Denied"))).await;
    with_letters(&bigquery, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json"))).await;
    letter(&bigquery, "1", "invalid", "2026-01-02", Entry::of_query("user_id=u&order_id=1").json().as_bytes()).await;
    let run = run(replay(&bigquery, &["--dead-letters", "--delete", "--format=json"])).await;
    assert_eq!((run.code, run.count("stored")), (Some(1), 1), "{}", run.err);
    let error = run.summary()["errors"][0].as_str().unwrap_or_default().to_owned();
    assert!(error.contains("the dead letters that became rows") && error.contains("Access Denied"), "{}", run.out);
    assert!(run.err.contains("cannot delete the dead letters that became rows"), "{}", run.err);
}

/// A table that was created by hand may have only NULLABLE columns.
#[tokio::test]
async fn a_dead_letter_without_received_timestamp_is_deleted() {
    let bigquery = TestBigQuery::start().await;
    with_letters(
        &bigquery,
        &include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json")).replace("REQUIRED", "NULLABLE"),
    )
    .await;
    let data = STANDARD.encode(Entry::of_query("user_id=u&order_id=1").json());
    bigquery.insert("dead_letters", "1", json!({"event_id": "1", "reason": "invalid", "data": data})).await;
    let replayed = replayed(&bigquery, &["--dead-letters", "--delete"]).await;
    assert_eq!((replayed.count("stored"), &replayed.summary()["dead_letters_deleted"]), (1, &json!(1)));
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

#[tokio::test]
async fn a_dead_letter_without_event_id_is_stored_but_not_deleted() {
    let bigquery = TestBigQuery::start().await;
    let columns = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json")).replace("REQUIRED", "NULLABLE");
    with_letters(&bigquery, &columns).await;
    let data = STANDARD.encode(Entry::of_query("user_id=u&order_id=1").json());
    bigquery.insert("dead_letters", "1", json!({"reason": "invalid", "data": data})).await;
    let replayed = run(replay(&bigquery, &["--dead-letters", "--delete", "--format=json"])).await;
    assert_eq!((replayed.code, replayed.count("stored")), (Some(1), 1), "{}", replayed.err);
    assert!(replayed.err.contains("error: cannot delete 1 dead letters that became rows: they have no event_id"), "{}", replayed.err);
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
}

#[tokio::test]
async fn thousands_of_dead_letters_are_divided_among_tasks() {
    let bigquery = bigquery().await;
    for chunk in 0..5 {
        let rows: Vec<Value> = (chunk * 500..(chunk + 1) * 500)
            .map(|id: usize| {
                let data = STANDARD.encode(Entry::of_query(&format!("user_id=u&order_id={id:05}")).json());
                json!({"insertId": id.to_string(), "json": {
                    "event_id": id.to_string(), "received_timestamp": "2026-01-02T00:00:00Z", "reason": "invalid", "data": data,
                }})
            })
            .collect();
        let (status, answer) = bigquery.post("/datasets/parsed_pixel/tables/dead_letters/insertAll", &json!({"rows": rows})).await;
        assert_eq!((status, &answer["insertErrors"]), (200, &Value::Null));
    }
    let mut sum = 0;
    for index in ["0", "1", "2"] {
        let task = replayed(&bigquery, &["--dead-letters", "--task-index", index, "--task-count", "3"]).await;
        assert!((700..=970).contains(&task.count("stored")), "{}", task.out);
        sum += task.count("stored");
    }
    assert_eq!(sum, 2500);
    let (_, answer) = bigquery
        .post("/queries", &json!({"query": "SELECT COUNT(*), COUNT(DISTINCT order_id) FROM `parsed_pixel.pixel`", "useLegacySql": false}))
        .await;
    assert_eq!(answer["rows"][0]["f"], json!([{"v": "2500"}, {"v": "2500"}]));
}

#[tokio::test]
async fn an_unknown_reason_is_rejected_and_valid_ones_are_listed() {
    let bigquery = bigquery().await;
    let mistyped = run(replay(&bigquery, &["--dead-letters", "--reason=requred_column"])).await;
    assert_eq!((mistyped.code, mistyped.out.as_str()), (Some(2), ""));
    assert!(mistyped.err.contains("required_column"), "{}", mistyped.err);
}

#[tokio::test]
async fn a_missing_dead_letter_table_exits_with_1() {
    let bigquery = TestBigQuery::start().await;
    let replayed = run(replay(&bigquery, &["--dead-letters"])).await;
    assert_eq!((replayed.code, replayed.out.as_str()), (Some(1), ""));
    assert!(replayed.err.contains("cannot read the dead letters"), "{}", replayed.err);
}
