//! Every push format stores the same row. Bodies without a message are rejected.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Entry, Service, TestBigQuery, fixture, wrapped};

const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");
const WEB_FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("content-type", "application/json");

/// The headers of Eventarc in binary mode.
const EVENT: [(&str, &str); 7] = [
    JSON,
    ("ce-specversion", "1.0"),
    ("ce-type", "google.cloud.pubsub.topic.v1.messagePublished"),
    ("ce-source", "//pubsub.googleapis.com/projects/example-shop/topics/pixel"),
    ("ce-id", "7001"),
    ("ce-time", "2026-01-02T03:04:07.5Z"),
    ("user-agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"),
];

/// `--push-no-wrapper-write-metadata`.
const METADATA: [(&str, &str); 4] = [
    WEB_FORM,
    ("x-goog-pubsub-message-id", "7001"),
    ("x-goog-pubsub-publish-time", "2026-01-02T03:04:07.5Z"),
    ("x-goog-pubsub-subscription-name", "projects/example-shop/subscriptions/pixel-push"),
];

#[tokio::test]
async fn every_push_format_stores_the_same_row() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let shapes: [(&str, &[(&str, &str)]); 26] = [
        ("wrapped", &[JSON]),
        ("wrapped", &[WEB_FORM]),
        ("wrapped", &[("content-type", "text/plain")]),
        ("wrapped", &[]),
        ("wrapped_by_the_emulator", &[JSON]),
        ("wrapped_in_camel_case", &[JSON]),
        ("wrapped_in_snake_case", &[JSON]),
        ("wrapped_with_ordering_key_and_type", &[JSON]),
        ("wrapped_with_an_id_of_another_name", &[JSON]),
        ("wrapped_and_nothing_else", &[JSON]),
        ("wrapped_in_url_safe_base64", &[JSON]),
        ("wrapped_in_unpadded_base64", &[JSON]),
        ("wrapped_in_url_safe_unpadded_base64", &[JSON]),
        ("forwarded_by_a_dead_letter_topic", &[JSON]),
        ("unwrapped", &[WEB_FORM]),
        ("unwrapped", &[JSON]),
        ("unwrapped", &METADATA),
        ("unwrapped_with_escaped_slashes", &[WEB_FORM]),
        ("event_in_binary_mode", &EVENT),
        ("event_in_structured_mode", &[("content-type", "application/cloudevents+json")]),
        ("event_in_structured_mode_without_ids", &[("content-type", "application/cloudevents+json; charset=utf-8")]),
        ("event_in_structured_mode_in_base64", &[JSON]),
        ("background_with_context", &[JSON]),
        ("background_with_context_and_no_attributes", &[JSON]),
        ("background_flat", &[JSON]),
        ("background_flat_of_the_first_kind", &[JSON]),
    ];
    for (count, (name, headers)) in shapes.into_iter().enumerate() {
        let answer = service.push_with_headers(fixture(&format!("deliveries/{name}.json")), headers).await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{name} {headers:?}");
        let rows = bigquery.rows("pixel").await;
        assert_eq!(rows.len(), count + 1, "{name} {headers:?}");
        assert_eq!(rows[count], rows[0], "{name} {headers:?}");
        // All formats deliver the same entry, which BigQuery would deduplicate.
        bigquery.faults().advance_clock(Duration::from_secs(61));
    }
    let row = &bigquery.rows("pixel").await[0];
    assert_eq!((&row["user_id"], &row["order_id"]), (&json!("507f1f77bcf86cd799439011"), &json!("42")));
}

#[tokio::test]
async fn id_and_time_are_read_in_every_push_format() {
    let columns = json!([
        {"name": "user_id", "type": "STRING"},
        {"name": "event_timestamp", "type": "TIMESTAMP"},
        {"name": "pubsub_message_id", "type": "STRING"},
    ]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id"), ONE_TABLE]).await;
    let shapes: [(&str, &[(&str, &str)]); 11] = [
        ("wrapped", &[JSON]),
        ("wrapped_in_camel_case", &[JSON]),
        ("wrapped_in_snake_case", &[JSON]),
        ("wrapped_and_nothing_else", &EVENT),
        ("unwrapped", &METADATA),
        ("event_in_structured_mode", &[JSON]),
        ("event_in_structured_mode_without_ids", &[JSON]),
        ("event_in_structured_mode_in_base64", &[JSON]),
        ("background_with_context", &[JSON]),
        ("background_flat", &[JSON]),
        ("background_flat_of_the_first_kind", &[JSON]),
    ];
    for (count, (name, headers)) in shapes.into_iter().enumerate() {
        assert_eq!(service.push_with_headers(fixture(&format!("deliveries/{name}.json")), headers).await.status, 204, "{name}");
        let rows = bigquery.rows("pixel").await;
        assert_eq!(rows[count]["pubsub_message_id"], "7001", "{name}");
        bigquery.faults().advance_clock(Duration::from_secs(61));
    }
}

/// Google's emulator writes each attribute as a header, whatever its characters. The name of Cloud Logging's only
/// attribute contains a `/`.
#[tokio::test]
async fn attributes_with_invalid_header_names_are_ignored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let entry = Entry::of_query("user_id=u").json();
    let head = format!(
        "POST / HTTP/1.1\r\n\
         logging.googleapis.com/timestamp: 2026-01-02T03:04:05.123456Z\r\n\
         emoji: \u{1f600}\r\n\
         x-goog-pubsub-message-id: 7001\r\n\
         x-goog-pubsub-publish-time: 2026-01-02T03:04:07.5Z\r\n\
         x-goog-pubsub-subscription-name: projects/example-shop/subscriptions/pixel-push\r\n\
         ключ: значение \"q\" \\ \n tab\t\r\n\
         User-Agent: Java/17.0.15\r\n\
         Host: 127.0.0.1\r\n\
         Accept: text/html, image/gif, image/jpeg, */*; q=0.2\r\n\
         Connection: close\r\n\
         Content-type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n",
        entry.len()
    );
    let answer = service.send_raw(&[head.as_bytes(), entry.as_bytes()].concat()).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert_eq!(bigquery.rows("pixel").await.len(), 1);
}

/// A message has at most a hundred attributes, of 256 and 1,024 bytes.
#[tokio::test]
async fn the_largest_attributes_of_pubsub_are_accepted() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let attributes: Vec<(String, String)> = (0..100).map(|i| (format!("x-{i:0>254}"), "v".repeat(1024))).collect();
    let headers: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(METADATA).collect();
    assert_eq!(service.push_with_headers(Entry::of_query("user_id=u").json(), &headers).await.status, 204);
    let mut body: Value = serde_json::from_str(&Entry::of_query("user_id=u").pushed()).unwrap();
    body["message"]["attributes"] =
        attributes.into_iter().map(|(name, value)| (name, Value::from(value))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(service.push(body.to_string()).await.status, 204);
    assert_eq!(bigquery.rows("pixel").await.len(), 2);
}

/// Messages of other topics and of public samples.
#[tokio::test]
async fn messages_without_a_request_log_entry_are_dead_letters() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for (body, reason) in [
        // "Hello, World!"
        (r#"{"message":{"attributes":{"key":"value"},"data":"SGVsbG8sIFdvcmxkIQ==","messageId":"1"},"subscription":"s"}"#, "bad_json"),
        (r#"{"message":{"data":"SGVsbG8sIFdvcmxkIQ=="}}"#, "bad_json"),
        // Four bytes that are not UTF-8, also with the emulator's escapes.
        (r#"{"message":{"data":"AQIDBA==","messageId":"2","publishTime":"2021-02-05T04:06:14.109Z"}}"#, "bad_json"),
        (r#"{"message":{"data":"\/\/4AAWJpbmFyeQ==","messageId":"3","attributes":{}}}"#, "bad_json"),
        // {"foo":"bar"}, {} and an entry of an audit log.
        (r#"{"message":{"data":"eyJmb28iOiJiYXIifQ==","messageId":"4"}}"#, "no_request_url"),
        (r#"{"message":{"data":"e30=","messageId":"5"}}"#, "no_request_url"),
        (
            r#"{"message":{"data":"eyJpbnNlcnRJZCI6IjEiLCJsb2dOYW1lIjoicHJvamVjdHMvcC9sb2dzL2F1ZGl0In0=","messageId":"6"}}"#,
            "no_request_url",
        ),
        // {"httpRequest":{"requestUrl":""}} and [1].
        (r#"{"message":{"data":"eyJodHRwUmVxdWVzdCI6eyJyZXF1ZXN0VXJsIjoiIn19","messageId":"7"}}"#, "no_request_url"),
        (r#"{"message":{"data":"WzFd","messageId":"8"}}"#, "bad_json"),
        (r#"{"message":{"data":"GCP Functions","messageId":"9"}}"#, "bad_base64"),
        (r#"{"message":{"data":"ABHPdSaxrhjAWA=","message_id":"10"}}"#, "bad_base64"),
        (r#"{"message":{"data":"Gopher\n","id":"test-123"}}"#, "bad_base64"),
        (r#"{"subscription":"s","message":{"data":"","message_id":"11"}}"#, "no_data"),
        (r#"{"subscription":"s","message":{"data":"","messageId":"12","attributes":{"only":"attrs"}}}"#, "no_data"),
        (r#"{"message":{"attributes":{},"messageId":"13"},"subscription":"s"}"#, "no_data"),
        (r#"{"message":{"data":null,"messageId":"14"}}"#, "no_data"),
        (r#"{"message":{"messageId":"15"}}"#, "no_data"),
        (r#"{"specversion":"1.0","id":"16","data":{"message":{"data":"10","messageId":"16"}}}"#, "bad_base64"),
        (r#"{"context":{"eventId":"17"},"data":{"@type":"t","attributes":null,"data":"test data"}}"#, "bad_base64"),
        (r#"{"eventId":"18","timestamp":"t","resource":{},"data":{"@type":"t","attributes":{"a":"b"}}}"#, "no_data"),
    ] {
        let answer = service.push(body).await;
        assert_eq!(answer.status, 204, "{body}: {}", answer.body);
        let letters = bigquery.rows("dead_letters").await;
        assert_eq!(letters.last().unwrap()["reason"], reason, "{body}");
        bigquery.faults().advance_clock(Duration::from_secs(61));
    }
    assert_eq!(bigquery.rows("dead_letters").await.len(), 20);
}

#[tokio::test]
async fn unwrapped_messages_with_metadata_can_have_any_payload() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let bodies: [(&[u8], &str); 4] = [
        (b"{\"a\":2}", "no_request_url"),
        (b"", "no_data"),
        (b"\xff\xfe\x00\x01binary", "bad_json"),
        ("h\u{e9}llo \u{2713}".as_bytes(), "bad_json"),
    ];
    for (count, (body, reason)) in bodies.into_iter().enumerate() {
        let id = count.to_string();
        let answer = service.push_with_headers(body, &[WEB_FORM, ("x-goog-pubsub-message-id", &id)]).await;
        assert_eq!(answer.status, 204, "{reason}");
        assert_eq!(bigquery.rows("dead_letters").await[count]["reason"], reason);
    }
}

#[tokio::test]
async fn bodies_without_message_are_rejected_with_the_reason() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let bodies: [&[u8]; 17] = [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"17",
        b"\"text\"",
        b"hello",
        b"user_id=1&type=click",
        b"{\"a\":2}",
        b"\xff\xfe\x00\x01binary",
        b"{\"message\":null}",
        b"{\"message\":\"text\"}",
        b"{\"message\":[]}",
        b"{\"message\":{\"data\":\"e30=\"",
        b"{\"data\":{\"user_id\":\"1\"}}",
        b"{\"data\":\"e30=\"}",
        b"{\"specversion\":\"1.0\",\"id\":\"1\",\"data_base64\":\"%\"}",
    ];
    for body in bodies {
        let answer = service.push(body).await;
        assert_eq!(answer.status, 400, "{}", String::from_utf8_lossy(body));
        assert!(!answer.body.is_empty(), "{}", String::from_utf8_lossy(body));
    }
    let count = service.metric("pixel_pipeline_deliveries_total{outcome=\"invalid_request\",reason=\"no_message\"}").await;
    assert_eq!(count, bodies.len() as f64);
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

const LIMIT: usize = 16 << 20;

/// A push body of that length, most of it in an ignored member.
fn body_of(length: usize) -> String {
    let body = Entry::of_query("user_id=u").pushed();
    let padded = |padding: usize| format!("{{\"padding\":\"{}\",{}", "x".repeat(padding), &body[1..]);
    padded(length - padded(0).len())
}

#[tokio::test]
async fn a_body_of_16_mebibytes_is_accepted() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    assert_eq!(service.push(body_of(LIMIT)).await.status, 204);
    assert_eq!(bigquery.rows("pixel").await.len(), 1);
}

#[tokio::test]
async fn longer_bodies_are_rejected_and_the_next_is_accepted() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    assert_eq!(service.push(body_of(LIMIT + 1)).await.status, 413);
    assert!(bigquery.rows("pixel").await.is_empty());
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
}

/// The largest log entry of Cloud Logging, with a query of more than a thousand parameters.
#[tokio::test]
async fn an_entry_of_256_kilobytes_is_stored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[ONE_TABLE]).await;
    let others: String = (0..20_000).map(|i| format!("&p{i}=x")).collect();
    let entry = Entry::of_query(&format!("user_id=u{others}&order_id=last")).json();
    assert_eq!(service.push(wrapped(entry.as_bytes(), "1")).await.status, 204);
    assert_eq!(bigquery.rows("pixel").await[0]["order_id"], "last");
}
