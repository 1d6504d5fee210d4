//! JSON with something changed in it: JSON_SET, JSON_ARRAY_APPEND, JSON_ARRAY_INSERT, JSON_REMOVE.
//!
//! All of them take paths in pairs with values (JSON_REMOVE: alone), from left to right, each over
//! what the one before left. A path that leads nowhere, or is NULL, changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::FieldRef;
use datafusion::error::Result;

use super::super::Function;
use super::super::function_error::FunctionError;
use super::super::generic::{Body, Call, Given, generic};
use super::super::kind::Kind;
use super::path::{JsonPath, Step};
use super::tree::Tree;
use super::write::{Numbers, write};

/// An array that a path makes longer has no more elements.
const MAX_LENGTH: usize = 1_000_000;

/// The last argument of all but JSON_REMOVE is their option, which is always there.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("json_set", |given| with_values(given, |columns, fields| pairs(columns, fields, set))),
        generic("json_array_append", |given| with_values(given, |columns, fields| pairs(columns, fields, append))),
        generic("json_array_insert", |given| with_values(given, |columns, fields| pairs(columns, fields, insert))),
        generic("json_remove", |given| {
            let ((json, _), paths) = given.split_first()?;
            let fits = Kind::of(json) == Some(Kind::Json) && !paths.is_empty() && paths.iter().all(is_text);
            fits.then(|| call(given, |place| place > 0, removed))
        }),
    ]
}

fn with_values(given: &[Given], body: Body) -> Option<Call> {
    let [(json, _), pairs @ .., (option, _)] = given else { return None };
    let paths = pairs.iter().step_by(2).all(is_text);
    let fits = paths && !pairs.is_empty() && pairs.len().is_multiple_of(2);
    let fits = fits && Kind::of(json) == Some(Kind::Json) && Kind::of(option) == Some(Kind::Bool);
    fits.then(|| call(given, |place| place % 2 == 1, body))
}

fn is_text((field, _): &Given) -> bool {
    Kind::of(field) == Some(Kind::Text) || field.data_type().is_null()
}

/// The arguments at these places are paths where they are untyped NULLs.
fn call(given: &[Given], is_path: fn(usize) -> bool, body: Body) -> Call {
    let parameter = |(place, (field, _)): (usize, &Given)| {
        if is_path(place) && field.data_type().is_null() { Kind::Text.field("") } else { Arc::clone(field) }
    };
    Call { parameters: given.iter().enumerate().map(parameter).collect(), returns: Kind::Json.field(""), body }
}

/// One change: of the tree, by the path, to the value; whether the option holds, and whether the
/// value is an ARRAY.
type Change = fn(&mut Tree, &[Step], Tree, bool, bool) -> std::result::Result<(), FunctionError>;

fn pairs(columns: &[ArrayRef], fields: &[FieldRef], change: Change) -> Result<ArrayRef> {
    let json = columns[0].as_string::<i32>();
    let last = columns.len() - 1;
    let option = columns[last].as_boolean();
    let mut result = StringBuilder::new();
    for row in 0..json.len() {
        if json.is_null(row) || option.is_null(row) {
            result.append_null();
            continue;
        }
        let mut tree = Tree::of(json.value(row))?;
        for place in (1..last).step_by(2) {
            let paths = columns[place].as_string::<i32>();
            if paths.is_null(row) {
                continue;
            }
            let path: JsonPath = paths.value(row).parse()?;
            if path.0.iter().any(|step| matches!(step, Step::Element(index) if *index >= MAX_LENGTH)) {
                return Err(FunctionError::new(format!("Exceeded maximum array size of {MAX_LENGTH}")).into());
            }
            let mut value = String::new();
            write(&columns[place + 1], &fields[place + 1], row, Numbers::Exact, &mut value)?;
            let is_array = columns[place + 1].as_list_opt::<i32>().is_some();
            change(&mut tree, &path.0, Tree::of(&value)?, option.value(row), is_array)?;
        }
        result.append_value(tree.text());
    }
    Ok(Arc::new(result.finish()))
}

/// `create_if_missing`: what the path leads through comes to be, unless something else is there.
fn set(tree: &mut Tree, path: &[Step], value: Tree, create: bool, _array: bool) -> std::result::Result<(), FunctionError> {
    if fits(tree, path, create) {
        *made(tree, path) = value;
    }
    Ok(())
}

/// Whether the path can be gone, by what is there already or what can be made.
fn fits(tree: &Tree, path: &[Step], create: bool) -> bool {
    let Some((step, rest)) = path.split_first() else { return true };
    match (tree, step) {
        (Tree::Object(members), Step::Member(name)) => members.get(name).map_or(create, |member| fits(member, rest, create)),
        (Tree::Array(elements), Step::Element(index)) => elements.get(*index).map_or(create, |element| fits(element, rest, create)),
        (Tree::Null, _) => create,
        _ => false,
    }
}

/// What the path leads to, which [`fits`] has looked at; NULLs fill an array up to it.
fn made<'t>(tree: &'t mut Tree, path: &[Step]) -> &'t mut Tree {
    let Some((step, rest)) = path.split_first() else { return tree };
    if *tree == Tree::Null {
        *tree = match step {
            Step::Member(_) => Tree::Object(BTreeMap::new()),
            Step::Element(_) => Tree::Array(Vec::new()),
        };
    }
    match (tree, step) {
        (Tree::Object(members), Step::Member(name)) => made(members.entry(name.clone()).or_insert(Tree::Null), rest),
        (Tree::Array(elements), Step::Element(index)) => {
            if elements.len() <= *index {
                elements.resize(*index + 1, Tree::Null);
            }
            made(&mut elements[*index], rest)
        }
        (tree, _) => tree,
    }
}

/// What is to be put into an array: an ARRAY's elements, or the value as one.
fn parts(value: Tree, each: bool, is_array: bool) -> Vec<Tree> {
    match value {
        Tree::Array(elements) if each && is_array => elements,
        // A NULL ARRAY has no elements, but is a `null` where it is one itself.
        value => vec![value],
    }
}

/// `append_each_element`: at the end of the array. A `null` is an empty array.
fn append(tree: &mut Tree, path: &[Step], value: Tree, each: bool, is_array: bool) -> std::result::Result<(), FunctionError> {
    match tree.at(path) {
        Some(Tree::Array(elements)) => elements.extend(parts(value, each, is_array)),
        Some(null @ Tree::Null) => *null = Tree::Array(parts(value, each, is_array)),
        _ => {}
    }
    Ok(())
}

/// `insert_each_element`: before the element that the path names.
fn insert(tree: &mut Tree, path: &[Step], value: Tree, each: bool, is_array: bool) -> std::result::Result<(), FunctionError> {
    let Some((Step::Element(index), way)) = path.split_last() else { return Ok(()) };
    let Some(array) = tree.at(way) else { return Ok(()) };
    if *array == Tree::Null {
        *array = Tree::Array(Vec::new());
    }
    if let Tree::Array(elements) = array {
        if elements.len() < *index {
            elements.resize(*index, Tree::Null);
        }
        elements.splice(*index..*index, parts(value, each, is_array));
    }
    Ok(())
}

fn removed(columns: &[ArrayRef], _fields: &[FieldRef]) -> Result<ArrayRef> {
    let json = columns[0].as_string::<i32>();
    let mut result = StringBuilder::new();
    for row in 0..json.len() {
        if json.is_null(row) {
            result.append_null();
            continue;
        }
        let mut tree = Tree::of(json.value(row))?;
        for paths in columns[1..].iter().map(|paths| paths.as_string::<i32>()).filter(|paths| paths.is_valid(row)) {
            remove(&mut tree, &paths.value(row).parse::<JsonPath>()?.0)?;
        }
        result.append_value(tree.text());
    }
    Ok(Arc::new(result.finish()))
}

fn remove(tree: &mut Tree, path: &[Step]) -> std::result::Result<(), FunctionError> {
    let (last, way) = path.split_last().ok_or_else(|| FunctionError::new("The JSONPath cannot be '$'"))?;
    match (tree.at(way), last) {
        (Some(Tree::Object(members)), Step::Member(name)) => drop(members.remove(name)),
        (Some(Tree::Array(elements)), Step::Element(index)) if *index < elements.len() => drop(elements.remove(*index)),
        _ => {}
    }
    Ok(())
}
