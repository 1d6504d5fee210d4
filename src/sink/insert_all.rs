//! `tabledata.insertAll` on the wire: the result of each row in a response. [`super::insert_body`] is the request.
//!
//! <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>. Written here
//! and not left to gcp-bigquery-client, which hides the HTTP status and Retry-After and builds a
//! tree for every row. No I/O.

use std::time::Duration;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ErrorClass, Refusal, RequestError, RowResult};
use crate::decode::json::{self, Scalar};

/// Reads a 200: the result of each of `count` rows.
///
/// After a response that cannot be parsed the rows may or may not be stored. They are sent again, and their insertIds
/// keep BigQuery from storing them twice.
pub fn read_results(answer: &[u8], count: usize) -> Result<Vec<RowResult>, RequestError> {
    let answer: Answer<'_> = json::read(answer).map_err(|_| RequestError::TRANSIENT)?;
    if answer.error.is_some() {
        return Err(RequestError::TRANSIENT);
    }
    let mut results = vec![RowResult::Stored; count];
    for error in answer.insert_errors.unwrap_or_default() {
        let index = error.index.get().and_then(|index| index.parse::<usize>().ok());
        let result = index.and_then(|index| results.get_mut(index)).ok_or(RequestError::TRANSIENT)?;
        *result = read_result(error.errors);
    }
    Ok(results)
}

/// A row can have several errors; a permanent one outweighs a transient one. Only `invalid` is caused by the row
/// itself: an undocumented reason must not lose an event.
fn read_result(errors: Vec<ErrorProto<'_>>) -> RowResult {
    let mut result = RowResult::NotAttempted;
    for error in errors {
        match error.reason.get().unwrap_or_default().as_ref() {
            "stopped" | "" => {}
            "timeout" | "backendError" | "internalError" => {
                result = RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO }
            }
            "rateLimitExceeded" => result = RowResult::Retry { class: ErrorClass::Quota, after: Duration::ZERO },
            "invalid" => {
                let message = error.message.get().unwrap_or_default();
                return RowResult::Refused(Refusal {
                    no_such_field: message.to_ascii_lowercase().contains("no such field"),
                    detail: format!("invalid: {message}"),
                    column: error.location.non_empty().map(std::borrow::Cow::into_owned),
                });
            }
            "quotaExceeded" => return RowResult::Unavailable(ErrorClass::Quota),
            _ => return RowResult::Unavailable(ErrorClass::Unavailable),
        }
    }
    result
}

/// Reads any other response. `retry_after` is the header's value.
pub fn read_error(status: u16, retry_after: Option<Duration>, answer: &[u8]) -> RequestError {
    let after = retry_after.unwrap_or_default();
    let error = json::read::<ErrorAnswer<'_>>(answer).unwrap_or_default().error;
    let is_from_bigquery = error.is_some();
    let error = error.unwrap_or_default();
    let reason = error.errors.into_iter().flatten().find_map(|error| error.reason.non_empty()).unwrap_or_default();
    match (status, reason.as_ref()) {
        (429, _) | (403, "rateLimitExceeded") => RequestError::Retry { class: ErrorClass::Quota, after },
        (403, "quotaExceeded") => RequestError::Unavailable(ErrorClass::Quota),
        (408 | 500 | 502 | 503 | 504, _) | (400, "tableUnavailable" | "backendError" | "timeout") => {
            RequestError::Retry { class: ErrorClass::Unavailable, after }
        }
        (401, _) => RequestError::Unauthorized,
        (403 | 402, _) => RequestError::Unavailable(ErrorClass::Denied),
        (404, _) => RequestError::NotFound,
        // A 400 of a proxy is not about the rows.
        (400, _) if !is_from_bigquery => RequestError::Unavailable(ErrorClass::Unavailable),
        (400 | 413, _) => RequestError::BadRequest(format!("{status} {reason}: {}", error.message.get().unwrap_or_default())),
        // Not documented by BigQuery: a proxy's page, a redirect. Keep the rows.
        _ => RequestError::Unavailable(ErrorClass::Unavailable),
    }
}

/// Members that are not read: `kind`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer<'a> {
    #[serde(borrow, default)]
    insert_errors: Option<Vec<InsertError<'a>>>,
    /// No documented 200 has it. If one has it, no row counts as stored.
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

    fn error(status: u16, reason: &str) -> RequestError {
        let body =
            format!(r#"{{"error":{{"code":{status},"message":"m","errors":[{{"reason":"{reason}","domain":"global","message":"m"}}]}}}}"#);
        read_error(status, None, body.as_bytes())
    }

    #[test]
    fn every_documented_error_has_its_class() {
        let unavailable = RequestError::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO };
        let quota = RequestError::Retry { class: ErrorClass::Quota, after: Duration::ZERO };
        for (status, reason, expected) in [
            (408, "", unavailable.clone()),
            (429, "rateLimitExceeded", quota.clone()),
            (500, "internalError", unavailable.clone()),
            (502, "badGateway", unavailable.clone()),
            (503, "backendError", unavailable.clone()),
            (504, "", unavailable.clone()),
            (400, "tableUnavailable", unavailable),
            (403, "rateLimitExceeded", quota),
            (403, "quotaExceeded", RequestError::Unavailable(ErrorClass::Quota)),
            (403, "accessDenied", RequestError::Unavailable(ErrorClass::Denied)),
            (403, "billingNotEnabled", RequestError::Unavailable(ErrorClass::Denied)),
            (401, "authError", RequestError::Unauthorized),
            (404, "notFound", RequestError::NotFound),
            (400, "invalid", RequestError::BadRequest("400 invalid: m".into())),
            (413, "uploadTooLarge", RequestError::BadRequest("413 uploadTooLarge: m".into())),
            (302, "", RequestError::Unavailable(ErrorClass::Unavailable)),
        ] {
            assert_eq!(error(status, reason), expected, "{status} {reason}");
        }
    }

    #[test]
    fn an_html_page_is_classified_by_status_and_retry_after() {
        let after = Duration::from_secs(7);
        for (status, class) in [(503, ErrorClass::Unavailable), (429, ErrorClass::Quota)] {
            for answer in [&b"<html>busy</html>"[..], b"{}"] {
                assert_eq!(read_error(status, Some(after), answer), RequestError::Retry { class, after }, "{status}");
            }
        }
        assert_eq!(read_error(400, None, b"<html>Bad Request</html>"), RequestError::Unavailable(ErrorClass::Unavailable));
        assert_eq!(
            read_error(403, None, br#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#),
            RequestError::Unavailable(ErrorClass::Denied)
        );
    }

    #[test]
    fn row_errors_affect_only_their_rows() {
        let answer = br#"{"kind":"k","insertErrors":[
            {"index":"1","errors":[{"reason":"stopped","location":"","debugInfo":"","message":""}]},
            {"index":2,"errors":[{"reason":"timeout"},{"reason":"invalid","location":"a.b","message":"no such field: a.b."}]},
            {"index":3,"errors":[{"reason":"backendError"}]}]}"#;
        let results = read_results(answer, 5).unwrap();
        assert_eq!(results[0], RowResult::Stored);
        assert_eq!(results[1], RowResult::NotAttempted);
        let refusal = Refusal { column: Some("a.b".into()), detail: "invalid: no such field: a.b.".into(), no_such_field: true };
        assert_eq!(results[2], RowResult::Refused(refusal));
        assert_eq!(results[3], RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO });
        assert_eq!(results[4], RowResult::Stored);
    }

    #[test]
    fn only_the_reason_invalid_refuses_a_row() {
        for (reason, expected) in [
            ("quotaExceeded", RowResult::Unavailable(ErrorClass::Quota)),
            ("accessDenied", RowResult::Unavailable(ErrorClass::Unavailable)),
            ("somethingNew", RowResult::Unavailable(ErrorClass::Unavailable)),
        ] {
            let answer = format!(r#"{{"insertErrors":[{{"index":0,"errors":[{{"reason":"{reason}"}}]}}]}}"#);
            assert_eq!(read_results(answer.as_bytes(), 1), Ok(vec![expected]), "{reason}");
        }
    }

    #[test]
    fn a_response_that_cannot_be_parsed_stores_nothing() {
        for answer in [
            &br#"{"kind":"bigquery#tableDataIns"#[..],
            b"",
            br#"{"insertErrors":[{"index":7,"errors":[]}]}"#,
            br#"{"insertErrors":[{}]}"#,
            b"[]",
            br#"{"error":{"code":500}}"#,
        ] {
            assert!(matches!(read_results(answer, 2), Err(RequestError::Retry { .. })), "{}", String::from_utf8_lossy(answer));
        }
        assert_eq!(read_results(br#"{"insertErrors":null}"#, 1), Ok(vec![RowResult::Stored]));
    }
}
