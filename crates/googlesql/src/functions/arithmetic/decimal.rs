//! NUMERIC and BIGNUMERIC: exact but for the last digit, halves away from zero.

use datafusion::arrow::datatypes::i256;

use super::super::column::{BigNumeric, Numeric};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{self, BIGNUMERIC_SCALE, NUMERIC_SCALE};
use super::super::overload::Both;
use super::{division_by_zero, overflow};

/// An operation on units of 10^-scale; none when it overflows.
type Operation = fn(i256, i256, u32) -> Option<i256>;

/// The operation on both types; `sign` is for the message.
fn on_both(operation: Operation, sign: &'static str) -> Vec<Both> {
    vec![
        Both::binary::<Numeric, Numeric, Numeric>(move |a, b| {
            let (a, b) = (i256::from_i128(a), i256::from_i128(b));
            decimal::numeric(apply(operation, a, b, NUMERIC_SCALE, sign)?)
                .ok_or_else(|| overflow("numeric", shown(a, b, NUMERIC_SCALE, sign)))
        }),
        Both::binary::<BigNumeric, BigNumeric, BigNumeric>(move |a, b| {
            apply(operation, a, b, BIGNUMERIC_SCALE, sign)?.ok_or_else(|| overflow("bignumeric", shown(a, b, BIGNUMERIC_SCALE, sign)))
        }),
    ]
}

fn apply(operation: Operation, a: i256, b: i256, scale: u32, sign: &str) -> Result<Option<i256>, FunctionError> {
    let divides = matches!(sign, "/" | "%");
    match divides && b == i256::ZERO {
        true => Err(division_by_zero(shown(a, b, scale, sign))),
        false => Ok(operation(a, b, scale)),
    }
}

fn shown(a: i256, b: i256, scale: u32, sign: &str) -> String {
    let (a, b) = (decimal::write(a, scale), decimal::write(b, scale));
    if sign == "%" { format!("MOD({a}, {b})") } else { format!("{a} {sign} {b}") }
}

pub(crate) fn add() -> Vec<Both> {
    on_both(|a, b, _| a.checked_add(b), "+")
}

pub(crate) fn subtract() -> Vec<Both> {
    on_both(|a, b, _| a.checked_sub(b), "-")
}

pub(crate) fn multiply() -> Vec<Both> {
    on_both(product, "*")
}

pub(crate) fn divide() -> Vec<Both> {
    on_both(quotient, "/")
}

pub(crate) fn div() -> Vec<Both> {
    on_both(|a, b, scale| a.checked_div(b)?.checked_mul(decimal::power_of_ten(scale)), "/")
}

pub(crate) fn modulo() -> Vec<Both> {
    on_both(|a, b, _| a.checked_rem(b), "%")
}

pub(crate) fn negate() -> Vec<Both> {
    vec![
        Both::unary::<Numeric, Numeric>(|a| Ok(-a)),
        Both::unary::<BigNumeric, BigNumeric>(|a| {
            a.checked_neg().ok_or_else(|| overflow("bignumeric", format!("-({})", decimal::write(a, BIGNUMERIC_SCALE))))
        }),
    ]
}

/// a·b in units: by wholes and fractions, because the product of the units may need 512 bits.
fn product(a: i256, b: i256, scale: u32) -> Option<i256> {
    let one = decimal::power_of_ten(scale);
    let (a_whole, a_fraction) = (a.checked_div(one)?, a.checked_rem(one)?);
    let (b_whole, b_fraction) = (b.checked_div(one)?, b.checked_rem(one)?);
    let wholes = a_whole.checked_mul(b_whole)?.checked_mul(one)?;
    let mixed = a_whole.checked_mul(b_fraction)?.checked_add(a_fraction.checked_mul(b_whole)?)?;
    let fractions = decimal::divide_rounding(a_fraction.checked_mul(b_fraction)?, one)?;
    wholes.checked_add(mixed)?.checked_add(fractions)
}

/// a/b in units, digit by digit where a·10^scale does not fit.
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
