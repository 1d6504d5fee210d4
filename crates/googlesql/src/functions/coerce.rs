//! Coercion: choosing a signature for the arguments and converting the arguments to its types.
//!
//! Rules: <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules#coercion>.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use super::calendar::{Zone, text};
use super::column::{Date, Datetime, Returned, Time, Timestamp};
use super::function_error::FunctionError;
use super::sql_type::SqlType;
use crate::types;

/// Returns the coercion distance from the argument to the parameter: 0 for the same type, none if
/// there is no coercion. Literals can be coerced to more types than columns.
pub(crate) fn distance(argument: &Field, literal: bool, parameter: SqlType) -> Option<u32> {
    if argument.data_type().is_null() {
        return Some(0);
    }
    let sql_type = SqlType::of(argument)?;
    Some(match (sql_type, parameter) {
        _ if sql_type == parameter => 0,
        (SqlType::Int64, SqlType::Numeric) | (SqlType::Numeric, SqlType::BigNumeric) | (SqlType::BigNumeric, SqlType::Float64) => 1,
        (SqlType::Int64, SqlType::BigNumeric) | (SqlType::Numeric, SqlType::Float64) => 2,
        (SqlType::Int64, SqlType::Float64) => 3,
        (SqlType::Date, SqlType::Datetime) => 1,
        (SqlType::Text, SqlType::Date | SqlType::Datetime | SqlType::Time | SqlType::Timestamp) if literal => 5,
        (SqlType::Float64, SqlType::Numeric | SqlType::BigNumeric) if literal => 5,
        _ => return None,
    })
}

/// Returns the error "No matching signature for function DATE_ADD for argument types: STRING, INT64".
pub(crate) fn no_signature_error(function: &str, arguments: &[&Field]) -> FunctionError {
    let types: Vec<String> = arguments.iter().map(|argument| types::of(argument)).collect();
    if let (Some(sql_type), [argument]) = (function.strip_prefix("$safe_cast_").or(function.strip_prefix("$cast_")), arguments) {
        return FunctionError::new(format!("Invalid cast from {} to {}", types::of(argument), sql_type.to_uppercase()));
    }
    let callee = match function {
        "$add" => "operator +".to_owned(),
        "$subtract" | "$negate" => "operator -".to_owned(),
        "$multiply" => "operator *".to_owned(),
        "$divide" => "operator /".to_owned(),
        "$concat" => "operator ||".to_owned(),
        name => format!("function {}", name.trim_start_matches('$').to_uppercase()),
    };
    FunctionError::new(match types.is_empty() {
        true => format!("No matching signature for {callee} with no arguments"),
        false => format!("No matching signature for {callee} for argument types: {}", types.join(", ")),
    })
}

/// Returns the same error if only the Arrow types are known.
pub(crate) fn no_signature_error_for_types(function: &str, types: &[DataType]) -> FunctionError {
    let fields: Vec<Field> = types.iter().map(|data_type| Field::new("", data_type.clone(), true)).collect();
    no_signature_error(function, &fields.iter().collect::<Vec<_>>())
}

/// Converts the argument to the parameter's type.
pub(crate) fn convert(argument: &ColumnarValue, parameter: SqlType) -> Result<ColumnarValue> {
    let wanted = parameter.data_type();
    if argument.data_type() == wanted {
        return Ok(argument.clone());
    }
    Ok(match argument {
        ColumnarValue::Array(array) => ColumnarValue::Array(convert_array(array, parameter)?),
        ColumnarValue::Scalar(value) => {
            ColumnarValue::Scalar(ScalarValue::try_from_array(&convert_array(&value.to_array()?, parameter)?, 0)?)
        }
    })
}

fn convert_array(array: &ArrayRef, parameter: SqlType) -> Result<ArrayRef> {
    if array.data_type().is_null() {
        return Ok(new_null_array(&parameter.data_type(), array.len()));
    }
    // Convert string views and large strings to Utf8.
    let plain = match SqlType::of(&Field::new("", array.data_type().clone(), true)) {
        Some(sql_type) => cast(array, &sql_type.data_type())?,
        None => Arc::clone(array),
    };
    let Some(texts) = plain.as_string_opt::<i32>() else {
        return Ok(cast(&plain, &parameter.data_type())?);
    };
    Ok(match parameter {
        SqlType::Date => parse_texts::<Date>(texts, "DATE", text::parse_date)?,
        SqlType::Datetime => parse_texts::<Datetime>(texts, "DATETIME", text::parse_datetime)?,
        SqlType::Time => parse_texts::<Time>(texts, "TIME", text::parse_time)?,
        SqlType::Timestamp => parse_texts::<Timestamp>(texts, "TIMESTAMP", |literal| text::parse_timestamp(literal, &Zone::UTC))?,
        other => cast(&plain, &other.data_type())?,
    })
}

/// Parses string literals as values of the type `name`.
fn parse_texts<R: Returned>(
    texts: &StringArray,
    name: &str,
    parse: impl Fn(&str) -> Result<R::Owned, FunctionError>,
) -> Result<ArrayRef, FunctionError> {
    let values = texts.iter().map(|text| {
        let value =
            text.map(|text| parse(text).map_err(|_| FunctionError::new(format!("Could not cast literal \"{text}\" to type {name}"))));
        value.transpose()
    });
    R::collect(values)
}
