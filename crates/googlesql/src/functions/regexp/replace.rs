//! REGEXP_REPLACE. `\1` in the replacement refers to the first group.

use std::str::FromStr;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Parsed, Text};
use super::super::function_error::FunctionError;
use super::super::memory_budget::MemoryBudget;
use super::super::overload::Overload;
use super::pattern::RegexPattern;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar("regexp_replace", vec![Overload::growing_ternary::<Text, Parsed<RegexPattern>, Parsed<Replacement>, Text, _>(replace)])]
}

/// A parsed replacement.
#[derive(Debug)]
struct Replacement(Vec<ReplacementItem>);

#[derive(Debug)]
enum ReplacementItem {
    Literal(String),
    /// A group reference. `\0` is the whole match.
    Group(usize),
}

impl FromStr for Replacement {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Replacement, FunctionError> {
        let mut letters = text.chars();
        let mut items = Vec::new();
        let mut literal = String::new();
        while let Some(letter) = letters.next() {
            match (letter, letter == '\\') {
                (letter, false) => literal.push(letter),
                (_, true) => match letters.next() {
                    Some('\\') => literal.push('\\'),
                    Some(digit @ '0'..='9') => {
                        items.push(ReplacementItem::Literal(std::mem::take(&mut literal)));
                        items.push(ReplacementItem::Group(digit as usize - '0' as usize));
                    }
                    _ => return Err(FunctionError::new("Invalid REGEXP_REPLACE pattern: \\ must be followed by a digit or \\")),
                },
            }
        }
        items.push(ReplacementItem::Literal(literal));
        Ok(Replacement(items))
    }
}

fn replace(budget: &mut MemoryBudget, text: &str, pattern: &RegexPattern, replacement: &Replacement) -> Result<String, FunctionError> {
    let groups = pattern.0.captures_len();
    for item in &replacement.0 {
        if let ReplacementItem::Group(group) = item
            && *group >= groups
        {
            let message =
                format!("Invalid REGEXP_REPLACE pattern: there is no group \\{group} in a regular expression with {}", groups - 1);
            return Err(FunctionError::new(message));
        }
    }
    let mut result = String::new();
    let mut end = 0;
    for found in pattern.0.captures_iter(text) {
        let full_match = found.get_match();
        let start = result.len();
        result.push_str(&text[end..full_match.start()]);
        end = full_match.end();
        for item in &replacement.0 {
            match item {
                ReplacementItem::Literal(text) => result.push_str(text),
                ReplacementItem::Group(group) => {
                    let value = found.get(*group).map_or("", |group_match| group_match.as_str());
                    budget.reserve_bytes(value.len())?;
                    result.push_str(value);
                }
            }
        }
        budget.reserve_bytes(result.len() - start)?;
    }
    result.push_str(&text[end..]);
    Ok(result)
}
