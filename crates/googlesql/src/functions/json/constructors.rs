//! PARSE_JSON, JSON_ARRAY and JSON_OBJECT. `$json_items` restores the JSON metadata of array elements,
//! which DataFusion's functions remove.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Json, Text};
use super::super::function_error::FunctionError;
use super::super::generic::{CallArgument, ScalarCall, generic};
use super::super::memory_budget::MemoryBudget;
use super::super::overload::Overload;
use super::super::sql_type::SqlType;
use super::to_json::{JsonNumberMode, tree};
use super::tree::{JsonTree, NumberRounding};

/// PARSE_JSON always receives its option `wide_number_mode`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("parse_json", vec![Overload::binary::<Text, Text, Json, _>(parse_json)]),
        generic("$json_items", |arguments| {
            let [(array, _)] = arguments else { return None };
            let returns = SqlType::Array(&SqlType::Json).field("");
            (*array.data_type() == SqlType::Array(&SqlType::Text).data_type()).then(|| ScalarCall {
                parameters: vec![Arc::clone(&returns)],
                returns,
                body: |columns, _, _| Ok(Arc::clone(&columns[0])),
            })
        }),
        generic("json_array", |arguments| Some(json_call(arguments, array))),
        generic("json_object", |arguments| {
            let is_name = |(field, _): &CallArgument| SqlType::of(field) == Some(SqlType::Text);
            match arguments {
                [(names, _), (values, _)] if is_list(names) && is_list(values) => {
                    let has_names = SqlType::of(names) == Some(SqlType::Array(&SqlType::Text)) || items_are_null(names);
                    has_names.then(|| json_call(arguments, object_of_arrays))
                }
                pairs => {
                    let is_valid = pairs.len().is_multiple_of(2) && pairs.iter().step_by(2).all(is_name);
                    is_valid.then(|| json_call(arguments, object))
                }
            }
        }),
    ]
}

fn parse_json(text: &str, mode: &str) -> std::result::Result<String, FunctionError> {
    let rounding = match mode {
        "exact" => NumberRounding::Reject,
        "round" => NumberRounding::Round,
        other => return Err(FunctionError::new(format!("Invalid `wide_number_mode` specified: {other}"))),
    };
    JsonTree::parse(text, rounding, "PARSE_JSON").map(|tree| tree.to_text())
}

fn json_call(arguments: &[CallArgument], body: super::super::generic::Body) -> ScalarCall {
    ScalarCall { parameters: arguments.iter().map(|(field, _)| Arc::clone(field)).collect(), returns: SqlType::Json.field(""), body }
}

fn is_list(field: &FieldRef) -> bool {
    matches!(field.data_type(), DataType::List(_))
}

fn items_are_null(field: &FieldRef) -> bool {
    matches!(field.data_type(), DataType::List(item) if item.data_type().is_null())
}

/// Returns the number of rows. A call without arguments is a constant with one row.
fn row_count(columns: &[ArrayRef]) -> usize {
    columns.first().map_or(1, |column| column.len())
}

fn array(columns: &[ArrayRef], fields: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let mut result = StringBuilder::new();
    for row in 0..row_count(columns) {
        let elements = columns.iter().zip(fields).map(|(column, field)| tree(column, field, row, JsonNumberMode::Exact));
        append(&mut result, &JsonTree::Array(elements.collect::<Result<_>>()?), budget)?;
    }
    Ok(Arc::new(result.finish()))
}

/// Builds objects from alternating names and values. The first of duplicate names applies.
fn object(columns: &[ArrayRef], fields: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let mut result = StringBuilder::new();
    for row in 0..row_count(columns) {
        let mut members = BTreeMap::new();
        for (column, field) in columns.chunks_exact(2).zip(fields.chunks_exact(2)) {
            let value = tree(&column[1], &field[1], row, JsonNumberMode::Exact)?;
            members.entry(non_null_name(column[0].as_string(), row)?).or_insert(value);
        }
        append(&mut result, &JsonTree::Object(members), budget)?;
    }
    Ok(Arc::new(result.finish()))
}

/// Builds objects from an ARRAY of names and an ARRAY of values. NULL if either is NULL.
fn object_of_arrays(columns: &[ArrayRef], fields: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
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
        for index in 0..names.len() {
            let value = tree(&values, item, index, JsonNumberMode::Exact)?;
            members.entry(non_null_name(names.as_string(), index)?).or_insert(value);
        }
        append(&mut result, &JsonTree::Object(members), budget)?;
    }
    Ok(Arc::new(result.finish()))
}

/// Appends a row.
fn append(rows: &mut StringBuilder, tree: &JsonTree, budget: &mut MemoryBudget) -> Result<()> {
    let text = tree.to_text();
    budget.reserve_bytes(text.len())?;
    rows.append_value(text);
    Ok(())
}

fn non_null_name(names: &StringArray, row: usize) -> Result<String> {
    match names.is_null(row) {
        true => Err(FunctionError::new("Invalid input to JSON_OBJECT: A key cannot be NULL").into()),
        false => Ok(names.value(row).to_owned()),
    }
}
