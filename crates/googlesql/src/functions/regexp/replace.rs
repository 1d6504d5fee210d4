//! REGEXP_REPLACE. `\1` in the replacement refers to the first group.

use std::str::FromStr;

use regex::Captures;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Parsed, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::pattern::RegexPattern;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![scalar("regexp_replace", vec![Overload::ternary::<Text, Parsed<RegexPattern>, Parsed<Replacement>, Text, _>(replace)])]
}

/// A parsed replacement.
#[derive(Debug)]
struct Replacement(Vec<ReplacementItem>);

#[derive(Debug)]
enum ReplacementItem {
    Literal(char),
    /// A group reference. `\0` is the whole match.
    Group(usize),
}

impl FromStr for Replacement {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Replacement, FunctionError> {
        let mut letters = text.chars();
        let mut items = Vec::new();
        while let Some(letter) = letters.next() {
            items.push(match (letter, letter == '\\') {
                (letter, false) => ReplacementItem::Literal(letter),
                (_, true) => match letters.next() {
                    Some('\\') => ReplacementItem::Literal('\\'),
                    Some(digit @ '0'..='9') => ReplacementItem::Group(digit as usize - '0' as usize),
                    _ => return Err(FunctionError::new("Invalid REGEXP_REPLACE pattern: \\ must be followed by a digit or \\")),
                },
            });
        }
        Ok(Replacement(items))
    }
}

fn replace(text: &str, pattern: &RegexPattern, replacement: &Replacement) -> Result<String, FunctionError> {
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
    let expand = |found: &Captures| {
        let mut result = String::new();
        for item in &replacement.0 {
            match item {
                ReplacementItem::Literal(letter) => result.push(*letter),
                ReplacementItem::Group(group) => result.push_str(found.get(*group).map_or("", |group_match| group_match.as_str())),
            }
        }
        result
    };
    Ok(pattern.0.replace_all(text, expand).into_owned())
}
