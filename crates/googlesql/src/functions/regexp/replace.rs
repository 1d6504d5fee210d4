//! REGEXP_REPLACE, where `\1` stands for what the first group matched.

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

/// What a match is replaced by.
#[derive(Debug)]
struct Replacement(Vec<ReplacementPiece>);

#[derive(Debug)]
enum ReplacementPiece {
    Literal(char),
    /// `\0` is the whole match.
    Group(usize),
}

impl FromStr for Replacement {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<Replacement, FunctionError> {
        let mut letters = text.chars();
        let mut pieces = Vec::new();
        while let Some(letter) = letters.next() {
            pieces.push(match (letter, letter == '\\') {
                (letter, false) => ReplacementPiece::Literal(letter),
                (_, true) => match letters.next() {
                    Some('\\') => ReplacementPiece::Literal('\\'),
                    Some(digit @ '0'..='9') => ReplacementPiece::Group(digit as usize - '0' as usize),
                    _ => return Err(FunctionError::new("Invalid REGEXP_REPLACE pattern: \\ must be followed by a digit or \\")),
                },
            });
        }
        Ok(Replacement(pieces))
    }
}

fn replace(text: &str, pattern: &RegexPattern, replacement: &Replacement) -> Result<String, FunctionError> {
    let groups = pattern.0.captures_len();
    for piece in &replacement.0 {
        if let ReplacementPiece::Group(group) = piece
            && *group >= groups
        {
            let message =
                format!("Invalid REGEXP_REPLACE pattern: there is no group \\{group} in a regular expression with {}", groups - 1);
            return Err(FunctionError::new(message));
        }
    }
    let by = |found: &Captures| {
        let mut result = String::new();
        for piece in &replacement.0 {
            match piece {
                ReplacementPiece::Literal(letter) => result.push(*letter),
                ReplacementPiece::Group(group) => result.push_str(found.get(*group).map_or("", |part| part.as_str())),
            }
        }
        result
    };
    Ok(pattern.0.replace_all(text, by).into_owned())
}
