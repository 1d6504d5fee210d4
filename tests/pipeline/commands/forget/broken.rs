//! `forget` when BigQuery fails in the middle.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{OLD, end_of, forget, forgotten, letter, letters, send_events, started};
use crate::support::Entry;
use crate::support::gate::{bigquery_behind, refusal, reset, silence};
use crate::support::service::{TIMEOUT, send_signal};

/// An operator who keeps receipts needs one after a failure, too. The error does not identify the user.
#[tokio::test]
async fn the_receipt_lists_what_was_deleted_before_an_error() {
    let bigquery = bigquery_behind(|question, _| {
        let fails = question.starts_with("DELETE ") && question.ends_with("pixel_507f_20260103");
        fails.then(|| refusal(503, "Table test-project:parsed_pixel.pixel_507f_20260103 is unavailable"))
    })
    .await;
    send_events(&bigquery, &["507f"], &[]).await;
    letter(&bigquery, "theirs", OLD, &Entry::of_query("user_id=507f").json()).await;
    let (code, receipt, err) = forget(&bigquery, &[], &["--user-id=507f", "--yes"]).await;
    let receipt: Value = serde_json::from_str(&receipt).unwrap_or_else(|_| panic!("{receipt:?} {err}"));
    assert_eq!((code, &receipt["deleted"]["tables"], &receipt["is_complete"]), (Some(1), &json!(1), &json!(false)), "{err}");
    assert!(err.contains("error: cannot delete table 4 of 4: "), "{err}");
    assert!(err.contains("503") && !err.contains("507f") && !receipt.to_string().contains("507f"), "{err}{receipt}");
    assert_eq!((bigquery.events().await.len(), letters(&bigquery).await.len()), (1, 1));
}

/// Cloud Run sends SIGTERM to a job at its timeout.
#[tokio::test]
async fn the_receipt_lists_what_was_deleted_before_a_signal() {
    let reached = Arc::new(Notify::new());
    let reaches = Arc::clone(&reached);
    let bigquery = bigquery_behind(move |question, _| {
        let is_last = question.starts_with("DELETE ") && question.ends_with("pixel_u_20260103");
        is_last.then(|| {
            reaches.notify_one();
            silence()
        })
    })
    .await;
    send_events(&bigquery, &["u"], &[]).await;
    let forget = started(&bigquery, &[], &["--user-id=u", "--yes"]);
    tokio::time::timeout(TIMEOUT, reached.notified()).await.expect("it comes to the second table");
    send_signal(&forget, "TERM");
    let (code, receipt, err) = end_of(forget).await;
    let receipt: Value = serde_json::from_str(&receipt).unwrap_or_else(|_| panic!("{receipt:?} {err}"));
    assert_eq!((code, &receipt["deleted"]["tables"], &receipt["is_complete"]), (Some(1), &json!(1), &json!(false)), "{err}");
    assert!(err.contains("error: interrupted"), "{err}");
}

#[tokio::test]
async fn an_error_names_a_shared_table() {
    let bigquery = bigquery_behind(|_, body| {
        let fails = body.contains("DELETE FROM `test-project.parsed_pixel.pixel`");
        fails.then(|| refusal(403, "Access Denied"))
    })
    .await;
    let one_table = [("TABLE_SUFFIX", "")];
    send_events(&bigquery, &["507f"], &one_table).await;
    let (code, receipt, err) = forget(&bigquery, &one_table, &["--user-id=507f", "--yes"]).await;
    assert!(code == Some(1) && receipt.starts_with('{'), "{receipt}");
    assert!(err.contains("error: cannot delete rows of pixel: "), "{err}");
}

#[tokio::test]
async fn transient_failures_are_retried() {
    let asked: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let times = Arc::clone(&asked);
    let bigquery = bigquery_behind(move |_, body| {
        let mut times = times.lock().unwrap();
        if !body.contains("DELETE FROM") {
            return None;
        }
        times.push(Instant::now());
        match times.len() {
            1 => {
                let mut refusal = refusal(429, "slowly");
                refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
                Some(refusal)
            }
            2 => Some(reset()),
            3 => Some(refusal(500, "an internal error")),
            _ => None,
        }
    })
    .await;
    let one_table = [("TABLE_SUFFIX", "")];
    send_events(&bigquery, &["u"], &one_table).await;
    assert_eq!(forgotten(&bigquery, &one_table, &["--user-id=u"]).await["deleted"]["rows_in_shared_tables"], json!({"pixel": 2}));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 4);
    assert!(asked[1] - asked[0] >= Duration::from_secs(2), "Retry-After is honoured");
}

/// Tables may be deleted before their schema is read, or before their rows are.
#[tokio::test]
async fn a_table_deleted_since_the_listing_is_not_an_error() {
    let bigquery = bigquery_behind(|question, body| {
        let is_gone = question == "GET /bigquery/v2/projects/test-project/datasets/parsed_pixel/tables/pixel_u_20260102"
            || body.contains("FROM `test-project.parsed_pixel.pixel_u_20260103`");
        is_gone.then(|| refusal(404, "Not found: Table"))
    })
    .await;
    send_events(&bigquery, &["u"], &[]).await;
    assert_eq!(forgotten(&bigquery, &[], &["--user-id=u"]).await["deleted"]["tables"], 0);
}
