//! SPLIT.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Bytes, Text};
use super::super::function_error::FunctionError;
use super::super::memory_budget::{MemoryBudget, MemorySize};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar(
        "split",
        vec![
            Overload::growing_unary::<Text, ArrayOf<Text>, _>(|budget, text| split(budget, text, ",")),
            Overload::growing_binary::<Text, Text, ArrayOf<Text>, _>(split),
            Overload::growing_binary::<Bytes, Bytes, ArrayOf<Bytes>, _>(split_bytes),
        ],
    )]
}

/// An empty delimiter splits into characters. Empty text results in one empty string.
fn split(budget: &mut MemoryBudget, text: &str, delimiter: &str) -> Result<Vec<String>, FunctionError> {
    match (text, delimiter) {
        ("", _) => Ok(vec![String::new()]),
        (text, "") => collect_parts(budget, text.chars().map(String::from)),
        (text, delimiter) => collect_parts(budget, text.split(delimiter).map(str::to_owned)),
    }
}

fn split_bytes(budget: &mut MemoryBudget, bytes: &[u8], delimiter: &[u8]) -> Result<Vec<Vec<u8>>, FunctionError> {
    if delimiter.is_empty() && !bytes.is_empty() {
        return collect_parts(budget, bytes.iter().map(|byte| vec![*byte]));
    }
    let mut rest = Some(bytes);
    let parts = std::iter::from_fn(|| {
        let part = rest?;
        let end = (0..part.len()).find(|&at| !delimiter.is_empty() && part[at..].starts_with(delimiter));
        rest = end.map(|end| &part[end + delimiter.len()..]);
        Some(part[..end.unwrap_or(part.len())].to_vec())
    });
    collect_parts(budget, parts)
}

/// Collects the parts of a text. Their number can be much larger than the text.
pub(crate) fn collect_parts<T: MemorySize>(budget: &mut MemoryBudget, parts: impl Iterator<Item = T>) -> Result<Vec<T>, FunctionError> {
    let mut collected = Vec::new();
    for part in parts {
        budget.reserve_bytes(part.bytes())?;
        collected.push(part);
    }
    Ok(collected)
}
