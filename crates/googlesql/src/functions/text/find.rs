//! Where a text is in another: STRPOS, INSTR, STARTS_WITH, ENDS_WITH.

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
                Overload::binary::<Text, Text, Int64, _>(|text, part| {
                    text.find(part).map_or(0, |at| text[..at].chars().count() as i64 + 1)
                }),
                Overload::binary::<Bytes, Bytes, Int64, _>(|bytes, part| {
                    (0..=bytes.len()).find(|&at| bytes[at..].starts_with(part)).map_or(0, |at| at as i64 + 1)
                }),
            ],
        ),
        scalar(
            "instr",
            vec![
                Overload::binary::<Text, Text, Int64, _>(|text, part| in_text(text, part, 1, 1)),
                Overload::ternary::<Text, Text, Int64, Int64, _>(|text, part, position| in_text(text, part, position, 1)),
                Overload::quaternary::<Text, Text, Int64, Int64, Int64, _>(in_text),
                Overload::binary::<Bytes, Bytes, Int64, _>(|bytes, part| instr(bytes, part, 1, 1)),
                Overload::ternary::<Bytes, Bytes, Int64, Int64, _>(|bytes, part, position| instr(bytes, part, position, 1)),
                Overload::quaternary::<Bytes, Bytes, Int64, Int64, Int64, _>(instr),
            ],
        ),
    ]
}

fn in_text(text: &str, part: &str, position: i64, occurrence: i64) -> Result<i64, FunctionError> {
    let characters = |text: &str| text.chars().collect::<Vec<char>>();
    instr(&characters(text), &characters(part), position, occurrence)
}

/// Finds overlapping occurrences; a negative position counts from the end, and backwards from there.
fn instr<T: PartialEq>(value: &[T], part: &[T], position: i64, occurrence: i64) -> Result<i64, FunctionError> {
    if position == 0 {
        return Err(FunctionError::new("Invalid position argument of INSTR: it may not be 0"));
    }
    let nth =
        usize::try_from(occurrence - 1).map_err(|_| FunctionError::new("Invalid occurrence argument of INSTR: it must be positive"))?;
    let length = value.len() as i64;
    let found = |at: &i64| value[*at as usize..].starts_with(part);
    let at = match position > 0 {
        _ if part.is_empty() => None,
        true => (position - 1..length).filter(found).nth(nth),
        false => (0..=length + position).rev().filter(found).nth(nth),
    };
    Ok(at.map_or(0, |at| at + 1))
}
