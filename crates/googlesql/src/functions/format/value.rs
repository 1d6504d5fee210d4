//! Formatting of one value by its specifier, with type checks.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Decimal128Type, Decimal256Type, Float64Type, Int64Type, i256};

use super::super::function_error::FunctionError;
use super::super::number::decimal::{BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::sql_type::SqlType;
use super::number::Number;
use super::pattern::{Conversion, Specifier};
use super::{FormatArgument, number, printable};
use crate::types;

/// Returns none for NULL.
pub(crate) fn integer(argument: FormatArgument, row: usize, number: usize) -> Result<Option<i64>, FunctionError> {
    if argument.is_null(row) {
        return Ok(None);
    }
    match argument.array.as_primitive_opt::<Int64Type>() {
        Some(integers) => Ok(Some(integers.value(row))),
        None => Err(type_error(argument, number, "integer")),
    }
}

fn float_or_decimal(argument: FormatArgument, row: usize, number: usize) -> Result<Option<Number>, FunctionError> {
    if argument.is_null(row) {
        return Ok(None);
    }
    let array = argument.array;
    Ok(Some(match SqlType::of(argument.field) {
        Some(SqlType::Float64) => match array.as_primitive::<Float64Type>().value(row) {
            // Negative zero is formatted without its sign.
            0.0 => Number::Float(0.0),
            value => Number::Float(value),
        },
        Some(SqlType::Numeric) => {
            Number::Decimal { units: i256::from_i128(array.as_primitive::<Decimal128Type>().value(row)), scale: NUMERIC_SCALE }
        }
        Some(SqlType::BigNumeric) => Number::Decimal { units: array.as_primitive::<Decimal256Type>().value(row), scale: BIGNUMERIC_SCALE },
        _ => return Err(type_error(argument, number, "FLOAT64, NUMERIC or BIGNUMERIC")),
    }))
}

/// Returns the text before padding, or none for NULL.
pub(crate) fn write(
    specifier: &Specifier,
    precision: Option<usize>,
    argument: FormatArgument,
    row: usize,
    number: usize,
) -> Result<Option<String>, FunctionError> {
    let flags = specifier.flags;
    let truncate = |text: String| match precision {
        Some(max_characters) => text.chars().take(max_characters).collect(),
        None => text,
    };
    let to_case = |text: String, uppercase: bool| if uppercase { text.to_uppercase() } else { text };
    Ok(match specifier.conversion {
        Conversion::Decimal => integer(argument, row, number)?.map(|value| number::decimal(value, flags, precision)),
        Conversion::Octal => unsigned_integer(argument, row, number)?.map(|value| number::octal(value, flags, precision)),
        Conversion::Hex { uppercase } => {
            unsigned_integer(argument, row, number)?.map(|value| to_case(number::hex(value, flags, precision), uppercase))
        }
        Conversion::Fixed { uppercase } => {
            float_or_decimal(argument, row, number)?.map(|value| to_case(number::fixed(value, flags, precision.unwrap_or(6)), uppercase))
        }
        Conversion::Exponent { uppercase } => {
            float_or_decimal(argument, row, number)?.map(|value| to_case(number::exponent(value, flags, precision.unwrap_or(6)), uppercase))
        }
        Conversion::General { uppercase } => {
            float_or_decimal(argument, row, number)?.map(|value| to_case(number::general(value, flags, precision.unwrap_or(6)), uppercase))
        }
        Conversion::Text => match SqlType::of(argument.field) {
            _ if argument.is_null(row) => None,
            Some(SqlType::Text) => Some(truncate(printable::printable(argument.array, argument.field, row)?)),
            _ => return Err(type_error(argument, number, "STRING")),
        },
        Conversion::Json { multiline } => match SqlType::of(argument.field) {
            _ if argument.is_null(row) => None,
            Some(SqlType::Json) => Some(printable::json(&printable::printable(argument.array, argument.field, row)?, multiline)?),
            _ => return Err(type_error(argument, number, "JSON")),
        },
        Conversion::Printable => Some(truncate(printable::printable(argument.array, argument.field, row)?)),
        Conversion::Literal => Some(truncate(printable::literal(argument.array, argument.field, row)?)),
    })
}

fn unsigned_integer(argument: FormatArgument, row: usize, number: usize) -> Result<Option<u64>, FunctionError> {
    match integer(argument, row, number)? {
        None => Ok(None),
        Some(value) => u64::try_from(value)
            .map(Some)
            .map_err(|_| FunctionError::new(format!("FORMAT cannot format the negative integer {value} as octal or hexadecimal"))),
    }
}

fn type_error(argument: FormatArgument, number: usize, expected: &str) -> FunctionError {
    FunctionError::new(format!("Invalid type for argument {number} to FORMAT; Expected {expected}; Got {}", types::of(argument.field)))
}
