//! Reads the `PubsubMessage` in an HTTP request, in any of its wrappings.
//!
//! | shape | recognized by |
//! |---|---|
//! | wrapped push, Eventarc in binary mode | member `message` |
//! | CloudEvent in structured mode | member `data` with a `message`, or `data_base64` |
//! | background function (flat, or with `context`) | member `data` with the PubsubMessage's own members |
//! | unwrapped push | the body is a log entry, or anything else beside an `x-goog-pubsub-message-id` |
//!
//! Content-Type is ignored: the emulator sends unwrapped messages as a web form, and other senders differ too.
//! The decoder checks the payload, not this file.
//!
//! Shapes: <https://cloud.google.com/pubsub/docs/push#receive_push>,
//! <https://cloud.google.com/pubsub/docs/payload-unwrapping>,
//! <https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/pubsub/v1/data.proto>,
//! <https://cloud.google.com/functions/docs/writing/write-event-driven-functions#background-functions>.

use std::borrow::Cow;

use axum::http::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::base64_text::Base64Text;
use crate::decode::json::{self, Object, Scalar};
use crate::decode::message::{MessageData, PubsubMessage};

/// Why a request does not contain a Pub/Sub message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    #[error("the body is empty and no x-goog-pubsub header names a message")]
    Empty,
    #[error("the body is not JSON ({0}) and no x-goog-pubsub header names a message")]
    NotJson(String),
    #[error("the body has no member `message` (push, Eventarc) or `data` (CloudEvent, background function), and is not a log entry")]
    NoMessage,
    #[error("the Pub/Sub message is malformed: {0}")]
    BadMessage(String),
}

/// Finds the message in a push request.
pub fn read<'a>(headers: &'a HeaderMap, body: &'a [u8]) -> Result<PubsubMessage<'a>, DeliveryError> {
    let mut message = match read_body(body) {
        Ok(message) => message,
        // A message without a wrapper can have any payload.
        Err(_) if header(headers, "x-goog-pubsub-message-id").is_some() => PubsubMessage::raw(body),
        Err(error) => return Err(error),
    };
    // An unwrapped push and Eventarc write in headers what the body lacks.
    if message.message_id.is_none() {
        message.message_id = header(headers, "x-goog-pubsub-message-id").or(header(headers, "ce-id")).map(Cow::from);
    }
    if message.publish_time.is_none() {
        message.publish_time = header(headers, "x-goog-pubsub-publish-time").or(header(headers, "ce-time")).map(Cow::from);
    }
    if message.delivery_attempt.is_none() {
        message.delivery_attempt = header(headers, "x-goog-pubsub-delivery-attempt").and_then(|attempt| attempt.parse().ok());
    }
    Ok(message)
}

/// Finds the message in a body alone.
pub fn read_body(body: &[u8]) -> Result<PubsubMessage<'_>, DeliveryError> {
    if body.is_empty() {
        return Err(DeliveryError::Empty);
    }
    let envelope: Envelope<'_> = match json::read(body) {
        Ok(envelope) => envelope,
        Err(error) if error.is_data() => return Err(DeliveryError::BadMessage(json::describe(&error))),
        Err(error) => return Err(DeliveryError::NotJson(json::describe(&error))),
    };
    let attempt = envelope.delivery_attempt.get().or(envelope.delivery_attempt_snake.get()).and_then(|attempt| attempt.parse().ok());
    if let Some(Object(message)) = envelope.message {
        return Ok(message.into_message(attempt));
    }
    if let Some(data) = envelope.data {
        let (context_id, context_time) = match envelope.context {
            Some(Object(context)) => (context.event_id, context.timestamp),
            None => (envelope.event_id, envelope.timestamp),
        };
        let id = context_id.non_empty().or(envelope.id.non_empty());
        let time = context_time.non_empty().or(envelope.time.non_empty());
        return read_event_data(data, id, time);
    }
    if let Some(data) = envelope.data_base64.non_empty() {
        return read_event_base64(&data, envelope.id.non_empty(), envelope.time.non_empty());
    }
    if envelope.http_request.is_some() || envelope.log_name.is_some() || envelope.insert_id.is_some() {
        return Ok(PubsubMessage::raw(body));
    }
    Err(DeliveryError::NoMessage)
}

/// The message in a line of a file: the body of a push, else the payload itself.
pub fn read_line(line: &[u8]) -> PubsubMessage<'_> {
    read_body(line).unwrap_or_else(|_| PubsubMessage::raw(line))
}

/// Member `data` of an event: a whole push body in a CloudEvent, a bare message in a background
/// function's event. Its id and time are the event's.
fn read_event_data<'a>(
    data: &'a RawValue,
    id: Option<Cow<'a, str>>,
    time: Option<Cow<'a, str>>,
) -> Result<PubsubMessage<'a>, DeliveryError> {
    let Object(data): Object<EventData<'_>> =
        serde_json::from_str(data.get()).map_err(|error| DeliveryError::BadMessage(json::describe(&error)))?;
    let attempt = data.delivery_attempt.get().and_then(|attempt| attempt.parse().ok());
    let wire = match data.message {
        Some(Object(message)) => message,
        None if data.data.is_some() || data.attributes.is_some() => {
            WireMessage { data: data.data, attributes: data.attributes, ..WireMessage::default() }
        }
        None => return Err(DeliveryError::NoMessage),
    };
    let mut message = wire.into_message(attempt);
    message.message_id = message.message_id.or(id);
    message.publish_time = message.publish_time.or(time);
    Ok(message)
}

/// Member `data_base64` of a CloudEvent. No Google service writes it, so it is not borrowed.
fn read_event_base64<'a>(data: &str, id: Option<Cow<'a, str>>, time: Option<Cow<'a, str>>) -> Result<PubsubMessage<'a>, DeliveryError> {
    let bytes = MessageData::Base64(data.into()).bytes().map_err(|error| DeliveryError::BadMessage(error.to_string()))?.into_owned();
    let raw: Box<RawValue> = serde_json::from_slice(&bytes).map_err(|error| DeliveryError::BadMessage(json::describe(&error)))?;
    let message = read_event_data(&raw, id.clone(), time.clone())?;
    let data = message.data.to_owned();
    Ok(message.with_owned(data))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

/// The top-level members, which distinguish the shapes. Some senders write a member in two spellings at once, which a
/// serde alias does not accept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow, default)]
    message: Option<Object<WireMessage<'a>>>,
    #[serde(borrow, default)]
    delivery_attempt: Scalar<'a>,
    #[serde(borrow, default, rename = "delivery_attempt")]
    delivery_attempt_snake: Scalar<'a>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "data_base64")]
    data_base64: Scalar<'a>,
    #[serde(borrow, default)]
    context: Option<Object<Context<'a>>>,
    #[serde(borrow, default)]
    event_id: Scalar<'a>,
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
    #[serde(borrow, default)]
    id: Scalar<'a>,
    #[serde(borrow, default)]
    time: Scalar<'a>,
    #[serde(borrow, default)]
    http_request: Option<&'a RawValue>,
    #[serde(borrow, default)]
    log_name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    insert_id: Option<&'a RawValue>,
}

/// Member `context` of a background function's event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    #[serde(borrow, default)]
    event_id: Scalar<'a>,
    #[serde(borrow, default)]
    timestamp: Scalar<'a>,
}

/// Member `data` of either kind of event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EventData<'a> {
    #[serde(borrow, default)]
    message: Option<Object<WireMessage<'a>>>,
    #[serde(borrow, default)]
    delivery_attempt: Scalar<'a>,
    #[serde(borrow, default)]
    data: Option<Base64Text<'a>>,
    #[serde(borrow, default)]
    attributes: Option<&'a RawValue>,
}

/// A `PubsubMessage` in JSON. `orderingKey` and `@type` are ignored.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireMessage<'a> {
    #[serde(borrow)]
    data: Option<Base64Text<'a>>,
    #[serde(borrow)]
    message_id: Scalar<'a>,
    #[serde(borrow, rename = "message_id")]
    message_id_snake: Scalar<'a>,
    #[serde(borrow)]
    publish_time: Scalar<'a>,
    #[serde(borrow, rename = "publish_time")]
    publish_time_snake: Scalar<'a>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
}

impl<'a> WireMessage<'a> {
    fn into_message(self, delivery_attempt: Option<i64>) -> PubsubMessage<'a> {
        PubsubMessage {
            data: MessageData::Base64(self.data.map(|Base64Text(text)| text).unwrap_or_default()),
            message_id: self.message_id.non_empty().or(self.message_id_snake.non_empty()),
            publish_time: self.publish_time.non_empty().or(self.publish_time_snake.non_empty()),
            attributes: self.attributes.map(RawValue::get).filter(|json| json.starts_with('{')).map(Cow::from),
            delivery_attempt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(body: &str) -> (Option<String>, Option<String>, Option<i64>) {
        let message = read_body(body.as_bytes()).unwrap();
        (message.message_id.map(Cow::into_owned), message.publish_time.map(Cow::into_owned), message.delivery_attempt)
    }

    #[test]
    fn both_spellings_of_a_member_are_read() {
        let expected = (Some("1".into()), Some("t".into()), Some(2));
        for body in [
            r#"{"message":{"data":"e30=","messageId":"1","publishTime":"t"},"deliveryAttempt":2}"#,
            r#"{"message":{"data":"e30=","message_id":"1","publish_time":"t"},"delivery_attempt":2}"#,
            r#"{"message":{"data":"e30=","messageId":"1","message_id":"1","publishTime":"t","publish_time":"t"},"deliveryAttempt":"2"}"#,
        ] {
            assert_eq!(ids(body), expected, "{body}");
        }
    }

    #[test]
    fn a_message_without_id_and_time_has_those_of_its_event() {
        let expected = (Some("e".into()), Some("t".into()), None);
        for body in [
            r#"{"context":{"eventId":"e","timestamp":"t"},"data":{"data":"e30=","attributes":null}}"#,
            r#"{"eventId":"e","timestamp":"t","data":{"@type":"x","data":"e30="}}"#,
            r#"{"specversion":"1.0","id":"e","time":"t","data":{"message":{"data":"e30="}}}"#,
            r#"{"specversion":"1.0","id":"e","time":"t","data_base64":"eyJtZXNzYWdlIjp7ImRhdGEiOiJlMzA9In19"}"#,
        ] {
            assert_eq!(ids(body), expected, "{body}");
        }
    }

    #[test]
    fn base64_without_escapes_is_borrowed() {
        let data = |body: &'static str| match read_body(body.as_bytes()).unwrap().data {
            MessageData::Base64(text) => text,
            MessageData::Raw(_) => panic!("not wrapped"),
        };
        assert!(matches!(data(r#"{"message":{"data":"\/\/4AAWJpbmFyeQ=="}}"#), Cow::Owned(text) if text == "//4AAWJpbmFyeQ=="));
        assert!(matches!(data(r#"{"message":{"data":"//4AAWJpbmFyeQ=="}}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn metadata_headers_do_not_unwrap_a_message() {
        let headers = HeaderMap::from_iter([("x-goog-pubsub-message-id".parse().unwrap(), "2".parse().unwrap())]);
        let message = read(&headers, br#"{"message":{"data":"e30=","messageId":"1"}}"#).unwrap();
        assert!(matches!(message.data, MessageData::Base64(_)));
        assert_eq!(message.message_id.as_deref(), Some("1"));
    }

    #[test]
    fn a_body_without_message_is_an_error() {
        for (body, expected) in [
            ("", DeliveryError::Empty),
            ("{}", DeliveryError::NoMessage),
            (r#"{"data":{"user_id":"1"}}"#, DeliveryError::NoMessage),
            (r#"{"message":null}"#, DeliveryError::NoMessage),
        ] {
            assert_eq!(read_body(body.as_bytes()).unwrap_err(), expected, "{body}");
        }
        assert!(matches!(read_body(br#"{"message":{"data":"e30"#), Err(DeliveryError::NotJson(_))));
        assert!(matches!(read_body(br#"{"message":"text"}"#), Err(DeliveryError::BadMessage(_))));
        assert!(matches!(read_body(b"[1]"), Err(DeliveryError::BadMessage(_))));
        assert!(matches!(read_body(b"hello"), Err(DeliveryError::NotJson(_))));
    }
}
