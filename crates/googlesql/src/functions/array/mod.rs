//! ARRAY functions and the array operators `arr[…]`, `x IN UNNEST(arr)` and `||`. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/array_functions>.

mod concatenate;
mod element;
mod list_rows;
mod membership;
mod slice;
mod text;

use datafusion::arrow::datatypes::{DataType, FieldRef};

use super::Function;
use super::generic::CallArgument;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [concatenate::functions(), element::functions(), membership::functions(), slice::functions(), text::functions()].concat()
}

/// Returns the field of the elements, or none if the argument is not an ARRAY.
fn element_of(array: &FieldRef) -> Option<&FieldRef> {
    match array.data_type() {
        DataType::List(element) => Some(element),
        _ => None,
    }
}

/// Whether the argument is an INT64 or an untyped NULL.
fn is_int64(arguments: &CallArgument) -> bool {
    matches!(arguments.0.data_type(), DataType::Int64 | DataType::Null)
}

#[cfg(test)]
mod tests;
