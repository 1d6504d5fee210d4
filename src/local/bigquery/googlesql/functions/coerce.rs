//! Which argument may stand for which parameter, and turning the one into the other.
//!
//! Rules: <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules#coercion>.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::Field;
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::scalar::ScalarValue;

use super::super::types;
use super::column::{Date, Datetime, Returned, Time, Timestamp};
use super::failure::Failure;
use super::kind::Kind;
use crate::local::bigquery::moment;

/// How far the argument is from the parameter: 0 is the same type, none is not at all. A literal
/// may stand for more than a column.
pub(super) fn distance(argument: &Field, literal: bool, parameter: Kind) -> Option<u32> {
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
pub(super) fn no_signature(function: &str, arguments: &[&Field]) -> Failure {
    let types: Vec<String> = arguments.iter().map(|argument| types::of(argument)).collect();
    if let (Some(kind), [argument]) = (function.strip_prefix("$safe_cast_").or(function.strip_prefix("$cast_")), arguments) {
        return Failure::new(format!("Invalid cast from {} to {}", types::of(argument), kind.to_uppercase()));
    }
    let called = match function {
        "$add" => "operator +".to_owned(),
        "$subtract" | "$negate" => "operator -".to_owned(),
        "$multiply" => "operator *".to_owned(),
        "$divide" => "operator /".to_owned(),
        "$concat" => "operator ||".to_owned(),
        name => format!("function {}", name.trim_start_matches('$').to_uppercase()),
    };
    Failure::new(match types.is_empty() {
        true => format!("No matching signature for {called} with no arguments"),
        false => format!("No matching signature for {called} for argument types: {}", types.join(", ")),
    })
}

/// The argument as the parameter's type.
pub(super) fn convert(argument: &ColumnarValue, parameter: Kind) -> Result<ColumnarValue> {
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
    let unlike = |text: &str, name: &str| Failure::new(format!("Could not cast literal \"{text}\" to type {name}"));
    Ok(match parameter {
        Kind::Date => Date::collect(
            texts.iter().map(|text| text.map(|text| moment::date(text).map(days).ok_or_else(|| unlike(text, "DATE"))).transpose()),
        )?,
        Kind::Datetime => Datetime::collect(texts.iter().map(|text| {
            text.map(|text| moment::timestamp(text).filter(|_| moment::datetime(text).is_some()).ok_or_else(|| unlike(text, "DATETIME")))
                .transpose()
        }))?,
        Kind::Timestamp => Timestamp::collect(
            texts.iter().map(|text| text.map(|text| moment::timestamp(text).ok_or_else(|| unlike(text, "TIMESTAMP"))).transpose()),
        )?,
        Kind::Time => Time::collect(
            texts.iter().map(|text| text.map(|text| moment::time(text).map(micros_of_day).ok_or_else(|| unlike(text, "TIME"))).transpose()),
        )?,
        other => cast(&plain, &other.data_type())?,
    })
}

fn days(date: jiff::civil::Date) -> i32 {
    (date - jiff::civil::date(1970, 1, 1)).get_days()
}

fn micros_of_day(time: jiff::civil::Time) -> i64 {
    let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    seconds * 1_000_000 + i64::from(time.subsec_nanosecond() / 1000)
}
