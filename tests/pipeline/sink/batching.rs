//! Batches: rows share insertAll requests, and each row has its own result.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::response::IntoResponse as _;
use bigquery_emulator::{Fault, Status};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::support::gate::{bigquery_behind, refusal};
use crate::support::{Entry, Service, TestBigQuery};

const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");
/// Rows behind an insert wait for its end.
const ONE_INSERT: (&str, &str) = ("BATCH_MAX_INSERTS", "1");

/// Holds the next insert, or all of them, until there are permits.
fn hold() -> (Arc<Semaphore>, Fault) {
    let permits = Arc::new(Semaphore::new(0));
    (Arc::clone(&permits), Fault::Hold(permits))
}

/// Holds an insert of one row until `count` more rows wait behind it. Returns the statuses of all deliveries.
async fn deliver_behind_an_insert(bigquery: &TestBigQuery, service: &Arc<Service>, held: &Semaphore, count: usize) -> Vec<u16> {
    let requests = bigquery.faults().insert_all_requests().requests;
    let mut deliveries = JoinSet::new();
    let deliver = |name: usize| {
        let service = Arc::clone(service);
        async move { service.push(Entry::of_query(&format!("user_id=u&order_id={name}")).pushed()).await.status }
    };
    deliveries.spawn(deliver(0));
    bigquery.wait_for_requests(requests + 1).await;
    for name in 1..=count {
        deliveries.spawn(deliver(name));
    }
    service.wait_for_pending_rows(count + 1).await;
    held.add_permits(1);
    deliveries.join_all().await
}

#[tokio::test]
async fn a_single_row_is_sent_at_once() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    for _ in 0..5 {
        service.push(Entry::of_query("user_id=u").pushed()).await;
    }
    let count = bigquery.faults().insert_all_requests();
    assert_eq!((count.requests, count.rows), (5, 5));
}

#[tokio::test]
async fn rows_that_arrive_during_an_insert_are_the_next_batch() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 20).await, [204; 21]);
    let count = bigquery.faults().insert_all_requests();
    assert_eq!((count.requests, count.rows), (2, 21));
    assert_eq!(bigquery.rows("pixel").await.len(), 21);
}

#[tokio::test]
async fn a_batch_has_at_most_batch_max_rows() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT, ("BATCH_MAX_ROWS", "8")]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 20).await, [204; 21]);
    assert_eq!(bigquery.faults().insert_all_requests().requests, 1 + 3);
    assert_eq!(bigquery.rows("pixel").await.len(), 21);
}

#[tokio::test]
async fn a_batch_has_at_most_batch_max_bytes_unless_one_row_has_more() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT, ("BATCH_MAX_BYTES", "1")]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 3).await, [204; 4]);
    assert_eq!(bigquery.faults().insert_all_requests().requests, 4);
}

#[tokio::test]
async fn a_bad_row_never_fails_the_other_rows() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    bigquery.faults().next(Fault::RowInvalid { index: 2 });
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 5).await, [204; 6]);
    assert_eq!(bigquery.rows("pixel").await.len(), 5);
    let dead_letters = bigquery.rows("dead_letters").await;
    assert_eq!((dead_letters.len(), &dead_letters[0]["reason"]), (1, &"invalid".into()));
    let is_stored = bigquery.rows("pixel").await.iter().any(|row| row["event_id"] == dead_letters[0]["event_id"]);
    assert!(!is_stored, "the dead letter is the row that is not stored");
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_split() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    bigquery.faults().next(Fault::Status(Status::new(413, "uploadTooLarge").body("<html>Request Entity Too Large</html>")));
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 8).await, [204; 9]);
    assert_eq!(bigquery.faults().insert_all_requests().requests, 1 + 1 + 2);
    assert_eq!(bigquery.rows("pixel").await.len(), 9);
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

#[tokio::test]
async fn a_refused_batch_is_split_until_the_bad_row_is_found() {
    let bigquery = bigquery_behind(|request, body| {
        (request.ends_with("/tables/pixel/insertAll") && body.contains(r#""order_id":"2""#)).then(|| refusal(400, "m"))
    });
    let bigquery = bigquery.await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 4).await, [204; 5]);
    assert_eq!(bigquery.rows("pixel").await.len(), 4);
    let dead_letters = bigquery.rows("dead_letters").await;
    assert_eq!((dead_letters.len(), &dead_letters[0]["reason"]), (1, &"invalid".into()));
}

#[tokio::test]
async fn a_batch_that_is_refused_for_a_time_is_stored() {
    for refused in 1..=7 {
        let bigquery = TestBigQuery::start().await;
        let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT]).await);
        let (held, hold) = hold();
        bigquery.faults().next(hold);
        for _ in 0..refused {
            bigquery.faults().next(Fault::Status(Status::new(400, "invalid")));
        }
        let statuses = deliver_behind_an_insert(&bigquery, &service, &held, 4).await;
        assert_eq!(bigquery.rows("pixel").await.len(), statuses.iter().filter(|status| **status == 204).count(), "{statuses:?}");
        assert!(bigquery.rows("dead_letters").await.is_empty(), "{refused} refused requests");
    }
}

#[tokio::test]
async fn a_small_row_that_is_called_too_large_is_nacked() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let delivery = Entry::of_query("user_id=u").pushed();
    for status in [413, 400] {
        let message = "Request payload size exceeds the limit: 10485760 bytes.";
        let body = json!({"error": {"code": status, "message": message, "errors": [{"reason": "invalid"}]}}).to_string();
        bigquery.faults().always_on("pixel", Fault::Status(Status::new(status, "invalid").body(&body)));
        assert_eq!(service.push(delivery.clone()).await.status, 503, "{status}");
        assert!(bigquery.rows("dead_letters").await.is_empty(), "{status}");
    }
    bigquery.faults().always(None);
    assert_eq!(service.push(delivery).await.status, 204);
}

#[tokio::test]
async fn rows_are_all_stored_once_after_transient_failures() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT, ("BATCH_MAX_ROWS", "8")]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    for fault in [Fault::ResetBefore, Fault::ResetAfter, Fault::StoredThen(Status::new(500, "internalError")), Fault::TruncatedBody] {
        bigquery.faults().next(fault);
    }
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 20).await, [204; 21]);
    assert_eq!(bigquery.rows("pixel").await.len(), 21, "no row is lost or duplicated");
}

#[tokio::test]
async fn tables_do_not_wait_for_each_other() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[]).await);
    let (held, hold) = hold();
    bigquery.faults().always_on("_slow_", hold);
    let slow = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.push(Entry::of_query("user_id=slow").pushed()).await.status }
    });
    bigquery.wait_for_requests(1).await;
    for _ in 0..3 {
        assert_eq!(service.push(Entry::of_query("user_id=prompt").pushed()).await.status, 204);
    }
    assert!(!slow.is_finished(), "the slow table's row is still waiting");
    held.add_permits(1);
    assert_eq!(slow.await.unwrap(), 204);
}

#[tokio::test]
async fn a_table_that_fails_fails_alone() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "2s")]).await;
    bigquery.faults().always_on("_broken_", Fault::Status(Status::new(503, "backendError")));
    let (broken, healthy) = (Entry::of_query("user_id=broken").pushed(), Entry::of_query("user_id=healthy").pushed());
    let (broken, healthy) = tokio::join!(service.push(broken), service.push(healthy));
    assert_eq!((broken.status, healthy.status), (503, 204));
}

#[tokio::test]
async fn at_most_batch_max_inserts_are_in_flight() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[("BATCH_MAX_INSERTS", "2")]).await);
    let (held, hold) = hold();
    bigquery.faults().always(Some(hold));
    let mut deliveries = JoinSet::new();
    for user in 0..4 {
        let service = Arc::clone(&service);
        deliveries.spawn(async move { service.push(Entry::of_query(&format!("user_id={user}")).pushed()).await.status });
    }
    service.wait_for_pending_rows(4).await;
    bigquery.wait_for_requests(2).await;
    assert_eq!(bigquery.faults().insert_all_requests().requests, 2, "the other two tables wait");
    held.add_permits(1);
    bigquery.wait_for_requests(3).await;
    assert_eq!(bigquery.faults().insert_all_requests().requests, 3, "one insert has ended, and one has started");
    held.add_permits(3);
    assert_eq!(deliveries.join_all().await, [204; 4]);
}

#[tokio::test]
async fn messages_beyond_max_in_flight_are_nacked_at_once() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[("MAX_IN_FLIGHT", "2")]).await);
    let (held, hold) = hold();
    bigquery.faults().always(Some(hold));
    let mut waiting = JoinSet::new();
    for _ in 0..2 {
        let service = Arc::clone(&service);
        waiting.spawn(async move { service.push(Entry::of_query("user_id=u").pushed()).await.status });
    }
    service.wait_for_in_flight(2).await;
    // Answered at once: both permits are in use until the inserts are released.
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 429);
    assert_eq!(service.get("/health").await.status, 200, "only deliveries are counted");
    held.add_permits(2);
    assert_eq!(waiting.join_all().await, [204, 204]);
    bigquery.faults().always(None);
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204, "messages are accepted again");
}

/// BigQuery answers 404 for a generated table for a while after its first row.
#[tokio::test]
async fn a_404_of_a_new_table_is_retried() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    bigquery.faults().new_table_404(Some(Duration::from_millis(700)));
    assert_eq!(service.push(Entry::of_query("user_id=new").pushed()).await.status, 204);
    bigquery.faults().new_table_404(None);
    assert_eq!(bigquery.rows("pixel_new_20260102").await.len(), 1);
    assert!(bigquery.faults().insert_all_requests().requests > 1);
}

/// A proxy to `to` that records the bytes of all requests.
async fn recording_proxy(to: &str) -> (String, Arc<Mutex<Vec<u8>>>) {
    let to = to.strip_prefix("http://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let recorded = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&recorded);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = TcpStream::connect(&to).await.unwrap().into_split();
            let kept = Arc::clone(&kept);
            tokio::spawn(async move {
                let mut buffer = vec![0; 65536];
                while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
                    kept.lock().unwrap().extend_from_slice(&buffer[..count]);
                    to_server.write_all(&buffer[..count]).await.unwrap();
                }
            });
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
        }
    });
    (url, recorded)
}

#[tokio::test]
async fn bodies_are_compressed_with_batch_gzip() {
    let bigquery = TestBigQuery::start().await;
    for (setting, compressed) in [("true", true), ("false", false)] {
        let (url, recorded) = recording_proxy(&bigquery.url).await;
        let service = Service::start_unready(&url, &[("BATCH_GZIP", setting), ONE_TABLE]).await;
        let before = bigquery.rows("pixel").await.len();
        assert_eq!(service.push(Entry::of_query("user_id=u&type=in-the-clear").pushed()).await.status, 204);
        assert_eq!(bigquery.rows("pixel").await.len(), before + 1, "BATCH_GZIP={setting}");
        let recorded = String::from_utf8_lossy(&recorded.lock().unwrap()).to_ascii_lowercase();
        assert_eq!(recorded.contains("content-encoding: gzip"), compressed);
        assert_eq!(recorded.contains("in-the-clear"), !compressed);
    }
}

#[tokio::test]
async fn the_first_push_waits_for_the_template_table() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start_unready(&bigquery.url, &[]).await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
}

/// BigQuery may mark the neighbours of an invalid row as invalid, too.
#[tokio::test]
async fn neighbours_of_a_bad_row_are_stored() {
    let bigquery = bigquery_behind(|request, body| {
        let is_mixed = request.ends_with("/insertAll") && body.contains("\"order_id\":\"1\"") && body.matches("insertId").count() > 1;
        is_mixed.then(|| {
            let rows: Value = serde_json::from_str(body).unwrap();
            let error = |row: &Value| match row["json"]["order_id"].as_str() {
                Some("1") => json!({"reason": "invalid", "location": "order_id", "debugInfo": "", "message": "a bad value"}),
                _ => json!({"reason": "invalid", "location": "", "debugInfo": "", "message": ""}),
            };
            let rows = rows["rows"].as_array().unwrap();
            let errors: Vec<Value> = rows.iter().enumerate().map(|(index, row)| json!({"index": index, "errors": [error(row)]})).collect();
            json!({"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors}).to_string().into_response()
        })
    })
    .await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ONE_INSERT]).await);
    let (held, hold) = hold();
    bigquery.faults().next(hold);
    assert_eq!(deliver_behind_an_insert(&bigquery, &service, &held, 8).await, [204; 9]);
    assert_eq!(bigquery.rows("pixel").await.len(), 8);
    let dead_letters = bigquery.rows("dead_letters").await;
    assert_eq!((dead_letters.len(), &dead_letters[0]["column"]), (1, &"order_id".into()));
}

/// A request that is dropped and sent again would be stored each time, and acknowledged never.
#[tokio::test]
async fn a_slow_request_and_the_second_one_can_both_store_a_row() {
    for answers_first in [true, false] {
        let bigquery = TestBigQuery::start().await;
        let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ("PUSH_DEADLINE", "8s")]).await);
        let ((first, hold_first), (second, hold_second)) = (hold(), hold());
        bigquery.faults().next(hold_first);
        bigquery.faults().next(hold_second);
        let delivery = tokio::spawn({
            let service = Arc::clone(&service);
            async move { service.push(Entry::of_query("user_id=u").pushed()).await.status }
        });
        // The second is sent after 3.2 s without an answer.
        bigquery.wait_for_requests(2).await;
        let answering = if answers_first { &first } else { &second };
        answering.add_permits(1);
        assert_eq!(delivery.await.unwrap(), 204, "the first answers: {answers_first}");
        assert_eq!(bigquery.rows("pixel").await.len(), 1);
    }
}

/// They would miss their deadline if they waited for its end, and be delivered and delayed again.
#[tokio::test]
async fn rows_behind_a_slow_insert_do_not_wait_for_its_end() {
    let bigquery = TestBigQuery::start().await;
    let service = Arc::new(Service::start(&bigquery, &[ONE_TABLE, ("PUSH_DEADLINE", "8s")]).await);
    let (first, hold_first) = hold();
    bigquery.faults().next(hold_first);
    let deliver = |order: usize| {
        let service = Arc::clone(&service);
        async move { service.push(Entry::of_query(&format!("user_id=u&order_id={order}")).pushed()).await.status }
    };
    let slow = tokio::spawn(deliver(0));
    bigquery.wait_for_requests(1).await;
    let behind: JoinSet<u16> = (1..12).map(deliver).collect();
    assert_eq!(behind.join_all().await, [204; 11]);
    assert!(!slow.is_finished(), "the first insert has no answer yet");
    first.add_permits(1);
    assert_eq!(slow.await.unwrap(), 204);
    assert_eq!(bigquery.rows("pixel").await.len(), 12);
}
