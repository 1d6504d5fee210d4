//! `forget` when BigQuery fails in the middle.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use axum::http::header::RETRY_AFTER;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{OLD, end_of, forget, forget_with_receipt, forgotten, letter, letters, send_events, started};
use crate::support::Entry;
use crate::support::gate::{bigquery_behind, refusal, reset, silence};
use crate::support::service::{TIMEOUT, send_signal};

/// An operator who keeps receipts needs one after a failure, too. The error does not identify the user.
#[tokio::test]
async fn after_an_error_for_one_table_the_others_follow() {
    let bigquery = bigquery_behind(|question, _| {
        let fails = question.starts_with("DELETE ") && question.ends_with("pixel_507f_20260103");
        fails.then(|| refusal(503, "Table test-project:parsed_pixel.pixel_507f_20260103 is unavailable"))
    })
    .await;
    send_events(&bigquery, &["507f"], &[]).await;
    letter(&bigquery, "theirs", OLD, &Entry::of_query("user_id=507f").json()).await;
    let (code, receipt, err) = forget_with_receipt(&bigquery, &[], &["--user-id=507f", "--yes"]).await;
    assert_eq!((code, &receipt["deleted"]["tables"], &receipt["is_complete"]), (Some(1), &json!(1), &json!(false)), "{err}");
    assert!(err.contains("error: cannot delete table 4 of 4: "), "{err}");
    assert!(err.contains("503") && !err.contains("507f") && !receipt.to_string().contains("507f"), "{err}{receipt}");
    assert_eq!((&receipt["failed"][0]["table"], &receipt["deleted"]["dead_letters"]), (&json!("table 4 of 4"), &json!(1)), "{receipt}");
    assert_eq!((bigquery.events().await.len(), letters(&bigquery).await.len()), (1, 0));
}

/// The gate counts the requests for each table: the fourth fails as the first did.
#[tokio::test]
async fn a_table_with_a_lost_connection_is_listed_and_the_others_follow() {
    for part in ["GET", "SELECT COUNTIF", "DELETE FROM"] {
        let attempts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&attempts);
        let bigquery = bigquery_behind(move |question, body| {
            let is_lost = match part {
                "GET" => question == format!("{TABLES}/pixel_20260102"),
                _ => body.contains(part) && body.contains("pixel_20260102"),
            };
            is_lost.then(|| {
                counter.fetch_add(1, Ordering::Relaxed);
                reset()
            })
        })
        .await;
        send_events(&bigquery, &["u"], &[("TABLE_SUFFIX", "_{date}")]).await;
        let (code, receipt, err) = forget_with_receipt(&bigquery, &[], &["--user-id=u", "--yes"]).await;
        assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{part}: {err}");
        assert_eq!(receipt["deleted"]["rows_in_shared_tables"], json!({"pixel_20260103": 1}), "{part}");
        let listed = if part == "DELETE FROM" { &receipt["failed"][0]["table"] } else { &receipt["not_deleted"][0]["table"] };
        assert_eq!((listed, attempts.load(Ordering::Relaxed)), (&json!("pixel_20260102"), 4), "{part}: {receipt}");
    }
}

#[tokio::test]
async fn while_bigquery_is_unavailable_few_requests_are_sent() {
    let deletions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&deletions);
    let bigquery = bigquery_behind(move |question, _| {
        question.starts_with("DELETE ").then(|| {
            counter.fetch_add(1, Ordering::Relaxed);
            refusal(401, "expired")
        })
    })
    .await;
    send_events(&bigquery, &["u"], &[("TABLE_SUFFIX", "_{user_id}_{date}_{order_id}")]).await;
    send_events(&bigquery, &["u"], &[("TABLE_SUFFIX", "_{user_id}_{date}")]).await;
    let (code, receipt, err) = forget_with_receipt(&bigquery, &[], &["--user-id=u", "--yes"]).await;
    assert_eq!((code, &receipt["deleted"]["tables"], deletions.load(Ordering::Relaxed)), (Some(1), &json!(0), 2), "{err}");
    assert_eq!(receipt["failed"].as_array().unwrap().len(), 4, "{receipt}");
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

const TABLES: &str = "GET /bigquery/v2/projects/test-project/datasets/parsed_pixel/tables";

/// Tables may be deleted before their schema is read, or before their rows are.
#[tokio::test]
async fn a_table_deleted_since_the_listing_is_not_an_error() {
    let lists = Arc::new(AtomicUsize::new(0));
    let bigquery = bigquery_behind(move |question, body| {
        if question == TABLES && lists.fetch_add(1, Ordering::Relaxed) > 0 {
            return Some(json!({"kind": "bigquery#tableList", "totalItems": 0}).to_string().into_response());
        }
        let is_gone =
            question == format!("{TABLES}/pixel_u_20260102") || body.contains("FROM `test-project.parsed_pixel.pixel_u_20260103`");
        is_gone.then(|| refusal(404, "Not found: Table"))
    })
    .await;
    send_events(&bigquery, &["u"], &[]).await;
    assert_eq!(forgotten(&bigquery, &[], &["--user-id=u"]).await["deleted"]["tables"], 0);
}

/// A query that runs in another location does not find the dataset.
#[tokio::test]
async fn a_listed_table_that_is_not_found_is_incomplete() {
    for (question_part, body_part) in [
        ("/tables/pixel", ""),
        ("/queries", "SELECT COUNTIF"),
        ("/queries", "DELETE FROM `test-project.parsed_pixel.pixel`"),
        ("/queries", "FROM `test-project.parsed_pixel.dead_letters`"),
    ] {
        let bigquery = bigquery_behind(move |question, body| {
            let fails = question.ends_with(question_part) && body.contains(body_part);
            fails.then(|| refusal(404, "Not found: Dataset test-project:parsed_pixel was not found in location US"))
        })
        .await;
        let one_table = [("TABLE_SUFFIX", "")];
        if question_part == "/queries" {
            send_events(&bigquery, &["u"], &one_table).await;
        } else {
            bigquery.create_dataset().await;
            bigquery.create_table("pixel", json!([{"name": "user_id", "type": "STRING"}])).await;
        }
        let (code, receipt, err) = forget_with_receipt(&bigquery, &one_table, &["--user-id=u", "--yes"]).await;
        assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{question_part} {body_part}: {err}{receipt}");
    }
}

#[tokio::test]
async fn a_list_that_is_not_complete_is_an_error() {
    let table = json!({"tableReference": {"tableId": "pixel"}, "type": "TABLE"});
    let always_new = |number: usize| number.to_string();
    type Token = fn(usize) -> String;
    let lists: [(Token, Value, &str); 4] = [
        (|number| ["A", "B"][number % 2].to_owned(), json!({}), "a page names an earlier one as the next one"),
        (|_| String::new(), json!({"totalItems": 3}), "1 of 3 items are listed"),
        (always_new, json!({}), "the list has more than 2000 pages"),
        (always_new, json!({"tables": []}), "the list has more than 2000 pages"),
    ];
    for (token, members, problem) in lists {
        let (count, mut page) = (Arc::new(AtomicUsize::new(0)), json!({"kind": "bigquery#tableList", "tables": [table]}));
        page.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let bigquery = bigquery_behind(move |question, _| {
            let mut page = page.clone();
            page["nextPageToken"] = json!(token(count.fetch_add(1, Ordering::Relaxed)));
            (question == TABLES).then(|| page.to_string().into_response())
        })
        .await;
        let (code, receipt, err) = forget(&bigquery, &[], &["--user-id=u", "--yes"]).await;
        assert_eq!((code, receipt.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains(problem), "{err}");
    }
}

#[tokio::test]
async fn a_table_without_columns_is_incomplete_unless_it_is_empty() {
    for (members, is_complete) in [
        (json!({"numRows": "0"}), true),
        (json!({"numRows": "0", "schema": {"fields": []}}), true),
        (json!({"numRows": "3"}), false),
        (json!({}), false),
        (json!({"numRows": "0", "streamingBuffer": {"estimatedRows": "3"}}), false),
        (json!({"numRows": "0", "schema": "columns"}), false),
    ] {
        let mut table = json!({"kind": "bigquery#table", "type": "TABLE"});
        table.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        let bigquery =
            bigquery_behind(move |question, _| (question == format!("{TABLES}/other")).then(|| table.to_string().into_response())).await;
        bigquery.create_dataset().await;
        bigquery.create_table("other", json!([{"name": "user_id", "type": "STRING"}])).await;
        let (code, receipt, err) = forget_with_receipt(&bigquery, &[], &["--user-id=u", "--yes"]).await;
        assert_eq!((code, &receipt["is_complete"]), (Some(i32::from(!is_complete)), &json!(is_complete)), "{members}: {err}");
    }
}
