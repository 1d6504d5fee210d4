//! JSON of text, and of values: PARSE_JSON, JSON_ARRAY, JSON_OBJECT. `$json_items` says of an ARRAY
//! that its elements are JSON, which DataFusion's own functions forget.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Json, Text};
use super::super::function_error::FunctionError;
use super::super::generic::{Call, Given, generic};
use super::super::kind::Kind;
use super::super::overload::Overload;
use super::tree::{Tree, Wide};
use super::write::{Numbers, tree};

/// `wide_number_mode` of PARSE_JSON is always there.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("parse_json", vec![Overload::binary::<Text, Text, Json, _>(parse)]),
        generic("$json_items", |given| {
            let [(array, _)] = given else { return None };
            let returns = Kind::Array(&Kind::Json).field("");
            (*array.data_type() == Kind::Array(&Kind::Text).data_type()).then(|| Call {
                parameters: vec![Arc::clone(&returns)],
                returns,
                body: |columns, _| Ok(Arc::clone(&columns[0])),
            })
        }),
        generic("json_array", |given| Some(call(given, array))),
        generic("json_object", |given| {
            let is_name = |(field, _): &Given| Kind::of(field) == Some(Kind::Text);
            match given {
                [(names, _), (values, _)] if is_list(names) && is_list(values) => {
                    let texts = Kind::of(names) == Some(Kind::Array(&Kind::Text)) || items_are_null(names);
                    texts.then(|| call(given, object_of_arrays))
                }
                pairs => {
                    let fits = pairs.len().is_multiple_of(2) && pairs.iter().step_by(2).all(is_name);
                    fits.then(|| call(given, object))
                }
            }
        }),
    ]
}

fn parse(text: &str, mode: &str) -> std::result::Result<String, FunctionError> {
    let wide = match mode {
        "exact" => Wide::Refuse,
        "round" => Wide::Round,
        other => return Err(FunctionError::new(format!("Invalid `wide_number_mode` specified: {other}"))),
    };
    Tree::read(text, wide, "PARSE_JSON").map(|tree| tree.text())
}

fn call(given: &[Given], body: super::super::generic::Body) -> Call {
    Call { parameters: given.iter().map(|(field, _)| Arc::clone(field)).collect(), returns: Kind::Json.field(""), body }
}

fn is_list(field: &FieldRef) -> bool {
    matches!(field.data_type(), DataType::List(_))
}

fn items_are_null(field: &FieldRef) -> bool {
    matches!(field.data_type(), DataType::List(item) if item.data_type().is_null())
}

/// The rows to make: one where there are no arguments, which is a constant.
fn rows(columns: &[ArrayRef]) -> usize {
    columns.first().map_or(1, |column| column.len())
}

fn array(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    let mut result = StringBuilder::new();
    for row in 0..rows(columns) {
        let elements = columns.iter().zip(fields).map(|(column, field)| tree(column, field, row, Numbers::Exact));
        result.append_value(Tree::Array(elements.collect::<Result<_>>()?).text());
    }
    Ok(Arc::new(result.finish()))
}

/// Of names, and the value of each after it.
fn object(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    let mut result = StringBuilder::new();
    for row in 0..rows(columns) {
        let mut members = BTreeMap::new();
        for (column, field) in columns.chunks_exact(2).zip(fields.chunks_exact(2)) {
            let value = tree(&column[1], &field[1], row, Numbers::Exact)?;
            members.entry(name(column[0].as_string(), row)?).or_insert(value);
        }
        result.append_value(Tree::Object(members).text());
    }
    Ok(Arc::new(result.finish()))
}

/// Of an ARRAY of names and one of values; NULL if either is.
fn object_of_arrays(columns: &[ArrayRef], fields: &[FieldRef]) -> Result<ArrayRef> {
    let (names, values) = (columns[0].as_list::<i32>(), columns[1].as_list::<i32>());
    let DataType::List(item) = fields[1].data_type() else { return Ok(Arc::new(StringArray::new_null(names.len()))) };
    let mut result = StringBuilder::new();
    for row in 0..names.len() {
        if names.is_null(row) || values.is_null(row) {
            result.append_null();
            continue;
        }
        let (names, values) = (names.value(row), values.value(row));
        if names.len() != values.len() {
            return Err(FunctionError::new("The number of keys and values must match").into());
        }
        let mut members = BTreeMap::new();
        for place in 0..names.len() {
            let value = tree(&values, item, place, Numbers::Exact)?;
            members.entry(name(names.as_string(), place)?).or_insert(value);
        }
        result.append_value(Tree::Object(members).text());
    }
    Ok(Arc::new(result.finish()))
}

fn name(names: &StringArray, row: usize) -> Result<String> {
    match names.is_null(row) {
        true => Err(FunctionError::new("Invalid input to JSON_OBJECT: A key cannot be NULL").into()),
        false => Ok(names.value(row).to_owned()),
    }
}
