//! Answers to insertAll that are not BigQuery's, or are about the table and not about a row: no message is acknowledged, and
//! none becomes a dead letter.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::gate::bigquery_behind;
use crate::support::{Entry, Service, TestBigQuery};

const KIND: &str = "bigquery#tableDataInsertAllResponse";
const MESSAGES: usize = 12;
/// The user of all messages, which no log line may contain.
const USER: &str = "planteduser";

/// Builds the answer to each insertAll for the table `pixel`; `None` for BigQuery's own.
type Answer = Arc<Mutex<Option<Box<dyn Fn() -> Response + Send>>>>;

struct Proxy {
    bigquery: TestBigQuery,
    answer: Answer,
}

impl Proxy {
    async fn start() -> Self {
        let answer: Answer = Arc::default();
        let of_proxy = Arc::clone(&answer);
        let bigquery = bigquery_behind(move |request, _| {
            let answer = of_proxy.lock().unwrap();
            answer.as_ref().filter(|_| request.ends_with("/tables/pixel/insertAll")).map(|answer| answer())
        });
        Self { bigquery: bigquery.await, answer }
    }

    fn answer(&self, answer: impl Fn() -> Response + Send + 'static) {
        *self.answer.lock().unwrap() = Some(Box::new(answer));
    }

    fn pass(&self) {
        *self.answer.lock().unwrap() = None;
    }

    async fn service(&self, deadline: &str) -> Arc<Service> {
        let service = Service::start(&self.bigquery, &[("PUSH_DEADLINE", deadline)]).await;
        self.bigquery.wait_for_table("dead_letters").await;
        Arc::new(service)
    }

    /// Asserts that nothing of the user was stored anywhere.
    async fn assert_nothing_stored(&self, answer: &str) {
        assert!(self.bigquery.events().await.is_empty(), "{answer}");
        assert!(self.bigquery.rows("dead_letters").await.is_empty(), "{answer}");
    }
}

/// The statuses of twelve deliveries at the same time.
async fn deliver(service: &Arc<Service>) -> Vec<u16> {
    let mut deliveries = JoinSet::new();
    for message in 0..MESSAGES {
        let service = Arc::clone(service);
        deliveries.spawn(async move { service.push(Entry::of_query(&format!("user_id={USER}&order_id={message}")).pushed()).await.status });
    }
    deliveries.join_all().await
}

fn respond(status: u16, body: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), body.to_owned()).into_response()
}

/// An error of BigQuery.
fn refusal(status: u16, message: &str) -> String {
    let errors = json!([{"message": message, "domain": "global", "reason": "invalid"}]);
    json!({"error": {"code": status, "message": message, "errors": errors, "status": "INVALID_ARGUMENT"}}).to_string()
}

#[tokio::test]
async fn no_message_is_acked_by_an_answer_that_is_not_bigquerys() {
    let proxy = Proxy::start().await;
    let service = proxy.service("500ms").await;
    for (status, body) in [
        (200, "{}".to_owned()),
        (200, String::new()),
        (200, "<html>login required</html>".to_owned()),
        (200, json!({"status": "login required"}).to_string()),
        (200, json!({"kind": "bigquery#job", "status": {"state": "DONE"}}).to_string()),
        (200, json!({"errors": [{"reason": "invalid"}]}).to_string()),
        (200, json!({"kind": KIND, "insert_errors": [{"index": 0, "errors": [{"reason": "invalid"}]}]}).to_string()),
        (200, json!({"kind": KIND, "insertErrors": [{"index": 0, "errors": []}]}).to_string()),
        (200, json!({"kind": KIND, "insertErrors": {}}).to_string()),
        (200, json!({"kind": KIND, "status": {"errorResult": {"reason": "invalid"}}}).to_string()),
        (200, json!({"kind": KIND, "errors": [{"reason": "invalid"}]}).to_string()),
        (200, json!({"kind": KIND, "error": {"code": 400}}).to_string()),
        (200, format!("{}x", json!({"kind": KIND}))),
        (200, format!("{}\0", json!({"kind": KIND}))),
        (200, format!("\u{feff}{}", json!({"kind": KIND}))),
        (200, json!([{"kind": KIND}]).to_string()),
        (200, json!({"result": {"kind": KIND}}).to_string()),
        (200, format!(r#"{{"kind":"{KIND}","kind":"{KIND}"}}"#)),
        (200, format!(r#"{{"kind":"{KIND}","insertErrors":[{{"index":0,"errors":[{{"reason":"stopped"}}]}}],"insertErrors":[]}}"#)),
        (200, json!({"kind": KIND, "insertErrors": null}).to_string()),
        (200, json!({"kind": KIND, "insertErrors": [{"index": -1, "errors": [{"reason": "invalid"}]}]}).to_string()),
        (200, json!({"kind": KIND, "insertErrors": [{"index": 500, "errors": [{"reason": "invalid"}]}]}).to_string()),
        (200, json!({"kind": KIND, "insertErrors": [{"errors": [{"reason": "invalid"}]}]}).to_string()),
        (203, json!({"kind": KIND}).to_string()),
        (201, json!({"kind": KIND}).to_string()),
        (204, String::new()),
        (206, json!({"kind": KIND}).to_string()),
        (302, json!({"kind": KIND}).to_string()),
        (400, "<html>Bad Request</html>".to_owned()),
        (400, json!({"error": "invalid"}).to_string()),
        (404, "<html>Not Found</html>".to_owned()),
        (413, "<html>Request Entity Too Large</html>".to_owned()),
        (413, refusal(413, "Request Entity Too Large")),
        (422, refusal(422, "Invalid value for user_id")),
        (400, refusal(400, "Request payload size exceeds the limit: 10485760 bytes.")),
        (413, json!({"error": {"message": "too large"}}).to_string()),
    ] {
        let answer = format!("{status} {body}");
        proxy.answer(move || respond(status, &body));
        assert_eq!(deliver(&service).await, [503; MESSAGES], "{answer}");
        proxy.assert_nothing_stored(&answer).await;
    }
    assert!(service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"unreadable\"}").await >= 12.0);
    assert!(service.metric("pixel_pipeline_insert_failures_total{failure=\"unreadable\"}").await >= 12.0);
    proxy.pass();
    assert_eq!(deliver(&service).await, [204; MESSAGES]);
    let lines: Vec<String> = service.log().into_iter().filter(|line| line.contains("an answer to insertAll is not BigQuery's")).collect();
    assert!(lines.len() == 1 && lines[0].contains(KIND) && lines[0].contains("\"ERROR\""), "one error a minute: {lines:?}");
}

#[tokio::test]
async fn an_endless_answer_is_not_read_into_memory() {
    let proxy = Proxy::start().await;
    let service = proxy.service("2s").await;
    let before = service.peak_memory();
    for status in [200, 400, 503] {
        proxy.answer(move || {
            let chunks = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1 << 16])));
            let mut response = Response::new(Body::from_stream(chunks));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            response
        });
        assert_eq!(deliver(&service).await, [503; MESSAGES], "{status}");
    }
    let growth = service.peak_memory() - before;
    // Several inserts run at the same time, each with a buffer. One answer alone sends gigabytes.
    assert!(growth < 64 << 20, "{growth} bytes");
    proxy.assert_nothing_stored("an endless answer").await;
}

#[tokio::test]
async fn a_refused_table_is_named_and_loses_no_message() {
    let proxy = Proxy::start().await;
    let mut service = Service::start(&proxy.bigquery, &[("PUSH_DEADLINE", "2s")]).await;
    proxy.bigquery.wait_for_table("dead_letters").await;
    for message in [
        "The destination table has no schema.",
        "Streaming to metadata partition of column based partitioning table p:d.pixel$20191031 is disallowed.",
        "Cannot add rows to a table of type VIEW.",
        "Cannot stream into p:d.pixel_planteduser_20260102 because of 'planteduser'.",
    ] {
        let body = refusal(400, message);
        proxy.answer(move || respond(400, &body));
        let running = Arc::new(service);
        assert_eq!(deliver(&running).await, [503; MESSAGES], "{message}");
        proxy.assert_nothing_stored(message).await;
        service = Arc::into_inner(running).expect("all deliveries have ended");
    }
    let refused = service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"table_refused\"}").await;
    assert!(refused >= 4.0 * MESSAGES as f64, "{refused}");
    proxy.pass();
    let service = Arc::new(service);
    assert_eq!(deliver(&service).await, [204; MESSAGES]);
    let log = service.log();
    let lines: Vec<_> = log.iter().filter(|line| line.contains("BigQuery refuses every row for a table")).collect();
    assert_eq!(lines.len(), 1, "one error a minute: {lines:?}");
    for text in ["\"ERROR\"", "\"pixel\"", "The destination table has no schema."] {
        assert!(lines[0].contains(text), "{text}: {}", lines[0]);
    }
    assert!(!log.iter().any(|line| line.contains(USER)), "{log:#?}");
}

/// The first message that the log has is the one that names the user.
#[tokio::test]
async fn the_message_about_a_table_is_logged_without_the_user() {
    let proxy = Proxy::start().await;
    let mut service = Service::start(&proxy.bigquery, &[("PUSH_DEADLINE", "2s")]).await;
    let body = refusal(400, "Cannot stream planteduser into p:d.pixel_planteduser_20260102 because of 'planteduser'.");
    proxy.answer(move || respond(400, &body));
    assert_eq!(service.push(Entry::of_query(&format!("user_id={USER}")).pushed()).await.status, 503);
    let line = service.wait_for_log("BigQuery refuses every row for a table").await;
    assert!(line.contains("Cannot stream … into … because of …."), "{line}");
    assert!(!line.contains(USER), "{line}");
}
