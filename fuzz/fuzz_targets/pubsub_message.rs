//! A message in every delivery format, and its base64.
//!
//! Lines: id, time, attempt, the value of an attribute; the rest is the payload.

#![no_main]

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::message::MessageData;
use pixel_pipeline::source::delivery;
use pixel_pipeline_fuzz::fields::Fields;
use serde_json::{Value, json};

fuzz_target!(|input: &[u8]| {
    check_base64(&String::from_utf8_lossy(input));
    let mut fields = Fields(input);
    let (id, time, attempt, attribute, data) = (fields.line(), fields.line(), fields.choice() as i64, fields.line(), fields.0);
    let attributes = json!({"a": attribute});
    for (at, spelling) in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().enumerate() {
        let text = spelling.encode(data);
        let message = json!({"data": text, "messageId": id, "publishTime": time, "attributes": attributes});
        let pushed = json!({"message": message, "deliveryAttempt": attempt, "subscription": "s"});
        let snake = json!({
            "message": {"data": text, "message_id": id, "publish_time": time, "attributes": attributes},
            "delivery_attempt": attempt.to_string(),
        });
        let structured = json!({"specversion": "1.0", "id": "e", "time": "e", "data": pushed});
        let structured_base64 = json!({"id": "e", "time": "e", "data_base64": spelling.encode(pushed.to_string())});
        let background = json!({"eventId": id, "timestamp": time, "data": {"data": text, "attributes": attributes}});
        let with_context = json!({"context": {"eventId": id, "timestamp": time}, "data": {"data": text, "attributes": attributes}});
        let shapes =
            [(pushed, true), (snake, true), (structured, true), (structured_base64, true), (background, false), (with_context, false)];
        for (shape, counts) in shapes {
            let body = shape.to_string();
            let message = delivery::read_body(body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body}"));
            assert_eq!(message.data.bytes().expect("base64"), data, "spelling {at}: {body}");
            // An event's own id and time stand in for those that a message leaves empty.
            let stands_in =
                |text: &str| (!text.is_empty()).then(|| text.to_owned()).or(body.contains("\"id\":\"e\"").then(|| "e".to_owned()));
            assert_eq!(message.message_id.as_deref(), stands_in(&id).as_deref(), "{body}");
            assert_eq!(message.publish_time.as_deref(), stands_in(&time).as_deref(), "{body}");
            assert_eq!(message.delivery_attempt, counts.then_some(attempt), "{body}");
            let sent: Value = serde_json::from_str(message.attributes.as_deref().expect("attributes")).expect("JSON");
            assert_eq!(sent, attributes, "{body}");
            assert_eq!(STANDARD.decode(STANDARD.encode(data)).ok().as_deref(), Some(data));
        }
    }
    // Without a wrapper: whatever is not one itself is the payload.
    let headers = HeaderMap::from_iter([(HeaderName::from_static("x-goog-pubsub-message-id"), HeaderValue::from_static("7001"))]);
    let message = delivery::read(&headers, data).expect("a header names a message");
    if let MessageData::Raw(raw) = message.data {
        assert_eq!(&*raw, data);
        assert_eq!(STANDARD.decode(MessageData::Raw(raw).base64().to_string()).ok().as_deref(), Some(data));
    }
});

/// Any text at all as base64.
fn check_base64(text: &str) {
    let data = MessageData::Base64(text.into());
    assert_eq!(data.base64().to_string(), text, "a dead letter keeps what came");
    let Ok(bytes) = data.bytes() else {
        let spellings = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
        assert!(spellings.iter().all(|spelling| spelling.decode(text).is_err()), "{text}");
        return;
    };
    // No two texts of one spelling are the same bytes, so that nothing can hide in the padding.
    let spelt = [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes), URL_SAFE.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)];
    assert!(spelt.iter().any(|spelling| spelling == text), "{text}");
    assert!(bytes.len() <= text.len());
}
