//! ROUND, TRUNC, CEIL and FLOOR: FLOAT64 of INT64 and FLOAT64, NUMERIC of NUMERIC.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Float64, Int64, Numeric};
use super::super::function_error::FunctionError;
use super::super::number::decimal::NUMERIC_SCALE;
use super::super::overload::Overload;

/// What becomes of what lies between two steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    /// To the nearer, and away from zero if none is.
    Half,
    TowardsZero,
    Up,
    Down,
}

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("round", to_digits(Rounding::Half)),
        scalar("trunc", to_digits(Rounding::TowardsZero)),
        scalar("ceil", to_whole(Rounding::Up)),
        scalar("ceiling", to_whole(Rounding::Up)),
        scalar("floor", to_whole(Rounding::Down)),
    ]
}

fn to_whole(rounding: Rounding) -> Vec<Overload> {
    vec![
        Overload::unary::<Int64, Float64, _>(|value| value as f64),
        Overload::unary::<Numeric, Numeric, _>(move |units| numeric(units, 0, rounding)),
        Overload::unary::<Float64, Float64, _>(move |value| whole(value, rounding)),
    ]
}

fn to_digits(rounding: Rounding) -> Vec<Overload> {
    let mut overloads = to_whole(rounding);
    overloads.extend([
        Overload::binary::<Int64, Int64, Float64, _>(move |value, digits| float(value as f64, digits, rounding)),
        Overload::binary::<Numeric, Int64, Numeric, _>(move |units, digits| numeric(units, digits, rounding)),
        Overload::binary::<Float64, Int64, Float64, _>(move |value, digits| float(value, digits, rounding)),
    ]);
    overloads
}

fn whole(value: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::Half => value.round(),
        Rounding::TowardsZero => value.trunc(),
        Rounding::Up => value.ceil(),
        Rounding::Down => value.floor(),
    }
}

fn float(value: f64, digits: i64, rounding: Rounding) -> Result<f64, FunctionError> {
    // FLOAT64 has no digits beyond these, whatever its size.
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
            whole(scaled, rounding) / factor
        }
        _ => {
            let step = 10f64.powi(-digits);
            whole(value / step, rounding) * step
        }
    };
    match result.is_finite() {
        true => Ok(result),
        false => Err(FunctionError::new(format!("Floating point error in function: ROUND({value}, {digits})"))),
    }
}

/// Of units of 1e-9.
fn numeric(units: i128, digits: i64, rounding: Rounding) -> Result<i128, FunctionError> {
    let places = i64::from(NUMERIC_SCALE).saturating_sub(digits);
    if places <= 0 {
        return Ok(units);
    }
    // A step beyond all NUMERIC.
    let Some(step) = u32::try_from(places).ok().filter(|places| *places <= 38).map(|places| 10i128.pow(places)) else { return Ok(0) };
    let (below, rest) = (units.div_euclid(step), units.rem_euclid(step));
    let up = match rounding {
        Rounding::Half => rest > step / 2 || (rest == step / 2 && units > 0),
        Rounding::TowardsZero => units < 0 && rest > 0,
        Rounding::Up => rest > 0,
        Rounding::Down => false,
    };
    let result = (below + i128::from(up)).checked_mul(step).filter(|units| units.unsigned_abs() < 10u128.pow(38));
    result.ok_or_else(|| FunctionError::new("numeric overflow"))
}
