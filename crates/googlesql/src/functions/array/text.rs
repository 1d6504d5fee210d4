//! ARRAY_TO_STRING.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Bytes, Text};
use super::super::function_error::FunctionError;
use super::super::memory_budget::MemoryBudget;
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "array_to_string",
        vec![
            Overload::growing_binary::<ArrayOf<Text>, Text, Text, _>(|budget, array, delimiter| {
                let texts: Vec<&str> = array.into_iter().flatten().collect();
                reserve_joined(budget, &texts, delimiter)?;
                Ok::<_, FunctionError>(texts.join(delimiter))
            }),
            Overload::growing_ternary::<ArrayOf<Text>, Text, Text, Text, _>(|budget, array, delimiter, null| {
                let texts: Vec<&str> = array.into_iter().map(|element| element.unwrap_or(null)).collect();
                reserve_joined(budget, &texts, delimiter)?;
                Ok::<_, FunctionError>(texts.join(delimiter))
            }),
            Overload::growing_binary::<ArrayOf<Bytes>, Bytes, Bytes, _>(|budget, array, delimiter| {
                let values: Vec<&[u8]> = array.into_iter().flatten().collect();
                reserve_joined(budget, &values, delimiter)?;
                Ok::<_, FunctionError>(values.join(delimiter))
            }),
            Overload::growing_ternary::<ArrayOf<Bytes>, Bytes, Bytes, Bytes, _>(|budget, array, delimiter, null| {
                let values: Vec<&[u8]> = array.into_iter().map(|element| element.unwrap_or(null)).collect();
                reserve_joined(budget, &values, delimiter)?;
                Ok::<_, FunctionError>(values.join(delimiter))
            }),
        ],
    )]
}

/// Reserves the memory of the joined values.
fn reserve_joined<T: AsRef<[u8]>>(budget: &mut MemoryBudget, values: &[T], delimiter: impl AsRef<[u8]>) -> Result<(), FunctionError> {
    let bytes: usize = values.iter().map(|value| value.as_ref().len()).sum();
    budget.reserve_bytes(bytes.saturating_add(values.len().saturating_mul(delimiter.as_ref().len())))
}
