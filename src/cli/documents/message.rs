//! The messages in a document: a log entry, the body of a push, the answer of a pull, a row of the dead-letter table, or
//! a list of those in an answer of an API.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::snake_case::to_camel_case;
use super::unusable::Unusable;
use crate::decode::json::{self, Object, Scalar};
use crate::decode::log_entry::LogEntry;
use crate::decode::message::MessageData;
use crate::decode::{PubsubMessage, RejectReason};
use crate::source::delivery;

/// A message that owns its parts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    payload: Payload,
    message_id: Option<String>,
    publish_time: Option<String>,
    attributes: Option<String>,
    delivery_attempt: Option<i64>,
}

#[derive(Debug, PartialEq, Eq)]
enum Payload {
    /// A log entry, if the message is valid.
    Bytes(Vec<u8>),
    /// Text that should be base64.
    Invalid(String),
}

/// The messages in a document. A document of an unknown form is one message, which cannot be decoded.
pub(crate) fn messages(text: &[u8]) -> Vec<Message> {
    match json::read::<Members<'_>>(text).ok().and_then(|members| members.list()) {
        Some(elements) => elements.iter().map(|element| Message::of_object(element.get().as_bytes())).collect(),
        None => vec![Message::of_object(text)],
    }
}

impl Message {
    /// A message with this payload.
    pub(crate) fn raw(payload: Vec<u8>) -> Self {
        Self { payload: Payload::Bytes(payload), message_id: None, publish_time: None, attributes: None, delivery_attempt: None }
    }

    /// The message in one JSON object.
    pub(crate) fn of_object(text: &[u8]) -> Self {
        let row = json::read::<Members<'_>>(text).ok().and_then(|members| members.row());
        row.unwrap_or_else(|| Self::of(delivery::read_line(text))).in_camel_case()
    }

    fn of(message: PubsubMessage<'_>) -> Self {
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        let payload = match message.data.bytes() {
            Ok(bytes) => Payload::Bytes(bytes.into_owned()),
            Err(_) => Payload::of_text(message.data.base64().to_string()),
        };
        Self {
            payload,
            message_id: owned(message.message_id),
            publish_time: owned(message.publish_time),
            attributes: owned(message.attributes),
            delivery_attempt: message.delivery_attempt,
        }
    }

    fn in_camel_case(mut self) -> Self {
        if let Payload::Bytes(bytes) = &self.payload
            && let Some(entry) = to_camel_case(bytes)
        {
            self.payload = Payload::Bytes(entry);
        }
        self
    }

    /// As the decoder takes it.
    pub(crate) fn as_pubsub(&self) -> PubsubMessage<'_> {
        PubsubMessage {
            data: match &self.payload {
                Payload::Bytes(bytes) => MessageData::Raw(bytes.into()),
                Payload::Invalid(text) => MessageData::Base64(text.into()),
            },
            message_id: self.message_id.as_deref().map(Cow::Borrowed),
            publish_time: self.publish_time.as_deref().map(Cow::Borrowed),
            attributes: self.attributes.as_deref().map(Cow::Borrowed),
            delivery_attempt: self.delivery_attempt,
        }
    }

    /// The size of the payload.
    pub(crate) fn bytes(&self) -> usize {
        match &self.payload {
            Payload::Bytes(bytes) => bytes.len(),
            Payload::Invalid(text) => text.len(),
        }
    }

    /// Whether it has the log entry of a request. The settings may still exclude the entry.
    pub(crate) fn check(&self) -> Result<(), Unusable> {
        let unusable = |reason: RejectReason, detail: &str| Err(Unusable { reason: reason.as_str(), detail: detail.to_owned() });
        let bytes = match &self.payload {
            Payload::Bytes(bytes) if bytes.is_empty() => return unusable(RejectReason::NoData, "the message has no data"),
            Payload::Bytes(bytes) => bytes,
            Payload::Invalid(_) => return unusable(RejectReason::BadBase64, "the data of the message is not base64"),
        };
        match json::read::<LogEntry<'_>>(bytes) {
            Ok(LogEntry { http_request: Some(Object(request)), .. }) if request.request_url.text().is_some() => Ok(()),
            Ok(_) => unusable(RejectReason::NoRequestUrl, "it is not the log entry of a request: it has no httpRequest.requestUrl"),
            Err(error) => unusable(RejectReason::BadJson, &format!("it is not the JSON of a log entry: {}", json::describe(&error))),
        }
    }
}

impl Payload {
    /// `data` as text. Some tools decode it: then it is the entry itself, which no base64 looks like.
    fn of_text(text: String) -> Self {
        if text.trim_start().starts_with('{') {
            return Self::Bytes(text.into_bytes());
        }
        match MessageData::Base64(text.as_str().into()).bytes() {
            Ok(bytes) => Self::Bytes(bytes.into_owned()),
            Err(_) => Self::Invalid(text),
        }
    }
}

/// The members that distinguish the forms.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Members<'a> {
    #[serde(borrow, rename = "httpRequest")]
    http_request: Option<&'a RawValue>,
    #[serde(borrow, rename = "http_request")]
    http_request_snake: Option<&'a RawValue>,
    /// A push or pull.
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    /// A message, a row of the dead-letter table, or an event.
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow, rename = "messageId")]
    message_id: Scalar<'a>,
    #[serde(borrow, rename = "message_id")]
    message_id_snake: Scalar<'a>,
    #[serde(borrow, rename = "publishTime")]
    publish_time: Scalar<'a>,
    #[serde(borrow, rename = "publish_time")]
    publish_time_snake: Scalar<'a>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    #[serde(borrow)]
    delivery_attempt: Scalar<'a>,
    /// The answer of `entries.list`.
    #[serde(borrow)]
    entries: Option<&'a RawValue>,
    /// The answer of a pull.
    #[serde(borrow, rename = "receivedMessages")]
    received_messages: Option<&'a RawValue>,
    #[serde(borrow, rename = "received_messages")]
    received_messages_snake: Option<&'a RawValue>,
    /// The body of a publish request.
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
}

impl<'a> Members<'a> {
    /// The elements, if the document is a list of documents.
    fn list(&self) -> Option<Vec<&'a RawValue>> {
        if self.http_request.is_some() || self.message.is_some() || self.data.is_some() {
            return None;
        }
        let list = self.entries.or(self.received_messages).or(self.received_messages_snake).or(self.messages)?;
        serde_json::from_str(list.get()).ok()
    }

    /// The message in a row of the dead-letter table or of another table of messages, or a message without a wrapper.
    fn row(self) -> Option<Message> {
        if self.message.is_some() || self.http_request.is_some() {
            return None;
        }
        let owned = |first: Scalar<'_>, second: Scalar<'_>| first.non_empty().or(second.non_empty()).map(Cow::into_owned);
        Some(Message {
            payload: payload_of_row(self.data?)?,
            message_id: owned(self.message_id, self.message_id_snake),
            publish_time: owned(self.publish_time, self.publish_time_snake),
            attributes: self.attributes.and_then(attributes),
            delivery_attempt: self.delivery_attempt.get().and_then(|attempt| attempt.parse().ok()),
        })
    }
}

/// Member `data` of a row: base64, text, or the log entry itself. `None` for an event, whose data is a message.
fn payload_of_row(data: &RawValue) -> Option<Payload> {
    let json = data.get().as_bytes();
    match json {
        b"null" => Some(Payload::Bytes(Vec::new())),
        [b'"', ..] => serde_json::from_slice(json).ok().map(Payload::of_text),
        _ => {
            let members: Members<'_> = json::read(json).ok()?;
            (members.http_request.is_some() || members.http_request_snake.is_some()).then(|| Payload::Bytes(json.into()))
        }
    }
}

/// A JSON object, which BigQuery's tools write as text, too.
fn attributes(value: &RawValue) -> Option<String> {
    let text = serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned());
    text.starts_with('{').then_some(text)
}
