//! Which argument may stand for which parameter, and turning the one into the other.
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
use super::kind::Kind;
use crate::types;

/// How far the argument is from the parameter: 0 is the same type, none is not at all. A literal
/// may stand for more than a column.
pub(crate) fn distance(argument: &Field, literal: bool, parameter: Kind) -> Option<u32> {
    if argument.data_type().is_null() {
        return Some(0);
    }
    let kind = Kind::of(argument)?;
    Some(match (kind, parameter) {
        _ if kind == parameter => 0,
        (Kind::Int64, Kind::Numeric) | (Kind::Numeric, Kind::BigNumeric) | (Kind::BigNumeric, Kind::Float64) => 1,
        (Kind::Int64, Kind::BigNumeric) | (Kind::Numeric, Kind::Float64) => 2,
        (Kind::Int64, Kind::Float64) => 3,
        (Kind::Date, Kind::Datetime) => 1,
        (Kind::Text, Kind::Date | Kind::Datetime | Kind::Time | Kind::Timestamp) if literal => 5,
        (Kind::Float64, Kind::Numeric | Kind::BigNumeric) if literal => 5,
        _ => return None,
    })
}

/// "No matching signature for function DATE_ADD for argument types: STRING, INT64".
pub(crate) fn no_signature(function: &str, arguments: &[&Field]) -> FunctionError {
    let types: Vec<String> = arguments.iter().map(|argument| types::of(argument)).collect();
    if let (Some(kind), [argument]) = (function.strip_prefix("$safe_cast_").or(function.strip_prefix("$cast_")), arguments) {
        return FunctionError::new(format!("Invalid cast from {} to {}", types::of(argument), kind.to_uppercase()));
    }
    let called = match function {
        "$add" => "operator +".to_owned(),
        "$subtract" | "$negate" => "operator -".to_owned(),
        "$multiply" => "operator *".to_owned(),
        "$divide" => "operator /".to_owned(),
        "$concat" => "operator ||".to_owned(),
        name => format!("function {}", name.trim_start_matches('$').to_uppercase()),
    };
    FunctionError::new(match types.is_empty() {
        true => format!("No matching signature for {called} with no arguments"),
        false => format!("No matching signature for {called} for argument types: {}", types.join(", ")),
    })
}

/// The same where no more than the types are known.
pub(crate) fn no_signature_of(function: &str, types: &[DataType]) -> FunctionError {
    let fields: Vec<Field> = types.iter().map(|data_type| Field::new("", data_type.clone(), true)).collect();
    no_signature(function, &fields.iter().collect::<Vec<_>>())
}

/// The argument as the parameter's type.
pub(crate) fn convert(argument: &ColumnarValue, parameter: Kind) -> Result<ColumnarValue> {
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

fn convert_array(array: &ArrayRef, parameter: Kind) -> Result<ArrayRef> {
    if array.data_type().is_null() {
        return Ok(new_null_array(&parameter.data_type(), array.len()));
    }
    // Views and large strings become plain ones.
    let plain = match Kind::of(&Field::new("", array.data_type().clone(), true)) {
        Some(kind) => cast(array, &kind.data_type())?,
        None => Arc::clone(array),
    };
    let Some(texts) = plain.as_string_opt::<i32>() else {
        return Ok(cast(&plain, &parameter.data_type())?);
    };
    Ok(match parameter {
        Kind::Date => read::<Date>(texts, "DATE", text::read_date)?,
        Kind::Datetime => read::<Datetime>(texts, "DATETIME", text::read_datetime)?,
        Kind::Time => read::<Time>(texts, "TIME", text::read_time)?,
        Kind::Timestamp => read::<Timestamp>(texts, "TIMESTAMP", |literal| text::read_timestamp(literal, &Zone::UTC))?,
        other => cast(&plain, &other.data_type())?,
    })
}

/// Texts that stand for values of another type, called `name`.
fn read<R: Returned>(
    texts: &StringArray,
    name: &str,
    read: impl Fn(&str) -> Result<R::Owned, FunctionError>,
) -> Result<ArrayRef, FunctionError> {
    let values = texts.iter().map(|text| {
        let value =
            text.map(|text| read(text).map_err(|_| FunctionError::new(format!("Could not cast literal \"{text}\" to type {name}"))));
        value.transpose()
    });
    R::collect(values)
}
