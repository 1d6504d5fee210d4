//! BigQuery's answers to insertAll, from a transport without a network, on paused time.

use std::sync::Mutex;

use async_trait::async_trait;
use reqwest::header::RETRY_AFTER;
use reqwest::{Request, Response};

use super::*;
use crate::decode::{EventId, TableSuffix};

const SECOND: Duration = Duration::from_secs(1);
const STORED: &str = r#"{"kind":"bigquery#tableDataInsertAllResponse"}"#;

/// One answer: after how long, its status, its Retry-After, and its body.
type Answer = (Duration, u16, Option<u64>, &'static str);

/// Gives its answers in turn.
#[derive(Debug)]
struct Scripted {
    answers: Mutex<std::vec::IntoIter<Answer>>,
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        let answer = self.answers.lock().unwrap().next();
        let (after, status, retry_after, body) = answer.expect("no request without an answer");
        tokio::time::sleep(after).await;
        let mut response = axum::http::Response::builder().status(status);
        if let Some(seconds) = retry_after {
            response = response.header(RETRY_AFTER, seconds);
        }
        Ok(response.body(body).unwrap().into())
    }
}

/// Stores one row in a table, with these answers to the requests of all tables.
fn bigquery(answers: Vec<Answer>) -> (Arc<BigQuery>, Arc<Scripted>) {
    let transport = Arc::new(Scripted { answers: Mutex::new(answers.into_iter()) });
    let location = Location { endpoint: "http://bigquery".to_owned(), project: "p".to_owned(), dataset: "d".to_owned() };
    let shared: Arc<dyn Transport> = Arc::clone(&transport) as _;
    (BigQuery::with_transport(shared, location, Tokens::None, false, 8 * SECOND), transport)
}

async fn store(bigquery: &BigQuery, table: &str, row: &str) -> RowResult {
    let destination = Destination { table: table.into(), suffix: TableSuffix::none() };
    let rows = [InsertRow { event_id: EventId::of_message(row), json: r#"{"a":1}"#.into() }];
    bigquery.store(&destination, &rows, Instant::now() + 8 * SECOND).await.remove(0)
}

fn remaining(transport: &Scripted) -> usize {
    transport.answers.lock().unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn no_second_request_is_sent_before_a_retry_after() {
    let answers = vec![(6 * SECOND, 200, None, STORED), (SECOND, 429, Some(30), ""), (SECOND, 200, None, STORED)];
    let (bigquery, transport) = bigquery(answers);
    let began = Instant::now();
    let (slow, refused) = tokio::join!(store(&bigquery, "t", "a"), store(&bigquery, "t", "b"));
    assert_eq!((slow, began.elapsed()), (RowResult::Stored, 6 * SECOND), "by its first request");
    assert_eq!(refused, RowResult::Retry { class: ErrorClass::Quota, after: 30 * SECOND });
    assert_eq!(remaining(&transport), 1);
    let later = RowResult::Retry { class: ErrorClass::Quota, after: 25 * SECOND };
    assert_eq!(store(&bigquery, "t", "c").await, later, "and none of a later insert");
    assert_eq!(store(&bigquery, "another", "d").await, RowResult::Stored);
}

#[tokio::test(start_paused = true)]
async fn a_second_request_is_sent_without_a_retry_after() {
    let (bigquery, transport) = bigquery(vec![(600 * SECOND, 200, None, STORED), (SECOND, 200, None, STORED)]);
    assert_eq!(store(&bigquery, "t", "a").await, RowResult::Stored);
    assert_eq!(remaining(&transport), 0);
}
