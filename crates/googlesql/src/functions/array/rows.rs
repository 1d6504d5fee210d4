//! Arrays made of the elements of others.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, ListArray, UInt64Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};

/// Where in the values of the lists the elements of a row stand; none for a NULL.
pub(crate) fn elements(lists: &ListArray, row: usize) -> Option<std::ops::Range<usize>> {
    let offsets = lists.value_offsets();
    lists.is_valid(row).then(|| offsets[row] as usize..offsets[row + 1] as usize)
}

/// For each row, the elements at these places of `values`.
pub(crate) fn rebuilt(values: &ArrayRef, rows: Vec<Option<Vec<usize>>>, like: &DataType) -> Result<ArrayRef> {
    let DataType::List(element) = like else {
        return Err(DataFusionError::Internal(format!("an array was expected and {like} came")));
    };
    let present: NullBuffer = rows.iter().map(Option::is_some).collect();
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let places = UInt64Array::from_iter_values(rows.into_iter().flatten().flatten().map(|place| place as u64));
    let lists = ListArray::try_new(Arc::clone(element), offsets, take(values, &places, None)?, Some(present))?;
    Ok(Arc::new(lists))
}
