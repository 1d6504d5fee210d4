//! REPLACE and TRANSLATE.

use std::collections::HashMap;
use std::hash::Hash;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Text};
use super::super::function_error::FunctionError;
use super::super::memory_budget::MemoryBudget;
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "replace",
            vec![
                Overload::growing_ternary::<Text, Text, Text, Text, _>(|budget, text, from, to| {
                    if from.is_empty() {
                        return Ok::<_, FunctionError>(text.to_owned());
                    }
                    budget.reserve_bytes(text.len().saturating_add(text.matches(from).count().saturating_mul(to.len())))?;
                    Ok(text.replace(from, to))
                }),
                Overload::growing_ternary::<Bytes, Bytes, Bytes, Bytes, _>(replace_bytes),
            ],
        ),
        scalar(
            "translate",
            vec![
                Overload::ternary::<Text, Text, Text, Text, _>(|text, from, to| {
                    Ok::<String, FunctionError>(translate(text.chars(), from.chars(), to.chars())?.into_iter().collect())
                }),
                Overload::ternary::<Bytes, Bytes, Bytes, Bytes, _>(|bytes, from, to| {
                    translate(bytes.iter().copied(), from.iter().copied(), to.iter().copied())
                }),
            ],
        ),
    ]
}

fn replace_bytes(budget: &mut MemoryBudget, bytes: &[u8], from: &[u8], to: &[u8]) -> Result<Vec<u8>, FunctionError> {
    budget.reserve_bytes(bytes.len())?;
    let (mut result, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((&first, others)) = rest.split_first() {
        match rest.strip_prefix(from) {
            Some(after) if !from.is_empty() => {
                budget.reserve_bytes(to.len())?;
                result.extend_from_slice(to);
                rest = after;
            }
            _ => {
                result.push(first);
                rest = others;
            }
        }
    }
    Ok(result)
}

/// Characters of `from` without a counterpart in `to` are removed.
fn translate<T: Copy + Eq + Hash>(
    value: impl Iterator<Item = T>,
    from: impl Iterator<Item = T>,
    mut to: impl Iterator<Item = T>,
) -> Result<Vec<T>, FunctionError> {
    let mut counterparts = HashMap::new();
    for source in from {
        if counterparts.insert(source, to.next()).is_some() {
            return Err(FunctionError::new("Duplicate character in TRANSLATE source characters"));
        }
    }
    Ok(value.filter_map(|item| counterparts.get(&item).copied().unwrap_or(Some(item))).collect())
}
