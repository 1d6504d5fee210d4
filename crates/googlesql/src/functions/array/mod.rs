//! Functions of ARRAYs, and what `arr[…]`, `x IN UNNEST(arr)` and `||` stand for.

mod concatenate;
mod element;
mod membership;
mod rows;
mod slice;
mod text;

use datafusion::arrow::datatypes::{DataType, FieldRef};

use super::Function;
use super::generic::Given;

/// The entries of `FUNCTIONS`.
pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [concatenate::functions(), element::functions(), membership::functions(), slice::functions(), text::functions()].concat()
}

/// The field of the elements, if it is an ARRAY.
fn element_of(array: &FieldRef) -> Option<&FieldRef> {
    match array.data_type() {
        DataType::List(element) => Some(element),
        _ => None,
    }
}

/// An INT64, or a NULL that can be one.
fn is_int64(given: &Given) -> bool {
    matches!(given.0.data_type(), DataType::Int64 | DataType::Null)
}

#[cfg(test)]
mod tests;
