//! ARRAY of a type that [`column`](super::column) knows, as parameter and as result.

use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;

use super::column::{Argument, Returned};
use super::function_error::FunctionError;
use super::kind::Kind;

/// `ARRAY<T>`. As a parameter its elements may be NULL, as a result not.
pub(crate) struct ArrayOf<T>(PhantomData<T>);

/// Lists and what they hold.
pub(crate) struct Lists<T: Argument> {
    lists: ListArray,
    values: ArrayRef,
    items: T::Column,
}

impl<T: Argument> Argument for ArrayOf<T> {
    type Column = Lists<T>;
    type Item<'a> = Vec<Option<T::Item<'a>>>;
    const KIND: Kind = Kind::Array(&T::KIND);

    fn column(array: &ArrayRef) -> Option<Lists<T>> {
        let lists = array.as_list_opt::<i32>()?.clone();
        let values = cast(lists.values(), &T::KIND.data_type()).ok()?;
        let items = T::column(&values)?;
        Some(Lists { lists, values, items })
    }

    fn item(column: &Lists<T>, row: usize) -> Result<Vec<Option<T::Item<'_>>>, FunctionError> {
        let offsets = column.lists.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        range.map(|place| column.values.is_valid(place).then(|| T::item(&column.items, place)).transpose()).collect()
    }
}

impl<T: Returned> Returned for ArrayOf<T> {
    type Owned = Vec<T::Owned>;
    const KIND: Kind = Kind::Array(&T::KIND);

    fn collect(values: impl Iterator<Item = Result<Option<Vec<T::Owned>>, FunctionError>>) -> Result<ArrayRef, FunctionError> {
        let lists = values.collect::<Result<Vec<_>, _>>()?;
        let present: NullBuffer = lists.iter().map(Option::is_some).collect();
        let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.as_ref().map_or(0, Vec::len)));
        let items = T::collect(lists.into_iter().flatten().flatten().map(|item| Ok(Some(item))))?;
        let list = ListArray::try_new(T::KIND.field("item"), offsets, items, Some(present));
        Ok(Arc::new(list.map_err(|error| FunctionError::new(error.to_string()))?))
    }
}
