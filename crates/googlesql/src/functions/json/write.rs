//! TO_JSON_STRING and TO_JSON: any value as JSON.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Field, FieldRef, Float64Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType, i256,
};
use datafusion::error::{DataFusionError, Result};

use super::super::Function;
use super::super::calendar::{Zone, text};
use super::super::function_error::FunctionError;
use super::super::generic::{Body, Call, Given, generic};
use super::super::kind::Kind;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::number::floating;
use super::indent::indented;
use super::tree::{self, Tree, quoted};

/// Their options are always there: `pretty_print` and `stringify_wide_numbers`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("to_json_string", |given| with_option(given, Kind::Text, text)),
        generic("to_json", |given| with_option(given, Kind::Json, json)),
    ]
}

fn with_option(given: &[Given], returns: Kind, body: Body) -> Option<Call> {
    let [(value, _), (option, _)] = given else { return None };
    let fits = Kind::of(option) == Some(Kind::Bool) || option.data_type().is_null();
    fits.then(|| Call { parameters: vec![Arc::clone(value), Kind::Bool.field("")], returns: returns.field(""), body })
}

/// What becomes of numbers that JavaScript would round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// Text.
    Safe,
    /// Numbers all the same, as the type JSON has them.
    Exact,
    /// Text where they are of a type that is exact.
    Stringified,
}

fn text(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    column(columns, fields, |array, field, row, pretty| {
        let mut json = String::new();
        write(array, field, row, Numbers::Safe, &mut json)?;
        Ok(if pretty { indented(&json) } else { json })
    })
}

fn json(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    column(columns, fields, |array, field, row, wide_as_text| {
        let numbers = if wide_as_text { Numbers::Stringified } else { Numbers::Exact };
        Ok(tree(array, field, row, numbers)?.text())
    })
}

/// NULL where the option is; of a NULL `null`.
fn column(columns: &[ArrayRef], fields: &[FieldRef], body: fn(&ArrayRef, &Field, usize, bool) -> Result<String>) -> Result<ArrayRef> {
    let options = columns[1].as_boolean();
    let mut result = StringBuilder::new();
    for row in 0..columns[0].len() {
        match options.is_valid(row) {
            true => result.append_value(body(&columns[0], &fields[0], row, options.value(row))?),
            false => result.append_null(),
        }
    }
    Ok(Arc::new(result.finish()))
}

/// A value as the type JSON has it.
pub(crate) fn tree(array: &ArrayRef, field: &Field, row: usize, numbers: Numbers) -> Result<Tree> {
    let mut json = String::new();
    write(array, field, row, numbers, &mut json)?;
    Ok(Tree::of(&json)?)
}

pub(crate) fn write(array: &ArrayRef, field: &Field, row: usize, numbers: Numbers, json: &mut String) -> Result<()> {
    if array.data_type().is_null() || array.is_null(row) {
        json.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::List(element) => {
            let elements = array.as_list::<i32>().value(row);
            json.push('[');
            for place in 0..elements.len() {
                json.push_str(if place > 0 { "," } else { "" });
                write(&elements, element, place, numbers, json)?;
            }
            json.push(']');
        }
        DataType::Struct(fields) => {
            json.push('{');
            for (place, (field, column)) in fields.iter().zip(array.as_struct().columns()).enumerate() {
                json.push_str(if place > 0 { "," } else { "" });
                quoted(field.name(), json);
                json.push(':');
                write(column, field, row, numbers, json)?;
            }
            json.push('}');
        }
        _ => scalar(array, field, row, numbers, json)?,
    }
    Ok(())
}

fn scalar(array: &ArrayRef, field: &Field, row: usize, numbers: Numbers, json: &mut String) -> Result<()> {
    let micros = || array.as_primitive::<TimestampMicrosecondType>().value(row);
    match Kind::of(field) {
        Some(Kind::Bool) => json.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        Some(Kind::Int64) => number(&array.as_primitive::<Int64Type>().value(row).to_string(), numbers, json),
        Some(Kind::Numeric) => {
            number(&decimal::write(i256::from_i128(array.as_primitive::<Decimal128Type>().value(row)), NUMERIC_SCALE), numbers, json);
        }
        Some(Kind::BigNumeric) => {
            number(&decimal::write(array.as_primitive::<Decimal256Type>().value(row), BIGNUMERIC_SCALE), numbers, json)
        }
        Some(Kind::Float64) => float(array.as_primitive::<Float64Type>().value(row), numbers, json),
        Some(Kind::Text) => quoted(array.as_string::<i32>().value(row), json),
        Some(Kind::Json) => json.push_str(array.as_string::<i32>().value(row)),
        Some(Kind::Bytes) => quoted(&STANDARD.encode(array.as_binary::<i32>().value(row)), json),
        Some(Kind::Date) => quoted(&text::write_date(array.as_primitive::<Date32Type>().value(row)), json),
        Some(Kind::Time) => quoted(&text::write_time(array.as_primitive::<Time64MicrosecondType>().value(row)), json),
        Some(Kind::Datetime) => quoted(&text::write_datetime(micros()).replacen(' ', "T", 1), json),
        Some(Kind::Timestamp) => {
            let text = text::write_timestamp(micros(), &Zone::UTC).replacen(' ', "T", 1);
            quoted(&format!("{}Z", text.trim_end_matches("+00")), json);
        }
        Some(Kind::Interval | Kind::Array(_)) | None => {
            return Err(DataFusionError::from(FunctionError::new("The local BigQuery does not make JSON of values of this type")));
        }
    }
    Ok(())
}

/// Whole numbers beyond 2^53 are not safe, and neither are fractions that FLOAT64 has not.
fn number(text: &str, numbers: Numbers, json: &mut String) {
    let is_safe = match text.contains('.') {
        false => text.parse::<i128>().is_ok_and(|whole| whole.unsigned_abs() <= 1 << 53),
        true => text.parse::<f64>().is_ok_and(|float| floating::write(float) == text),
    };
    match numbers == Numbers::Exact || is_safe {
        true => json.push_str(text),
        false => quoted(text, json),
    }
}

fn float(value: f64, numbers: Numbers, json: &mut String) {
    match (floating::not_finite(value), numbers) {
        (Some(_), _) if value.is_nan() => json.push_str("\"NaN\""),
        (Some(_), _) => json.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        (None, Numbers::Safe) => json.push_str(&floating::write(value)),
        (None, Numbers::Exact | Numbers::Stringified) => json.push_str(&tree::float(value)),
    }
}
