//! Casts to INT64, FLOAT64, NUMERIC, BIGNUMERIC and BOOL.

use datafusion::arrow::datatypes::i256;

use super::super::column::{BigNumeric, Bool, Float64, Int64, Numeric, Text};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::number::floating;
use super::super::overload::StrictAndSafe;

pub(crate) fn int64() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Int64, Int64>(Ok),
        StrictAndSafe::unary::<Float64, Int64>(int64_from_float),
        StrictAndSafe::unary::<Numeric, Int64>(|units| int64_from_decimal(i256::from_i128(units), NUMERIC_SCALE)),
        StrictAndSafe::unary::<BigNumeric, Int64>(|units| int64_from_decimal(units, BIGNUMERIC_SCALE)),
        StrictAndSafe::unary::<Bool, Int64>(|value| Ok(i64::from(value))),
        StrictAndSafe::unary::<Text, Int64>(|text| {
            int64_from_text(text).ok_or_else(|| FunctionError::new(format!("Bad int64 value: {text}")))
        }),
    ]
}

fn int64_from_float(value: f64) -> Result<i64, FunctionError> {
    if let Some(name) = floating::non_finite_name(value) {
        return Err(FunctionError::new(format!("Illegal conversion of non-finite floating point number to an integer: {name}")));
    }
    // `round` rounds half away from zero. 2^63 is the smallest float that is out of range.
    let rounded = value.round();
    let in_range = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded);
    in_range.then_some(rounded as i64).ok_or_else(|| FunctionError::new(format!("int64 out of range: {}", floating::write(value))))
}

fn int64_from_decimal(units: i256, scale: u32) -> Result<i64, FunctionError> {
    decimal::divide_rounding(units, decimal::power_of_ten(scale))
        .and_then(|whole| i64::try_from(whole.to_i128()?).ok())
        .ok_or_else(|| FunctionError::new(format!("int64 out of range: {}", decimal::write(units, scale))))
}

/// Parses a decimal number, or a hexadecimal number with the prefix `0x`.
fn int64_from_text(text: &str) -> Option<i64> {
    let text = text.trim_ascii();
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (digits, radix) = match unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (unsigned, 10),
    };
    // `from_str_radix` accepts a sign, so a second sign must be excluded here.
    let has_only_digits = digits.chars().all(|digit| digit.is_digit(radix));
    has_only_digits.then(|| i64::from_str_radix(&format!("{sign}{digits}"), radix).ok())?
}

pub(crate) fn float64() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Float64, Float64>(Ok),
        StrictAndSafe::unary::<Int64, Float64>(|value| Ok(value as f64)),
        StrictAndSafe::unary::<Numeric, Float64>(|units| Ok(decimal::to_float(i256::from_i128(units), NUMERIC_SCALE))),
        StrictAndSafe::unary::<BigNumeric, Float64>(|units| Ok(decimal::to_float(units, BIGNUMERIC_SCALE))),
        StrictAndSafe::unary::<Text, Float64>(|text| {
            text.trim_ascii().parse().map_err(|_| FunctionError::new(format!("Bad double value: {text}")))
        }),
    ]
}

pub(crate) fn numeric() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Numeric, Numeric>(Ok),
        StrictAndSafe::unary::<Int64, Numeric>(|value| Ok(i128::from(value) * 10_i128.pow(NUMERIC_SCALE))),
        StrictAndSafe::unary::<Float64, Numeric>(|value| {
            decimal::numeric(decimal::from_float(value, NUMERIC_SCALE)).ok_or_else(|| out_of_range("numeric", &floating::write(value)))
        }),
        StrictAndSafe::unary::<BigNumeric, Numeric>(|units| {
            let ratio = decimal::power_of_ten(BIGNUMERIC_SCALE - NUMERIC_SCALE);
            decimal::numeric(decimal::divide_rounding(units, ratio))
                .ok_or_else(|| out_of_range("numeric", &decimal::write(units, BIGNUMERIC_SCALE)))
        }),
        StrictAndSafe::unary::<Text, Numeric>(|text| {
            decimal::numeric(decimal::read(text, NUMERIC_SCALE)).ok_or_else(|| FunctionError::new(format!("Invalid NUMERIC value: {text}")))
        }),
    ]
}

pub(crate) fn bignumeric() -> Vec<StrictAndSafe> {
    let scale_up = |units: i256, digits: u32| units.checked_mul(decimal::power_of_ten(digits));
    vec![
        StrictAndSafe::unary::<BigNumeric, BigNumeric>(Ok),
        StrictAndSafe::unary::<Int64, BigNumeric>(move |value| {
            scale_up(i256::from_i128(i128::from(value)), BIGNUMERIC_SCALE).ok_or_else(|| out_of_range("bignumeric", &value.to_string()))
        }),
        StrictAndSafe::unary::<Float64, BigNumeric>(|value| {
            decimal::from_float(value, BIGNUMERIC_SCALE).ok_or_else(|| out_of_range("bignumeric", &floating::write(value)))
        }),
        StrictAndSafe::unary::<Numeric, BigNumeric>(move |units| {
            scale_up(i256::from_i128(units), BIGNUMERIC_SCALE - NUMERIC_SCALE)
                .ok_or_else(|| out_of_range("bignumeric", &decimal::write(i256::from_i128(units), NUMERIC_SCALE)))
        }),
        StrictAndSafe::unary::<Text, BigNumeric>(|text| {
            decimal::read(text, BIGNUMERIC_SCALE).ok_or_else(|| FunctionError::new(format!("Invalid BIGNUMERIC value: {text}")))
        }),
    ]
}

fn out_of_range(kind: &str, value: &str) -> FunctionError {
    FunctionError::new(format!("{kind} out of range: {value}"))
}

pub(crate) fn boolean() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Bool, Bool>(Ok),
        StrictAndSafe::unary::<Int64, Bool>(|value| Ok(value != 0)),
        StrictAndSafe::unary::<Text, Bool>(|text| match text {
            word if word.eq_ignore_ascii_case("true") => Ok(true),
            word if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(FunctionError::new(format!("Bad bool value: {text}"))),
        }),
    ]
}
