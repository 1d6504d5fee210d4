//! Element access: `arr[OFFSET(i)]`, `ORDINAL` and their `SAFE_` forms, ARRAY_FIRST, ARRAY_LAST;
//! ARRAY_LENGTH.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::Result;

use super::super::Function;
use super::super::function_error::FunctionError;
use super::super::generic::{Body, CallArgument, ScalarCall, generic, nullable_field};
use super::super::memory_budget::MemoryBudget;
use super::list_rows::elements;
use super::{element_of, is_int64};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("array_length", |arguments| {
            let [(array, _)] = arguments else { return None };
            element_of(array)?;
            Some(ScalarCall { parameters: vec![Arc::clone(array)], returns: nullable_field(DataType::Int64), body: length })
        }),
        generic("array_first", |arguments| {
            end_call(arguments, |columns, _, _| end_elements(&columns[0], "ARRAY_FIRST", "first", |range| range.start))
        }),
        generic("array_last", |arguments| {
            end_call(arguments, |columns, _, _| end_elements(&columns[0], "ARRAY_LAST", "last", |range| range.end - 1))
        }),
        generic("$offset", |arguments| subscript_call(arguments, |columns, _, _| element_at(columns, 0, false))),
        generic("$ordinal", |arguments| subscript_call(arguments, |columns, _, _| element_at(columns, 1, false))),
        generic("$safe_offset", |arguments| subscript_call(arguments, |columns, _, _| element_at(columns, 0, true))),
        generic("$safe_ordinal", |arguments| subscript_call(arguments, |columns, _, _| element_at(columns, 1, true))),
    ]
}

fn end_call(arguments: &[CallArgument], body: Body) -> Option<ScalarCall> {
    let [(array, _)] = arguments else { return None };
    Some(ScalarCall { parameters: vec![Arc::clone(array)], returns: Arc::clone(element_of(array)?), body })
}

fn subscript_call(arguments: &[CallArgument], body: Body) -> Option<ScalarCall> {
    let [(array, _), index] = arguments else { return None };
    let element = element_of(array).filter(|_| is_int64(index))?;
    Some(ScalarCall { parameters: vec![Arc::clone(array), nullable_field(DataType::Int64)], returns: Arc::clone(element), body })
}

fn length(columns: &[ArrayRef], _: &[FieldRef], _: &mut MemoryBudget) -> Result<ArrayRef> {
    let lists = columns[0].as_list::<i32>();
    let lengths = (0..lists.len()).map(|row| elements(lists, row).map(|range| range.len() as i64));
    Ok(Arc::new(lengths.collect::<Int64Array>()))
}

fn end_elements(array: &ArrayRef, function: &str, which: &str, position: fn(std::ops::Range<usize>) -> usize) -> Result<ArrayRef> {
    let lists = array.as_list::<i32>();
    let indices = (0..lists.len()).map(|row| match elements(lists, row) {
        Some(range) if range.is_empty() => Err(FunctionError::new(format!("{function} cannot get the {which} element of an empty array"))),
        range => Ok(range.map(|range| position(range) as u64)),
    });
    Ok(take(lists.values(), &indices.collect::<Result<UInt64Array, _>>()?, None)?)
}

/// Returns the element at an index. The first element has the index `first`.
fn element_at(columns: &[ArrayRef], first: i64, safe: bool) -> Result<ArrayRef> {
    let (lists, subscripts) = (columns[0].as_list::<i32>(), columns[1].as_primitive::<Int64Type>());
    let indices = (0..lists.len()).map(|row| {
        let Some(range) = elements(lists, row).filter(|_| subscripts.is_valid(row)) else { return Ok(None) };
        let index = subscripts.value(row);
        let offset = index.checked_sub(first).and_then(|offset| usize::try_from(offset).ok()).filter(|offset| *offset < range.len());
        match offset {
            Some(offset) => Ok(Some((range.start + offset) as u64)),
            None if safe => Ok(None),
            None => Err(FunctionError::new(format!("Array index {index} is out of bounds"))),
        }
    });
    Ok(take(lists.values(), &indices.collect::<Result<UInt64Array, _>>()?, None)?)
}
