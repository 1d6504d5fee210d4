//! Membership: `x IN UNNEST(arr)` and ARRAY_INCLUDES.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::error::Result;

use super::super::Function;
use super::super::generic::{CallArgument, ScalarCall, generic, nullable_field, supertype};
use super::super::memory_budget::MemoryBudget;
use super::element_of;
use super::list_rows::elements;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("$in_array", |arguments| {
            let [value, array] = arguments else { return None };
            let (value, array) = with_common_type(*value, *array)?;
            Some(ScalarCall { parameters: vec![value, array], returns: nullable_field(DataType::Boolean), body: in_array })
        }),
        generic("array_includes", |arguments| {
            let [array, value] = arguments else { return None };
            let (value, array) = with_common_type(*value, *array)?;
            Some(ScalarCall { parameters: vec![array, value], returns: nullable_field(DataType::Boolean), body: includes })
        }),
    ]
}

/// Converts the value and the array's elements to their supertype.
fn with_common_type(value: CallArgument, array: CallArgument) -> Option<(FieldRef, FieldRef)> {
    let element = supertype(&[value, (element_of(array.0)?, array.1)])?;
    let list = Field::new("", DataType::List(Arc::new(element.as_ref().clone().with_name("item"))), true);
    Some((element, Arc::new(list)))
}

/// The same as `x = a OR x = b OR …`. The result is NULL if x is NULL, or if an element is NULL and no
/// element is equal. It is FALSE for an empty or NULL array.
fn in_array(columns: &[ArrayRef], _: &[FieldRef], _: &mut MemoryBudget) -> Result<ArrayRef> {
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
        for index in range {
            match lists.values().is_null(index) {
                true => unknown = true,
                false if order(row, index).is_eq() => return Some(true),
                false => {}
            }
        }
        (!unknown).then_some(false)
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}

/// Returns NULL if the array or the value is NULL. NULL elements are not equal to any value.
fn includes(columns: &[ArrayRef], _: &[FieldRef], _: &mut MemoryBudget) -> Result<ArrayRef> {
    let (lists, values) = (columns[0].as_list::<i32>(), &columns[1]);
    let order = make_comparator(values, lists.values(), SortOptions::default())?;
    let found = (0..values.len()).map(|row| {
        let mut range = elements(lists, row).filter(|_| values.is_valid(row))?;
        Some(range.any(|index| lists.values().is_valid(index) && order(row, index).is_eq()))
    });
    Ok(Arc::new(found.collect::<BooleanArray>()))
}
