//! Members and types of JSON: `json.key` and `json[i]` (`$json_get`), JSON_KEYS, JSON_TYPE.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Int64, Json, Text};
use super::super::failure::Failure;
use super::super::list::ArrayOf;
use super::super::overload::Overload;
use super::path::Step;
use super::scan::find;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "$json_get",
            vec![
                Overload::binary::<Json, Text, Json, _>(|json, name| find(json, &[Step::Member(name.to_owned())]).map(str::to_owned)),
                Overload::binary::<Json, Int64, Json, _>(|json, index| {
                    usize::try_from(index).ok().and_then(|index| find(json, &[Step::Element(index)])).map(str::to_owned)
                }),
            ],
        ),
        scalar(
            "json_type",
            vec![Overload::unary::<Json, Text, _>(|json| {
                parsed(json).map(|value| {
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
        scalar(
            "json_keys",
            vec![
                Overload::unary::<Json, ArrayOf<Text>, _>(|json| keys(json, usize::MAX)),
                Overload::binary::<Json, Int64, ArrayOf<Text>, _>(|json, depth| match usize::try_from(depth) {
                    Ok(depth @ 1..) => keys(json, depth),
                    _ => Err(Failure::new("max_depth must be positive")),
                }),
            ],
        ),
    ]
}

pub(super) fn parsed(json: &str) -> Result<Value, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::new(format!("Invalid input to JSON: {error}")))
}

/// Each path of members once, in alphabetical order; arrays end a path.
fn keys(json: &str, depth: usize) -> Result<Vec<String>, Failure> {
    fn collect(value: &Value, prefix: &str, depth: usize, keys: &mut BTreeSet<String>) {
        let Value::Object(members) = value else { return };
        for (name, value) in members {
            let plain = name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
            let name = if plain && !name.is_empty() { name.clone() } else { format!("\"{name}\"") };
            let path = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
            if depth > 1 {
                collect(value, &path, depth - 1, keys);
            }
            keys.insert(path);
        }
    }
    let mut keys = BTreeSet::new();
    collect(&parsed(json)?, "", depth, &mut keys);
    Ok(keys.into_iter().collect())
}
