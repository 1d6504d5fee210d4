//! A value as its specifier asks for it, or that it is of the wrong type.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Decimal128Type, Decimal256Type, Float64Type, Int64Type, i256};

use super::super::function_error::FunctionError;
use super::super::kind::Kind;
use super::super::number::decimal::{BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::number::Number;
use super::pattern::{Conversion, Specifier};
use super::{Argument, number, printable};
use crate::types;

/// None is NULL.
pub(crate) fn integer(argument: Argument, row: usize, number: usize) -> Result<Option<i64>, FunctionError> {
    if argument.is_null(row) {
        return Ok(None);
    }
    match argument.array.as_primitive_opt::<Int64Type>() {
        Some(integers) => Ok(Some(integers.value(row))),
        None => Err(mistyped(argument, number, "integer")),
    }
}

fn float(argument: Argument, row: usize, number: usize) -> Result<Option<Number>, FunctionError> {
    if argument.is_null(row) {
        return Ok(None);
    }
    let array = argument.array;
    Ok(Some(match Kind::of(argument.field) {
        Some(Kind::Float64) => match array.as_primitive::<Float64Type>().value(row) {
            // There is no sign on zero.
            0.0 => Number::Float(0.0),
            value => Number::Float(value),
        },
        Some(Kind::Numeric) => {
            Number::Decimal { units: i256::from_i128(array.as_primitive::<Decimal128Type>().value(row)), scale: NUMERIC_SCALE }
        }
        Some(Kind::BigNumeric) => Number::Decimal { units: array.as_primitive::<Decimal256Type>().value(row), scale: BIGNUMERIC_SCALE },
        _ => return Err(mistyped(argument, number, "FLOAT64, NUMERIC or BIGNUMERIC")),
    }))
}

/// The text before padding; none is NULL.
pub(crate) fn write(
    specifier: &Specifier,
    precision: Option<usize>,
    argument: Argument,
    row: usize,
    number: usize,
) -> Result<Option<String>, FunctionError> {
    let flags = specifier.flags;
    let cut = |text: String| match precision {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    };
    let capitals = |text: String, capital: bool| if capital { text.to_uppercase() } else { text };
    Ok(match specifier.conversion {
        Conversion::Decimal => integer(argument, row, number)?.map(|value| number::decimal(value, flags, precision)),
        Conversion::Octal => unsigned(argument, row, number)?.map(|value| number::octal(value, flags, precision)),
        Conversion::Hex { capital } => {
            unsigned(argument, row, number)?.map(|value| capitals(number::hex(value, flags, precision), capital))
        }
        Conversion::Fixed { capital } => {
            float(argument, row, number)?.map(|value| capitals(number::fixed(value, flags, precision.unwrap_or(6)), capital))
        }
        Conversion::Exponent { capital } => {
            float(argument, row, number)?.map(|value| capitals(number::exponent(value, flags, precision.unwrap_or(6)), capital))
        }
        Conversion::General { capital } => {
            float(argument, row, number)?.map(|value| capitals(number::general(value, flags, precision.unwrap_or(6)), capital))
        }
        Conversion::Text => match Kind::of(argument.field) {
            _ if argument.is_null(row) => None,
            Some(Kind::Text) => Some(cut(printable::printable(argument.array, argument.field, row)?)),
            _ => return Err(mistyped(argument, number, "STRING")),
        },
        Conversion::Json { lines } => match Kind::of(argument.field) {
            _ if argument.is_null(row) => None,
            Some(Kind::Json) => Some(printable::json(&printable::printable(argument.array, argument.field, row)?, lines)?),
            _ => return Err(mistyped(argument, number, "JSON")),
        },
        Conversion::Printable => Some(cut(printable::printable(argument.array, argument.field, row)?)),
        Conversion::Literal => Some(cut(printable::literal(argument.array, argument.field, row)?)),
    })
}

fn unsigned(argument: Argument, row: usize, number: usize) -> Result<Option<u64>, FunctionError> {
    match integer(argument, row, number)? {
        None => Ok(None),
        Some(value) => u64::try_from(value)
            .map(Some)
            .map_err(|_| FunctionError::new(format!("FORMAT of a negative integer as octal or hexadecimal is not possible: {value}"))),
    }
}

fn mistyped(argument: Argument, number: usize, expected: &str) -> FunctionError {
    FunctionError::new(format!("Invalid type for argument {number} to FORMAT; Expected {expected}; Got {}", types::of(argument.field)))
}
