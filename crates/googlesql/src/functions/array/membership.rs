//! Whether a value is in an array: `x IN UNNEST(arr)`, ARRAY_INCLUDES.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;

use super::super::Function;
use super::super::generic::{Call, Given, generic, plain, supertype};
use super::element_of;
use super::rows::elements;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("$in_array", |given| {
            let [value, array] = given else { return None };
            let (value, array) = common(*value, *array)?;
            Some(Call { parameters: vec![value, array], returns: plain(DataType::Boolean), body: in_array })
        }),
        generic("array_includes", |given| {
            let [array, value] = given else { return None };
            let (value, array) = common(*value, *array)?;
            Some(Call { parameters: vec![array, value], returns: plain(DataType::Boolean), body: includes })
        }),
    ]
}

/// The value and the array with one type of elements.
fn common(value: Given, array: Given) -> Option<(FieldRef, FieldRef)> {
    let element = supertype(&[value, (element_of(array.0)?, array.1)])?;
    let list = Field::new("", DataType::List(Arc::new(element.as_ref().clone().with_name("item"))), true);
    Some((element, Arc::new(list)))
}

/// As `x = a OR x = b OR …`: unknown if x or, where none is equal, an element is NULL. Nothing is in
/// an array without elements, nor in a NULL.
fn in_array(columns: &[ArrayRef], _: &[FieldRef]) -> Result<ArrayRef> {
    let (values, lists) = (&columns[0], columns[1].as_list::<i32>());
    let order = make_comparator(values, lists.values(), SortOptions::default())?;
    let found = (0..values.len()).map(|row| {
        let range = elements(lists, row).unwrap_or(0..0);
        if range.is_empty() {
            return Some(false);
        }
        if values.is_null(row) {
            return None;
        }
        let mut unknown = false;
        for place in range {
            match lists.values().is_null(place) {
                true => unknown = true,
                false if order(row, place).is_eq() => return Some(true),
                false => {}
            }
        }
        (!unknown).then_some(false)
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}

/// NULL where the array or the value is; a NULL among the elements is equal to nothing.
fn includes(columns: &[ArrayRef], _: &[FieldRef]) -> Result<ArrayRef> {
    let (lists, values) = (columns[0].as_list::<i32>(), &columns[1]);
    let order = make_comparator(values, lists.values(), SortOptions::default())?;
    let found = (0..values.len()).map(|row| {
        let mut range = elements(lists, row).filter(|_| values.is_valid(row))?;
        Some(range.any(|place| lists.values().is_valid(place) && order(row, place).is_eq()))
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}
