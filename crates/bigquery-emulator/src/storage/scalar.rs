//! Scalar values: converts the JSON of insertAll to the stored form, and the stored form to the JSON of responses.
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
//! | STRING, GEOGRAPHY, INTERVAL | text, unchanged |
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types>.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use googlesql::{civil_time, number_text};
use serde_json::{Number, Value};

use super::column_type::{ScalarType, SizeLimit};

/// Converts a value that is not null, an array or an object to the stored form. The error is BigQuery's message.
pub(crate) fn to_stored(kind: ScalarType, value: &Value) -> Result<Value, String> {
    let bad = |what: &str| format!("Cannot convert value to {what} (bad value): {}", excerpt(value));
    match kind {
        ScalarType::String => match value {
            Value::Bool(_) => Err("Conversion from bool to std::string is unsupported.".to_owned()),
            value => Ok(Value::String(value_text(value))),
        },
        ScalarType::Integer => parse_integer(value).map(Value::from).ok_or_else(|| bad("integer")),
        ScalarType::Float => parse_float(value).ok_or_else(|| bad("floating point")),
        ScalarType::Boolean => parse_boolean(value).map(Value::Bool).ok_or_else(|| bad("boolean")),
        ScalarType::Numeric => parse_decimal_value(value, 29, 9).ok_or_else(|| format!("Invalid NUMERIC value: {}", excerpt(value))),
        ScalarType::BigNumeric => parse_decimal_value(value, 39, 38).ok_or_else(|| format!("Invalid BIGNUMERIC value: {}", excerpt(value))),
        ScalarType::Timestamp => parse_timestamp_value(value).map(Value::from).ok_or_else(|| {
            format!(
                "Could not parse '{}' as a timestamp. Required format is YYYY-MM-DD \
                 HH:MM[:SS[.SSSSSS]]",
                excerpt(value)
            )
        }),
        ScalarType::Date => value
            .as_str()
            .and_then(civil_time::parse_date)
            .map(|date| Value::String(date.to_string()))
            .ok_or_else(|| format!("Invalid date: '{}'", excerpt(value))),
        ScalarType::Time => value
            .as_str()
            .and_then(civil_time::parse_time)
            .map(|time| Value::String(time.to_string()))
            .ok_or_else(|| format!("Invalid time string \"{}\"", excerpt(value))),
        ScalarType::DateTime => value
            .as_str()
            .and_then(civil_time::parse_datetime)
            .map(|datetime| Value::String(datetime.to_string()))
            .ok_or_else(|| format!("Invalid datetime string \"{}\"", excerpt(value))),
        ScalarType::Bytes => value
            .as_str()
            .filter(|text| BASE64_STANDARD.decode(text).is_ok())
            .map(Value::from)
            .ok_or_else(|| "Could not decode base64 string to bytes.".to_owned()),
        ScalarType::Json => value
            .as_str()
            .filter(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
            .map(Value::from)
            .ok_or_else(|| format!("Invalid JSON value: {}", excerpt(value))),
        ScalarType::Geography | ScalarType::Interval => value.as_str().map(Value::from).ok_or_else(|| bad("string")),
    }
}

/// Checks a stored value against `maxLength` (characters of a STRING, bytes of a BYTES), or `precision` and `scale`. The
/// error is BigQuery's message.
pub(crate) fn check_size(kind: ScalarType, name: &str, size: Option<SizeLimit>, stored: &Value) -> Result<(), String> {
    let (Some(size), Value::String(text)) = (size, stored) else { return Ok(()) };
    let type_name = kind.name();
    match (kind, size) {
        (ScalarType::String | ScalarType::Bytes, SizeLimit::Length(max)) => {
            let length = match kind {
                ScalarType::Bytes => BASE64_STANDARD.decode(text).expect("stored BYTES are base64").len(),
                _ => text.chars().count(),
            };
            if length <= max {
                return Ok(());
            }
            Err(format!("Field {name}: {type_name}({max}) has maximum length {max} but got a value with length {length}"))
        }
        (ScalarType::Numeric | ScalarType::BigNumeric, SizeLimit::Decimal { precision, scale }) => {
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

/// Encodes a stored scalar as a cell of a response, which is always text.
pub(crate) fn encode_cell(kind: ScalarType, stored: &Value, int64_timestamp: bool) -> Value {
    Value::String(match (kind, stored) {
        (ScalarType::Timestamp, Value::Number(micros)) if !int64_timestamp => {
            number_text::timestamp_seconds(micros.as_i64().expect("a stored TIMESTAMP is an integer"))
        }
        (ScalarType::Float, Value::Number(number)) => number.as_f64().map_or_else(|| number.to_string(), number_text::double),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    })
}

fn parse_integer(value: &Value) -> Option<i64> {
    match value {
        // BigQuery accepts 3.0 as an integer, but not 3.5. 2^63 is out of range.
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64().filter(|_| number.is_f64())?;
            let in_range = (-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&float);
            (in_range && float.fract() == 0.0).then_some(float as i64)
        }),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn parse_float(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) => Some(Value::Number(number.clone())),
        Value::String(text) => match text.to_ascii_lowercase().trim_start_matches('+') {
            "nan" => Some(Value::from("NaN")),
            "inf" | "infinity" => Some(Value::from("Infinity")),
            "-inf" | "-infinity" => Some(Value::from("-Infinity")),
            // A number that is too large parses as infinity, and from_f64 returns None for it.
            number => Number::from_f64(number.parse().ok()?).map(Value::Number),
        },
        _ => None,
    }
}

fn parse_boolean(value: &Value) -> Option<bool> {
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

fn parse_timestamp_value(value: &Value) -> Option<i64> {
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

fn parse_decimal_value(value: &Value, before: usize, after: usize) -> Option<Value> {
    match value {
        Value::Number(_) | Value::String(_) => number_text::decimal(&value_text(value), before, after).map(Value::String),
        _ => None,
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The beginning of the value's text, for a message.
fn excerpt(value: &Value) -> String {
    const MAX_EXCERPT_CHARS: usize = 100;
    let mut text = value_text(value);
    if let Some((cut, _)) = text.char_indices().nth(MAX_EXCERPT_CHARS) {
        text.truncate(cut);
        text.push('…');
    }
    text
}
