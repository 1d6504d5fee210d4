//! Converters from JSON to SQL values: `BOOL`, `INT64`, `FLOAT64`, and the LAX_* functions, which
//! convert between types where possible. `STRING(json)` is in `calendar`, with STRING of dates.

use serde_json::Value;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bool, Float64, Int64, Json, Text};
use super::super::function_error::FunctionError;
use super::super::number::floating;
use super::super::overload::Overload;
use super::accessors::parse_value;

/// The smallest FLOAT64 above the range of INT64.
const INT64_END: f64 = 9_223_372_036_854_775_808.0;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("bool", vec![Overload::unary::<Json, Bool, _>(|json| strict(json, "bool", |value| value.as_bool()))]),
        scalar("int64", vec![Overload::unary::<Json, Int64, _>(|json| strict(json, "int64", integer_value))]),
        scalar("float64", vec![Overload::unary::<Json, Float64, _>(|json| strict(json, "float64", |value| value.as_f64()))]),
        scalar("lax_bool", vec![Overload::unary::<Json, Bool, _>(|json| parse_value(json).map(|value| lax_bool(&value)))]),
        scalar("lax_int64", vec![Overload::unary::<Json, Int64, _>(|json| parse_value(json).map(|value| lax_int64(&value)))]),
        scalar("lax_float64", vec![Overload::unary::<Json, Float64, _>(|json| parse_value(json).map(|value| lax_float64(&value)))]),
        scalar("lax_string", vec![Overload::unary::<Json, Text, _>(|json| parse_value(json).map(|value| lax_string(&value)))]),
    ]
}

fn strict<T>(json: &str, name: &str, read: fn(&Value) -> Option<T>) -> Result<T, FunctionError> {
    read(&parse_value(json)?)
        .ok_or_else(|| FunctionError::new(format!("The provided JSON input is not a{} {name}", if name == "int64" { "n" } else { "" })))
}

/// Accepts floats with an integer value, such as `10.0`.
fn integer_value(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        value.as_f64().filter(|float| float.fract() == 0.0 && (-INT64_END..INT64_END).contains(float)).map(|float| float as i64)
    })
}

fn lax_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn lax_int64(value: &Value) -> Option<i64> {
    let round_to_int64 = |float: f64| Some(float.round()).filter(|float| (-INT64_END..INT64_END).contains(float)).map(|float| float as i64);
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(round_to_int64)),
        Value::String(text) => text.trim().parse().ok().or_else(|| text.trim().parse().ok().and_then(round_to_int64)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn lax_float64(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn lax_string(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) => Some(value.to_string()),
        // The format of CAST: `10` for `10.0`.
        Value::Number(number) if number.is_f64() => number.as_f64().map(floating::write),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
