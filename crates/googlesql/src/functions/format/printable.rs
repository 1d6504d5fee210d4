//! The specifiers `%t` (printable text) and `%T` (GoogleSQL literal).

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Float64Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType,
    TimestampMicrosecondType, i256,
};

use super::super::calendar::{Zone, interval, text};
use super::super::coerce;
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::number::floating;
use super::super::sql_type::SqlType;
use crate::types;

pub(crate) fn printable(array: &ArrayRef, field: &Field, row: usize) -> Result<String, FunctionError> {
    value(array, field, row, Form::Printable)
}

pub(crate) fn literal(array: &ArrayRef, field: &Field, row: usize) -> Result<String, FunctionError> {
    value(array, field, row, Form::Literal)
}

/// Formats JSON on one line or on several lines.
pub(crate) fn json(text: &str, multiline: bool) -> Result<String, FunctionError> {
    let invalid = |_| FunctionError::new("Invalid JSON value in FORMAT");
    let value: serde_json::Value = serde_json::from_str(text).map_err(invalid)?;
    if multiline { serde_json::to_string_pretty(&value).map_err(invalid) } else { Ok(value.to_string()) }
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
    let with_type = |name: &str, text: String| match form {
        Form::Printable => text,
        Form::Literal => format!("{name} \"{text}\""),
    };
    let Some(sql_type) = SqlType::of(field) else { return format_nested(array, field, row, form) };
    Ok(match sql_type {
        SqlType::Bool => array.as_boolean().value(row).to_string(),
        SqlType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        SqlType::Float64 => float(array.as_primitive::<Float64Type>().value(row), form),
        SqlType::Numeric => {
            let units = i256::from_i128(array.as_primitive::<Decimal128Type>().value(row));
            with_type("NUMERIC", decimal::write(units, NUMERIC_SCALE))
        }
        SqlType::BigNumeric => with_type("BIGNUMERIC", decimal::write(array.as_primitive::<Decimal256Type>().value(row), BIGNUMERIC_SCALE)),
        SqlType::Text => match form {
            Form::Printable => string(array, row)?,
            Form::Literal => quote(&string(array, row)?),
        },
        SqlType::Json => match form {
            Form::Printable => string(array, row)?,
            Form::Literal => format!("JSON {}", quote(&string(array, row)?)),
        },
        SqlType::Bytes => match form {
            Form::Printable => escape(array.as_binary::<i32>().value(row), None),
            Form::Literal => {
                let bytes = array.as_binary::<i32>().value(row);
                let quote = if bytes.contains(&b'"') && !bytes.contains(&b'\'') { '\'' } else { '"' };
                format!("b{quote}{}{quote}", escape(bytes, Some(quote)))
            }
        },
        SqlType::Date => with_type("DATE", text::format_date(array.as_primitive::<Date32Type>().value(row))),
        SqlType::Time => with_type("TIME", text::format_time(array.as_primitive::<Time64MicrosecondType>().value(row))),
        SqlType::Datetime => with_type("DATETIME", text::format_datetime(array.as_primitive::<TimestampMicrosecondType>().value(row))),
        SqlType::Timestamp => {
            with_type("TIMESTAMP", text::format_timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row), &Zone::UTC))
        }
        SqlType::Interval => {
            let text = interval::format_interval(array.as_primitive::<IntervalMonthDayNanoType>().value(row));
            match form {
                Form::Printable => text,
                Form::Literal => format!("INTERVAL \"{text}\" YEAR TO SECOND"),
            }
        }
        SqlType::Array(_) => format_nested(array, field, row, form)?,
    })
}

/// Formats an ARRAY or a STRUCT.
fn format_nested(array: &ArrayRef, field: &Field, row: usize, form: Form) -> Result<String, FunctionError> {
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
    let plain = coerce::convert(&one, SqlType::Text).and_then(|plain| plain.to_array(1));
    plain.map(|plain| plain.as_string::<i32>().value(0).to_owned()).map_err(|error| FunctionError::new(error.to_string()))
}

/// Formats a FLOAT64 with a decimal point or an exponent, so that it cannot be read as an INT64.
fn float(value: f64, form: Form) -> String {
    match (floating::non_finite_name(value), form) {
        (Some(name), Form::Printable) => name.to_owned(),
        (Some(name), Form::Literal) => format!("CAST(\"{name}\" AS FLOAT64)"),
        (None, _) => {
            let text = floating::write(value);
            if text.contains(['.', 'e']) { text } else { text + ".0" }
        }
    }
}

/// Quotes the text. Prefers a quotation mark that needs no escaping.
fn quote(text: &str) -> String {
    let mark = if text.contains('"') && !text.contains('\'') { '\'' } else { '"' };
    let mut literal = String::from(mark);
    for c in text.chars() {
        match c {
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\\' => literal.push_str("\\\\"),
            c if c == mark => literal.extend(['\\', c]),
            c => literal.push(c),
        }
    }
    literal.push(mark);
    literal
}

fn escape(bytes: &[u8], quote: Option<char>) -> String {
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
