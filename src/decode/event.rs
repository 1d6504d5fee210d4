//! A log entry with its identity and its time. [`super::entry_columns`] has the columns that it fills.

use std::borrow::Cow;

use jiff::Timestamp;

use super::civil;
use super::event_id::EventId;
use super::json::{self, Object};
use super::log_entry::{HttpRequest, LogEntry};
use super::message::PubsubMessage;

/// A log entry with its identity and its time.
#[derive(Debug)]
pub struct Event<'a> {
    /// The same for every delivery of the entry.
    pub event_id: EventId,
    /// The time of the request, else of the message's publication, else now.
    pub time: Timestamp,
    pub(super) received: Timestamp,
    pub(super) request: HttpRequest<'a>,
    pub(super) trace: Option<Cow<'a, str>>,
    pub(super) message_id: Option<&'a str>,
    /// Whether the entry names the visitor's request for which Cloud CDN made this one.
    pub(super) has_parent: bool,
}

impl<'a> Event<'a> {
    /// The event of an entry that arrived as `data` of a message, at `now`.
    pub fn new(message: &'a PubsubMessage<'_>, entry: LogEntry<'a>, data: &[u8], now: Timestamp) -> Self {
        // A missing timestamp or log name is an empty part of the event's id.
        let timestamp = entry.timestamp.non_empty().unwrap_or(Cow::Borrowed(""));
        let instant = civil::parse_timestamp(&timestamp);
        let message_id = message.message_id.as_deref();
        let event_id = match (entry.insert_id.non_empty(), message_id) {
            (Some(insert_id), _) => EventId::of_entry(entry.log_name.text().unwrap_or(""), &timestamp, instant, &insert_id),
            (None, Some(message_id)) => EventId::of_message(message_id),
            (None, None) => EventId::of_data(data),
        };
        let time = match instant {
            // The entry has a time, which is out of range. The message's time does not replace it.
            None if civil::is_after_all_timestamps(&timestamp) => Timestamp::MAX,
            instant => instant.or_else(|| civil::parse_timestamp(message.publish_time.as_deref()?)).unwrap_or(now),
        };
        let received = entry.receive_timestamp.get().and_then(|text| civil::parse_timestamp(&text)).unwrap_or(now);
        let Object(request) = entry.http_request.unwrap_or_default();
        let has_parent = entry.json_payload.0.is_some_and(|payload| payload.parent_insert_id.text().is_some());
        Self { event_id, time, received, request, trace: entry.trace.non_empty(), message_id, has_parent }
    }

    /// The request's method. GET if the sender omits it.
    pub fn method(&self) -> &str {
        self.request.request_method.text().unwrap_or("GET")
    }

    /// The request's URL, as the client sent it.
    pub fn request_url(&self) -> Option<&str> {
        self.request.request_url.text()
    }
}

/// The time of an entry's request by the rules of [`Event`]; `None` if neither entry nor message has one.
pub fn time_of(message: &PubsubMessage<'_>) -> Option<Timestamp> {
    let own = || {
        let data = message.data.bytes().ok()?;
        let entry: LogEntry<'_> = json::read(&data).ok()?;
        civil::parse_timestamp(entry.timestamp.text()?)
    };
    own().or_else(|| civil::parse_timestamp(message.publish_time.as_deref()?))
}
