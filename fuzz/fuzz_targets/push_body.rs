//! A request's body and headers, as they come from the network, to the message in them.

#![no_main]

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::PubsubMessage;
use pixel_pipeline::decode::message::MessageData;
use pixel_pipeline::source::delivery::{self, DeliveryError};
use pixel_pipeline::source::http::trace_context::TraceId;
use pixel_pipeline_fuzz::fields::Fields;
use serde_json::Value;

/// What an error says is shown to the sender and logged. It must not be what was sent.
const LONGEST_ERROR: usize = 200;

fuzz_target!(|body: &[u8]| {
    let alone = delivery::read_body(body);
    let line = delivery::read_line(body);
    match &alone {
        Ok(message) => {
            check(message, body);
            assert!(same(message, &line), "a line of a file is read as a body");
            assert!(same(message, &delivery::read(&HeaderMap::new(), body).expect("a delivery")), "without headers the result is the same");
        }
        Err(error) => {
            assert!(matches!(line.data, MessageData::Raw(raw) if *raw == *body), "a line that is not a push body is a payload");
            assert!(error.to_string().len() < LONGEST_ERROR, "{error}");
            assert_eq!(body.is_empty(), *error == DeliveryError::Empty);
            assert_eq!(delivery::read(&HeaderMap::new(), body).err().as_ref(), Some(error));
        }
    }
    let named = HeaderMap::from_iter([
        (HeaderName::from_static("x-goog-pubsub-message-id"), HeaderValue::from_static("7001")),
        (HeaderName::from_static("x-goog-pubsub-delivery-attempt"), HeaderValue::from_static("3")),
    ]);
    let message = delivery::read(&named, body).expect("a header names a message");
    check(&message, body);
    assert!(message.message_id.is_some() && message.delivery_attempt.is_some());
    if let Ok(alone) = &alone {
        assert_eq!(alone.message_id.is_none(), message.message_id.as_deref() == Some("7001") && alone.message_id.is_none());
    }
    check_headers(body);
});

/// Checks of every message.
fn check(message: &PubsubMessage<'_>, body: &[u8]) {
    match &message.data {
        MessageData::Raw(raw) => assert_eq!(**raw, *body, "unwrapped, the body is the payload"),
        // The base64 of a structured event may be encoded again.
        MessageData::Base64(text) => assert!(text.len() <= body.len() + 4),
    }
    let texts = [&message.message_id, &message.publish_time, &message.attributes];
    for text in texts.into_iter().flatten() {
        assert!(!text.is_empty() && text.len() <= body.len().max(4), "{text}");
    }
    if let Some(attributes) = &message.attributes {
        // Numbers may be out of range for every library.
        assert!(attributes.starts_with('{') && attributes.ends_with('}'), "{attributes}");
    }
}

fn same(one: &PubsubMessage<'_>, other: &PubsubMessage<'_>) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

/// Checks the same bytes as header values.
fn check_headers(bytes: &[u8]) {
    let mut fields = Fields(bytes);
    let mut headers = HeaderMap::new();
    for name in ["x-goog-pubsub-message-id", "ce-id", "x-goog-pubsub-publish-time", "traceparent", "x-cloud-trace-context"] {
        if let Ok(value) = HeaderValue::from_bytes(fields.line().as_bytes()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    if let Some(trace) = TraceId::of(&headers) {
        let digits = trace.into_string();
        assert!(digits.len() == 32 && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{digits}");
    }
    let entry = br#"{"logName":"l"}"#;
    let message = delivery::read(&headers, entry).expect("an entry is a delivery");
    assert!(matches!(message.data, MessageData::Raw(raw) if *raw == *entry));
    let own = headers.get("x-goog-pubsub-message-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let events = headers.get("ce-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    assert_eq!(message.message_id.as_deref(), own.or(events));
    let _: Value = serde_json::from_slice(entry).expect("JSON");
}
