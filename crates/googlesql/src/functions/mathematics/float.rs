//! Powers, logarithms, angles: functions of FLOAT64.
//!
//! Where the mathematical result is none, or infinite though the arguments are not, is an error.

use std::sync::Arc;

use datafusion::arrow::array::Float64Array;
use datafusion::logical_expr::ColumnarValue;

use super::super::Function;
use super::super::adapter::{scalar, volatile};
use super::super::column::{Bool, Float64, Int64};
use super::super::function_error::FunctionError;
use super::super::kind::Kind;
use super::super::overload::Overload;

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
            vec![Overload::columns(&[], Kind::Float64, |_, rows| {
                Ok(ColumnarValue::Array(Arc::new(Float64Array::from_iter_values((0..rows).map(|_| fastrand::f64())))))
            })],
        ),
    ];
    let unaries: [(&'static str, &'static str, Of); 25] = [
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
    functions.extend(unaries.iter().map(|(name, shown, function)| {
        let overloads = [of_whole(shown, *function), unary(shown, *function)];
        scalar(name, overloads.into_iter().chain(exact(shown)).collect())
    }));
    functions
}

/// A function of one number.
type Of = fn(f64) -> f64;

fn unary(name: &'static str, function: Of) -> Overload {
    Overload::unary::<Float64, Float64, _>(move |x| checked(function(x), &[x], name))
}

fn binary(name: &'static str, function: fn(f64, f64) -> f64) -> Overload {
    Overload::binary::<Float64, Float64, Float64, _>(move |x, y| checked(function(x, y), &[x, y], name))
}

fn log() -> (&'static str, Function) {
    let overloads = [
        of_whole("LN", f64::ln),
        unary("LN", f64::ln),
        Overload::binary::<Int64, Int64, Float64, _>(|x, base| checked(logarithm(x as f64, base as f64), &[x as f64, base as f64], "LOG")),
        binary("LOG", logarithm),
    ];
    scalar("log", overloads.into_iter().chain(exact("LOG")).chain(exact_binary("LOG")).collect())
}

fn power(name: &'static str) -> (&'static str, Function) {
    let whole = Overload::binary::<Int64, Int64, Float64, _>(|x, y| checked((x as f64).powf(y as f64), &[x as f64, y as f64], "POW"));
    let overloads = [whole, binary("POW", f64::powf)];
    scalar(name, overloads.into_iter().chain(exact_binary("POW")).collect())
}

/// INT64 is nearer to NUMERIC than to FLOAT64, but not here.
fn of_whole(name: &'static str, function: Of) -> Overload {
    Overload::unary::<Int64, Float64, _>(move |x| checked(function(x as f64), &[x as f64], name))
}

/// Of a base that is given second.
fn logarithm(x: f64, base: f64) -> f64 {
    match base {
        1.0 => f64::NAN,
        base if base <= 0.0 => f64::NAN,
        2.0 => x.log2(),
        10.0 => x.log10(),
        base => x.ln() / base.ln(),
    }
}

fn checked(result: f64, arguments: &[f64], name: &str) -> Result<f64, FunctionError> {
    let nan = arguments.iter().any(|argument| argument.is_nan());
    let finite = arguments.iter().all(|argument| argument.is_finite());
    if (result.is_nan() && !nan) || (result.is_infinite() && finite) {
        let arguments: Vec<String> = arguments.iter().map(f64::to_string).collect();
        return Err(FunctionError::new(format!("Floating point error in function: {name}({})", arguments.join(", "))));
    }
    Ok(result)
}

/// Of NUMERIC the result would be a NUMERIC with all its digits, which this does not compute; the
/// same goes for BIGNUMERIC.
fn exact(name: &'static str) -> [Overload; 2] {
    [Kind::Numeric, Kind::BigNumeric].map(|kind| Overload::refused(&[kind], kind, not_exact(name)))
}

fn exact_binary(name: &'static str) -> [Overload; 2] {
    [Kind::Numeric, Kind::BigNumeric].map(|kind| Overload::refused(&[kind, kind], kind, not_exact(name)))
}

fn not_exact(name: &str) -> FunctionError {
    FunctionError::new(format!("The local BigQuery does not support {name} of NUMERIC and BIGNUMERIC: cast to FLOAT64"))
}
