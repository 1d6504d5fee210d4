//! GREATEST, LEAST and RANGE_BUCKET.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, make_comparator, new_null_array};
use datafusion::arrow::compute::{SortOptions, interleave};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type};
use datafusion::error::Result;

use super::super::Function;
use super::super::function_error::FunctionError;
use super::super::generic::{Body, CallArgument, ScalarCall, generic, nullable_field, supertype};
use super::super::memory_budget::MemoryBudget;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("greatest", |arguments| call_with_supertype(arguments, |columns, _, budget| select_extreme(columns, true, budget))),
        generic("least", |arguments| call_with_supertype(arguments, |columns, _, budget| select_extreme(columns, false, budget))),
        generic("range_bucket", |arguments| {
            let [point, (array, literal)] = arguments else { return None };
            let DataType::List(element) = array.data_type() else { return None };
            let common = supertype(&[*point, (element, *literal)])?;
            let list = DataType::List(Arc::new(common.as_ref().clone().with_name("item")));
            let array = Arc::new(Field::new("", list, true));
            Some(ScalarCall { parameters: vec![common, array], returns: nullable_field(DataType::Int64), body: bucket })
        }),
    ]
}

fn call_with_supertype(arguments: &[CallArgument], body: Body) -> Option<ScalarCall> {
    if arguments.is_empty() {
        return None;
    }
    let common = supertype(arguments).filter(|common| !matches!(common.data_type(), DataType::List(_) | DataType::Struct(_)))?;
    Some(ScalarCall { parameters: vec![Arc::clone(&common); arguments.len()], returns: common, body })
}

/// The approximate size of a comparator of two columns.
const COMPARATOR_BYTES: usize = 256;

/// Returns NULL if an argument is NULL, else NaN if an argument is NaN.
fn select_extreme(columns: &[ArrayRef], greatest: bool, budget: &mut MemoryBudget) -> Result<ArrayRef> {
    let rows = columns[0].len();
    budget.reserve_bytes(columns.len().saturating_mul(columns.len()).saturating_mul(COMPARATOR_BYTES))?;
    let options = SortOptions { descending: greatest, nulls_first: false };
    let mut best = vec![0; rows];
    let orders = (0..columns.len())
        .map(|a| (0..a).map(|b| Ok(make_comparator(&columns[a], &columns[b], options)?)).collect::<Result<Vec<_>>>())
        .collect::<Result<Vec<_>>>()?;
    let no_value = columns.len();
    for (row, best) in best.iter_mut().enumerate() {
        for (index, column) in columns.iter().enumerate() {
            if column.is_null(row) {
                *best = no_value;
                break;
            }
            if is_nan(column, row) || (index > 0 && !is_nan(&columns[*best], row) && orders[index][*best](row, row).is_lt()) {
                *best = index;
            }
        }
    }
    let nulls = new_null_array(columns[0].data_type(), 1);
    let sources: Vec<&dyn Array> = columns.iter().chain([&nulls]).map(AsRef::as_ref).collect();
    let positions: Vec<(usize, usize)> =
        best.into_iter().enumerate().map(|(row, index)| (index, if index == no_value { 0 } else { row })).collect();
    Ok(interleave(&sources, &positions)?)
}

fn is_nan(column: &ArrayRef, row: usize) -> bool {
    column.as_primitive_opt::<Float64Type>().is_some_and(|column| column.value(row).is_nan())
}

/// Returns the number of bounds that are less than or equal to the point.
fn bucket(columns: &[ArrayRef], _: &[FieldRef], _: &mut MemoryBudget) -> Result<ArrayRef> {
    let (points, lists) = (&columns[0], columns[1].as_list::<i32>());
    let order = make_comparator(points, lists.values(), SortOptions::default())?;
    let ascending = make_comparator(lists.values(), lists.values(), SortOptions::default())?;
    let offsets = lists.value_offsets();
    let bucket = |row: usize| {
        if points.is_null(row) || lists.is_null(row) || is_nan(points, row) {
            return Ok(None);
        }
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        if range.clone().any(|index| lists.values().is_null(index)) {
            return Err(FunctionError::new("Elements in input array to RANGE_BUCKET cannot be null"));
        }
        if range.clone().skip(1).any(|index| ascending(index - 1, index).is_gt()) {
            return Err(FunctionError::new("Elements in input array to RANGE_BUCKET must be in ascending order"));
        }
        Ok(Some(range.filter(|&index| order(row, index).is_ge()).count() as i64))
    };
    Ok(Arc::new((0..points.len()).map(bucket).collect::<Result<Int64Array, _>>()?))
}
