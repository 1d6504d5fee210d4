//! The dead letters of the user. Their data is base64, which no query can look into, so that all are read.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::subject::Subject;
use super::{Failure, mention};
use crate::cli::dead_letter_table::DeadLetterTable;
use crate::cli::google::Unseen;
use crate::cli::statement::Statement;
use crate::decode::json;
use crate::decode::log_entry::LogEntry;
use crate::decode::message::MessageData;
use crate::decode::request_url::RequestUrl;

/// Reads them all, and gives the event_ids of those that are the user's; none if there is no such table.
pub(crate) async fn find(table: &DeadLetterTable, subject: &Subject) -> Result<Vec<String>, Failure> {
    let failed = |error| Failure::google("read the dead letters", error);
    let statement = Statement { sql: format!("SELECT event_id, data FROM {}", table.name()), parameters: Vec::new() };
    let mut rows = match table.run(&statement).await {
        Ok(rows) => rows,
        Err(Unseen::Missing) => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut letters = Vec::new();
    loop {
        letters.extend(rows.take().iter().filter_map(|row| theirs(row, subject)));
        if !rows.next(table.google()).await.map_err(failed)? {
            return Ok(letters);
        }
    }
}

fn theirs(row: &[Value], subject: &Subject) -> Option<String> {
    let [event_id, data] = row else { return None };
    is_theirs(data.as_str().unwrap_or_default(), subject).then_some(())?;
    event_id.as_str().map(str::to_owned)
}

/// By the URL, or by the text, where none can be read.
fn is_theirs(data: &str, subject: &Subject) -> bool {
    let text: Cow<'_, str> = match MessageData::Base64(data.into()).bytes() {
        Ok(bytes) => match query_of(&bytes) {
            Some(query) => return subject.is_of_query(&query),
            None => String::from_utf8_lossy(&bytes).into_owned().into(),
        },
        Err(_) => format!("{data}\n{}", String::from_utf8_lossy(&remains(data))).into(),
    };
    subject.is_of(|name| mention::values(&text, name))
}

fn query_of(data: &[u8]) -> Option<String> {
    let entry = json::read::<LogEntry<'_>>(data).ok()?;
    let url = entry.http_request?.0.request_url;
    Some(RequestUrl::new(url.text()?).query.to_owned())
}

/// What can be read of base64 with something wrong in it: a line break, say, or a letter too few.
fn remains(data: &str) -> Vec<u8> {
    let standard = |digit: u8| match digit {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(digit),
        _ => digit.is_ascii_alphanumeric().then_some(digit),
    };
    let mut digits: Vec<u8> = data.bytes().filter_map(standard).collect();
    digits.truncate(digits.len() / 4 * 4);
    STANDARD.decode(digits).unwrap_or_default()
}
