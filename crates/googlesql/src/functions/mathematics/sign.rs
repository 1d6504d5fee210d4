//! ABS and SIGN.

use datafusion::arrow::array::ArrowNativeTypeOp;
use datafusion::arrow::datatypes::i256;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{BigNumeric, Float64, Int64, Numeric};
use super::super::function_error::FunctionError;
use super::super::number::decimal::{BIGNUMERIC_SCALE, NUMERIC_SCALE, power_of_ten};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "abs",
            vec![
                Overload::unary::<Int64, Int64, _>(|value: i64| {
                    value.checked_abs().ok_or_else(|| FunctionError::new(format!("int64 overflow: ABS({value})")))
                }),
                Overload::unary::<Numeric, Numeric, _>(|units: i128| units.wrapping_abs()),
                Overload::unary::<BigNumeric, BigNumeric, _>(|units: i256| units.wrapping_abs()),
                Overload::unary::<Float64, Float64, _>(f64::abs),
            ],
        ),
        scalar(
            "sign",
            vec![
                Overload::unary::<Int64, Int64, _>(i64::signum),
                Overload::unary::<Numeric, Numeric, _>(|units: i128| units.signum() * 10i128.pow(NUMERIC_SCALE)),
                Overload::unary::<BigNumeric, BigNumeric, _>(|units: i256| units.signum().mul_wrapping(power_of_ten(BIGNUMERIC_SCALE))),
                // 0 and NaN are returned unchanged.
                Overload::unary::<Float64, Float64, _>(|value: f64| if value == 0.0 || value.is_nan() { value } else { value.signum() }),
            ],
        ),
    ]
}
