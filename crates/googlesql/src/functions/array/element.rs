//! One element of an array: `arr[OFFSET(i)]` and its kin, ARRAY_FIRST, ARRAY_LAST; ARRAY_LENGTH.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::Result;

use super::super::Function;
use super::super::function_error::FunctionError;
use super::super::generic::{Body, Call, Given, generic, plain};
use super::rows::elements;
use super::{element_of, is_int64};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("array_length", |given| {
            let [(array, _)] = given else { return None };
            element_of(array)?;
            Some(Call { parameters: vec![Arc::clone(array)], returns: plain(DataType::Int64), body: length })
        }),
        generic("array_first", |given| end(given, |columns, _| ends(&columns[0], "ARRAY_FIRST", "first", |range| range.start))),
        generic("array_last", |given| end(given, |columns, _| ends(&columns[0], "ARRAY_LAST", "last", |range| range.end - 1))),
        generic("$offset", |given| subscript(given, |columns, _| at(columns, 0, false))),
        generic("$ordinal", |given| subscript(given, |columns, _| at(columns, 1, false))),
        generic("$safe_offset", |given| subscript(given, |columns, _| at(columns, 0, true))),
        generic("$safe_ordinal", |given| subscript(given, |columns, _| at(columns, 1, true))),
    ]
}

fn end(given: &[Given], body: Body) -> Option<Call> {
    let [(array, _)] = given else { return None };
    Some(Call { parameters: vec![Arc::clone(array)], returns: Arc::clone(element_of(array)?), body })
}

fn subscript(given: &[Given], body: Body) -> Option<Call> {
    let [(array, _), index] = given else { return None };
    let element = element_of(array).filter(|_| is_int64(index))?;
    Some(Call { parameters: vec![Arc::clone(array), plain(DataType::Int64)], returns: Arc::clone(element), body })
}

fn length(columns: &[ArrayRef], _: &[FieldRef]) -> Result<ArrayRef> {
    let lists = columns[0].as_list::<i32>();
    let lengths = (0..lists.len()).map(|row| elements(lists, row).map(|range| range.len() as i64));
    Ok(Arc::new(lengths.collect::<Int64Array>()))
}

fn ends(array: &ArrayRef, function: &str, which: &str, place: fn(std::ops::Range<usize>) -> usize) -> Result<ArrayRef> {
    let lists = array.as_list::<i32>();
    let places = (0..lists.len()).map(|row| match elements(lists, row) {
        Some(range) if range.is_empty() => Err(FunctionError::new(format!("{function} cannot get the {which} element of an empty array"))),
        range => Ok(range.map(|range| place(range) as u64)),
    });
    Ok(take(lists.values(), &places.collect::<Result<UInt64Array, _>>()?, None)?)
}

/// The element at an index that counts from `first`.
fn at(columns: &[ArrayRef], first: i64, safe: bool) -> Result<ArrayRef> {
    let (lists, indices) = (columns[0].as_list::<i32>(), columns[1].as_primitive::<Int64Type>());
    let places = (0..lists.len()).map(|row| {
        let Some(range) = elements(lists, row).filter(|_| indices.is_valid(row)) else { return Ok(None) };
        let index = indices.value(row);
        let offset = index.checked_sub(first).and_then(|offset| usize::try_from(offset).ok()).filter(|offset| *offset < range.len());
        match offset {
            Some(offset) => Ok(Some((range.start + offset) as u64)),
            None if safe => Ok(None),
            None => Err(FunctionError::new(format!("Array index {index} is out of bounds"))),
        }
    });
    Ok(take(lists.values(), &places.collect::<Result<UInt64Array, _>>()?, None)?)
}
