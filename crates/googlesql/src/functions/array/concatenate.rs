//! ARRAY_CONCAT, the operator `||`, and `$array_flatten` for `ARRAY_CONCAT_AGG(… LIMIT n)`.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::error::Result;
use std::sync::Arc;

use super::super::Function;
use super::super::generic::{CallArgument, ScalarCall, generic, nullable_field, supertype};
use super::super::memory_budget::MemoryBudget;
use super::super::sql_type::SqlType;
use super::super::text::{concatenate_bytes, concatenate_texts};
use super::list_rows::{build_lists, elements};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![generic("array_concat", arrays), generic("$concat", operator), generic("$array_flatten", flatten_call)]
}

fn arrays(arguments: &[CallArgument]) -> Option<ScalarCall> {
    let array = supertype(arguments).filter(|array| matches!(array.data_type(), DataType::List(_)))?;
    Some(ScalarCall { parameters: vec![Arc::clone(&array); arguments.len()], returns: array, body: concatenate_arrays })
}

fn operator(arguments: &[CallArgument]) -> Option<ScalarCall> {
    let untyped = |(field, _): &CallArgument| field.data_type().is_null();
    let common = if arguments.iter().all(untyped) { nullable_field(DataType::Utf8) } else { supertype(arguments)? };
    let body = match (SqlType::of(&common), common.data_type()) {
        (Some(SqlType::Text), _) => texts,
        (Some(SqlType::Bytes), _) => bytes,
        (_, DataType::List(_)) => return arrays(arguments),
        _ => return None,
    };
    Some(ScalarCall { parameters: vec![Arc::clone(&common); arguments.len()], returns: common, body })
}

fn texts(columns: &[ArrayRef], _: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    concatenate_texts(columns, budget)
}

fn bytes(columns: &[ArrayRef], _: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    concatenate_bytes(columns, budget)
}

/// Returns NULL if any of the arrays is NULL.
fn concatenate_arrays(columns: &[ArrayRef], parameters: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let lists: Vec<_> = columns.iter().map(|column| column.as_list::<i32>()).collect();
    budget.reserve_bytes(lists.iter().map(|list| list.values().get_array_memory_size()).sum())?;
    let values = concat(&lists.iter().map(|list| list.values().as_ref()).collect::<Vec<_>>())?;
    let starts: Vec<usize> = lists
        .iter()
        .scan(0, |start, list| {
            let offset = *start;
            *start += list.values().len();
            Some(offset)
        })
        .collect();
    let rows = (0..columns[0].len()).map(|row| {
        let mut indices = Vec::new();
        for (list, start) in lists.iter().zip(&starts) {
            indices.extend(elements(list, row)?.map(|index| index + start));
        }
        Some(indices)
    });
    build_lists(&values, rows, parameters[0].data_type(), budget)
}

/// Flattens an array of arrays. Queries cannot create one: it is an intermediate result.
fn flatten_call(arguments: &[CallArgument]) -> Option<ScalarCall> {
    let [(outer, _)] = arguments else { return None };
    let DataType::List(inner) = outer.data_type() else { return None };
    let returns = nullable_field(inner.data_type().clone());
    matches!(inner.data_type(), DataType::List(_)).then(|| ScalarCall { parameters: vec![Arc::clone(outer)], returns, body: flatten })
}

fn flatten(columns: &[ArrayRef], _: &[FieldRef], budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let outer = columns[0].as_list::<i32>();
    let inner = outer.values().as_list::<i32>();
    let rows = (0..outer.len()).map(|row| {
        let lists = elements(outer, row)?;
        Some(lists.filter_map(|list| elements(inner, list)).flatten().collect())
    });
    build_lists(inner.values(), rows, inner.data_type(), budget)
}
