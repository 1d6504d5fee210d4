//! A message that cannot become a row is stored completely in the dead-letter table, and only then acknowledged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bigquery_emulator::{Fault, Status};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::bigquery::time;
use crate::support::http;
use crate::support::{Entry, Service, TestBigQuery, wrapped};

const BROKEN: &str = "{\"httpRequest\":";

fn schema_file() -> Value {
    serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/dead_letters.json"))).unwrap()
}

#[tokio::test]
async fn a_dead_letter_has_all_data_of_its_message() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let began = jiff::Timestamp::now();
    let delivery = json!({
        "deliveryAttempt": 5,
        "message": {
            "attributes": {"logging.googleapis.com/timestamp": "2026-01-02T03:04:05.402197Z", "ключ": "значение \"q\" \\ \n \u{1f600}"},
            "data": STANDARD.encode(BROKEN), "messageId": "7001", "publishTime": "2026-01-02T03:04:07.5Z",
        },
        "subscription": "projects/test-project/subscriptions/pixel-push",
    });
    assert_eq!(service.push(delivery.to_string()).await.status, 204);
    let dead_letter = bigquery.rows("dead_letters").await.remove(0);
    let columns: Vec<Value> = schema_file().as_array().unwrap().iter().map(|column| column["name"].clone()).collect();
    assert_eq!(dead_letter.keys().cloned().map(Value::from).collect::<std::collections::HashSet<_>>(), columns.into_iter().collect());
    assert_eq!(dead_letter["event_id"].as_str().unwrap().len(), 32);
    let received = time(&dead_letter["received_timestamp"]);
    assert!((began..=jiff::Timestamp::now()).contains(&received) || began.as_second() == received.as_second(), "{received}");
    assert_eq!(dead_letter["reason"], "bad_json");
    assert!(dead_letter["detail"].as_str().unwrap().contains("JSON"), "{}", dead_letter["detail"]);
    assert_eq!(dead_letter["column"], Value::Null);
    assert_eq!(dead_letter["data"], STANDARD.encode(BROKEN));
    assert_eq!((&dead_letter["message_id"], &dead_letter["publish_time"]), (&json!("7001"), &json!("2026-01-02T03:04:07.5Z")));
    let attributes: Value = serde_json::from_str(dead_letter["attributes"].as_str().unwrap()).unwrap();
    assert_eq!(attributes, delivery["message"]["attributes"]);
    assert_eq!(dead_letter["delivery_attempt"], "5");
}

#[tokio::test]
async fn invalid_base64_is_stored_unchanged() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push(r#"{"message":{"data":"GCP Functions \u0000%","messageId":"1"}}"#).await.status, 204);
    assert_eq!(bigquery.rows("dead_letters").await[0]["data"], "GCP Functions \0%");
}

#[tokio::test]
async fn an_unwrapped_message_is_stored_as_base64() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let metadata = [
        ("x-goog-pubsub-message-id", "7001"),
        ("x-goog-pubsub-publish-time", "2026-01-02T03:04:07.5Z"),
        ("x-goog-pubsub-delivery-attempt", "3"),
    ];
    assert_eq!(service.push_with_headers(&b"\xff\x00not JSON"[..], &metadata).await.status, 204);
    let dead_letter = bigquery.rows("dead_letters").await.remove(0);
    assert_eq!(dead_letter["data"], STANDARD.encode(b"\xff\x00not JSON"));
    assert_eq!((&dead_letter["message_id"], &dead_letter["delivery_attempt"]), (&json!("7001"), &json!("3")));
    assert_eq!(dead_letter["publish_time"], "2026-01-02T03:04:07.5Z");
}

/// BigQuery refuses such a time in a partitioned table. In other tables it would create a table for that day.
#[tokio::test]
async fn a_forged_time_affects_no_other_row() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_SUFFIX", "_{date}")]).await;
    bigquery.wait_for_table("dead_letters").await;
    let now = Timestamp::now();
    let ago = |hours| (now - SignedDuration::from_hours(hours)).to_string();
    let forged = ["0001-01-01T00:00:00Z".to_owned(), "9999-12-31T23:59:59Z".to_owned(), ago(24 * 3654), ago(-26)];
    let good = [ago(24 * 3652), ago(0), ago(-24)];
    let mut pushes = tokio::task::JoinSet::new();
    let http = http::client();
    for time in forged.iter().chain(&good).cycle().take(7 * 10) {
        let push = http.post(&service.url).body(Entry::of_query("user_id=u").with("/timestamp", json!(time)).pushed());
        pushes.spawn(async move { push.send().await.unwrap().status().as_u16() });
    }
    assert!(pushes.join_all().await.iter().all(|status| *status == 204));
    assert_eq!(bigquery.events().await.len(), 30);
    let dead_letters = bigquery.rows("dead_letters").await;
    assert_eq!(dead_letters.len(), 40);
    for dead_letter in dead_letters {
        assert_eq!(dead_letter["reason"], "timestamp_out_of_range");
        let detail = dead_letter["detail"].as_str().unwrap();
        assert!(detail.contains("ten years ago") || detail.contains("25 hours ahead"), "{detail}");
    }
    let tables = bigquery.tables().await;
    assert!(!tables.iter().any(|table| table.ends_with("_00010101") || table.ends_with("_99991231")), "{tables:?}");
}

/// The row contains the whole message, but a list of details must not show user ids.
#[tokio::test]
async fn the_detail_does_not_quote_an_unreadable_message() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let url = "https://track.example.com/pixel.png?user_id=planted";
    let unreadable = [
        format!("{{\"httpRequest\":\"{url}\"}}"),
        format!("{{\"httpRequest\":[\"{url}\""),
        format!("\"{url}\""),
        format!("{{\"{url}\":"),
        url.to_owned(),
    ];
    for (count, data) in unreadable.iter().enumerate() {
        assert_eq!(service.push(wrapped(data.as_bytes(), &count.to_string())).await.status, 204, "{data}");
        let dead_letter = bigquery.rows("dead_letters").await.remove(count);
        let detail = dead_letter["detail"].as_str().unwrap();
        assert!(!detail.is_empty() && !detail.contains("planted"), "{data}: {detail}");
    }
}

#[tokio::test]
async fn a_refused_row_becomes_a_dead_letter_that_can_be_replayed() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_SUFFIX", "")]).await;
    let entry = Entry::of_query("user_id=u");
    bigquery.faults().next_on("pixel", Fault::RowInvalid { index: 0 });
    let delivery = entry.pushed();
    assert_eq!(service.push(delivery.clone()).await.status, 204);
    assert!(bigquery.rows("pixel").await.is_empty());
    let dead_letter = bigquery.rows("dead_letters").await.remove(0);
    assert_eq!(dead_letter["reason"], "invalid");
    assert!(
        dead_letter["detail"].as_str().unwrap().contains("Rejected by an injected fault."),
        "BigQuery's error message: {}",
        dead_letter["detail"]
    );
    let data = STANDARD.decode(dead_letter["data"].as_str().unwrap()).unwrap();
    assert_eq!(service.push(wrapped(&data, "replayed")).await.status, 204);
    assert_eq!(bigquery.rows("pixel").await[0]["event_id"], dead_letter["event_id"], "the event id is computed from the entry");
}

#[tokio::test]
async fn a_message_is_acknowledged_after_its_dead_letter_is_stored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "1s")]).await;
    let delivery = wrapped(BROKEN.as_bytes(), "1");
    for fault in [
        Fault::Status(Status::new(503, "backendError")),
        Fault::Status(Status::new(403, "accessDenied")),
        Fault::Status(Status::new(400, "invalid")),
        Fault::RowInvalid { index: 0 },
        Fault::ResetBefore,
    ] {
        bigquery.faults().always_on("dead_letters", fault.clone());
        assert_eq!(service.push(delivery.clone()).await.status, 503, "{fault:?}");
        assert!(bigquery.rows("dead_letters").await.is_empty(), "{fault:?}");
    }
    assert!(service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"dead_letter_not_stored\"}").await >= 5.0);
    bigquery.faults().always(None);
    assert_eq!(service.push(delivery).await.status, 204);
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
}

#[tokio::test]
async fn a_missing_dead_letter_table_delays_no_other_message() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "2s")]).await;
    bigquery.wait_for_table("dead_letters").await;
    bigquery.delete_table("dead_letters").await;
    assert_eq!(service.push(wrapped(BROKEN.as_bytes(), "1")).await.status, 503);
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    bigquery.create_table("dead_letters", schema_file()).await;
    assert_eq!(service.push(wrapped(BROKEN.as_bytes(), "1")).await.status, 204);
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
}

/// A message may have 10 MB, an insertAll request too, and base64 takes a third more.
#[tokio::test]
async fn a_message_too_large_for_a_dead_letter_is_not_acknowledged() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push(wrapped(&vec![b'x'; 10_000_000], "1")).await.status, 503);
    assert!(bigquery.rows("dead_letters").await.is_empty());
    assert_eq!(service.push(wrapped(BROKEN.as_bytes(), "2")).await.status, 204, "the service still runs");
}

#[tokio::test]
async fn a_rejected_message_delivered_twice_is_one_dead_letter() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for message_id in ["1", "1", "2"] {
        assert_eq!(service.push(wrapped(BROKEN.as_bytes(), message_id)).await.status, 204);
    }
    assert_eq!(bigquery.rows("dead_letters").await.len(), 2);
}

#[tokio::test]
async fn the_dead_letter_table_can_have_another_name() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("DEAD_LETTER_TABLE", "rejected")]).await;
    assert_eq!(service.push(wrapped(BROKEN.as_bytes(), "1")).await.status, 204);
    assert_eq!(bigquery.rows("rejected").await.len(), 1);
    assert_eq!(bigquery.tables().await, ["pixel", "rejected"]);
}
