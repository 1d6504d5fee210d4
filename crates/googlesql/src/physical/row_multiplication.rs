//! Limits the bytes of the batches of joins and of UNNEST, which copy a row several times.
//!
//! DataFusion limits the rows of such a batch, not its bytes: 8,192 copies of a text of one megabyte need 8 gigabytes.
//! These converters check the widest row of each input. If it is too wide for the batch size, the execution fails with
//! [`RowTooWide`] and is repeated with a smaller batch size.
//!
//! An UNNEST makes one batch of each array, however long it is. The array is divided here.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, exec_err};

use super::batch_adapter::{BatchConverter, array_bytes, batch_bytes};

/// Maximum bytes of a batch.
pub(super) const MAX_BATCH_BYTES: usize = 64 * 1024 * 1024;

/// Maximum bytes of the copies that one join or UNNEST makes of wide rows. More would take minutes.
const MAX_COPIED_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// The average width of rows that count as wide.
const WIDE_ROW_BYTES: usize = 1024;

/// A batch with rows of this size would be too large.
#[derive(Debug, thiserror::Error)]
#[error("a row of {bytes} bytes is too wide for the size of a batch")]
struct RowTooWide {
    bytes: usize,
}

/// The batch size to repeat an execution with, if it failed with [`RowTooWide`].
pub(crate) fn smaller_batch_size(error: &DataFusionError) -> Option<usize> {
    let DataFusionError::External(inner) = error.find_root() else { return None };
    let RowTooWide { bytes } = inner.downcast_ref()?;
    // Half of the limit, so that a slightly wider row does not need another repetition.
    Some((MAX_BATCH_BYTES / 2 / bytes).max(1))
}

fn check_width(bytes: usize, batch_size: usize) -> Result<()> {
    match batch_size > 1 && bytes.saturating_mul(batch_size) > MAX_BATCH_BYTES {
        true => Err(DataFusionError::External(Box::new(RowTooWide { bytes }))),
        false => Ok(()),
    }
}

fn check_copies(bytes: usize) -> Result<()> {
    match bytes > MAX_COPIED_BYTES {
        true => Err(DataFusionError::ResourcesExhausted("copies of wide rows".to_owned())),
        false => Ok(()),
    }
}

/// An upper bound of the bytes of a value of the array.
fn widest_value(array: &ArrayRef) -> usize {
    match array.data_type() {
        DataType::Utf8 => longest(array.as_string::<i32>().value_offsets()),
        DataType::Binary => longest(array.as_binary::<i32>().value_offsets()),
        DataType::Utf8View => array.as_string_view().lengths().max().unwrap_or(0) as usize,
        DataType::BinaryView => array.as_binary_view().lengths().max().unwrap_or(0) as usize,
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            longest(list.value_offsets()).saturating_mul(widest_value(&elements(list)))
        }
        DataType::Struct(_) => array.as_struct().columns().iter().map(widest_value).sum(),
        other => other.primitive_width().unwrap_or_else(|| array_bytes(array).min(1)),
    }
}

fn longest(offsets: &[i32]) -> usize {
    offsets.windows(2).map(|bounds| (bounds[1] - bounds[0]) as usize).max().unwrap_or(0)
}

/// The elements of the arrays, without those of other rows.
fn elements(list: &ListArray) -> ArrayRef {
    let offsets = list.value_offsets();
    match (offsets.first(), offsets.last()) {
        (Some(from), Some(to)) => list.values().slice(*from as usize, (to - from) as usize),
        _ => list.values().slice(0, 0),
    }
}

/// Divides the batches of a join's input to the batch size.
pub(super) struct JoinInput {
    batch_size: usize,
    rest: Option<RecordBatch>,
}

impl JoinInput {
    pub(super) fn new(batch_size: usize) -> JoinInput {
        JoinInput { batch_size, rest: None }
    }
}

impl BatchConverter for JoinInput {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        check_width(batch.columns().iter().map(widest_value).sum(), self.batch_size)?;
        self.rest = Some(batch);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(batch) = self.rest.take() else { return Ok(None) };
        if batch.num_rows() <= self.batch_size {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(self.batch_size, batch.num_rows() - self.batch_size));
        Ok(Some(batch.slice(0, self.batch_size)))
    }
}

/// Limits the bytes of the wide rows that a join or an UNNEST returns.
#[derive(Default)]
pub(super) struct MultipliedRows {
    bytes: usize,
    batch: Option<RecordBatch>,
}

impl BatchConverter for MultipliedRows {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let bytes = batch_bytes(&batch);
        if bytes > WIDE_ROW_BYTES * batch.num_rows() {
            self.bytes += bytes;
            check_copies(self.bytes)?;
        }
        self.batch = Some(batch);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        Ok(self.batch.take())
    }
}

/// Divides the arrays of an UNNEST's input to the batch size. The other columns are repeated for each part.
pub(super) struct UnnestInput {
    /// The column of the array.
    array: usize,
    batch_size: usize,
    rest: Option<Rest>,
}

/// The rows of a batch from this row, and from this element of its array.
struct Rest {
    batch: RecordBatch,
    row: usize,
    element: usize,
}

impl UnnestInput {
    pub(super) fn new(array: usize, batch_size: usize) -> UnnestInput {
        UnnestInput { array, batch_size, rest: None }
    }

    /// Bytes of the widest row, without its array.
    fn width_beside_array(&self, batch: &RecordBatch) -> usize {
        let others = batch.columns().iter().enumerate().filter(|(index, _)| *index != self.array);
        others.map(|(_, column)| widest_value(column)).sum()
    }

    /// The next part of the array of a row.
    fn divide(&self, rest: &mut Rest, list: &ListArray) -> Result<RecordBatch> {
        let Rest { batch, row, element } = rest;
        let length = list.value_length(*row) as usize;
        if *element == 0 {
            check_copies(self.width_beside_array(&batch.slice(*row, 1)).saturating_mul(length))?;
        }
        let count = self.batch_size.min(length - *element);
        let elements = list.value(*row).slice(*element, count);
        let DataType::List(field) = list.data_type() else { return exec_err!("UNNEST takes an array") };
        let part = ListArray::try_new(Arc::clone(field), OffsetBuffer::from_lengths([count]), elements, None)?;
        let columns = batch.columns().iter().enumerate().map(|(index, column)| match index == self.array {
            true => Arc::new(part.clone()) as ArrayRef,
            false => column.slice(*row, 1),
        });
        let divided = RecordBatch::try_new(batch.schema(), columns.collect())?;
        *element += count;
        if *element == length {
            (*row, *element) = (*row + 1, 0);
        }
        Ok(divided)
    }
}

impl BatchConverter for UnnestInput {
    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        let element = batch.column(self.array).as_list_opt::<i32>().map_or(0, |list| widest_value(&elements(list)));
        check_width(self.width_beside_array(&batch) + element, self.batch_size)?;
        self.rest = Some(Rest { batch, row: 0, element: 0 });
        Ok(())
    }

    fn next(&mut self) -> Result<Option<RecordBatch>> {
        let Some(mut rest) = self.rest.take().filter(|rest| rest.row < rest.batch.num_rows()) else { return Ok(None) };
        let column = Arc::clone(rest.batch.column(self.array));
        let Some(list) = column.as_list_opt::<i32>() else { return Ok(Some(rest.batch)) };
        let is_short = |row: &usize| list.is_null(*row) || list.value_length(*row) as usize <= self.batch_size;
        let short = (rest.row..list.len()).take_while(is_short).count();
        let batch = match short {
            0 => self.divide(&mut rest, list)?,
            short => {
                rest.row += short;
                rest.batch.slice(rest.row - short, short)
            }
        };
        self.rest = Some(rest);
        Ok(Some(batch))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::StringArray;
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    fn batch(arrays: Vec<Option<Vec<Option<i64>>>>, texts: Vec<&str>) -> RecordBatch {
        let arrays: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(arrays));
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        RecordBatch::try_from_iter_with_nullable([("array", arrays, true), ("text", texts, true)]).expect("a batch")
    }

    fn convert(converter: &mut impl BatchConverter, batch: RecordBatch) -> Vec<RecordBatch> {
        converter.push(batch).expect("rows that are not wide");
        std::iter::from_fn(|| converter.next().expect("a batch")).collect()
    }

    #[test]
    fn long_arrays_are_divided_and_short_ones_are_not() {
        let numbers = |count: i64| Some((0..count).map(Some).collect::<Vec<_>>());
        let input = batch(vec![numbers(1), None, numbers(7), numbers(0), numbers(3)], vec!["a", "b", "c", "d", "e"]);
        let parts: Vec<(String, i32)> = convert(&mut UnnestInput::new(0, 3), input.slice(0, 5))
            .iter()
            .flat_map(|part| {
                let (list, texts) = (part.column(0).as_list::<i32>().clone(), part.column(1).as_string::<i32>().clone());
                (0..part.num_rows()).map(move |row| (texts.value(row).to_owned(), list.value_length(row))).collect::<Vec<_>>()
            })
            .collect();
        let expected = [("a", 1), ("b", 0), ("c", 3), ("c", 3), ("c", 1), ("d", 0), ("e", 3)];
        assert_eq!(parts, expected.map(|(text, length)| (text.to_owned(), length)));
    }

    #[test]
    fn batches_of_joins_are_divided() {
        let input = batch(vec![None; 5], vec!["a"; 5]);
        let rows: Vec<usize> = convert(&mut JoinInput::new(2), input).iter().map(RecordBatch::num_rows).collect();
        assert_eq!(rows, [2, 2, 1]);
    }

    #[test]
    fn a_wide_row_needs_a_smaller_batch_size() {
        let wide = "x".repeat(100_000);
        let input = batch(vec![None, None], vec!["a", &wide]);
        let error = JoinInput::new(8_192).push(input.clone()).expect_err("100 kB for each of 8,192 rows");
        let smaller = smaller_batch_size(&error).expect("a batch size");
        assert!((100..8_192).contains(&smaller), "{smaller}");
        assert!(JoinInput::new(smaller).push(input.clone()).is_ok());
        assert!(UnnestInput::new(0, 8_192).push(input.clone()).is_err());
        assert!(UnnestInput::new(0, 1).push(input).is_ok());
        assert_eq!(smaller_batch_size(&DataFusionError::ResourcesExhausted(String::new())), None);
    }
}
