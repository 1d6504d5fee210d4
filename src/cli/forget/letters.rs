//! The dead letters of the user. Their data is base64, which a query cannot search: all of them are read.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::mention;
use super::subject::{Named, Subject};
use super::table_label::TableLabel;
use crate::cli::dead_letter_table::DeadLetterTable;
use crate::decode::json;
use crate::decode::log_entry::LogEntry;
use crate::decode::message::MessageData;
use crate::decode::request_url::RequestUrl;
use crate::google::statement::Statement;
use crate::google::{Api, ApiError, ApiResult};

/// What one dead-letter table has of the user.
#[derive(Debug)]
pub(crate) struct FoundLetters {
    pub(crate) table: DeadLetterTable,
    pub(crate) label: TableLabel,
    /// The user's dead letters.
    pub(crate) event_ids: Vec<String>,
    /// Number of dead letters that name other users as well.
    pub(crate) joint: u64,
    /// Number of other dead letters that contain the id, or another spelling of it.
    pub(crate) mentions: u64,
}

/// Reads all dead letters of a table. It is an error if the table does not exist: its columns have just been read.
pub(crate) async fn find(table: DeadLetterTable, label: TableLabel, subject: &Subject) -> ApiResult<FoundLetters> {
    let mut found = FoundLetters { table, label, event_ids: Vec::new(), joint: 0, mentions: 0 };
    let statement = Statement { sql: format!("SELECT event_id, data FROM {}", found.table.name()), parameters: Vec::new() };
    let mut rows = found.table.query(&statement).await?.require(format!("table {}", found.label.label()))?;
    loop {
        for row in rows.take() {
            found.add(&row, subject).map_err(|problem| ApiError::unreadable(Api::BigQuery, problem))?;
        }
        if !rows.next(found.table.google()).await? {
            return Ok(found);
        }
    }
}

impl FoundLetters {
    /// `data` may be NULL in a table that others fill as well.
    fn add(&mut self, row: &[Value], subject: &Subject) -> Result<(), &'static str> {
        let [event_id, data] = row else { return Err("a row has not two columns") };
        let data = match data {
            Value::Null if event_id.is_string() => return Ok(()),
            Value::String(data) => data,
            _ => return Err("a dead letter has neither data nor an event_id"),
        };
        match (relation(data, subject), event_id.as_str()) {
            (Relation::None, _) => {}
            (Relation::Mention, _) => self.mentions += 1,
            (Relation::Joint, _) => self.joint += 1,
            (Relation::Theirs, Some(event_id)) => self.event_ids.push(event_id.to_owned()),
            (Relation::Theirs, None) => return Err("a dead letter of the user has no event_id to delete it by"),
        }
        Ok(())
    }
}

/// What a dead letter has to do with the user.
enum Relation {
    None,
    Mention,
    /// It names other users as well.
    Joint,
    Theirs,
}

/// By the URL; without a readable one, by the text.
fn relation(data: &str, subject: &Subject) -> Relation {
    let message = MessageData::Base64(data.into());
    let bytes = message.bytes();
    let query = bytes.as_ref().ok().and_then(|bytes| query_of(bytes));
    let text: Cow<'_, str> = match &bytes {
        Ok(bytes) => String::from_utf8_lossy(bytes),
        Err(_) => format!("{data}\n{}", String::from_utf8_lossy(&decode_leniently(data))).into(),
    };
    let named = match query {
        Some(query) => subject.named_in_query(&query),
        None => subject.named(|name| mention::values(&text, name)),
    };
    match named {
        Named::User => Relation::Theirs,
        Named::UserAndOthers => Relation::Joint,
        Named::Others if subject.is_mentioned(&text) => Relation::Mention,
        Named::Others => Relation::None,
    }
}

fn query_of(data: &[u8]) -> Option<String> {
    let entry = json::read::<LogEntry<'_>>(data).ok()?;
    let url = entry.http_request?.0.request_url;
    Some(RequestUrl::new(url.text()?).query.to_owned())
}

/// The readable part of invalid base64, for example with a line break, or truncated.
fn decode_leniently(data: &str) -> Vec<u8> {
    let standard = |digit: u8| match digit {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(digit),
        _ => digit.is_ascii_alphanumeric().then_some(digit),
    };
    let mut digits: Vec<u8> = data.bytes().filter_map(standard).collect();
    digits.truncate(digits.len() / 4 * 4);
    // The last digit may have bits that are not allowed there; the data is then only searched as text.
    STANDARD.decode(digits).unwrap_or_default()
}
