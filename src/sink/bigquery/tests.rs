//! BigQuery's answers to insertAll, from a transport without a network, on paused time.

use serde_json::json;

use super::*;
use crate::decode::{EventId, Schema, TableSuffix};
use crate::google::scripted::{Answer, Scripted};
use crate::telemetry::captured::Captured;

const SECOND: Duration = Duration::from_secs(1);
const STORED: &str = r#"{"kind":"bigquery#tableDataInsertAllResponse"}"#;

/// With these answers, in turn, to the requests of all tables.
fn bigquery(answers: Vec<Answer>) -> (Arc<BigQuery>, Arc<Scripted>) {
    with_gzip(false, answers)
}

fn with_gzip(gzip: bool, answers: Vec<Answer>) -> (Arc<BigQuery>, Arc<Scripted>) {
    let answers = Mutex::new(answers.into_iter());
    let transport = Scripted::new(move |_| answers.lock().unwrap().next().expect("no request without an answer"));
    let shared: Arc<dyn Transport> = Arc::clone(&transport) as _;
    (BigQuery::with_transport(shared, Location::example(), Tokens::None, gzip, 8 * SECOND), transport)
}

fn stored() -> Answer {
    Answer::new(200, STORED)
}

/// BigQuery's refusal of a whole request.
fn refused(message: &str) -> Answer {
    Answer::new(400, json!({"error": {"code": 400, "message": message, "errors": [{"reason": "invalid"}]}}).to_string())
}

async fn store(bigquery: &BigQuery, table: &str, row: &str) -> RowResult {
    store_rows(bigquery, table, &[row]).await.remove(0)
}

/// Stores rows whose message ids are these.
async fn store_rows(bigquery: &BigQuery, table: &str, ids: &[&str]) -> Vec<RowResult> {
    let destination = Destination { table: table.into(), suffix: TableSuffix::none() };
    let row = |id: &&str| InsertRow { event_id: EventId::of_message(id), json: format!(r#"{{"a":"{id}"}}"#).into() };
    let rows: Vec<InsertRow> = ids.iter().map(row).collect();
    bigquery.store(&destination, &rows, Instant::now() + 8 * SECOND).await
}

#[tokio::test(start_paused = true)]
async fn no_second_request_is_sent_before_a_retry_after() {
    let answers = vec![stored().after(6 * SECOND), Answer::new(429, "").after(SECOND).with_retry_after(30), stored().after(SECOND)];
    let (bigquery, transport) = bigquery(answers);
    let began = Instant::now();
    let (slow, refused) = tokio::join!(store(&bigquery, "t", "a"), store(&bigquery, "t", "b"));
    assert_eq!((slow, began.elapsed()), (RowResult::Stored, 6 * SECOND), "by its first request");
    assert_eq!(refused, RowResult::Retry { class: ErrorClass::Quota, after: 30 * SECOND });
    assert_eq!(transport.calls().len(), 2);
    let later = RowResult::Retry { class: ErrorClass::Quota, after: 25 * SECOND };
    assert_eq!(store(&bigquery, "t", "c").await, later, "and none of a later insert");
    assert_eq!(store(&bigquery, "another", "d").await, RowResult::Stored);
}

#[tokio::test(start_paused = true)]
async fn a_second_request_is_sent_without_a_retry_after() {
    let (bigquery, transport) = bigquery(vec![stored().after(600 * SECOND), stored().after(SECOND)]);
    assert_eq!(store(&bigquery, "t", "a").await, RowResult::Stored);
    assert_eq!(transport.calls().len(), 2);
}

/// The longest answer that is read grows with the rows, because each may have an error in it.
#[tokio::test(start_paused = true)]
async fn an_answer_beyond_its_limit_is_not_read() {
    let limit = |rows: usize| (64 << 10) + rows * (4 << 10);
    let padded = |length: usize| Answer::new(200, STORED.to_owned() + &" ".repeat(length - STORED.len()));
    for ids in [&["a"][..], &["a", "b", "c"]] {
        let longest = limit(ids.len());
        let (bigquery, _) = bigquery(vec![padded(longest), padded(longest + 1)]);
        assert_eq!(store_rows(&bigquery, "t", ids).await, vec![RowResult::Stored; ids.len()]);
        let retry = RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO };
        assert_eq!(store_rows(&bigquery, "t", ids).await, vec![retry; ids.len()]);
    }
}

/// Whatever its message says, BigQuery does not refuse a small request for its size: the table may be at fault.
#[tokio::test(start_paused = true)]
async fn only_a_large_request_is_refused_for_its_size() {
    let destination = Destination { table: "t".into(), suffix: TableSuffix::none() };
    for (length, is_of_row) in [(MIN_TOO_LARGE_BYTES - 1, false), (MIN_TOO_LARGE_BYTES, true), (MIN_TOO_LARGE_BYTES + 1, true)] {
        let (bigquery, _) = bigquery(vec![refused("Request payload size exceeds the limit: 10485760 bytes."); 3]);
        let rows = [InsertRow { event_id: EventId::of_message("1"), json: vec![b' '; length].into() }];
        let results = bigquery.store(&destination, &rows, Instant::now() + 8 * SECOND).await;
        assert_eq!(matches!(results[0], RowResult::Refused(_)), is_of_row, "{length} bytes: {results:?}");
    }
    assert_eq!(MIN_TOO_LARGE_BYTES, 1 << 20);
}

#[tokio::test(start_paused = true)]
async fn a_body_is_compressed_only_if_the_settings_say_so() {
    for gzip in [false, true] {
        let (bigquery, transport) = with_gzip(gzip, vec![stored()]);
        assert_eq!(store(&bigquery, "t", "a").await, RowResult::Stored);
        assert_eq!(transport.calls()[0].body.starts_with(r#"{"skipInvalidRows":true,"#), !gzip);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_table_is_logged_without_the_values_of_a_row() {
    let log = Captured::start();
    let (bigquery, _) = bigquery(vec![refused("The table planted-value is invalid."), refused("m")]);
    for _ in 0..2 {
        assert_eq!(store(&bigquery, "t", "a").await, RowResult::Unavailable(ErrorClass::TableRefused));
    }
    assert_eq!(log.count("BigQuery refuses every row for a table"), 1, "one line for a minute");
    assert_eq!((log.count("table=t"), log.count("planted")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn failed_requests_are_counted_and_logged() {
    let count = |failure: &'static str| crate::telemetry::stats().insert_failures.get(&(failure, "")).copied().unwrap_or(0);
    let (bad, unreadable) = (count("bad_request"), count("unreadable"));
    let log = Captured::start();
    let (bigquery, _) = bigquery(vec![refused("m"), Answer::new(200, "<html>login</html>"), Answer::new(200, "{}")]);
    for row in ["a", "b", "c"] {
        assert_ne!(store(&bigquery, "t", row).await, RowResult::Stored);
    }
    assert!(count("bad_request") > bad && count("unreadable") >= unreadable + 2);
    assert_eq!(log.count("an answer to insertAll is not BigQuery's"), 1, "one line for a minute");
    assert!(log.count("insertAll failed") >= 1);
}

/// A row that is refused for no value of its own is at fault if BigQuery stores another one and refuses it again.
#[tokio::test(start_paused = true)]
async fn a_lone_row_is_refused_after_another_one_was_stored() {
    let error = json!({"index": 0, "errors": [{"reason": "invalid", "message": "Missing required field: plan."}]});
    let answer = json!({"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": [error]}).to_string();
    let refused = || Answer::new(200, answer.clone());
    let (bigquery, transport) = bigquery(vec![refused(), stored(), refused(), refused()]);
    assert_eq!(store(&bigquery, "t", "bad").await, RowResult::Unavailable(ErrorClass::TableRefused));
    assert_eq!(store(&bigquery, "t", "good").await, RowResult::Stored);
    let again = store(&bigquery, "t", "bad").await;
    assert!(matches!(again, RowResult::Refused(_)), "{again:?}");
    assert_eq!(transport.calls().len(), 4, "it is sent once more before that");
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_wakes_the_watcher_and_other_failures_do_not() {
    use futures_util::FutureExt as _;

    let not_found = r#"{"error":{"code":404,"message":"m","errors":[{"reason":"notFound"}],"status":"NOT_FOUND"}}"#;
    let (bigquery, _) = bigquery(vec![Answer::new(503, ""), Answer::new(404, not_found)]);
    store(&bigquery, "t", "a").await;
    assert!(bigquery.table_missing().now_or_never().is_none());
    store(&bigquery, "t", "a").await;
    assert!(bigquery.table_missing().now_or_never().is_some());
    assert!(bigquery.table_missing().now_or_never().is_none(), "once for each");
}

#[tokio::test(start_paused = true)]
async fn a_table_is_created_only_by_an_answer_that_names_it() {
    let created = r#"{"kind":"bigquery#table","tableReference":{"tableId":"t"}}"#;
    let exists = r#"{"error":{"code":409,"message":"m","errors":[{"reason":"duplicate"}]}}"#;
    for (status, body, is_created) in
        [(200, created, true), (409, exists, true), (200, r#"{"kind":"bigquery#table"}"#, false), (503, "", false)]
    {
        let (bigquery, transport) = bigquery(vec![Answer::new(status, body)]);
        assert_eq!(bigquery.create_table("t", &Schema::shipped()).await.is_ok(), is_created, "{status} {body}");
        assert!(transport.calls()[0].is(&Method::POST, "http://bigquery/bigquery/v2/projects/p/datasets/d/tables"));
    }
}
