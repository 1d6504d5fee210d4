//! Access to the rows of list arrays.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray, UInt64Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};

use super::super::memory_budget::MemoryBudget;

/// Returns the index range of a row's elements in the list values, or none for NULL.
pub(crate) fn elements(lists: &ListArray, row: usize) -> Option<std::ops::Range<usize>> {
    let offsets = lists.value_offsets();
    lists.is_valid(row).then(|| offsets[row] as usize..offsets[row + 1] as usize)
}

/// Builds a list array. Each row has the elements of `values` at the given indices.
pub(crate) fn build_lists(
    values: &ArrayRef,
    rows: impl Iterator<Item = Option<Vec<usize>>>,
    list_type: &DataType,
    budget: &mut MemoryBudget,
) -> Result<ArrayRef> {
    let DataType::List(element) = list_type else {
        return Err(DataFusionError::Internal(format!("expected a list type, got {list_type}")));
    };
    // An index as usize and as u64, and an element.
    let element_bytes = 16 + values.get_array_memory_size().div_ceil(values.len().max(1));
    let mut lists: Vec<Option<Vec<usize>>> = Vec::new();
    for row in rows {
        budget.reserve_bytes(row.as_ref().map_or(0, Vec::len).saturating_mul(element_bytes))?;
        lists.push(row);
    }
    let present: NullBuffer = lists.iter().map(Option::is_some).collect();
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let indices = UInt64Array::from_iter_values(lists.into_iter().flatten().flatten().map(|index| index as u64));
    let lists = ListArray::try_new(Arc::clone(element), offsets, take(values, &indices, None)?, Some(present))?;
    Ok(Arc::new(lists))
}
