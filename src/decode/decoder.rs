//! One message in, one row, or the reason for having none, out.

use std::borrow::Cow;
use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use jiff::Timestamp;

use super::attributes::{Attributes, ValidAttributes};
use super::civil;
use super::event_id::EventId;
use super::json::{self, Object};
use super::log_entry::{HttpRequest, LogEntry};
use super::message::PubsubMessage;
use super::request_url::RequestUrl;
use super::row::{Cell, Row, RowWriter, Written};
use super::schema::{Column, ColumnType, Mode, Schema};
use super::table_suffix::SuffixTemplate;

/// What the operator decides about decoding.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// VALID_ATTRIBUTES.
    pub valid_attributes: ValidAttributes,
    /// PIXEL_PATH; empty for any path.
    pub pixel_paths: Vec<String>,
    /// TABLE_SUFFIX.
    pub table_suffix: SuffixTemplate,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// To be stored.
    Row(Row),
    /// No event of ours. To be counted and forgotten.
    Filtered(FilterReason),
    /// Can never become a row. To be kept as a dead letter.
    Unfit(Unfit),
}

/// Why an entry is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterReason {
    /// Not one of PIXEL_PATH.
    Path,
    /// Not a GET.
    Method,
    /// It lacks an attribute that TABLE_SUFFIX names.
    MissingAttribute,
}

/// A message that can never become a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Of the entry where there is one, else of the message.
    pub event_id: EventId,
    pub reason: UnfitReason,
    /// For a person. Holds no value of the URL.
    pub detail: String,
    /// The column at fault, where there is one.
    pub column: Option<String>,
}

/// Why a message can never become a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnfitReason {
    /// The message has no data.
    NoData,
    /// The data is not base64.
    BadBase64,
    /// The data is not the JSON of a log entry.
    BadJson,
    /// The entry is not one of a request.
    NoRequestUrl,
    /// A REQUIRED column cannot be filled.
    RequiredColumn,
    /// BigQuery says that the row is `invalid`.
    Invalid,
}

impl FilterReason {
    /// The label of metrics and of `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Method => "method",
            Self::MissingAttribute => "missing_attribute",
        }
    }
}

impl UnfitReason {
    /// The label of metrics and of the column `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::BadBase64 => "bad_base64",
            Self::BadJson => "bad_json",
            Self::NoRequestUrl => "no_request_url",
            Self::RequiredColumn => "required_column",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for FilterReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for UnfitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Settings and schema, worked out into what each column is filled from.
#[derive(Debug)]
pub struct Decoder {
    settings: Settings,
    columns: Vec<(Column, Source)>,
    /// By position in VALID_ATTRIBUTES.
    is_repeated: Vec<bool>,
    /// Attributes whose column has gone from the schema since the service started.
    without_column: Vec<usize>,
    invalid_attributes: Option<Column>,
}

/// What fills a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A parameter, by its position in VALID_ATTRIBUTES.
    Attribute(usize),
    Entry(EntryField),
    Nothing,
}

/// A column that is filled from the log entry because of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EntryField {
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
    const ALL: [(&'static str, Self); 15] = [
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
}

const INVALID_ATTRIBUTES: &str = "invalid_attributes";

impl Settings {
    /// Everything that keeps these settings from working with that schema.
    pub fn problems_with(&self, schema: &Schema) -> Vec<String> {
        let mut problems = Vec::new();
        let offenders = |bad: &dyn Fn(Option<&Column>) -> bool| -> Vec<&str> {
            self.valid_attributes.names().iter().map(String::as_str).filter(|name| bad(schema.column(name))).collect()
        };
        let missing = offenders(&|column| column.is_none());
        if !missing.is_empty() {
            problems.push(format!(
                "VALID_ATTRIBUTES names {}, of which the schema has no column: add a column or take the name off the list",
                missing.join(", ")
            ));
        }
        let unfillable = offenders(&|column| column.is_some_and(|column| column.kind == ColumnType::Other));
        if !unfillable.is_empty() {
            problems.push(format!("VALID_ATTRIBUTES names {}, whose type no URL parameter can fill", unfillable.join(", ")));
        }
        let decoder = Decoder::new(self.clone(), schema);
        let unfilled: Vec<&str> = decoder
            .columns
            .iter()
            .filter(|(column, source)| *source == Source::Nothing && column.mode == Mode::Required && !column.has_default)
            .map(|(column, _)| column.name.as_str())
            .collect();
        if !unfilled.is_empty() {
            problems.push(format!(
                "the schema has REQUIRED columns that nothing fills: {}: put them into VALID_ATTRIBUTES or make them NULLABLE",
                unfilled.join(", ")
            ));
        }
        problems
    }
}

impl Decoder {
    /// Works out what fills each column of `schema`.
    pub fn new(settings: Settings, schema: &Schema) -> Self {
        let names = settings.valid_attributes.names();
        let mut invalid_attributes = None;
        let mut columns = Vec::with_capacity(schema.columns().len());
        for column in schema.columns() {
            let attribute = names.iter().position(|name| column.is_called(name));
            let entry_field = EntryField::ALL.iter().find(|(name, _)| column.is_called(name));
            let source = match (attribute, entry_field) {
                (Some(index), _) => Source::Attribute(index),
                (None, Some((_, field))) => Source::Entry(*field),
                (None, None) => Source::Nothing,
            };
            let lists_names = column.kind == ColumnType::String && column.mode == Mode::Repeated;
            if source == Source::Nothing && lists_names && column.is_called(INVALID_ATTRIBUTES) {
                invalid_attributes = Some(column.clone());
            } else {
                columns.push((column.clone(), source));
            }
        }
        let column_of = |name: &String| schema.column(name);
        let is_repeated = names.iter().map(|name| column_of(name).is_some_and(|column| column.mode == Mode::Repeated)).collect();
        let without_column = (0..names.len()).filter(|index| column_of(&names[*index]).is_none()).collect();
        Self { columns, is_repeated, without_column, invalid_attributes, settings }
    }

    /// Decodes one message that arrived at `now`.
    pub fn decode(&self, message: &PubsubMessage<'_>, now: Timestamp) -> Decoded {
        let data = match message.data.bytes() {
            Ok(data) => data,
            Err(error) => return unfit(message, UnfitReason::BadBase64, error.to_string()),
        };
        if data.is_empty() {
            return unfit(message, UnfitReason::NoData, "the message has no data".to_owned());
        }
        match json::read::<LogEntry<'_>>(&data) {
            Ok(entry) => self.decode_entry(message, entry, &data, now),
            Err(error) => {
                unfit(message, UnfitReason::BadJson, format!("the data is not the JSON of a log entry: {}", json::describe(&error)))
            }
        }
    }

    fn decode_entry(&self, message: &PubsubMessage<'_>, entry: LogEntry<'_>, data: &[u8], now: Timestamp) -> Decoded {
        let event = Event::new(message, entry, data, now);
        let Some(url_text) = event.request_url.as_deref() else {
            return Decoded::Unfit(Unfit {
                event_id: event.event_id,
                reason: UnfitReason::NoRequestUrl,
                detail: "the entry has no httpRequest.requestUrl".to_owned(),
                column: None,
            });
        };
        let url = RequestUrl::new(url_text);
        if event.method.as_deref().is_some_and(|method| method != "GET") {
            return Decoded::Filtered(FilterReason::Method);
        }
        let paths = &self.settings.pixel_paths;
        if !paths.is_empty() && !paths.iter().any(|path| path == url.path) {
            return Decoded::Filtered(FilterReason::Path);
        }
        let attributes = self.settings.valid_attributes.read(url.query, |index| self.is_repeated[index]);
        let Ok(suffix) = self.settings.table_suffix.render(|index| attributes.first(index), event.time) else {
            return Decoded::Filtered(FilterReason::MissingAttribute);
        };
        match self.write_row(&event, url, &attributes) {
            Ok(json) => Decoded::Row(Row { suffix, event_time: event.time, event_id: event.event_id, json }),
            Err((column, written)) => Decoded::Unfit(Unfit {
                detail: match written {
                    Written::Unfit => format!("column {column} is REQUIRED and the value does not fit its type"),
                    Written::Absent | Written::Yes => format!("column {column} is REQUIRED and there is no value for it"),
                },
                event_id: event.event_id,
                reason: UnfitReason::RequiredColumn,
                column: Some(column),
            }),
        }
    }

    /// The row's JSON, or the REQUIRED column that stayed empty.
    fn write_row(&self, event: &Event<'_>, url: RequestUrl<'_>, attributes: &Attributes<'_>) -> Result<Bytes, (String, Written)> {
        let mut row = RowWriter::new();
        for (column, source) in &self.columns {
            let written = match source {
                Source::Attribute(index) if self.is_repeated[*index] => row.column(column, attributes.all(*index).map(Cell::Text)),
                Source::Attribute(index) => row.column(column, attributes.first(*index).map(Cell::Text).into_iter()),
                Source::Entry(field) => event.write(*field, url, column, &mut row),
                Source::Nothing => Written::Absent,
            };
            if written != Written::Yes && column.mode == Mode::Required && !column.has_default {
                return Err((column.name.clone(), written));
            }
        }
        for index in self.without_column.iter().filter(|index| attributes.first(**index).is_some()) {
            row.invalid(&self.settings.valid_attributes.names()[*index]);
        }
        Ok(row.finish(self.invalid_attributes.as_ref()))
    }
}

fn unfit(message: &PubsubMessage<'_>, reason: UnfitReason, detail: String) -> Decoded {
    let event_id = match message.message_id.as_deref() {
        Some(id) => EventId::of_message(id),
        None => EventId::of_data(message.data.to_base64().as_bytes()),
    };
    Decoded::Unfit(Unfit { event_id, reason, detail, column: None })
}

/// What a log entry says, with identity and time made out.
struct Event<'a> {
    event_id: EventId,
    time: Timestamp,
    received: Timestamp,
    method: Option<Cow<'a, str>>,
    request_url: Option<Cow<'a, str>>,
    request: HttpRequest<'a>,
    trace: Option<Cow<'a, str>>,
    message_id: Option<&'a str>,
}

impl<'a> Event<'a> {
    fn new(message: &'a PubsubMessage<'_>, entry: LogEntry<'a>, data: &[u8], now: Timestamp) -> Self {
        let timestamp = entry.timestamp.non_empty().unwrap_or_default();
        let instant = civil::parse_timestamp(&timestamp);
        let message_id = message.message_id.as_deref();
        let event_id = match (entry.insert_id.non_empty(), message_id) {
            (Some(insert_id), _) => EventId::of_entry(&entry.log_name.get().unwrap_or_default(), &timestamp, instant, &insert_id),
            (None, Some(message_id)) => EventId::of_message(message_id),
            (None, None) => EventId::of_data(data),
        };
        let time = instant.or_else(|| civil::parse_timestamp(message.publish_time.as_deref()?)).unwrap_or(now);
        let received = entry.receive_timestamp.get().and_then(|text| civil::parse_timestamp(&text)).unwrap_or(now);
        let Object(mut request) = entry.http_request.unwrap_or_default();
        let method = std::mem::take(&mut request.request_method).non_empty();
        let request_url = std::mem::take(&mut request.request_url).non_empty();
        Self { event_id, time, received, method, request_url, request, trace: entry.trace.non_empty(), message_id }
    }

    fn write(&self, field: EntryField, url: RequestUrl<'_>, column: &Column, row: &mut RowWriter) -> Written {
        let request = &self.request;
        let text: Option<Cow<'_, str>> = match field {
            EntryField::EventTimestamp => return row.column(column, [Cell::Time(self.time)].into_iter()),
            EntryField::ReceivedTimestamp => return row.column(column, [Cell::Time(self.received)].into_iter()),
            EntryField::EventId => Some(self.event_id.as_str().into()),
            EntryField::RequestMethod => Some(self.method.as_deref().unwrap_or("GET").into()),
            EntryField::RequestUrl => self.request_url.as_deref().map(Cow::from),
            EntryField::Host => Some(url.host).filter(|host| !host.is_empty()).map(Cow::from),
            EntryField::Path => Some(url.path.into()),
            EntryField::Status => request.status.clone().non_empty(),
            EntryField::Referer => request.referer.clone().non_empty(),
            EntryField::UserAgent => request.user_agent.clone().non_empty(),
            EntryField::RemoteIp => request.remote_ip.clone().non_empty().map(without_port),
            // Left out by the sender unless it is true.
            EntryField::CacheHit => Some(request.cache_hit.clone().non_empty().unwrap_or("false".into())),
            EntryField::LatencySeconds => {
                request.latency.clone().non_empty().map(|latency| latency.strip_suffix('s').map(str::to_owned).map_or(latency, Cow::Owned))
            }
            EntryField::Trace => self.trace.as_deref().map(Cow::from),
            EntryField::PubsubMessageId => self.message_id.map(Cow::from),
        };
        row.column(column, text.as_deref().map(Cell::Text).into_iter())
    }
}

/// Regional load balancers write `203.0.113.7:60102`.
fn without_port(address: Cow<'_, str>) -> Cow<'_, str> {
    match address.parse::<SocketAddr>() {
        Ok(socket) => socket.ip().to_string().into(),
        Err(_) => address,
    }
}
