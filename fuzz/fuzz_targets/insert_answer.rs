//! The response to insertAll, of BigQuery or of a proxy.
//!
//! A line: how many rows were sent, and the status; the rest is the body.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use pixel_pipeline::sink::insert_all::{read_error, read_results};
use pixel_pipeline::sink::{ErrorClass, Refusal, RequestError, RowResult};
use pixel_pipeline_fuzz::fields::Fields;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let line = fields.line();
    let mut numbers = line.split(' ').map(|number| number.parse::<u16>().unwrap_or(0));
    let (count, status) = (usize::from(numbers.next().unwrap_or(0)) % 600, numbers.next().unwrap_or(0));
    check_results(fields.0, count);
    check_error(status, fields.0);
});

fn check_results(answer: &[u8], count: usize) {
    let results = read_results(answer, count);
    assert_eq!(read_results(answer, count), results, "parsing is deterministic");
    let value: Option<Value> = serde_json::from_slice(answer).ok();
    let results = match results {
        Ok(results) => results,
        // It is unknown which rows are stored: all are sent again.
        Err(error) => return assert!(matches!(error, RequestError::Unreadable(_)), "{error:?}"),
    };
    assert_eq!(results.len(), count);
    // A member that is there twice, or too deep, is beyond this second reading.
    let Some(value) = value.filter(|value| value.to_string().len() + 2 >= compact(answer)) else { return };
    assert!(value["kind"] == "bigquery#tableDataInsertAllResponse" && value.get("error").is_none(), "{value}");
    let errors = value.get("insertErrors").and_then(Value::as_array).cloned().unwrap_or_default();
    let index = |error: &Value| match &error["index"] {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().map(|index| index as usize),
        _ => None,
    };
    for (row, result) in results.iter().enumerate() {
        let own: Vec<&Value> = errors.iter().filter(|error| index(error) == Some(row)).collect();
        assert_eq!(
            *result == RowResult::Stored,
            own.is_empty(),
            "row {row}: a row is stored if and only if the response has no error for it: {value}"
        );
        if let RowResult::Refused(refusal) = result {
            let reasons = own.iter().flat_map(|error| error["errors"].as_array().into_iter().flatten()).map(|error| &error["reason"]);
            assert!(reasons.into_iter().any(|reason| reason == "invalid"), "only `invalid` refuses a row: {value}");
            let longest = answer.len() + Refusal::WITHOUT_MESSAGE.len();
            assert!(refusal.detail.starts_with("invalid") && refusal.detail.len() <= longest);
        }
    }
}

fn check_error(status: u16, answer: &[u8]) {
    let after = Duration::from_secs(7);
    let error = read_error(status, Some(after), answer);
    assert_eq!(read_error(status, Some(after), answer), error, "parsing is deterministic");
    match &error {
        // The only ones that can refuse a row.
        RequestError::BadRequest(detail) | RequestError::TooLarge(Some(detail)) => {
            assert!(matches!(status, 400 | 413) && detail.len() <= answer.len() + 8, "{status}: {detail}");
            let says_so = String::from_utf8_lossy(answer).contains("error") || answer.contains(&b'\\');
            assert!(says_so, "a refusal by a proxy says nothing about the rows");
        }
        RequestError::TooLarge(None) => assert_eq!(status, 413),
        RequestError::Unreadable(_) => assert!((200..300).contains(&status), "{status}"),
        RequestError::Unauthorized => assert_eq!(status, 401),
        RequestError::NotFound => assert_eq!(status, 404),
        RequestError::Retry { after: waits, class } => {
            assert_eq!(*waits, after);
            assert!(*class != ErrorClass::Denied && matches!(status, 400 | 403 | 408 | 429 | 500..=504), "{status}");
        }
        RequestError::Unavailable(_) => assert!(!matches!(status, 401 | 408 | 413 | 429 | 500 | 502..=504), "{status}"),
    }
}

/// How long JSON is without the space between its tokens.
fn compact(json: &[u8]) -> usize {
    let (mut length, mut in_string, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b' ' | b'\n' | b'\r' | b'\t' if !in_string => continue,
            _ => {}
        }
        length += 1;
    }
    length
}
