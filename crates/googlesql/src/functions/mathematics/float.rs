//! FLOAT64 functions: powers, logarithms, trigonometry.
//!
//! An undefined result is an error. An infinite result from finite arguments is an error, too.

use std::sync::Arc;

use datafusion::arrow::array::Float64Array;
use datafusion::logical_expr::ColumnarValue;

use super::super::Function;
use super::super::adapter::{scalar, volatile};
use super::super::column::{Bool, Float64, Int64};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::super::sql_type::SqlType;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let mut functions = vec![
        power("pow"),
        power("power"),
        log(),
        scalar("atan2", vec![binary("ATAN2", f64::atan2)]),
        scalar("ieee_divide", vec![Overload::binary::<Float64, Float64, Float64, _>(|a, b| a / b)]),
        scalar("is_nan", vec![Overload::unary::<Float64, Bool, _>(f64::is_nan)]),
        scalar("is_inf", vec![Overload::unary::<Float64, Bool, _>(f64::is_infinite)]),
        volatile(
            "rand",
            vec![Overload::columns(&[], SqlType::Float64, |_, rows, _| {
                Ok(ColumnarValue::Array(Arc::new(Float64Array::from_iter_values((0..rows).map(|_| fastrand::f64())))))
            })],
        ),
    ];
    let unaries: [(&'static str, &'static str, FloatFunction); 25] = [
        ("sqrt", "SQRT", f64::sqrt),
        ("cbrt", "CBRT", f64::cbrt),
        ("exp", "EXP", f64::exp),
        ("ln", "LN", f64::ln),
        ("log10", "LOG10", f64::log10),
        ("cos", "COS", f64::cos),
        ("cosh", "COSH", f64::cosh),
        ("acos", "ACOS", f64::acos),
        ("acosh", "ACOSH", f64::acosh),
        ("sin", "SIN", f64::sin),
        ("sinh", "SINH", f64::sinh),
        ("asin", "ASIN", f64::asin),
        ("asinh", "ASINH", f64::asinh),
        ("tan", "TAN", f64::tan),
        ("tanh", "TANH", f64::tanh),
        ("atan", "ATAN", f64::atan),
        ("atanh", "ATANH", f64::atanh),
        ("cot", "COT", |x| 1.0 / x.tan()),
        ("coth", "COTH", |x| 1.0 / x.tanh()),
        ("csc", "CSC", |x| 1.0 / x.sin()),
        ("csch", "CSCH", |x| 1.0 / x.sinh()),
        ("sec", "SEC", |x| 1.0 / x.cos()),
        ("sech", "SECH", |x| 1.0 / x.cosh()),
        ("degrees", "DEGREES", f64::to_degrees),
        ("radians", "RADIANS", f64::to_radians),
    ];
    functions.extend(unaries.iter().map(|(name, upper_name, function)| {
        let overloads = [int64_overload(upper_name, *function), unary(upper_name, *function)];
        scalar(name, overloads.into_iter().chain(unsupported_decimals(upper_name)).collect())
    }));
    functions
}

/// A function of one float.
type FloatFunction = fn(f64) -> f64;

fn unary(name: &'static str, function: FloatFunction) -> Overload {
    Overload::unary::<Float64, Float64, _>(move |x| check_result(function(x), &[x], name))
}

fn binary(name: &'static str, function: fn(f64, f64) -> f64) -> Overload {
    Overload::binary::<Float64, Float64, Float64, _>(move |x, y| check_result(function(x, y), &[x, y], name))
}

fn log() -> (&'static str, Function) {
    let overloads = [
        int64_overload("LN", f64::ln),
        unary("LN", f64::ln),
        Overload::binary::<Int64, Int64, Float64, _>(|x, base| {
            check_result(logarithm(x as f64, base as f64), &[x as f64, base as f64], "LOG")
        }),
        binary("LOG", logarithm),
    ];
    scalar("log", overloads.into_iter().chain(unsupported_decimals("LOG")).chain(unsupported_decimal_pairs("LOG")).collect())
}

fn power(name: &'static str) -> (&'static str, Function) {
    let integers =
        Overload::binary::<Int64, Int64, Float64, _>(|x, y| check_result((x as f64).powf(y as f64), &[x as f64, y as f64], "POW"));
    let overloads = [integers, binary("POW", f64::powf)];
    scalar(name, overloads.into_iter().chain(unsupported_decimal_pairs("POW")).collect())
}

/// INT64 overload: without it, coercion would select NUMERIC.
fn int64_overload(name: &'static str, function: FloatFunction) -> Overload {
    Overload::unary::<Int64, Float64, _>(move |x| check_result(function(x as f64), &[x as f64], name))
}

/// Returns the logarithm of `x` to the given base.
fn logarithm(x: f64, base: f64) -> f64 {
    match base {
        1.0 => f64::NAN,
        base if base <= 0.0 => f64::NAN,
        2.0 => x.log2(),
        10.0 => x.log10(),
        base => x.ln() / base.ln(),
    }
}

fn check_result(result: f64, arguments: &[f64], name: &str) -> Result<f64, FunctionError> {
    let nan = arguments.iter().any(|argument| argument.is_nan());
    let finite = arguments.iter().all(|argument| argument.is_finite());
    if (result.is_nan() && !nan) || (result.is_infinite() && finite) {
        let arguments: Vec<String> = arguments.iter().map(f64::to_string).collect();
        return Err(FunctionError::new(format!("Floating point error in function: {name}({})", arguments.join(", "))));
    }
    Ok(result)
}

/// Overloads with the error for NUMERIC and BIGNUMERIC. BigQuery computes these with full precision.
fn unsupported_decimals(name: &'static str) -> [Overload; 2] {
    [SqlType::Numeric, SqlType::BigNumeric].map(|sql_type| Overload::unsupported(&[sql_type], sql_type, unsupported_error(name)))
}

fn unsupported_decimal_pairs(name: &'static str) -> [Overload; 2] {
    [SqlType::Numeric, SqlType::BigNumeric].map(|sql_type| Overload::unsupported(&[sql_type, sql_type], sql_type, unsupported_error(name)))
}

fn unsupported_error(name: &str) -> FunctionError {
    FunctionError::new(format!("The BigQuery emulator does not support {name} of NUMERIC and BIGNUMERIC: cast to FLOAT64"))
}
