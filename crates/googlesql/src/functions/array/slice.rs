//! ARRAY_SLICE, ARRAY_REVERSE, `$array_first` for `ARRAY_AGG(… LIMIT n)`, and `$array_or_empty` for ARRAY subqueries.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::Result;

use super::super::Function;
use super::super::generic::{Body, CallArgument, ScalarCall, generic, nullable_field};
use super::list_rows::{build_lists, elements};
use super::{element_of, is_int64};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("array_reverse", |arguments| array_and_integers(arguments, 0, reverse)),
        generic("array_slice", |arguments| array_and_integers(arguments, 2, slice)),
        generic("$array_first", |arguments| array_and_integers(arguments, 1, take_first)),
        generic("$array_or_empty", |arguments| array_and_integers(arguments, 0, replace_null)),
    ]
}

fn array_and_integers(arguments: &[CallArgument], count: usize, body: Body) -> Option<ScalarCall> {
    let ((array, _), numbers) = arguments.split_first()?;
    element_of(array).filter(|_| numbers.len() == count && numbers.iter().all(is_int64))?;
    let parameters = std::iter::once(Arc::clone(array)).chain(numbers.iter().map(|_| nullable_field(DataType::Int64)));
    Some(ScalarCall { parameters: parameters.collect(), returns: Arc::clone(array), body })
}

fn reverse(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let lists = columns[0].as_list::<i32>();
    let rows = (0..lists.len()).map(|row| Some(elements(lists, row)?.rev().collect()));
    build_lists(lists.values(), rows.collect(), parameters[0].data_type())
}

/// Returns an empty array for NULL.
fn replace_null(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let lists = columns[0].as_list::<i32>();
    let rows = (0..lists.len()).map(|row| Some(elements(lists, row).map_or_else(Vec::new, Iterator::collect)));
    build_lists(lists.values(), rows.collect(), parameters[0].data_type())
}

fn take_first(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let (lists, counts) = (columns[0].as_list::<i32>(), columns[1].as_primitive::<Int64Type>());
    let count = |row| counts.is_valid(row).then(|| usize::try_from(counts.value(row)).unwrap_or(0));
    let rows = (0..lists.len()).map(|row| Some(elements(lists, row)?.take(count(row)?).collect()));
    build_lists(lists.values(), rows.collect(), parameters[0].data_type())
}

/// Both offsets are inclusive. Negative offsets count from the end. Offsets out of range are
/// clamped.
fn slice(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let lists = columns[0].as_list::<i32>();
    let (starts, ends) = (columns[1].as_primitive::<Int64Type>(), columns[2].as_primitive::<Int64Type>());
    let rows = (0..lists.len()).map(|row| {
        let range = elements(lists, row).filter(|_| starts.is_valid(row) && ends.is_valid(row))?;
        let length = range.len() as i64;
        let from_start = |offset: i64| if offset < 0 { offset.saturating_add(length) } else { offset };
        let (start, end) = (from_start(starts.value(row)).max(0), from_start(ends.value(row)).min(length - 1));
        Some((start..=end).map(|offset| range.start + offset as usize).collect())
    });
    build_lists(lists.values(), rows.collect(), parameters[0].data_type())
}
