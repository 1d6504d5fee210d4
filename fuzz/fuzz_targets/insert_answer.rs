//! BigQuery's answer to insertAll, or whoever's it is.
//!
//! A line: how many rows were sent, and the status; the rest is the body.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use pixel_pipeline::sink::insert_all::{Failure, read_failure, read_fates};
use pixel_pipeline::sink::{ErrorClass, RowResult};
use pixel_pipeline_fuzz::fields::Fields;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let mut fields = Fields(input);
    let line = fields.line();
    let mut numbers = line.split(' ').map(|number| number.parse::<u16>().unwrap_or(0));
    let (count, status) = (usize::from(numbers.next().unwrap_or(0)) % 600, numbers.next().unwrap_or(0));
    check_fates(fields.0, count);
    check_failure(status, fields.0);
});

fn check_fates(answer: &[u8], count: usize) {
    let fates = read_fates(answer, count);
    assert_eq!(read_fates(answer, count), fates, "twice the same");
    let value: Option<Value> = serde_json::from_slice(answer).ok();
    let fates = match fates {
        Ok(fates) => fates,
        // Nobody knows what became of the rows: all are sent again.
        Err(failure) => return assert_eq!(failure, Failure::PASSING),
    };
    assert_eq!(fates.len(), count);
    // A member that is there twice, or too deep, is beyond this second reading.
    let Some(value) = value.filter(|value| value.to_string().len() + 2 >= compact(answer)) else { return };
    assert!(value.is_object() && value.get("error").is_none_or(Value::is_null), "{value}");
    let errors = value.get("insertErrors").and_then(Value::as_array).cloned().unwrap_or_default();
    let index = |error: &Value| match &error["index"] {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().map(|index| index as usize),
        _ => None,
    };
    for (row, fate) in fates.iter().enumerate() {
        let own: Vec<&Value> = errors.iter().filter(|error| index(error) == Some(row)).collect();
        assert_eq!(
            *fate == RowResult::Stored,
            own.is_empty(),
            "row {row}: a row is stored if nothing is said of it, and only then: {value}"
        );
        if let RowResult::Refused(refusal) = fate {
            let reasons = own.iter().flat_map(|error| error["errors"].as_array().into_iter().flatten()).map(|error| &error["reason"]);
            assert!(reasons.into_iter().any(|reason| reason == "invalid"), "only `invalid` costs a row: {value}");
            assert!(refusal.detail.starts_with("invalid: ") && refusal.detail.len() <= answer.len() + 9);
        }
    }
}

fn check_failure(status: u16, answer: &[u8]) {
    let after = Duration::from_secs(7);
    let failure = read_failure(status, Some(after), answer);
    assert_eq!(read_failure(status, Some(after), answer), failure, "twice the same");
    match &failure {
        // The one that can cost a row.
        Failure::BadRequest(detail) => {
            assert!(matches!(status, 400 | 413) && detail.len() <= answer.len() + 8, "{status}: {detail}");
            let says_so = status == 413 || String::from_utf8_lossy(answer).contains("error") || answer.contains(&b'\\');
            assert!(says_so, "a 400 of somebody on the way says nothing of the rows");
        }
        Failure::Unauthorized => assert_eq!(status, 401),
        Failure::NotFound => assert_eq!(status, 404),
        Failure::Again { after: waits, trouble } => {
            assert_eq!(*waits, after);
            assert!(*trouble != ErrorClass::Denied && matches!(status, 400 | 403 | 408 | 429 | 500..=504), "{status}");
        }
        Failure::NotNow(_) => assert!(!matches!(status, 401 | 404 | 408 | 429 | 500 | 502..=504), "{status}"),
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
