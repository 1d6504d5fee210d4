//! ROUND, TRUNC, CEIL and FLOOR. INT64 and FLOAT64 return FLOAT64, NUMERIC returns NUMERIC.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Float64, Int64, Numeric};
use super::super::function_error::FunctionError;
use super::super::number::decimal::NUMERIC_SCALE;
use super::super::overload::Overload;

/// The rounding mode.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    /// To the nearest value. Halves are rounded away from zero.
    HalfAwayFromZero,
    TowardsZero,
    Up,
    Down,
}

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("round", digit_overloads(Rounding::HalfAwayFromZero)),
        scalar("trunc", digit_overloads(Rounding::TowardsZero)),
        scalar("ceil", integer_overloads(Rounding::Up)),
        scalar("ceiling", integer_overloads(Rounding::Up)),
        scalar("floor", integer_overloads(Rounding::Down)),
    ]
}

fn integer_overloads(rounding: Rounding) -> Vec<Overload> {
    vec![
        Overload::unary::<Int64, Float64, _>(|value| value as f64),
        Overload::unary::<Numeric, Numeric, _>(move |units| round_numeric(units, 0, rounding)),
        Overload::unary::<Float64, Float64, _>(move |value| round_float(value, rounding)),
    ]
}

fn digit_overloads(rounding: Rounding) -> Vec<Overload> {
    let mut overloads = integer_overloads(rounding);
    overloads.extend([
        Overload::binary::<Int64, Int64, Float64, _>(move |value, digits| round_float_to_digits(value as f64, digits, rounding)),
        Overload::binary::<Numeric, Int64, Numeric, _>(move |units, digits| round_numeric(units, digits, rounding)),
        Overload::binary::<Float64, Int64, Float64, _>(move |value, digits| round_float_to_digits(value, digits, rounding)),
    ]);
    overloads
}

fn round_float(value: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::HalfAwayFromZero => value.round(),
        Rounding::TowardsZero => value.trunc(),
        Rounding::Up => value.ceil(),
        Rounding::Down => value.floor(),
    }
}

fn round_float_to_digits(value: f64, digits: i64, rounding: Rounding) -> Result<f64, FunctionError> {
    // Outside this range, FLOAT64 has no digits to round.
    let digits = digits.clamp(-400, 400) as i32;
    if !value.is_finite() || digits > 323 {
        return Ok(value);
    }
    if digits < -308 {
        return Ok(0.0);
    }
    let result = match digits {
        0.. => {
            let factor = 10f64.powi(digits.min(308));
            let scaled = value * factor;
            if !scaled.is_finite() || scaled.abs() >= 9_007_199_254_740_992.0 {
                return Ok(value);
            }
            round_float(scaled, rounding) / factor
        }
        _ => {
            let step = 10f64.powi(-digits);
            round_float(value / step, rounding) * step
        }
    };
    match result.is_finite() {
        true => Ok(result),
        false => Err(FunctionError::new(format!("Floating point error in function: ROUND({value}, {digits})"))),
    }
}

/// Rounds units of 1e-9.
fn round_numeric(units: i128, digits: i64, rounding: Rounding) -> Result<i128, FunctionError> {
    let dropped_digits = i64::from(NUMERIC_SCALE).saturating_sub(digits);
    if dropped_digits <= 0 {
        return Ok(units);
    }
    // The step exceeds the range of NUMERIC.
    let Some(step) = u32::try_from(dropped_digits).ok().filter(|digits| *digits <= 38).map(|digits| 10i128.pow(digits)) else {
        return Ok(0);
    };
    let (below, rest) = (units.div_euclid(step), units.rem_euclid(step));
    let up = match rounding {
        Rounding::HalfAwayFromZero => rest > step / 2 || (rest == step / 2 && units > 0),
        Rounding::TowardsZero => units < 0 && rest > 0,
        Rounding::Up => rest > 0,
        Rounding::Down => false,
    };
    let result = (below + i128::from(up)).checked_mul(step).filter(|units| units.unsigned_abs() < 10u128.pow(38));
    result.ok_or_else(|| FunctionError::new("numeric overflow"))
}
