//! ARRAY parameters and results of the element types in [`column`](super::column).

use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;

use super::column::{Argument, Returned};
use super::function_error::FunctionError;
use super::sql_type::SqlType;

/// `ARRAY<T>`. The elements of a parameter can be NULL. Those of a result cannot.
pub(crate) struct ArrayOf<T>(PhantomData<T>);

/// An ARRAY column with its decoded elements.
pub(crate) struct ArrayColumn<T: Argument> {
    lists: ListArray,
    values: ArrayRef,
    items: T::Column,
}

impl<T: Argument> Argument for ArrayOf<T> {
    type Column = ArrayColumn<T>;
    type Item<'a> = Vec<Option<T::Item<'a>>>;
    const SQL_TYPE: SqlType = SqlType::Array(&T::SQL_TYPE);

    fn column(array: &ArrayRef) -> Option<ArrayColumn<T>> {
        let lists = array.as_list_opt::<i32>()?.clone();
        let values = cast(lists.values(), &T::SQL_TYPE.data_type()).ok()?;
        let items = T::column(&values)?;
        Some(ArrayColumn { lists, values, items })
    }

    fn item(column: &ArrayColumn<T>, row: usize) -> Result<Vec<Option<T::Item<'_>>>, FunctionError> {
        let offsets = column.lists.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        range.map(|index| column.values.is_valid(index).then(|| T::item(&column.items, index)).transpose()).collect()
    }
}

impl<T: Returned> Returned for ArrayOf<T> {
    type Owned = Vec<T::Owned>;
    const SQL_TYPE: SqlType = SqlType::Array(&T::SQL_TYPE);

    fn collect(values: impl Iterator<Item = Result<Option<Vec<T::Owned>>, FunctionError>>) -> Result<ArrayRef, FunctionError> {
        let arrays = values.collect::<Result<Vec<_>, _>>()?;
        let present: NullBuffer = arrays.iter().map(Option::is_some).collect();
        let offsets = OffsetBuffer::from_lengths(arrays.iter().map(|list| list.as_ref().map_or(0, Vec::len)));
        let items = T::collect(arrays.into_iter().flatten().flatten().map(|item| Ok(Some(item))))?;
        let list = ListArray::try_new(T::SQL_TYPE.field("item"), offsets, items, Some(present));
        Ok(Arc::new(list.map_err(|error| FunctionError::new(error.to_string()))?))
    }
}
