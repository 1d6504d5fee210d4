//! `tabledata.insertAll` on the wire: the request body, and what an answer says of each row.
//!
//! <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>. Written here
//! and not left to gcp-bigquery-client, which hides the HTTP status and Retry-After and builds a
//! tree for every row. Nothing here sends anything.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{ErrorClass, InsertRow, Refusal, RowResult};
use crate::decode::TableSuffix;
use crate::decode::coerce::write_json_string;
use crate::decode::json::{self, Scalar};

/// The request body.
///
/// `skipInvalidRows`, because otherwise one bad row keeps its neighbours out and they have to be
/// sent again. Not `ignoreUnknownValues`: a column that the table lacks must not vanish silently.
pub fn body(suffix: &TableSuffix, rows: &[InsertRow]) -> Vec<u8> {
    let size: usize = rows.iter().map(|row| row.json.len() + 64).sum();
    let mut body = Vec::with_capacity(size + 96);
    body.extend_from_slice(br#"{"skipInvalidRows":true,"#);
    if !suffix.as_str().is_empty() {
        body.extend_from_slice(br#""templateSuffix":"#);
        write_json_string(suffix.as_str(), &mut body);
        body.push(b',');
    }
    body.extend_from_slice(br#""rows":["#);
    for (index, row) in rows.iter().enumerate() {
        body.extend_from_slice(if index == 0 { br#"{"insertId":""# } else { br#",{"insertId":""# });
        body.extend_from_slice(row.event_id.as_str().as_bytes());
        body.extend_from_slice(br#"","json":"#);
        body.extend_from_slice(&row.json);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    body
}

/// What the answer to a whole request means when it is not a 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The rows can be sent again.
    Again { trouble: ErrorClass, after: Duration },
    /// The access token was not accepted.
    Unauthorized,
    /// The table, or the template, is not there (yet).
    NotFound,
    /// Nothing that happens while somebody waits will help.
    NotNow(ErrorClass),
    /// Something in the request is at fault: one row, or the size of all.
    BadRequest(String),
}

impl Failure {
    /// Nobody knows what became of the rows, or it will pass.
    pub const PASSING: Self = Self::Again { trouble: ErrorClass::Unavailable, after: Duration::ZERO };
}

/// Reads a 200: the fate of each of `count` rows.
///
/// An answer that cannot be read says nothing, so the rows may or may not be stored; they are sent
/// again, and their insertIds keep them from being stored twice.
pub fn read_fates(answer: &[u8], count: usize) -> Result<Vec<RowResult>, Failure> {
    let answer: Answer<'_> = json::read(answer).map_err(|_| Failure::PASSING)?;
    if answer.error.is_some() {
        return Err(Failure::PASSING);
    }
    let mut fates = vec![RowResult::Stored; count];
    for error in answer.insert_errors.unwrap_or_default() {
        let index = error.index.get().and_then(|index| index.parse::<usize>().ok());
        let fate = index.and_then(|index| fates.get_mut(index)).ok_or(Failure::PASSING)?;
        *fate = read_fate(error.errors);
    }
    Ok(fates)
}

/// A row can have several errors; a lasting one outweighs one that passes. Only `invalid` is the
/// row's own fault: a reason that nobody has documented must not cost an event.
fn read_fate(errors: Vec<ErrorProto<'_>>) -> RowResult {
    let mut fate = RowResult::Stopped;
    for error in errors {
        match error.reason.get().unwrap_or_default().as_ref() {
            "stopped" | "" => {}
            "timeout" | "backendError" | "internalError" => {
                fate = RowResult::Again { trouble: ErrorClass::Unavailable, after: Duration::ZERO }
            }
            "rateLimitExceeded" => fate = RowResult::Again { trouble: ErrorClass::Quota, after: Duration::ZERO },
            "invalid" => {
                let message = error.message.get().unwrap_or_default();
                return RowResult::Refused(Refusal {
                    no_such_field: message.to_ascii_lowercase().contains("no such field"),
                    detail: format!("invalid: {message}"),
                    column: error.location.non_empty().map(std::borrow::Cow::into_owned),
                });
            }
            "quotaExceeded" => return RowResult::NotNow(ErrorClass::Quota),
            _ => return RowResult::NotNow(ErrorClass::Unavailable),
        }
    }
    fate
}

/// Reads any other answer. `retry_after` is the header's value, in seconds.
pub fn read_failure(status: u16, retry_after: Option<Duration>, answer: &[u8]) -> Failure {
    let after = retry_after.unwrap_or_default();
    let error = json::read::<ErrorAnswer<'_>>(answer).unwrap_or_default().error;
    let is_bigquerys = error.is_some();
    let error = error.unwrap_or_default();
    let reason = error.errors.into_iter().flatten().find_map(|error| error.reason.non_empty()).unwrap_or_default();
    match (status, reason.as_ref()) {
        (429, _) | (403, "rateLimitExceeded") => Failure::Again { trouble: ErrorClass::Quota, after },
        (403, "quotaExceeded") => Failure::NotNow(ErrorClass::Quota),
        (408 | 500 | 502 | 503 | 504, _) | (400, "tableUnavailable" | "backendError" | "timeout") => {
            Failure::Again { trouble: ErrorClass::Unavailable, after }
        }
        (401, _) => Failure::Unauthorized,
        (403 | 402, _) => Failure::NotNow(ErrorClass::Denied),
        (404, _) => Failure::NotFound,
        // A 400 of somebody on the way says nothing of the rows.
        (400, _) if !is_bigquerys => Failure::NotNow(ErrorClass::Unavailable),
        (400 | 413, _) => Failure::BadRequest(format!("{status} {reason}: {}", error.message.get().unwrap_or_default())),
        // Nothing that BigQuery documents: a proxy's page, a redirect. Keep the rows.
        _ => Failure::NotNow(ErrorClass::Unavailable),
    }
}

/// Members that are not read: `kind`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow, default)]
    insert_errors: Option<Vec<InsertError<'a>>>,
    /// Not in any answer under 200; where it is, nothing is stored.
    #[serde(default)]
    error: Option<IgnoredAny>,
}

/// `index` is a number from the service and a string from some emulators.
#[derive(Deserialize)]
struct InsertError<'a> {
    #[serde(borrow, default)]
    index: Scalar<'a>,
    #[serde(borrow, default)]
    errors: Vec<ErrorProto<'a>>,
}

/// Members that are not read: `debugInfo`.
#[derive(Deserialize, Default)]
struct ErrorProto<'a> {
    #[serde(borrow, default)]
    reason: Scalar<'a>,
    #[serde(borrow, default)]
    location: Scalar<'a>,
    #[serde(borrow, default)]
    message: Scalar<'a>,
}

#[derive(Deserialize, Default)]
struct ErrorAnswer<'a> {
    #[serde(borrow, default)]
    error: Option<ErrorBody<'a>>,
}

#[derive(Deserialize, Default)]
struct ErrorBody<'a> {
    #[serde(borrow, default)]
    message: Scalar<'a>,
    #[serde(borrow, default)]
    errors: Option<Vec<ErrorProto<'a>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(status: u16, reason: &str) -> Failure {
        let body =
            format!(r#"{{"error":{{"code":{status},"message":"m","errors":[{{"reason":"{reason}","domain":"global","message":"m"}}]}}}}"#);
        read_failure(status, None, body.as_bytes())
    }

    #[test]
    fn every_documented_error_has_its_class() {
        let unavailable = Failure::Again { trouble: ErrorClass::Unavailable, after: Duration::ZERO };
        let quota = Failure::Again { trouble: ErrorClass::Quota, after: Duration::ZERO };
        for (status, reason, expected) in [
            (408, "", unavailable.clone()),
            (429, "rateLimitExceeded", quota.clone()),
            (500, "internalError", unavailable.clone()),
            (502, "badGateway", unavailable.clone()),
            (503, "backendError", unavailable.clone()),
            (504, "", unavailable.clone()),
            (400, "tableUnavailable", unavailable),
            (403, "rateLimitExceeded", quota),
            (403, "quotaExceeded", Failure::NotNow(ErrorClass::Quota)),
            (403, "accessDenied", Failure::NotNow(ErrorClass::Denied)),
            (403, "billingNotEnabled", Failure::NotNow(ErrorClass::Denied)),
            (401, "authError", Failure::Unauthorized),
            (404, "notFound", Failure::NotFound),
            (400, "invalid", Failure::BadRequest("400 invalid: m".into())),
            (413, "uploadTooLarge", Failure::BadRequest("413 uploadTooLarge: m".into())),
            (302, "", Failure::NotNow(ErrorClass::Unavailable)),
        ] {
            assert_eq!(failure(status, reason), expected, "{status} {reason}");
        }
    }

    #[test]
    fn a_page_of_html_is_judged_by_its_status_and_retry_after() {
        let after = Duration::from_secs(7);
        for (status, trouble) in [(503, ErrorClass::Unavailable), (429, ErrorClass::Quota)] {
            for answer in [&b"<html>busy</html>"[..], b"{}"] {
                assert_eq!(read_failure(status, Some(after), answer), Failure::Again { trouble, after }, "{status}");
            }
        }
        assert_eq!(read_failure(400, None, b"<html>Bad Request</html>"), Failure::NotNow(ErrorClass::Unavailable));
        assert_eq!(read_failure(403, None, br#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#), Failure::NotNow(ErrorClass::Denied));
    }

    #[test]
    fn row_errors_settle_their_own_rows_only() {
        let answer = br#"{"kind":"k","insertErrors":[
            {"index":"1","errors":[{"reason":"stopped","location":"","debugInfo":"","message":""}]},
            {"index":2,"errors":[{"reason":"timeout"},{"reason":"invalid","location":"a.b","message":"no such field: a.b."}]},
            {"index":3,"errors":[{"reason":"backendError"}]}]}"#;
        let fates = read_fates(answer, 5).unwrap();
        assert_eq!(fates[0], RowResult::Stored);
        assert_eq!(fates[1], RowResult::Stopped);
        let refusal = Refusal { column: Some("a.b".into()), detail: "invalid: no such field: a.b.".into(), no_such_field: true };
        assert_eq!(fates[2], RowResult::Refused(refusal));
        assert_eq!(fates[3], RowResult::Again { trouble: ErrorClass::Unavailable, after: Duration::ZERO });
        assert_eq!(fates[4], RowResult::Stored);
    }

    #[test]
    fn only_invalid_is_a_rows_own_fault() {
        for (reason, expected) in [
            ("quotaExceeded", RowResult::NotNow(ErrorClass::Quota)),
            ("accessDenied", RowResult::NotNow(ErrorClass::Unavailable)),
            ("somethingNew", RowResult::NotNow(ErrorClass::Unavailable)),
        ] {
            let answer = format!(r#"{{"insertErrors":[{{"index":0,"errors":[{{"reason":"{reason}"}}]}}]}}"#);
            assert_eq!(read_fates(answer.as_bytes(), 1), Ok(vec![expected]), "{reason}");
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_stores_nothing() {
        for answer in [
            &br#"{"kind":"bigquery#tableDataIns"#[..],
            b"",
            br#"{"insertErrors":[{"index":7,"errors":[]}]}"#,
            br#"{"insertErrors":[{}]}"#,
            b"[]",
            br#"{"error":{"code":500}}"#,
        ] {
            assert!(matches!(read_fates(answer, 2), Err(Failure::Again { .. })), "{}", String::from_utf8_lossy(answer));
        }
        assert_eq!(read_fates(br#"{"insertErrors":null}"#, 1), Ok(vec![RowResult::Stored]));
    }
}
