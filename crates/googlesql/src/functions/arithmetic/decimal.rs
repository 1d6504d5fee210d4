//! NUMERIC and BIGNUMERIC arithmetic. Results are rounded half away from zero.

use datafusion::arrow::datatypes::i256;

use super::super::column::{BigNumeric, Numeric};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::overload::StrictAndSafe;
use super::{division_by_zero, overflow};

/// An operation on units of 10^-scale. Returns none on overflow.
type Operation = fn(i256, i256, u32) -> Option<i256>;

/// Creates the overloads of both types. `sign` appears in error messages.
fn both_types(operation: Operation, sign: &'static str) -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::binary::<Numeric, Numeric, Numeric>(move |a, b| {
            let (a, b) = (i256::from_i128(a), i256::from_i128(b));
            decimal::numeric(apply(operation, a, b, NUMERIC_SCALE, sign)?)
                .ok_or_else(|| overflow("numeric", format_operation(a, b, NUMERIC_SCALE, sign)))
        }),
        StrictAndSafe::binary::<BigNumeric, BigNumeric, BigNumeric>(move |a, b| {
            apply(operation, a, b, BIGNUMERIC_SCALE, sign)?
                .ok_or_else(|| overflow("bignumeric", format_operation(a, b, BIGNUMERIC_SCALE, sign)))
        }),
    ]
}

fn apply(operation: Operation, a: i256, b: i256, scale: u32, sign: &str) -> Result<Option<i256>, FunctionError> {
    let divides = matches!(sign, "/" | "%");
    match divides && b == i256::ZERO {
        true => Err(division_by_zero(format_operation(a, b, scale, sign))),
        false => Ok(operation(a, b, scale)),
    }
}

fn format_operation(a: i256, b: i256, scale: u32, sign: &str) -> String {
    let (a, b) = (decimal::write(a, scale), decimal::write(b, scale));
    if sign == "%" { format!("MOD({a}, {b})") } else { format!("{a} {sign} {b}") }
}

pub(crate) fn add() -> Vec<StrictAndSafe> {
    both_types(|a, b, _| a.checked_add(b), "+")
}

pub(crate) fn subtract() -> Vec<StrictAndSafe> {
    both_types(|a, b, _| a.checked_sub(b), "-")
}

pub(crate) fn multiply() -> Vec<StrictAndSafe> {
    both_types(product, "*")
}

pub(crate) fn divide() -> Vec<StrictAndSafe> {
    both_types(quotient, "/")
}

pub(crate) fn div() -> Vec<StrictAndSafe> {
    both_types(|a, b, scale| a.checked_div(b)?.checked_mul(decimal::power_of_ten(scale)), "/")
}

pub(crate) fn modulo() -> Vec<StrictAndSafe> {
    both_types(|a, b, _| a.checked_rem(b), "%")
}

pub(crate) fn negate() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Numeric, Numeric>(|a| Ok(-a)),
        StrictAndSafe::unary::<BigNumeric, BigNumeric>(|a| {
            a.checked_neg().ok_or_else(|| overflow("bignumeric", format!("-({})", decimal::write(a, BIGNUMERIC_SCALE))))
        }),
    ]
}

/// Multiplies integer and fraction separately, because the product of the units can need 512 bits.
fn product(a: i256, b: i256, scale: u32) -> Option<i256> {
    let one = decimal::power_of_ten(scale);
    let (a_whole, a_fraction) = (a.checked_div(one)?, a.checked_rem(one)?);
    let (b_whole, b_fraction) = (b.checked_div(one)?, b.checked_rem(one)?);
    let integers = a_whole.checked_mul(b_whole)?.checked_mul(one)?;
    let mixed = a_whole.checked_mul(b_fraction)?.checked_add(a_fraction.checked_mul(b_whole)?)?;
    let fractions = decimal::divide_rounding(a_fraction.checked_mul(b_fraction)?, one)?;
    integers.checked_add(mixed)?.checked_add(fractions)
}

/// Divides. If a·10^scale overflows, it divides digit by digit.
fn quotient(a: i256, b: i256, scale: u32) -> Option<i256> {
    if let Some(dividend) = a.checked_mul(decimal::power_of_ten(scale)) {
        return decimal::divide_rounding(dividend, b);
    }
    let ten = i256::from_i128(10);
    let (mut units, mut rest) = (a.checked_div(b)?, a.checked_rem(b)?);
    for _ in 1..scale {
        rest = rest.checked_mul(ten)?;
        units = units.checked_mul(ten)?.checked_add(rest.checked_div(b)?)?;
        rest = rest.checked_rem(b)?;
    }
    units.checked_mul(ten)?.checked_add(decimal::divide_rounding(rest.checked_mul(ten)?, b)?)
}
