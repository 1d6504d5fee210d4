//! STRPOS, INSTR, STARTS_WITH and ENDS_WITH.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bool, Bytes, Int64, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "starts_with",
            vec![
                Overload::binary::<Text, Text, Bool, _>(|text, start| text.starts_with(start)),
                Overload::binary::<Bytes, Bytes, Bool, _>(|bytes, start| bytes.starts_with(start)),
            ],
        ),
        scalar(
            "ends_with",
            vec![
                Overload::binary::<Text, Text, Bool, _>(|text, end| text.ends_with(end)),
                Overload::binary::<Bytes, Bytes, Bool, _>(|bytes, end| bytes.ends_with(end)),
            ],
        ),
        scalar(
            "strpos",
            vec![
                Overload::binary::<Text, Text, Int64, _>(|text, substring| {
                    text.find(substring).map_or(0, |at| text[..at].chars().count() as i64 + 1)
                }),
                Overload::binary::<Bytes, Bytes, Int64, _>(|bytes, substring| {
                    (0..=bytes.len()).find(|&at| bytes[at..].starts_with(substring)).map_or(0, |at| at as i64 + 1)
                }),
            ],
        ),
        scalar(
            "instr",
            vec![
                Overload::binary::<Text, Text, Int64, _>(|text, substring| instr_in_text(text, substring, 1, 1)),
                Overload::ternary::<Text, Text, Int64, Int64, _>(|text, substring, position| instr_in_text(text, substring, position, 1)),
                Overload::quaternary::<Text, Text, Int64, Int64, Int64, _>(instr_in_text),
                Overload::binary::<Bytes, Bytes, Int64, _>(|bytes, substring| instr(bytes, substring, 1, 1)),
                Overload::ternary::<Bytes, Bytes, Int64, Int64, _>(|bytes, substring, position| instr(bytes, substring, position, 1)),
                Overload::quaternary::<Bytes, Bytes, Int64, Int64, Int64, _>(instr),
            ],
        ),
    ]
}

fn instr_in_text(text: &str, substring: &str, position: i64, occurrence: i64) -> Result<i64, FunctionError> {
    let characters = |text: &str| text.chars().collect::<Vec<char>>();
    instr(&characters(text), &characters(substring), position, occurrence)
}

/// Finds overlapping occurrences. A negative position counts from the end and searches backward.
fn instr<T: PartialEq>(value: &[T], substring: &[T], position: i64, occurrence: i64) -> Result<i64, FunctionError> {
    if position == 0 {
        return Err(FunctionError::new("Invalid position argument of INSTR: it must not be 0"));
    }
    let nth =
        usize::try_from(occurrence - 1).map_err(|_| FunctionError::new("Invalid occurrence argument of INSTR: it must be positive"))?;
    let length = value.len() as i64;
    let found = |at: &i64| value[*at as usize..].starts_with(substring);
    let at = match position > 0 {
        _ if substring.is_empty() => None,
        true => (position - 1..length).filter(found).nth(nth),
        false => (0..=length + position).rev().filter(found).nth(nth),
    };
    Ok(at.map_or(0, |at| at + 1))
}
