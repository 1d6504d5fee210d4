//! Some of the elements, or all in another order: ARRAY_SLICE, ARRAY_REVERSE, `$array_first`
//! (`ARRAY_AGG(… LIMIT n)`).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion::error::Result;

use super::super::Function;
use super::super::generic::{Body, Call, Given, generic, plain};
use super::rows::{elements, rebuilt};
use super::{element_of, is_int64};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        generic("array_reverse", |given| array_and_numbers(given, 0, reversed)),
        generic("array_slice", |given| array_and_numbers(given, 2, sliced)),
        generic("$array_first", |given| array_and_numbers(given, 1, first)),
    ]
}

fn array_and_numbers(given: &[Given], count: usize, body: Body) -> Option<Call> {
    let ((array, _), numbers) = given.split_first()?;
    element_of(array).filter(|_| numbers.len() == count && numbers.iter().all(is_int64))?;
    let parameters = std::iter::once(Arc::clone(array)).chain(numbers.iter().map(|_| plain(DataType::Int64)));
    Some(Call { parameters: parameters.collect(), returns: Arc::clone(array), body })
}

fn reversed(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let lists = columns[0].as_list::<i32>();
    let rows = (0..lists.len()).map(|row| Some(elements(lists, row)?.rev().collect()));
    rebuilt(lists.values(), rows.collect(), parameters[0].data_type())
}

fn first(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let (lists, counts) = (columns[0].as_list::<i32>(), columns[1].as_primitive::<Int64Type>());
    let count = |row| counts.is_valid(row).then(|| usize::try_from(counts.value(row)).unwrap_or(0));
    let rows = (0..lists.len()).map(|row| Some(elements(lists, row)?.take(count(row)?).collect()));
    rebuilt(lists.values(), rows.collect(), parameters[0].data_type())
}

/// From one offset to another, both included; negative ones count from the end, and what lies
/// outside is the nearest inside.
fn sliced(columns: &[ArrayRef], parameters: &[FieldRef]) -> Result<ArrayRef> {
    let lists = columns[0].as_list::<i32>();
    let (starts, ends) = (columns[1].as_primitive::<Int64Type>(), columns[2].as_primitive::<Int64Type>());
    let rows = (0..lists.len()).map(|row| {
        let range = elements(lists, row).filter(|_| starts.is_valid(row) && ends.is_valid(row))?;
        let length = range.len() as i64;
        let from_start = |offset: i64| if offset < 0 { offset.saturating_add(length) } else { offset };
        let (start, end) = (from_start(starts.value(row)).max(0), from_start(ends.value(row)).min(length - 1));
        Some((start..=end).map(|offset| range.start + offset as usize).collect())
    });
    rebuilt(lists.values(), rows.collect(), parameters[0].data_type())
}
