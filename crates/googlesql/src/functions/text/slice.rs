//! Parts of a text by position: SUBSTR, LEFT, RIGHT.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Int64, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::count;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("substr", substr()),
        scalar("substring", substr()),
        scalar(
            "left",
            vec![
                Overload::binary::<Text, Int64, Text, _>(|text, length| {
                    Ok::<_, FunctionError>(text[..ends_after(text, count("LEFT", length)?)].to_owned())
                }),
                Overload::binary::<Bytes, Int64, Bytes, _>(|bytes, length| {
                    Ok::<_, FunctionError>(bytes[..count("LEFT", length)?.min(bytes.len())].to_vec())
                }),
            ],
        ),
        scalar(
            "right",
            vec![
                Overload::binary::<Text, Int64, Text, _>(|text, length| {
                    let skipped = text.chars().count().saturating_sub(count("RIGHT", length)?);
                    Ok::<_, FunctionError>(text[ends_after(text, skipped)..].to_owned())
                }),
                Overload::binary::<Bytes, Int64, Bytes, _>(|bytes, length| {
                    Ok::<_, FunctionError>(bytes[bytes.len().saturating_sub(count("RIGHT", length)?)..].to_vec())
                }),
            ],
        ),
    ]
}

fn substr() -> Vec<Overload> {
    vec![
        Overload::binary::<Text, Int64, Text, _>(|text, position| of_text(text, position, i64::MAX)),
        Overload::ternary::<Text, Int64, Int64, Text, _>(of_text),
        Overload::binary::<Bytes, Int64, Bytes, _>(|bytes, position| of_bytes(bytes, position, i64::MAX)),
        Overload::ternary::<Bytes, Int64, Int64, Bytes, _>(of_bytes),
    ]
}

fn of_text(text: &str, position: i64, length: i64) -> Result<String, FunctionError> {
    // A position from the start needs no count of the whole.
    let all = if position < 0 { text.chars().count() } else { 0 };
    let (skipped, length) = range(all, position, length)?;
    let rest = &text[ends_after(text, skipped)..];
    Ok(rest[..ends_after(rest, length)].to_owned())
}

fn of_bytes(bytes: &[u8], position: i64, length: i64) -> Result<Vec<u8>, FunctionError> {
    let (skipped, length) = range(bytes.len(), position, length)?;
    Ok(bytes.iter().skip(skipped).take(length).copied().collect())
}

/// How many to skip and how many to take. 0 is the first position, too, and so is what lies
/// before it, counted from the end.
fn range(all: usize, position: i64, length: i64) -> Result<(usize, usize), FunctionError> {
    let skipped = match position {
        0 => 0,
        1.. => usize::try_from(position - 1).unwrap_or(usize::MAX),
        _ => all.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let length = usize::try_from(length).map_err(|_| FunctionError::new("Third argument in SUBSTR() cannot be negative"))?;
    Ok((skipped, length))
}

/// The byte after so many characters, or the end.
fn ends_after(text: &str, characters: usize) -> usize {
    // Of the first n bytes, ASCII each, every one is a character.
    if text.as_bytes().get(..characters).is_some_and(<[u8]>::is_ascii) {
        return characters;
    }
    text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
}
