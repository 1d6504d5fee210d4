//! Reads the answer of a Google API as a resource.
//!
//! It knows no type of resource: `bigquery`, `statement` and `storage` read the members.

use serde_json::{Map, Value};

use super::endpoints::Api;
use super::error::{ApiError, ApiResult};
use crate::decode::json;

/// Reads a resource: a JSON object with members, and without an error under the status of a success.
pub(super) fn read_resource(api: Api, body: &[u8]) -> ApiResult<Value> {
    let unreadable = |problem: &str| ApiError::unreadable(api, problem);
    let answer: Value = serde_json::from_slice(body).map_err(|error| unreadable(&json::describe(&error)))?;
    match answer.as_object() {
        None => Err(unreadable("it is not a JSON object")),
        Some(members) if members.is_empty() => Err(unreadable("it is an empty JSON object")),
        Some(members) if members.contains_key("error") => Err(unreadable("it is an error with the status of a success")),
        Some(_) => Ok(answer),
    }
}

/// Reads a page of a list that may be `{}`.
pub(super) fn read_page(api: Api, body: &[u8]) -> ApiResult<Value> {
    if body.trim_ascii() == b"{}" { Ok(Value::Object(Map::new())) } else { read_resource(api, body) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_members_and_no_error_is_a_resource() {
        for body in [r#"{"kind":"bigquery#table"}"#, r#" {"etag":"ACAB"} "#] {
            assert!(read_resource(Api::BigQuery, body.as_bytes()).is_ok(), "{body}");
        }
        for body in [
            "",
            "null",
            "0",
            "\"ok\"",
            "[]",
            "[{}]",
            "{}",
            "<html>login</html>",
            "{\"a\":1",
            "{\"a\":1} {}",
            r#"{"kind":"k","error":{"code":500}}"#,
        ] {
            assert!(matches!(read_resource(Api::BigQuery, body.as_bytes()), Err(ApiError::Unreadable { .. })), "{body}");
        }
    }
}
