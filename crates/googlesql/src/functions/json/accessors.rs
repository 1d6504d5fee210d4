//! `json.key` and `json[i]` (`$json_get`), JSON_KEYS and JSON_TYPE.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Int64, Json, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::path::PathStep;
use super::scan::find;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "$json_get",
            vec![
                Overload::binary::<Json, Text, Json, _>(|json, name| find(json, &[PathStep::Member(name.to_owned())]).map(str::to_owned)),
                Overload::binary::<Json, Int64, Json, _>(|json, index| {
                    usize::try_from(index).ok().and_then(|index| find(json, &[PathStep::Element(index)])).map(str::to_owned)
                }),
            ],
        ),
        scalar(
            "json_type",
            vec![Overload::unary::<Json, Text, _>(|json| {
                parse_value(json).map(|value| {
                    match value {
                        Value::Null => "null",
                        Value::Bool(_) => "boolean",
                        Value::Number(_) => "number",
                        Value::String(_) => "string",
                        Value::Array(_) => "array",
                        Value::Object(_) => "object",
                    }
                    .to_owned()
                })
            })],
        ),
        scalar("json_keys", vec![Overload::ternary::<Json, Int64, Text, ArrayOf<Text>, _>(keys_in_mode)]),
    ]
}

pub(crate) fn parse_value(json: &str) -> Result<Value, FunctionError> {
    serde_json::from_str(json).map_err(|error| FunctionError::new(format!("Invalid input to JSON: {error}")))
}

fn keys_in_mode(json: &str, depth: i64, mode: &str) -> Result<Vec<String>, FunctionError> {
    let depth = usize::try_from(depth).ok().filter(|depth| *depth > 0).ok_or_else(|| FunctionError::new("max_depth must be positive"))?;
    match mode.to_ascii_lowercase().as_str() {
        "strict" => keys(json, depth, ArrayMode::Strict),
        "lax" => keys(json, depth, ArrayMode::Lax),
        "lax recursive" => keys(json, depth, ArrayMode::LaxRecursive),
        _ => Err(FunctionError::new(format!("Invalid JSON mode specified: {mode}"))),
    }
}

/// How JSON_KEYS handles arrays.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ArrayMode {
    Strict,
    /// Includes elements of arrays, but not of arrays nested in arrays.
    Lax,
    LaxRecursive,
}

/// Returns the distinct member paths in alphabetical order.
fn keys(json: &str, depth: usize, arrays: ArrayMode) -> Result<Vec<String>, FunctionError> {
    fn collect(value: &Value, prefix: &str, depth: usize, (arrays, nested): (ArrayMode, bool), keys: &mut BTreeSet<String>) {
        let members = match value {
            Value::Object(members) => members,
            Value::Array(elements) if arrays == ArrayMode::LaxRecursive || (arrays == ArrayMode::Lax && !nested) => {
                elements.iter().for_each(|element| collect(element, prefix, depth, (arrays, true), keys));
                return;
            }
            _ => return,
        };
        for (name, value) in members {
            let is_identifier = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
            let name = if is_identifier && !name.is_empty() { name.clone() } else { format!("\"{name}\"") };
            let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            if depth > 1 {
                collect(value, &path, depth - 1, (arrays, false), keys);
            }
            keys.insert(path);
        }
    }
    let mut keys = BTreeSet::new();
    collect(&parse_value(json)?, "", depth, (arrays, false), &mut keys);
    Ok(keys.into_iter().collect())
}
