//! Coerces text to a column's type, and writes it as `tabledata.insertAll` accepts it.
//!
//! A parameter is text, like a cell of a CSV file, so BigQuery's rules for CSV apply:
//! <https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types>. Every value
//! has one unambiguous format (INTEGER and NUMERIC as decimal strings, TIMESTAMP in UTC with six digits), because BigQuery
//! rejects the whole row for one invalid cell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::civil;
use super::json_value;
use super::message::MessageData;
use super::schema::{Column, ColumnType};

/// The value does not fit the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoercionError;

/// Appends `text` as a JSON value of the column's type. Leaves `out` unchanged on error.
pub fn write_text(text: &str, column: &Column, out: &mut Vec<u8>) -> Result<(), CoercionError> {
    match column.kind {
        ColumnType::String => {
            // Characters are counted only if the number of bytes does not decide.
            if column.max_length.is_some_and(|max| text.len() > max && text.chars().count() > max) {
                return Err(CoercionError);
            }
            write_json_string(text, out);
        }
        ColumnType::Integer => write_json_string(&parse_integer(text).ok_or(CoercionError)?.to_string(), out),
        ColumnType::Float => write_float(text, out)?,
        ColumnType::Decimal(decimal) => write_json_string(&decimal.parse(text).ok_or(CoercionError)?, out),
        ColumnType::Boolean => out.extend_from_slice(if parse_boolean(text).ok_or(CoercionError)? { b"true" } else { b"false" }),
        ColumnType::Bytes => {
            let bytes = MessageData::Base64(text.into()).bytes().map_err(|_| CoercionError)?.into_owned();
            if column.max_length.is_some_and(|max| bytes.len() > max) {
                return Err(CoercionError);
            }
            write_json_string(&STANDARD.encode(bytes), out);
        }
        ColumnType::Timestamp => write_timestamp(civil::parse_timestamp(text).ok_or(CoercionError)?, out),
        ColumnType::Date => write_date(civil::parse_date(text).ok_or(CoercionError)?, out),
        ColumnType::Time => write_time_of_day(civil::parse_time(text).ok_or(CoercionError)?, out),
        ColumnType::Datetime => write_datetime(civil::parse_datetime(text).ok_or(CoercionError)?, out),
        ColumnType::Json => {
            // A string that contains JSON text. BigQuery rejects an object.
            if !json_value::is_json(text) {
                return Err(CoercionError);
            }
            write_json_string(text, out);
        }
        ColumnType::Other => return Err(CoercionError),
    }
    Ok(())
}

/// Appends a parsed time in the format of the column's type, in UTC.
pub fn write_time(time: Timestamp, column: &Column, out: &mut Vec<u8>) -> Result<(), CoercionError> {
    let utc = Offset::UTC.to_datetime(time);
    match column.kind {
        ColumnType::Timestamp => write_timestamp(time, out),
        ColumnType::Date => write_date(utc.date(), out),
        ColumnType::Time => write_time_of_day(utc.time(), out),
        ColumnType::Datetime => write_datetime(utc, out),
        _ => return write_text(&rfc3339_micros(time), column, out),
    }
    Ok(())
}

/// RFC 3339 in UTC with six digits: BigQuery's precision. More digits are truncated, not rounded.
pub fn rfc3339_micros(time: Timestamp) -> String {
    let mut out = Vec::with_capacity(27);
    write_rfc3339_micros(time, &mut out);
    String::from_utf8(out).expect("digits and separators are ASCII")
}

fn write_timestamp(time: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    write_rfc3339_micros(time, out);
    out.push(b'"');
}

/// Written by hand, because it is in every row: it takes a fifth of the time of `strftime`.
fn write_rfc3339_micros(time: Timestamp, out: &mut Vec<u8>) {
    let civil = Offset::UTC.to_datetime(time);
    let mut digits = |mut number: u32, width: usize, after: u8| {
        let start = out.len();
        out.resize(start + width, b'0');
        for place in out[start..].iter_mut().rev() {
            *place = b'0' + (number % 10) as u8;
            number /= 10;
        }
        out.push(after);
    };
    digits(u32::from(civil.year().unsigned_abs()), 4, b'-');
    digits(u32::from(civil.month().unsigned_abs()), 2, b'-');
    digits(u32::from(civil.day().unsigned_abs()), 2, b'T');
    digits(u32::from(civil.hour().unsigned_abs()), 2, b':');
    digits(u32::from(civil.minute().unsigned_abs()), 2, b':');
    digits(u32::from(civil.second().unsigned_abs()), 2, b'.');
    digits(civil.subsec_nanosecond().unsigned_abs() / 1000, 6, b'Z');
}

fn write_date(date: Date, out: &mut Vec<u8>) {
    write_json_string(&date.to_string(), out);
}

fn write_time_of_day(time: Time, out: &mut Vec<u8>) {
    write_json_string(&time.strftime("%H:%M:%S%.6f").to_string(), out);
}

fn write_datetime(datetime: DateTime, out: &mut Vec<u8>) {
    write_json_string(&datetime.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string(), out);
}

/// Appends a JSON string.
pub fn write_json_string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).expect("writing a string to a vector cannot fail");
}

/// The length of [`write_json_string`].
pub fn json_string_len(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..0x20 => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum::<usize>() + 2
}

fn parse_integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

fn write_float(text: &str, out: &mut Vec<u8>) -> Result<(), CoercionError> {
    let number: f64 = text.parse().map_err(|_| CoercionError)?;
    if number.is_finite() {
        serde_json::to_writer(out, &number).expect("writing a number to a vector cannot fail");
    } else if text.bytes().any(|b| b.is_ascii_digit()) {
        return Err(CoercionError); // a number outside the range of FLOAT64, which `parse` made infinite
    } else if number.is_nan() {
        write_json_string("NaN", out);
    } else {
        write_json_string(if number > 0.0 { "Infinity" } else { "-Infinity" }, out);
    }
    Ok(())
}

fn parse_boolean(text: &str) -> Option<bool> {
    let is = |words: [&str; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "t", "1", "yes", "y"]) {
        Some(true)
    } else if is(["false", "f", "0", "no", "n"]) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::schema::Schema;

    fn column(kind: &str) -> Column {
        let json = format!(r#"[{{"name":"c","type":"{}"{}}}]"#, kind.trim_end_matches(char::is_numeric), {
            let digits = kind.trim_start_matches(|c: char| !c.is_numeric());
            if digits.is_empty() || kind.ends_with("64") { String::new() } else { format!(r#","maxLength":"{digits}""#) }
        });
        let json = if kind.ends_with("64") { format!(r#"[{{"name":"c","type":"{kind}"}}]"#) } else { json };
        Schema::parse(&json).unwrap().columns()[0].clone()
    }

    fn coerce(kind: &str, text: &str) -> Option<String> {
        let mut out = b"before".to_vec();
        let result = write_text(text, &column(kind), &mut out);
        let written = String::from_utf8(out).unwrap().split_off("before".len());
        assert!(result.is_ok() || written.is_empty(), "a rejected value must leave nothing behind: {written}");
        result.ok().map(|()| written)
    }

    #[test]
    fn values_that_fit_are_written_as_insert_all_accepts_them() {
        for (kind, text, expected) in [
            ("STRING", "it's \"quoted\" / \u{0}\u{fffd}é", r#""it's \"quoted\" / \u0000�é""#),
            ("STRING", "", r#""""#),
            ("STRING3", "äöü", r#""äöü""#),
            ("INTEGER", "-9223372036854775808", r#""-9223372036854775808""#),
            ("INT64", "+42", r#""42""#),
            ("FLOAT", "1.5e3", "1500.0"),
            ("FLOAT64", ".5", "0.5"),
            ("FLOAT", "nan", r#""NaN""#),
            ("FLOAT", "-inf", r#""-Infinity""#),
            ("NUMERIC", "12.50", r#""12.5""#),
            ("BIGNUMERIC", "1e-38", r#""0.00000000000000000000000000000000000001""#),
            ("BOOLEAN", "TRUE", "true"),
            ("BOOL", "0", "false"),
            ("BYTES", "-_8", r#""+/8=""#),
            ("BYTES2", "YWI=", r#""YWI=""#),
            ("TIMESTAMP", "2026-01-02T03:04:05.123456789+01:00", r#""2026-01-02T02:04:05.123456Z""#),
            ("DATE", "2026-1-2", r#""2026-01-02""#),
            ("TIME", "3:4:5.5", r#""03:04:05.500000""#),
            ("DATETIME", "2026-01-02 03:04:05", r#""2026-01-02T03:04:05.000000""#),
            ("JSON", r#"{"a":[1,null]}"#, r#""{\"a\":[1,null]}""#),
        ] {
            assert_eq!(coerce(kind, text).as_deref(), Some(expected), "{kind} {text}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_rejected() {
        for (kind, text) in [
            ("STRING3", "äöüß"),
            ("INTEGER", "9223372036854775808"),
            ("INTEGER", "1.0"),
            ("INTEGER", ""),
            ("INTEGER", " 1"),
            ("INTEGER", "١"),
            ("FLOAT", "1e400"),
            ("FLOAT", "1,5"),
            ("NUMERIC", "0.0000000001"),
            ("BOOLEAN", "maybe"),
            ("BYTES", "not base64!"),
            ("BYTES2", "YWJj"),
            ("TIMESTAMP", "yesterday"),
            ("DATE", "02.01.2026"),
            ("TIME", "25:00:00"),
            ("DATETIME", "2026-01-02T03:04:05Z"),
            ("JSON", "{'a':1}"),
            ("GEOGRAPHY", "POINT(1 2)"),
        ] {
            assert_eq!(coerce(kind, text), None, "{kind} {text}");
        }
    }

    #[test]
    fn the_length_of_a_json_string_is_that_of_its_text() {
        let ascii: String = (0..0x80_u8).map(char::from).collect();
        for text in ["", "a/b", "\u{80}\u{fffd}\u{1f600}\u{2028}", &ascii] {
            let mut out = Vec::new();
            write_json_string(text, &mut out);
            assert_eq!(json_string_len(text), out.len(), "{text:?}");
        }
    }

    #[test]
    fn deeply_nested_json_does_not_overflow_the_stack() {
        coerce("JSON", &"[".repeat(1_000_000));
        coerce("JSON", &("[".repeat(100_000) + &"]".repeat(100_000)));
    }
}
