//! `%t`, a value for people, and `%T`, a literal of it.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float64Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType, i256,
};

use super::super::calendar::{Zone, interval, text};
use super::super::coerce;
use super::super::function_error::FunctionError;
use super::super::kind::Kind;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::number::floating;
use crate::types;

pub(crate) fn printable(array: &ArrayRef, field: &Field, row: usize) -> Result<String, FunctionError> {
    value(array, field, row, Form::Printable)
}

pub(crate) fn literal(array: &ArrayRef, field: &Field, row: usize) -> Result<String, FunctionError> {
    value(array, field, row, Form::Literal)
}

/// JSON in one line, or in several.
pub(crate) fn json(text: &str, lines: bool) -> Result<String, FunctionError> {
    let broken = |_| FunctionError::new("FORMAT of a JSON value that is none");
    let value: serde_json::Value = serde_json::from_str(text).map_err(broken)?;
    if lines { serde_json::to_string_pretty(&value).map_err(broken) } else { Ok(value.to_string()) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Printable,
    Literal,
}

fn value(array: &ArrayRef, field: &Field, row: usize, form: Form) -> Result<String, FunctionError> {
    if array.data_type().is_null() || array.is_null(row) {
        return Ok("NULL".to_owned());
    }
    let typed = |name: &str, text: String| match form {
        Form::Printable => text,
        Form::Literal => format!("{name} \"{text}\""),
    };
    let Some(kind) = Kind::of(field) else { return nested(array, field, row, form) };
    Ok(match kind {
        Kind::Bool => array.as_boolean().value(row).to_string(),
        Kind::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        Kind::Float64 => float(array.as_primitive::<Float64Type>().value(row), form),
        Kind::Numeric => {
            let units = i256::from_i128(array.as_primitive::<Decimal128Type>().value(row));
            typed("NUMERIC", decimal::write(units, NUMERIC_SCALE))
        }
        Kind::BigNumeric => typed("BIGNUMERIC", decimal::write(array.as_primitive::<Decimal256Type>().value(row), BIGNUMERIC_SCALE)),
        Kind::Text => match form {
            Form::Printable => string(array, row)?,
            Form::Literal => quoted(&string(array, row)?),
        },
        Kind::Json => match form {
            Form::Printable => string(array, row)?,
            Form::Literal => format!("JSON {}", quoted(&string(array, row)?)),
        },
        Kind::Bytes => match form {
            Form::Printable => escaped(array.as_binary::<i32>().value(row), None),
            Form::Literal => {
                let bytes = array.as_binary::<i32>().value(row);
                let quote = if bytes.contains(&b'"') && !bytes.contains(&b'\'') { '\'' } else { '"' };
                format!("b{quote}{}{quote}", escaped(bytes, Some(quote)))
            }
        },
        Kind::Date => typed("DATE", text::write_date(array.as_primitive::<Date32Type>().value(row))),
        Kind::Time => typed("TIME", text::write_time(array.as_primitive::<Time64MicrosecondType>().value(row))),
        Kind::Datetime => typed("DATETIME", text::write_datetime(array.as_primitive::<TimestampMicrosecondType>().value(row))),
        Kind::Timestamp => {
            typed("TIMESTAMP", text::write_timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row), &Zone::UTC))
        }
        Kind::Interval => {
            let text = interval::text(array.as_primitive::<IntervalMonthDayNanoType>().value(row));
            match form {
                Form::Printable => text,
                Form::Literal => format!("INTERVAL \"{text}\" YEAR TO SECOND"),
            }
        }
        Kind::Array(_) => nested(array, field, row, form)?,
    })
}

/// An ARRAY or a STRUCT.
fn nested(array: &ArrayRef, field: &Field, row: usize, form: Form) -> Result<String, FunctionError> {
    match array.data_type() {
        DataType::List(item) => {
            let items = array.as_list::<i32>().value(row);
            let items = (0..items.len()).map(|index| value(&items, item, index, form)).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("[{}]", items.join(", ")))
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let values =
                columns.iter().zip(fields).map(|(column, field)| value(column, field, row, form)).collect::<Result<Vec<_>, _>>()?;
            Ok(match values.as_slice() {
                [] | [_] => format!("STRUCT({})", values.join(", ")),
                values => format!("({})", values.join(", ")),
            })
        }
        _ => Err(FunctionError::new(format!("FORMAT does not support {}", types::of(field)))),
    }
}

fn string(array: &ArrayRef, row: usize) -> Result<String, FunctionError> {
    if let Some(texts) = array.as_string_opt::<i32>() {
        return Ok(texts.value(row).to_owned());
    }
    let one = datafusion::logical_expr::ColumnarValue::Array(array.slice(row, 1));
    let plain = coerce::convert(&one, Kind::Text).and_then(|plain| plain.to_array(1));
    plain.map(|plain| plain.as_string::<i32>().value(0).to_owned()).map_err(|error| FunctionError::new(error.to_string()))
}

/// Never without a point or an exponent, so that it is seen to be a FLOAT64.
fn float(value: f64, form: Form) -> String {
    match (floating::not_finite(value), form) {
        (Some(name), Form::Printable) => name.to_owned(),
        (Some(name), Form::Literal) => format!("CAST(\"{name}\" AS FLOAT64)"),
        (None, _) => {
            let text = floating::write(value);
            if text.contains(['.', 'e']) { text } else { text + ".0" }
        }
    }
}

/// In the quotes that need no escaping, if there are such.
fn quoted(text: &str) -> String {
    let quote = if text.contains('"') && !text.contains('\'') { '\'' } else { '"' };
    let mut literal = String::from(quote);
    for c in text.chars() {
        match c {
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\\' => literal.push_str("\\\\"),
            c if c == quote => literal.extend(['\\', c]),
            c => literal.push(c),
        }
    }
    literal.push(quote);
    literal
}

fn escaped(bytes: &[u8], quote: Option<char>) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'\\' => text.push_str("\\\\"),
            byte if Some(char::from(*byte)) == quote => text.extend(['\\', char::from(*byte)]),
            0x20..=0x7e => text.push(char::from(*byte)),
            byte => {
                // Writing to a String cannot fail.
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
    }
    text
}
