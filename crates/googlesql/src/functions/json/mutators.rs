//! JSON_SET, JSON_ARRAY_APPEND, JSON_ARRAY_INSERT and JSON_REMOVE.
//!
//! The arguments are pairs of a path and a value, or paths only (JSON_REMOVE). They apply from left to
//! right, each to the previous result. A NULL path or a path without a target changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::FieldRef;
use datafusion::error::Result;

use super::super::Function;
use super::super::function_error::FunctionError;
use super::super::generic::{Body, CallArgument, ScalarCall, generic};
use super::super::memory_budget::MemoryBudget;
use super::super::sql_type::SqlType;
use super::path::{JsonPath, PathStep};
use super::to_json::{JsonNumberMode, write};
use super::tree::JsonTree;

/// Maximum array length that a path can create.
const MAX_LENGTH: usize = 1_000_000;

/// The named option is the last argument, except for JSON_REMOVE.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("json_set", |arguments| with_values(arguments, |columns, fields, budget| apply_pairs(columns, fields, budget, set))),
        generic("json_array_append", |arguments| {
            with_values(arguments, |columns, fields, budget| apply_pairs(columns, fields, budget, append))
        }),
        generic("json_array_insert", |arguments| {
            with_values(arguments, |columns, fields, budget| apply_pairs(columns, fields, budget, insert))
        }),
        generic("json_remove", |arguments| {
            let ((json, _), paths) = arguments.split_first()?;
            let is_valid = SqlType::of(json) == Some(SqlType::Json) && !paths.is_empty() && paths.iter().all(is_text);
            is_valid.then(|| call(arguments, |index| index > 0, remove_all))
        }),
    ]
}

fn with_values(arguments: &[CallArgument], body: Body) -> Option<ScalarCall> {
    let [(json, _), pairs @ .., (option, _)] = arguments else { return None };
    let paths = pairs.iter().step_by(2).all(is_text);
    let is_valid = paths && !pairs.is_empty() && pairs.len().is_multiple_of(2);
    let is_valid = is_valid && SqlType::of(json) == Some(SqlType::Json) && SqlType::of(option) == Some(SqlType::Bool);
    is_valid.then(|| call(arguments, |index| index % 2 == 1, body))
}

fn is_text((field, _): &CallArgument) -> bool {
    SqlType::of(field) == Some(SqlType::Text) || field.data_type().is_null()
}

/// Types the untyped NULLs at the path positions as STRING.
fn call(arguments: &[CallArgument], is_path: fn(usize) -> bool, body: Body) -> ScalarCall {
    let parameter = |(index, (field, _)): (usize, &CallArgument)| {
        if is_path(index) && field.data_type().is_null() { SqlType::Text.field("") } else { Arc::clone(field) }
    };
    ScalarCall { parameters: arguments.iter().enumerate().map(parameter).collect(), returns: SqlType::Json.field(""), body }
}

/// Changes the value at the path. The flags are the named option, and whether the new value is an
/// ARRAY.
type Change = fn(&mut JsonTree, &[PathStep], JsonTree, bool, bool) -> std::result::Result<(), FunctionError>;

fn apply_pairs(columns: &[ArrayRef], fields: &[FieldRef], budget: &mut MemoryBudget, apply: Change) -> Result<ArrayRef> {
    let json = columns[0].as_string::<i32>();
    let last = columns.len() - 1;
    let option = columns[last].as_boolean();
    let mut result = StringBuilder::new();
    for row in 0..json.len() {
        if json.is_null(row) || option.is_null(row) {
            result.append_null();
            continue;
        }
        let mut tree = JsonTree::from_json(json.value(row))?;
        for index in (1..last).step_by(2) {
            let paths = columns[index].as_string::<i32>();
            if paths.is_null(row) {
                continue;
            }
            let path: JsonPath = paths.value(row).parse()?;
            if path.0.iter().any(|step| matches!(step, PathStep::Element(index) if *index >= MAX_LENGTH)) {
                return Err(FunctionError::new(format!("Exceeded maximum array size of {MAX_LENGTH}")).into());
            }
            let mut value = String::new();
            write(&columns[index + 1], &fields[index + 1], row, JsonNumberMode::Exact, &mut value)?;
            let is_array = columns[index + 1].as_list_opt::<i32>().is_some();
            apply(&mut tree, &path.0, JsonTree::from_json(&value)?, option.value(row), is_array)?;
        }
        let text = tree.to_text();
        budget.reserve_bytes(text.len())?;
        result.append_value(text);
    }
    Ok(Arc::new(result.finish()))
}

/// Implements `create_if_missing`: missing objects and array elements on the path are created.
fn set(tree: &mut JsonTree, path: &[PathStep], value: JsonTree, create: bool, _array: bool) -> std::result::Result<(), FunctionError> {
    if can_set(tree, path, create) {
        *get_or_create(tree, path) = value;
    }
    Ok(())
}

/// Whether the path exists, or can be created if `create` is true.
fn can_set(tree: &JsonTree, path: &[PathStep], create: bool) -> bool {
    let Some((step, rest)) = path.split_first() else { return true };
    match (tree, step) {
        (JsonTree::Object(members), PathStep::Member(name)) => members.get(name).map_or(create, |member| can_set(member, rest, create)),
        (JsonTree::Array(elements), PathStep::Element(index)) => {
            elements.get(*index).map_or(create, |element| can_set(element, rest, create))
        }
        (JsonTree::Null, _) => create,
        _ => false,
    }
}

/// Returns the value at the path and creates missing parents. The path must satisfy [`can_set`].
/// Arrays are extended with NULLs.
fn get_or_create<'t>(tree: &'t mut JsonTree, path: &[PathStep]) -> &'t mut JsonTree {
    let Some((step, rest)) = path.split_first() else { return tree };
    if *tree == JsonTree::Null {
        *tree = match step {
            PathStep::Member(_) => JsonTree::Object(BTreeMap::new()),
            PathStep::Element(_) => JsonTree::Array(Vec::new()),
        };
    }
    match (tree, step) {
        (JsonTree::Object(members), PathStep::Member(name)) => get_or_create(members.entry(name.clone()).or_insert(JsonTree::Null), rest),
        (JsonTree::Array(elements), PathStep::Element(index)) => {
            if elements.len() <= *index {
                elements.resize(*index + 1, JsonTree::Null);
            }
            get_or_create(&mut elements[*index], rest)
        }
        (tree, _) => tree,
    }
}

/// Returns the elements to add: the elements of an ARRAY if `each` is true, else the value itself.
fn new_elements(value: JsonTree, each: bool, is_array: bool) -> Vec<JsonTree> {
    match value {
        JsonTree::Array(elements) if each && is_array => elements,
        // A NULL ARRAY has no elements. It becomes one JSON `null`.
        value => vec![value],
    }
}

/// Appends to the array at the path. A `null` counts as an empty array.
fn append(tree: &mut JsonTree, path: &[PathStep], value: JsonTree, each: bool, is_array: bool) -> std::result::Result<(), FunctionError> {
    match tree.get_mut(path) {
        Some(JsonTree::Array(elements)) => elements.extend(new_elements(value, each, is_array)),
        Some(null @ JsonTree::Null) => *null = JsonTree::Array(new_elements(value, each, is_array)),
        _ => {}
    }
    Ok(())
}

/// Inserts before the element at the path.
fn insert(tree: &mut JsonTree, path: &[PathStep], value: JsonTree, each: bool, is_array: bool) -> std::result::Result<(), FunctionError> {
    let Some((PathStep::Element(index), parent)) = path.split_last() else { return Ok(()) };
    let Some(array) = tree.get_mut(parent) else { return Ok(()) };
    if *array == JsonTree::Null {
        *array = JsonTree::Array(Vec::new());
    }
    if let JsonTree::Array(elements) = array {
        if elements.len() < *index {
            elements.resize(*index, JsonTree::Null);
        }
        elements.splice(*index..*index, new_elements(value, each, is_array));
    }
    Ok(())
}

fn remove_all(columns: &[ArrayRef], _fields: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let json = columns[0].as_string::<i32>();
    let mut result = StringBuilder::new();
    for row in 0..json.len() {
        if json.is_null(row) {
            result.append_null();
            continue;
        }
        let mut tree = JsonTree::from_json(json.value(row))?;
        for paths in columns[1..].iter().map(|paths| paths.as_string::<i32>()).filter(|paths| paths.is_valid(row)) {
            remove(&mut tree, &paths.value(row).parse::<JsonPath>()?.0)?;
        }
        let text = tree.to_text();
        budget.reserve_bytes(text.len())?;
        result.append_value(text);
    }
    Ok(Arc::new(result.finish()))
}

fn remove(tree: &mut JsonTree, path: &[PathStep]) -> std::result::Result<(), FunctionError> {
    let (last, parent) = path.split_last().ok_or_else(|| FunctionError::new("The JSONPath cannot be '$'"))?;
    match (tree.get_mut(parent), last) {
        (Some(JsonTree::Object(members)), PathStep::Member(name)) => drop(members.remove(name)),
        (Some(JsonTree::Array(elements)), PathStep::Element(index)) if *index < elements.len() => drop(elements.remove(*index)),
        _ => {}
    }
    Ok(())
}
