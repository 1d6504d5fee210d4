//! The error body of Google's APIs: what tells an answer of the API itself from that of a proxy in between.
//!
//! <https://cloud.google.com/apis/design/errors#http_mapping>, and BigQuery's older form with a list of errors:
//! <https://cloud.google.com/bigquery/docs/error-messages>.

use serde::Deserialize;

use crate::decode::json::{self, Object};

/// An error that one of Google's APIs has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    pub message: String,
    /// The reasons of the list of errors, such as `notFound`.
    pub reasons: Vec<String>,
    /// The canonical code, such as `NOT_FOUND`.
    status: Option<String>,
}

impl ErrorBody {
    /// Reads the body of an answer with this HTTP status. `None` for any other body: it must repeat the status, and have
    /// a canonical code or a reason.
    pub fn read(status: u16, body: &[u8]) -> Option<Self> {
        let Answer { error: Object(error) } = json::read(body).ok()?;
        let reasons: Vec<String> = error.errors.into_iter().flatten().filter_map(|Object(item)| item.reason).collect();
        let is_complete = error.code == status && (error.status.is_some() || !reasons.is_empty());
        is_complete.then(|| Self { message: error.message.unwrap_or_default(), reasons, status: error.status })
    }

    /// The first reason; empty if there is none.
    pub fn reason(&self) -> &str {
        self.reasons.first().map_or("", String::as_str)
    }

    /// Whether the API states that the resource does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status.as_deref() == Some("NOT_FOUND") || self.reasons.iter().any(|reason| reason == "notFound")
    }
}

#[derive(Deserialize)]
struct Answer {
    error: Object<ErrorMembers>,
}

#[derive(Deserialize)]
struct ErrorMembers {
    code: u16,
    message: Option<String>,
    status: Option<String>,
    errors: Option<Vec<Object<ErrorItem>>>,
}

#[derive(Deserialize)]
struct ErrorItem {
    reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_googles_own_error_is_read() {
        for (status, body) in [
            (
                404,
                r#"{"error":{"code":404,"message":"m","errors":[{"message":"m","domain":"global","reason":"notFound"}],"status":"NOT_FOUND"}}"#,
            ),
            (404, r#"{"error":{"code":404,"message":"m","errors":[{"reason":"notFound"}]}}"#),
            (404, r#"{"error":{"code":404,"message":"m","status":"NOT_FOUND","details":[{"@type":"t"}]}}"#),
        ] {
            let error = ErrorBody::read(status, body.as_bytes()).unwrap_or_else(|| panic!("{body}"));
            assert_eq!((error.message.as_str(), error.is_not_found()), ("m", true), "{body}");
        }
        for (status, body) in [
            (404, ""),
            (404, "{}"),
            (404, "<html>404 Not Found</html>"),
            (404, r#"{"error":"not found"}"#),
            (404, r#"{"error":{"message":"Not found"}}"#),
            (404, r#"{"error":{"code":404,"message":"Not found"}}"#),
            (404, r#"{"error":{"code":"404","status":"NOT_FOUND"}}"#),
            (404, r#"{"error":{"code":404,"status":404}}"#),
            (404, r#"{"error":[404,"m","NOT_FOUND"]}"#),
            (404, r#"{"errors":[{"reason":"notFound"}]}"#),
            (404, r#"{"error":{"code":404,"errors":[{}]}}"#),
            (404, r#"{"error":{"code":404,"errors":{"reason":"notFound"}}}"#),
            (404, r#"{"error":{"code":403,"status":"NOT_FOUND"}}"#),
            (403, r#"{"error":{"code":404,"status":"NOT_FOUND"}}"#),
            (404, r#"{"error":{"code":404,"status":"NOT_FOUND"}} trailing"#),
        ] {
            assert_eq!(ErrorBody::read(status, body.as_bytes()), None, "{status} {body}");
        }
    }

    #[test]
    fn only_an_explicit_not_found_is_one() {
        for body in [
            r#"{"error":{"code":404,"status":"PERMISSION_DENIED"}}"#,
            r#"{"error":{"code":404,"message":"Not found: Table","errors":[{"reason":"accessDenied"}]}}"#,
        ] {
            assert!(!ErrorBody::read(404, body.as_bytes()).unwrap().is_not_found(), "{body}");
        }
    }
}
