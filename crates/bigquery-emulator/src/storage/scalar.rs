//! Scalar values: what insertAll accepts for a type, how it is stored, how it is read.
//!
//! | type | stored as |
//! | --- | --- |
//! | INTEGER | JSON integer |
//! | FLOAT | JSON number, or `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | BOOLEAN | JSON boolean |
//! | TIMESTAMP | JSON integer, microseconds since 1970 |
//! | DATE, TIME, DATETIME | text, ISO 8601 without zone |
//! | NUMERIC, BIGNUMERIC | text, plain decimal |
//! | BYTES | text, standard base64 |
//! | JSON | text that is JSON |
//! | STRING, GEOGRAPHY, INTERVAL | text as it came |

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use googlesql::{civil_time, number_text};
use serde_json::{Number, Value};

use super::column_type::{Scalar, Size};

/// The stored form of a value that is neither null, array nor object, or BigQuery's message.
pub(crate) fn store(kind: Scalar, value: &Value) -> Result<Value, String> {
    let bad = |what: &str| format!("Cannot convert value to {what} (bad value): {}", shown(value));
    match kind {
        Scalar::String => match value {
            Value::Bool(_) => Err("Conversion from bool to std::string is unsupported.".to_owned()),
            value => Ok(Value::String(text(value))),
        },
        Scalar::Integer => integer(value).map(Value::from).ok_or_else(|| bad("integer")),
        Scalar::Float => float(value).ok_or_else(|| bad("floating point")),
        Scalar::Boolean => boolean(value).map(Value::Bool).ok_or_else(|| bad("boolean")),
        Scalar::Numeric => decimal(value, 29, 9).ok_or_else(|| format!("Invalid NUMERIC value: {}", shown(value))),
        Scalar::BigNumeric => decimal(value, 39, 38).ok_or_else(|| format!("Invalid BIGNUMERIC value: {}", shown(value))),
        Scalar::Timestamp => timestamp(value).map(Value::from).ok_or_else(|| {
            format!(
                "Could not parse '{}' as a timestamp. Required format is YYYY-MM-DD \
                 HH:MM[:SS[.SSSSSS]]",
                shown(value)
            )
        }),
        Scalar::Date => value
            .as_str()
            .and_then(civil_time::parse_date)
            .map(|date| Value::String(date.to_string()))
            .ok_or_else(|| format!("Invalid date: '{}'", shown(value))),
        Scalar::Time => value
            .as_str()
            .and_then(civil_time::parse_time)
            .map(|time| Value::String(time.to_string()))
            .ok_or_else(|| format!("Invalid time string \"{}\"", shown(value))),
        Scalar::DateTime => value
            .as_str()
            .and_then(civil_time::parse_datetime)
            .map(|datetime| Value::String(datetime.to_string()))
            .ok_or_else(|| format!("Invalid datetime string \"{}\"", shown(value))),
        Scalar::Bytes => value
            .as_str()
            .filter(|text| BASE64_STANDARD.decode(text).is_ok())
            .map(Value::from)
            .ok_or_else(|| "Could not decode base64 string to bytes.".to_owned()),
        Scalar::Json => value
            .as_str()
            .filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
            .map(Value::from)
            .ok_or_else(|| format!("Invalid JSON value: {}", shown(value))),
        Scalar::Geography | Scalar::Interval => value.as_str().map(Value::from).ok_or_else(|| bad("string")),
    }
}

/// Whether a stored value keeps to `maxLength` (characters of a STRING, bytes of a BYTES) or to
/// `precision` and `scale`, and if not, BigQuery's message.
pub(crate) fn check_size(kind: Scalar, name: &str, size: Option<Size>, stored: &Value) -> Result<(), String> {
    let (Some(size), Value::String(text)) = (size, stored) else { return Ok(()) };
    let type_name = kind.name();
    match (kind, size) {
        (Scalar::String | Scalar::Bytes, Size::Length(most)) => {
            let length = match kind {
                Scalar::Bytes => BASE64_STANDARD.decode(text).expect("stored BYTES are base64").len(),
                _ => text.chars().count(),
            };
            if length <= most {
                return Ok(());
            }
            Err(format!("Field {name}: {type_name}({most}) has maximum length {most} but got a value with length {length}"))
        }
        (Scalar::Numeric | Scalar::BigNumeric, Size::Decimal { precision, scale }) => {
            if number_text::decimal(text, precision.saturating_sub(scale), scale).is_some() {
                return Ok(());
            }
            Err(format!(
                "Field {name}: {type_name}({precision}, {scale}) has precision {precision} and scale {scale} but got a value \
                 that is not in range"
            ))
        }
        _ => Ok(()),
    }
}

/// A stored scalar in BigQuery's encoding of a cell: always text.
pub(crate) fn cell(kind: Scalar, stored: &Value, int64_timestamp: bool) -> Value {
    Value::String(match (kind, stored) {
        (Scalar::Timestamp, Value::Number(micros)) if !int64_timestamp => {
            number_text::timestamp_seconds(micros.as_i64().expect("a stored TIMESTAMP is an integer"))
        }
        (Scalar::Float, Value::Number(number)) => number.as_f64().map_or_else(|| number.to_string(), number_text::double),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    })
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        // 3.0 is an integer to BigQuery, 3.5 is not; 2^63 is out of range.
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|_| number.is_f64())?;
            let in_range = (-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&float);
            (in_range && float.fract() == 0.0).then_some(float as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => Some(Value::Number(number.clone())),
        Value::String(text) => match text.to_ascii_lowercase().trim_start_matches('+') {
            "nan" => Some(Value::from("NaN")),
            "inf" | "infinity" => Some(Value::from("Infinity")),
            "-inf" | "-infinity" => Some(Value::from("-Infinity")),
            // Too large a number parses as infinity, which from_f64 refuses.
            number => Number::from_f64(number.parse().ok()?).map(Value::Number),
        },
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "1" => Some(true),
            "false" | "f" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn timestamp(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) => civil_time::micros_of_whole_seconds(whole),
            None => civil_time::micros_of_seconds(number.as_f64()?),
        },
        Value::String(text) => civil_time::parse_timestamp(text).or_else(|| match text.parse() {
            Ok(whole) => civil_time::micros_of_whole_seconds(whole),
            Err(_) => civil_time::micros_of_seconds(text.parse().ok()?),
        }),
        _ => None,
    }
}

fn decimal(value: &Value, before: usize, after: usize) -> Option<Value> {
    match value {
        Value::Number(_) | Value::String(_) => number_text::decimal(&text(value), before, after).map(Value::String),
        _ => None,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The value as a message quotes it: not megabytes of it.
fn shown(value: &Value) -> String {
    const MAX_SHOWN: usize = 100;
    let mut text = text(value);
    if let Some((cut, _)) = text.char_indices().nth(MAX_SHOWN) {
        text.truncate(cut);
        text.push('…');
    }
    text
}
