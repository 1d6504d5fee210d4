//! FLOAT64 arithmetic. An infinite or NaN result from finite arguments is an error.

use super::super::column::{Float64, Int64};
use super::super::function_error::FunctionError;
use super::super::number::floating::write;
use super::super::overload::StrictAndSafe;
use super::{division_by_zero, overflow};

fn checked(result: f64, a: f64, operator: &str, b: f64) -> Result<f64, FunctionError> {
    match result.is_finite() || !a.is_finite() || !b.is_finite() {
        true => Ok(result),
        false => Err(overflow("double", format!("{} {operator} {}", write(a), write(b)))),
    }
}

pub(crate) fn add() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Float64, Float64, Float64>(|a, b| checked(a + b, a, "+", b))]
}

pub(crate) fn subtract() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Float64, Float64, Float64>(|a, b| checked(a - b, a, "-", b))]
}

pub(crate) fn multiply() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::binary::<Float64, Float64, Float64>(|a, b| checked(a * b, a, "*", b))]
}

pub(crate) fn divide() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::binary::<Int64, Int64, Float64>(|a, b| quotient(a as f64, b as f64)),
        StrictAndSafe::binary::<Float64, Float64, Float64>(quotient),
    ]
}

fn quotient(a: f64, b: f64) -> Result<f64, FunctionError> {
    if b == 0.0 {
        return Err(division_by_zero(format!("{} / {}", write(a), write(b))));
    }
    checked(a / b, a, "/", b)
}

pub(crate) fn negate() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::unary::<Float64, Float64>(|a| Ok(-a))]
}
