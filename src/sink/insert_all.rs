//! `tabledata.insertAll` on the wire: the result of each row in a response. [`super::insert_body`] is the request.
//!
//! <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>. Written here
//! and not left to gcp-bigquery-client, which hides the HTTP status and Retry-After and builds a
//! tree for every row. No I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ErrorClass, RequestError, RowResult};
use super::refusal::Refusal;
use crate::decode::json::{self, Object};
use crate::google::ErrorBody;

/// The `kind` of an answer.
const KIND: &str = "bigquery#tableDataInsertAllResponse";

/// Reads a 200: the result of each of `count` rows.
///
/// Rows count as stored only by an answer that is surely BigQuery's: it has the `kind` of an insertAll answer, a
/// well-formed list of errors or none, and no other member. After any other answer the rows may or may not be stored. They
/// are sent again, and their insertIds keep BigQuery from storing them twice.
pub fn read_results(answer: &[u8], count: usize) -> Result<Vec<RowResult>, RequestError> {
    let answer: Answer = json::read(answer).map_err(|_| RequestError::Unreadable("it is not the JSON of an insertAll answer"))?;
    if answer.kind.as_deref() != Some(KIND) {
        return Err(RequestError::Unreadable("it has no kind bigquery#tableDataInsertAllResponse"));
    }
    if !answer.others.is_empty() {
        return Err(RequestError::Unreadable("it has a member that an insertAll answer does not have"));
    }
    let mut errors: Vec<Vec<ErrorProto>> = std::iter::repeat_with(Vec::new).take(count).collect();
    for Object(error) in answer.insert_errors {
        let of_row = error.index.read().and_then(|index| errors.get_mut(index));
        let of_row = of_row.ok_or(RequestError::Unreadable("an index in insertErrors is not that of a row"))?;
        if error.errors.is_empty() {
            return Err(RequestError::Unreadable("a row in insertErrors has no errors"));
        }
        of_row.extend(error.errors.into_iter().map(|Object(error)| error));
    }
    Ok(errors.into_iter().map(|errors| if errors.is_empty() { RowResult::Stored } else { read_result(errors) }).collect())
}

/// A row can have several errors; a permanent one outweighs a transient one. Only `invalid` is caused by the row
/// itself: an undocumented reason must not lose an event.
fn read_result(errors: Vec<ErrorProto>) -> RowResult {
    let mut result = RowResult::NotAttempted;
    for ErrorProto { reason, location, message } in errors {
        match reason.as_deref().unwrap_or_default() {
            "stopped" | "" => {}
            "timeout" | "backendError" | "internalError" => {
                result = RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO }
            }
            "rateLimitExceeded" => result = RowResult::Retry { class: ErrorClass::Quota, after: Duration::ZERO },
            "invalid" => return RowResult::Refused(Refusal::of_row(location, message)),
            "quotaExceeded" => return RowResult::Unavailable(ErrorClass::Quota),
            _ => return RowResult::Unavailable(ErrorClass::Unavailable),
        }
    }
    result
}

/// Reads an answer of any other status. `retry_after` is the header's value.
pub fn read_error(status: u16, retry_after: Option<Duration>, answer: &[u8]) -> RequestError {
    let after = retry_after.unwrap_or_default();
    let error = ErrorBody::read(status, answer);
    let reason = error.as_ref().map_or("", ErrorBody::reason);
    match (status, reason, &error) {
        (200..=299, ..) => RequestError::Unreadable("its status is not 200"),
        (429, ..) | (403, "rateLimitExceeded", _) => RequestError::Retry { class: ErrorClass::Quota, after },
        (403, "quotaExceeded", _) => RequestError::Unavailable(ErrorClass::Quota),
        (408 | 500 | 502 | 503 | 504, ..) | (400, "tableUnavailable" | "backendError" | "timeout", _) => {
            RequestError::Retry { class: ErrorClass::Unavailable, after }
        }
        (401, ..) => RequestError::Unauthorized,
        (403 | 402, ..) => RequestError::Unavailable(ErrorClass::Denied),
        (404, _, Some(error)) if error.is_not_found() => RequestError::NotFound,
        (400 | 413, _, Some(error)) => {
            let detail = format!("{status} {reason}: {}", error.message);
            if status == 413 || is_about_size(&error.message) {
                RequestError::TooLarge(Some(detail))
            } else {
                RequestError::BadRequest(detail)
            }
        }
        (413, _, None) => RequestError::TooLarge(None),
        // Not BigQuery's own answer, or not documented: a proxy's page, a redirect. Keep the rows.
        _ => RequestError::Unavailable(ErrorClass::Unavailable),
    }
}

/// Whether a 400 is about the size of the request or of a row, which is a property of the rows alone.
fn is_about_size(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["payload size exceeds", "row size", "request too large"].iter().any(|text| message.contains(text))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: Option<String>,
    /// BigQuery leaves it out if all rows are stored. `null` is not a list.
    #[serde(default)]
    insert_errors: Vec<Object<InsertError>>,
    /// No answer of BigQuery has others. One may be an error.
    #[serde(flatten)]
    others: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct InsertError {
    index: RowIndex,
    errors: Vec<Object<ErrorProto>>,
}

/// A number from the service, and a string from some emulators.
#[derive(Deserialize)]
#[serde(untagged)]
enum RowIndex {
    Number(usize),
    Text(String),
}

impl RowIndex {
    fn read(&self) -> Option<usize> {
        match self {
            Self::Number(index) => Some(*index),
            Self::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            Self::Text(_) => None,
        }
    }
}

/// Members that are not read: `debugInfo`.
#[derive(Deserialize)]
struct ErrorProto {
    reason: Option<String>,
    location: Option<String>,
    message: Option<String>,
}

#[cfg(test)]
mod tests;
