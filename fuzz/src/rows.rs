//! The rows that BigQuery accepts, according to its documentation and independent of the code that writes them.
//!
//! Types: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types>. Names and suffixes of tables:
//! <https://cloud.google.com/bigquery/docs/tables#table_naming>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use pixel_pipeline::decode::schema::{Column, ColumnType, Mode};
use pixel_pipeline::decode::{Row, Schema, TableSuffix};
use serde_json::{Map, Value};

/// BigQuery's limit for a table name. The name of the template table is a part of it.
const LONGEST_TABLE_NAME: usize = 1024;
/// BigQuery's limit for the depth of a JSON value.
const DEEPEST_JSON: usize = 500;
/// A byte of a message never becomes more bytes of a row than that. The most come from an id of one letter in a
/// REPEATED column where ids are hashed: `&a=1` is 32 digits in its column and 32 in `request_url`.
const BYTES_PER_BYTE: usize = 24;
/// Bytes of a row that do not come from the message: column names, times, numbers.
const BYTES_PER_COLUMN: usize = 350;

/// Panics unless BigQuery accepts the row. Returns its columns.
pub fn check(row: &Row, schema: &Schema, message_bytes: usize) -> Map<String, Value> {
    check_suffix(&row.suffix, "pixel");
    let bound = BYTES_PER_BYTE * message_bytes + BYTES_PER_COLUMN * schema.columns().len();
    assert!(row.json.len() <= bound, "{} bytes of a message of {message_bytes}", row.json.len());
    let text = std::str::from_utf8(&row.json).expect("a row is UTF-8");
    let columns: Map<String, Value> = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    for (name, value) in &columns {
        // The map hides duplicate names. Quotes within a string are escaped.
        assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{name} is there twice: {text}");
        let column = schema.column(name).unwrap_or_else(|| panic!("{name} is no column"));
        assert_eq!(&column.name, name, "spelt as in the schema");
        match (column.mode, value) {
            (Mode::Repeated, Value::Array(values)) => {
                assert!(!values.is_empty(), "{name} is empty: {text}");
                values.iter().for_each(|value| check_value(column, value));
            }
            (Mode::Repeated, _) => panic!("{name} is REPEATED: {value}"),
            (Mode::Nullable | Mode::Required, value) => check_value(column, value),
            (Mode::Other, value) => panic!("{name} has an unknown mode, so nothing fills it: {value}"),
        }
    }
    for column in schema.columns().iter().filter(|column| column.must_be_filled()) {
        assert!(columns.contains_key(&column.name), "{} is REQUIRED: {text}", column.name);
    }
    columns
}

/// Panics unless BigQuery accepts the suffix.
pub fn check_suffix(suffix: &TableSuffix, table: &str) {
    let text = suffix.as_str();
    assert!(text.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()), "{text}");
    assert!(table.len() + text.len() <= LONGEST_TABLE_NAME, "{} characters: {text}", table.len() + text.len());
}

/// Panics unless BigQuery accepts the value in a column of this type.
pub fn check_value(column: &Column, value: &Value) {
    let fits = match (column.kind, value) {
        (ColumnType::String, Value::String(text)) => column.max_length.is_none_or(|length| text.chars().count() <= length),
        (ColumnType::Integer, Value::String(text)) => text.parse::<i64>().is_ok_and(|number| number.to_string() == *text),
        (ColumnType::Float, Value::Number(number)) => number.as_f64().is_some_and(f64::is_finite),
        (ColumnType::Float, Value::String(text)) => ["NaN", "Infinity", "-Infinity"].contains(&text.as_str()),
        (ColumnType::Decimal(decimal), Value::String(text)) => is_plain_decimal(text) && decimal.parse(text).as_ref() == Some(text),
        (ColumnType::Boolean, Value::Bool(_)) => true,
        (ColumnType::Bytes, Value::String(text)) => {
            STANDARD.decode(text).is_ok_and(|bytes| column.max_length.is_none_or(|length| bytes.len() <= length))
        }
        (ColumnType::Timestamp, Value::String(text)) => {
            is_like(text, "0000-00-00T00:00:00.000000Z") && text.parse::<Timestamp>().is_ok() && !text.starts_with("0000")
        }
        (ColumnType::Date, Value::String(text)) => is_like(text, "0000-00-00") && text.parse::<Date>().is_ok() && !text.starts_with("0000"),
        (ColumnType::Time, Value::String(text)) => is_like(text, "00:00:00.000000") && text.parse::<Time>().is_ok(),
        (ColumnType::Datetime, Value::String(text)) => {
            is_like(text, "0000-00-00T00:00:00.000000") && text.parse::<DateTime>().is_ok() && !text.starts_with("0000")
        }
        (ColumnType::Json, Value::String(text)) => is_json_that_bigquery_takes(text),
        _ => false,
    };
    assert!(fits, "{value} in {column:?}");
}

/// Whether the text matches the pattern, in which `0` stands for any digit.
fn is_like(text: &str, pattern: &str) -> bool {
    let alike = |(byte, of): (u8, u8)| if of == b'0' { byte.is_ascii_digit() } else { byte == of };
    text.len() == pattern.len() && text.bytes().zip(pattern.bytes()).all(alike)
}

/// `-12.5`: no exponent, no `+`, no redundant zero, and at most 38 digits on each side of the point.
fn is_plain_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let are_digits = |text: &str| (1..=38).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(integer) && are_digits(fraction) && (integer == "0" || !integer.starts_with('0')) && text != "-0"
}

/// JSON text within the depth limit and without unpaired surrogates.
fn is_json_that_bigquery_takes(text: &str) -> bool {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'[' | b'{') => depth += 1,
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    // `Value` reads the strings, but no deeper than 127.
    deepest <= DEEPEST_JSON && (deepest > 120 || serde_json::from_str::<Value>(text).is_ok())
}
