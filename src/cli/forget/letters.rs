//! The dead letters of the user. Their data is base64, which a query cannot search: all of them are read.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::subject::Subject;
use super::{ForgetError, mention};
use crate::cli::dead_letter_table::DeadLetterTable;
use crate::decode::json;
use crate::decode::log_entry::LogEntry;
use crate::decode::message::MessageData;
use crate::decode::request_url::RequestUrl;
use crate::google::statement::Statement;
use crate::google::{ApiError, Lookup};

/// The event_ids of the user's dead letters; none if the table does not exist.
pub(crate) async fn find(table: &DeadLetterTable, subject: &Subject) -> Result<Vec<String>, ForgetError> {
    let failed = |error: ApiError| ForgetError::google("read the dead letters", error);
    let statement = Statement { sql: format!("SELECT event_id, data FROM {}", table.name()), parameters: Vec::new() };
    let mut rows = match table.run(&statement).await {
        Ok(Lookup::Found(rows)) => rows,
        Ok(Lookup::Absent) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut letters = Vec::new();
    loop {
        for row in rows.take().map_err(failed)? {
            letters.extend(event_id_if_theirs(&row, subject).map_err(|problem| ForgetError::google("read the dead letters", problem))?);
        }
        if !rows.next(table.google()).await.map_err(failed)? {
            return Ok(letters);
        }
    }
}

/// The event_id of a dead letter, if it is the user's. `data` may be NULL in a table that others fill as well.
fn event_id_if_theirs(row: &[Value], subject: &Subject) -> Result<Option<String>, &'static str> {
    let [event_id, data] = row else { return Err("a row has not two columns") };
    match (data.as_str().is_some_and(|data| is_theirs(data, subject)), event_id.as_str()) {
        (false, _) => Ok(None),
        (true, Some(event_id)) => Ok(Some(event_id.to_owned())),
        (true, None) => Err("a dead letter of the user has no event_id to delete it by"),
    }
}

/// By the URL; without a readable one, by the text.
fn is_theirs(data: &str, subject: &Subject) -> bool {
    let text: Cow<'_, str> = match MessageData::Base64(data.into()).bytes() {
        Ok(bytes) => match query_of(&bytes) {
            Some(query) => return subject.matches_query(&query),
            None => String::from_utf8_lossy(&bytes).into_owned().into(),
        },
        Err(_) => format!("{data}\n{}", String::from_utf8_lossy(&decode_leniently(data))).into(),
    };
    subject.matches(|name| mention::values(&text, name))
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
