//! A log entry with its identity and time made out, and the columns that it fills by their names.

use std::borrow::Cow;

use jiff::Timestamp;

use super::civil;
use super::event_id::EventId;
use super::json::{self, Object};
use super::log_entry::{HttpRequest, LogEntry};
use super::message::PubsubMessage;
use super::privacy::Privacy;
use super::request_url::RequestUrl;
use super::row::{Cell, RowWriter, Written};
use super::schema::Column;

/// What a log entry says, with identity and time made out.
#[derive(Debug)]
pub struct Event<'a> {
    /// The same for every delivery of the entry.
    pub event_id: EventId,
    /// When the request was made; else when the message was published; else now.
    pub time: Timestamp,
    received: Timestamp,
    request: HttpRequest<'a>,
    trace: Option<Cow<'a, str>>,
    message_id: Option<&'a str>,
}

impl<'a> Event<'a> {
    /// Of an entry that came as `data` of a message, at `now`.
    pub fn new(message: &'a PubsubMessage<'_>, entry: LogEntry<'a>, data: &[u8], now: Timestamp) -> Self {
        let timestamp = entry.timestamp.non_empty().unwrap_or_default();
        let instant = civil::parse_timestamp(&timestamp);
        let message_id = message.message_id.as_deref();
        let event_id = match (entry.insert_id.non_empty(), message_id) {
            (Some(insert_id), _) => EventId::of_entry(&entry.log_name.get().unwrap_or_default(), &timestamp, instant, &insert_id),
            (None, Some(message_id)) => EventId::of_message(message_id),
            (None, None) => EventId::of_data(data),
        };
        let time = match instant {
            // Not the time of its message: it says when it was, and that is too far away.
            None if civil::is_after_all_timestamps(&timestamp) => Timestamp::MAX,
            instant => instant.or_else(|| civil::parse_timestamp(message.publish_time.as_deref()?)).unwrap_or(now),
        };
        let received = entry.receive_timestamp.get().and_then(|text| civil::parse_timestamp(&text)).unwrap_or(now);
        let Object(request) = entry.http_request.unwrap_or_default();
        Self { event_id, time, received, request, trace: entry.trace.non_empty(), message_id }
    }

    /// The request's method; a sender that leaves it out means GET.
    pub fn method(&self) -> &str {
        self.request.request_method.text().unwrap_or("GET")
    }

    /// The request's URL, as it was sent.
    pub fn request_url(&self) -> Option<&str> {
        self.request.request_url.text()
    }

    /// Writes a field into a column, as far as `privacy` lets it; `url` is the request's, cut into parts.
    pub fn write(&self, field: EntryField, url: RequestUrl<'_>, privacy: &Privacy, column: &Column, row: &mut RowWriter) -> Written {
        let request = &self.request;
        let text: Option<Cow<'_, str>> = match field {
            EntryField::EventTimestamp => return row.column(column, [Cell::Time(self.time)].into_iter()),
            EntryField::ReceivedTimestamp => return row.column(column, [Cell::Time(self.received)].into_iter()),
            EntryField::EventId => Some(self.event_id.as_str().into()),
            EntryField::RequestMethod => Some(self.method().into()),
            EntryField::RequestUrl => self.request_url().map(|url| privacy.url(url)),
            EntryField::Host => Some(url.host).filter(|host| !host.is_empty()).map(Cow::from),
            EntryField::Path => Some(url.path.into()),
            EntryField::Status => request.status.text().map(Cow::from),
            EntryField::Referer => request.referer.text().map(|url| privacy.url(url)),
            EntryField::UserAgent => request.user_agent.text().map(Cow::from),
            EntryField::RemoteIp => request.remote_ip.text().and_then(|address| privacy.remote_ip.apply(address)).map(Cow::from),
            // Left out by the sender unless it is true.
            EntryField::CacheHit => Some(request.cache_hit.text().unwrap_or("false").into()),
            EntryField::LatencySeconds => request.latency.text().map(|latency| latency.strip_suffix('s').unwrap_or(latency).into()),
            EntryField::Trace => self.trace.as_deref().map(Cow::from),
            EntryField::PubsubMessageId => self.message_id.map(Cow::from),
        };
        row.column(column, text.as_deref().map(Cell::Text).into_iter())
    }
}

/// When the request of an entry was made, by the rules of [`Event`]; `None` if neither entry nor message says.
pub fn time_of(message: &PubsubMessage<'_>) -> Option<Timestamp> {
    let own = || {
        let data = message.data.bytes().ok()?;
        let entry: LogEntry<'_> = json::read(&data).ok()?;
        civil::parse_timestamp(entry.timestamp.text()?)
    };
    own().or_else(|| civil::parse_timestamp(message.publish_time.as_deref()?))
}

/// A column that is filled from the log entry because of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryField {
    EventId,
    EventTimestamp,
    ReceivedTimestamp,
    RequestMethod,
    RequestUrl,
    Host,
    Path,
    Status,
    Referer,
    UserAgent,
    RemoteIp,
    CacheHit,
    LatencySeconds,
    Trace,
    PubsubMessageId,
}

impl EntryField {
    const NAMED: [(&'static str, Self); 15] = [
        ("event_id", Self::EventId),
        ("event_timestamp", Self::EventTimestamp),
        ("received_timestamp", Self::ReceivedTimestamp),
        ("request_method", Self::RequestMethod),
        ("request_url", Self::RequestUrl),
        ("host", Self::Host),
        ("path", Self::Path),
        ("status", Self::Status),
        ("referer", Self::Referer),
        ("user_agent", Self::UserAgent),
        ("remote_ip", Self::RemoteIp),
        ("cache_hit", Self::CacheHit),
        ("latency_seconds", Self::LatencySeconds),
        ("trace", Self::Trace),
        ("pubsub_message_id", Self::PubsubMessageId),
    ];

    /// The field that fills a column of that name.
    pub fn of_column(column: &Column) -> Option<Self> {
        Self::NAMED.iter().find(|(name, _)| column.is_called(name)).map(|(_, field)| *field)
    }
}
