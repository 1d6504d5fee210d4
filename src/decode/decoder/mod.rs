//! Decodes one message to one row, or to the reason why there is none.

mod problems;

use bytes::Bytes;
use jiff::Timestamp;

use super::attributes::{Attributes, ValidAttributes};
use super::column_name::is_same_name;
use super::decoded::{Decoded, FilterReason, RejectReason, Rejected};
use super::entry_columns::{Context, ENTRY_COLUMNS, EntryColumn, REMOTE_IP, Value};
use super::event::Event;
use super::event_id::EventId;
use super::hashed_url::ClearIds;
use super::json;
use super::log_entry::LogEntry;
use super::message::PubsubMessage;
use super::notes::Notes;
use super::privacy::Privacy;
use super::remote_ip::IpAnonymization;
use super::request_filter::RequestFilter;
use super::request_url::RequestUrl;
use super::row::{Cell, Row, RowTooLarge, RowWriter, Written};
use super::schema::{Column, ColumnType, Mode, Schema};
use super::signature::Signatures;
use super::table_suffix::SuffixTemplate;
use super::time_bounds;
pub use problems::SchemaProblem;

/// The operator's settings for decoding.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// VALID_ATTRIBUTES.
    pub valid_attributes: ValidAttributes,
    /// PIXEL_PATH, PIXEL_METHODS and STATUS.
    pub requests: RequestFilter,
    /// TABLE_SUFFIX.
    pub table_suffix: SuffixTemplate,
    pub privacy: Privacy,
    /// `None` if URLs are not signed.
    pub signatures: Option<Signatures>,
}

/// Settings and schema, resolved to the source of each column.
#[derive(Debug)]
pub struct Decoder {
    settings: Settings,
    columns: Vec<(Column, Source)>,
    /// By position in VALID_ATTRIBUTES.
    is_repeated: Vec<bool>,
    invalid_attributes: Option<Column>,
}

/// The source of a column's values.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A parameter, by its position in VALID_ATTRIBUTES.
    Attribute(usize),
    Entry(&'static EntryColumn),
    /// Whether the URL is signed.
    Signed,
    Nothing,
}

const INVALID_ATTRIBUTES: &str = "invalid_attributes";
const SIGNED: &str = "signed";

/// The columns that the service fills itself.
pub(crate) fn filled_columns() -> impl Iterator<Item = &'static str> {
    ENTRY_COLUMNS.iter().map(|entry| entry.name).chain([SIGNED, INVALID_ATTRIBUTES])
}

/// The attributes whose column the service fills itself. A parameter of a public URL must not replace these values.
pub fn claimed_columns(attributes: &ValidAttributes) -> Vec<String> {
    let is_claimed = |name: &&String| filled_columns().any(|column| is_same_name(column, name));
    attributes.names().iter().filter(is_claimed).cloned().collect()
}

impl Decoder {
    /// Resolves the source of each column of `schema`.
    pub fn new(settings: Settings, schema: &Schema) -> Self {
        let names = settings.valid_attributes.names();
        let mut invalid_attributes = None;
        let mut columns = Vec::with_capacity(schema.columns().len());
        for column in schema.columns() {
            let attribute = names.iter().position(|name| column.is_called(name));
            let source = match (EntryColumn::of(column), attribute) {
                (Some(entry), _) if entry.name == REMOTE_IP && settings.privacy.remote_ip == IpAnonymization::Drop => Source::Nothing,
                (Some(entry), _) if column.is_fillable() => Source::Entry(entry),
                (Some(_), _) => Source::Nothing,
                (None, Some(index)) => Source::Attribute(index),
                (None, None) if settings.signatures.is_some() && column.is_called(SIGNED) => Source::Signed,
                (None, None) => Source::Nothing,
            };
            let lists_names = column.kind == ColumnType::String && column.mode == Mode::Repeated;
            if matches!(source, Source::Nothing) && lists_names && column.is_called(INVALID_ATTRIBUTES) {
                invalid_attributes = Some(column.clone());
            } else {
                columns.push((column.clone(), source));
            }
        }
        let column_of = |name: &String| schema.column(name);
        let is_repeated = names.iter().map(|name| column_of(name).is_some_and(|column| column.mode == Mode::Repeated)).collect();
        Self { columns, is_repeated, invalid_attributes, settings }
    }

    /// The schema's spelling of a column that the service fills.
    pub fn filled_column(&self, name: &str) -> Option<&str> {
        let columns = self.columns.iter().map(|(column, _)| column).chain(&self.invalid_attributes);
        columns.filter(|column| column.is_called(name)).map(|column| column.name.as_str()).next()
    }

    /// Decodes one message that arrived at `now`.
    pub fn decode(&self, message: &PubsubMessage<'_>, now: Timestamp) -> Decoded {
        self.decode_message(&[], message, now, &mut Notes::default())
    }

    /// Decodes one message that arrived at `now`, and fills `notes`, which are empty, with what it notices.
    pub fn decode_with_notes(&self, message: &PubsubMessage<'_>, now: Timestamp, notes: &mut Notes) -> Decoded {
        self.decode_message(&[], message, now, notes)
    }

    /// Decodes one message to a row for a table that lacks columns of the schema. The row's `invalid_attributes` names
    /// those that have a value.
    pub fn decode_without(&self, left_out: &[String], message: &PubsubMessage<'_>, now: Timestamp) -> Decoded {
        self.decode_message(left_out, message, now, &mut Notes::default())
    }

    fn decode_message(&self, left_out: &[String], message: &PubsubMessage<'_>, now: Timestamp, notes: &mut Notes) -> Decoded {
        let data = match message.data.bytes() {
            Ok(data) => data,
            Err(error) => return rejected(message, RejectReason::BadBase64, error.to_string()),
        };
        if data.is_empty() {
            return rejected(message, RejectReason::NoData, "the message has no data".to_owned());
        }
        match json::read::<LogEntry<'_>>(&data) {
            Ok(entry) => self.decode_entry(left_out, message, entry, &data, now, notes),
            Err(error) => {
                rejected(message, RejectReason::BadJson, format!("the data is not the JSON of a log entry: {}", json::describe(&error)))
            }
        }
    }

    fn decode_entry(
        &self,
        left_out: &[String],
        message: &PubsubMessage<'_>,
        entry: LogEntry<'_>,
        data: &[u8],
        now: Timestamp,
        notes: &mut Notes,
    ) -> Decoded {
        let event = Event::new(message, entry, data, now);
        let Some(url_text) = event.request_url() else {
            return Decoded::Rejected(Rejected {
                event_id: event.event_id,
                reason: RejectReason::NoRequestUrl,
                detail: "the entry has no httpRequest.requestUrl".to_owned(),
                column: None,
            });
        };
        let url = RequestUrl::new(url_text);
        if let Err(reason) = self.settings.requests.check(&event, url.path) {
            return Decoded::Filtered(reason);
        }
        // Before the first check that can reject the message: a dead letter would store it.
        if self.settings.privacy.is_opted_out(url.query) {
            return Decoded::Filtered(FilterReason::OptedOut);
        }
        let signed = match self.settings.signatures.as_ref().map(|signatures| signatures.check(url.query)).transpose() {
            Ok(signed) => signed,
            Err(reason) => return Decoded::Filtered(reason),
        };
        let mut attributes = self.settings.valid_attributes.read_with_notes(url.query, |index| self.is_repeated[index], notes);
        notes.retain(|name| !self.reads(name));
        let clear_ids = self.settings.privacy.hide(&mut attributes);
        let Ok(suffix) = self.settings.table_suffix.render(|index| attributes.first(index), event.time) else {
            return Decoded::Filtered(FilterReason::MissingAttribute);
        };
        if let Err(error) = time_bounds::check(event.time, now) {
            return Decoded::Rejected(Rejected {
                event_id: event.event_id,
                reason: RejectReason::TimestampOutOfRange,
                detail: error.to_string(),
                column: None,
            });
        }
        if attributes.has_too_many() {
            return Decoded::Rejected(Rejected {
                event_id: event.event_id,
                reason: RejectReason::Invalid,
                detail: "the URL has too many values of REPEATED columns".to_owned(),
                column: None,
            });
        }
        match self.write_row(left_out, &event, url, (&attributes, &clear_ids), signed) {
            Ok((json, lacks_value)) => {
                Decoded::Row(Row { suffix, event_time: event.time, event_id: event.event_id, signed, lacks_value, json })
            }
            Err(RowError::TooLarge(error)) => Decoded::Rejected(Rejected {
                event_id: event.event_id,
                reason: RejectReason::Invalid,
                detail: error.to_string(),
                column: None,
            }),
            Err(RowError::Required(column, written)) => Decoded::Rejected(Rejected {
                detail: match written {
                    Written::Rejected => format!("column {column} is REQUIRED and the value does not fit its type"),
                    Written::Absent | Written::Yes => format!("column {column} is REQUIRED and there is no value for it"),
                },
                event_id: event.event_id,
                reason: RejectReason::RequiredColumn,
                column: Some(column),
            }),
        }
    }

    /// Whether the service itself reads the parameter, although it is not an attribute.
    fn reads(&self, name: &str) -> bool {
        self.settings.privacy.reads(name) || (self.settings.signatures.is_some() && name == "sig")
    }

    /// The row's JSON, and whether it lacks a value.
    fn write_row(
        &self,
        left_out: &[String],
        event: &Event<'_>,
        url: RequestUrl<'_>,
        (attributes, clear_ids): (&Attributes<'_>, &ClearIds),
        signed: Option<bool>,
    ) -> Result<(Bytes, bool), RowError> {
        let mut row = RowWriter::new();
        let context = Context { event, url, privacy: &self.settings.privacy, clear_ids };
        let is_left_out = |column: &Column| left_out.iter().any(|name| column.is_called(name));
        for (column, source) in &self.columns {
            let mut write = |values: &mut dyn Iterator<Item = Cell<'_>>| {
                if is_left_out(column) {
                    row.left_out(column, values);
                    return Ok(());
                }
                match row.column(column, values) {
                    Written::Yes => Ok(()),
                    written if column.must_be_filled() => Err(RowError::Required(column.name.clone(), written)),
                    Written::Absent | Written::Rejected => Ok(()),
                }
            };
            match source {
                Source::Attribute(index) if self.is_repeated[*index] => write(&mut attributes.all(*index).map(Cell::Text))?,
                Source::Attribute(index) => write(&mut attributes.first(*index).map(Cell::Text).into_iter())?,
                Source::Entry(entry) => {
                    let value = entry.value(&context);
                    let cell = value.as_ref().map(|value| match value {
                        Value::Text(text) => Cell::Text(text),
                        Value::Time(time) => Cell::Time(*time),
                    });
                    write(&mut cell.into_iter())?;
                }
                Source::Signed => {
                    write(&mut signed.map(|signed| Cell::Text(if signed { "true" } else { "false" })).into_iter())?;
                }
                Source::Nothing => write(&mut std::iter::empty())?,
            }
        }
        let lacks_value = row.lacks_value();
        let json = row.finish(self.invalid_attributes.as_ref().filter(|column| !is_left_out(column))).map_err(RowError::TooLarge)?;
        Ok((json, lacks_value))
    }
}

/// Why there is no row.
enum RowError {
    /// This REQUIRED column stayed empty.
    Required(String, Written),
    TooLarge(RowTooLarge),
}

fn rejected(message: &PubsubMessage<'_>, reason: RejectReason, detail: String) -> Decoded {
    let event_id = match message.message_id.as_deref() {
        Some(id) => EventId::of_message(id),
        None => EventId::of_data(message.data.base64().to_string().as_bytes()),
    };
    Decoded::Rejected(Rejected { event_id, reason, detail, column: None })
}
