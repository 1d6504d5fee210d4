//! TO_JSON_STRING and TO_JSON.

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
use super::super::generic::{Body, CallArgument, ScalarCall, generic};
use super::super::memory_budget::MemoryBudget;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::number::floating;
use super::super::sql_type::SqlType;
use super::indent::indent;
use super::tree::{self, JsonTree, write_quoted};

/// The functions always receive their options `pretty_print` and `stringify_wide_numbers`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("to_json_string", |arguments| call_with_option(arguments, SqlType::Text, text)),
        generic("to_json", |arguments| call_with_option(arguments, SqlType::Json, json)),
    ]
}

fn call_with_option(arguments: &[CallArgument], returns: SqlType, body: Body) -> Option<ScalarCall> {
    let [(value, _), (option, _)] = arguments else { return None };
    let is_valid = SqlType::of(option) == Some(SqlType::Bool) || option.data_type().is_null();
    is_valid.then(|| ScalarCall { parameters: vec![Arc::clone(value), SqlType::Bool.field("")], returns: returns.field(""), body })
}

/// The format of numbers that FLOAT64 cannot represent exactly.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonNumberMode {
    /// Strings.
    Safe,
    /// Numbers, as in the type JSON.
    Exact,
    /// Strings, for INT64, NUMERIC and BIGNUMERIC.
    Stringified,
}

fn text(columns: &[ArrayRef], fields: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    column(columns, fields, budget, |array, field, row, pretty| {
        let mut json = String::new();
        write(array, field, row, JsonNumberMode::Safe, &mut json)?;
        Ok(if pretty { indent(&json) } else { json })
    })
}

fn json(columns: &[ArrayRef], fields: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    column(columns, fields, budget, |array, field, row, wide_as_text| {
        let format = if wide_as_text { JsonNumberMode::Stringified } else { JsonNumberMode::Exact };
        Ok(tree(array, field, row, format)?.to_text())
    })
}

/// Returns NULL if the option is NULL. A NULL value becomes `null`.
fn column(
    columns: &[ArrayRef],
    fields: &[FieldRef],
    budget: &mut MemoryBudget,
    body: fn(&ArrayRef, &Field, usize, bool) -> Result<String>,
) -> Result<ArrayRef> {
    let options = columns[1].as_boolean();
    let mut result = StringBuilder::new();
    for row in 0..columns[0].len() {
        match options.is_valid(row) {
            true => {
                let text = body(&columns[0], &fields[0], row, options.value(row))?;
                budget.reserve_bytes(text.len())?;
                result.append_value(text);
            }
            false => result.append_null(),
        }
    }
    Ok(Arc::new(result.finish()))
}

/// Converts a value to the type JSON.
pub(crate) fn tree(array: &ArrayRef, field: &Field, row: usize, format: JsonNumberMode) -> Result<JsonTree> {
    let mut json = String::new();
    write(array, field, row, format, &mut json)?;
    Ok(JsonTree::from_json(&json)?)
}

pub(crate) fn write(array: &ArrayRef, field: &Field, row: usize, format: JsonNumberMode, json: &mut String) -> Result<()> {
    if array.data_type().is_null() || array.is_null(row) {
        json.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::List(element) => {
            let elements = array.as_list::<i32>().value(row);
            json.push('[');
            for index in 0..elements.len() {
                json.push_str(if index > 0 { "," } else { "" });
                write(&elements, element, index, format, json)?;
            }
            json.push(']');
        }
        DataType::Struct(fields) => {
            json.push('{');
            for (index, (field, column)) in fields.iter().zip(array.as_struct().columns()).enumerate() {
                json.push_str(if index > 0 { "," } else { "" });
                write_quoted(field.name(), json);
                json.push(':');
                write(column, field, row, format, json)?;
            }
            json.push('}');
        }
        _ => scalar(array, field, row, format, json)?,
    }
    Ok(())
}

fn scalar(array: &ArrayRef, field: &Field, row: usize, format: JsonNumberMode, json: &mut String) -> Result<()> {
    let micros = || array.as_primitive::<TimestampMicrosecondType>().value(row);
    match SqlType::of(field) {
        Some(SqlType::Bool) => json.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        Some(SqlType::Int64) => number(&array.as_primitive::<Int64Type>().value(row).to_string(), format, json),
        Some(SqlType::Numeric) => {
            number(&decimal::write(i256::from_i128(array.as_primitive::<Decimal128Type>().value(row)), NUMERIC_SCALE), format, json);
        }
        Some(SqlType::BigNumeric) => {
            number(&decimal::write(array.as_primitive::<Decimal256Type>().value(row), BIGNUMERIC_SCALE), format, json)
        }
        Some(SqlType::Float64) => float(array.as_primitive::<Float64Type>().value(row), format, json),
        Some(SqlType::Text) => write_quoted(array.as_string::<i32>().value(row), json),
        Some(SqlType::Json) => json.push_str(array.as_string::<i32>().value(row)),
        Some(SqlType::Bytes) => write_quoted(&STANDARD.encode(array.as_binary::<i32>().value(row)), json),
        Some(SqlType::Date) => write_quoted(&text::format_date(array.as_primitive::<Date32Type>().value(row)), json),
        Some(SqlType::Time) => write_quoted(&text::format_time(array.as_primitive::<Time64MicrosecondType>().value(row)), json),
        Some(SqlType::Datetime) => write_quoted(&text::format_datetime(micros()).replacen(' ', "T", 1), json),
        Some(SqlType::Timestamp) => {
            let text = text::format_timestamp(micros(), &Zone::UTC).replacen(' ', "T", 1);
            write_quoted(&format!("{}Z", text.trim_end_matches("+00")), json);
        }
        Some(SqlType::Interval | SqlType::Array(_)) | None => {
            return Err(DataFusionError::from(FunctionError::new("The BigQuery emulator does not make JSON of values of this type")));
        }
    }
    Ok(())
}

/// Writes a number, or a string if FLOAT64 cannot represent it exactly.
fn number(text: &str, format: JsonNumberMode, json: &mut String) {
    let is_exact = match text.contains('.') {
        false => text.parse::<i128>().is_ok_and(|whole| whole.unsigned_abs() <= 1 << 53),
        true => text.parse::<f64>().is_ok_and(|float| floating::write(float) == text),
    };
    match format == JsonNumberMode::Exact || is_exact {
        true => json.push_str(text),
        false => write_quoted(text, json),
    }
}

fn float(value: f64, format: JsonNumberMode, json: &mut String) {
    match (floating::non_finite_name(value), format) {
        (Some(_), _) if value.is_nan() => json.push_str("\"NaN\""),
        (Some(_), _) => json.push_str(if value > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" }),
        (None, JsonNumberMode::Safe) => json.push_str(&floating::write(value)),
        (None, JsonNumberMode::Exact | JsonNumberMode::Stringified) => json.push_str(&tree::format_float(value)),
    }
}
