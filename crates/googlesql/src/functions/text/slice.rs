//! SUBSTR, LEFT and RIGHT.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Int64, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::to_length;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("substr", substr()),
        scalar("substring", substr()),
        scalar(
            "left",
            vec![
                Overload::binary::<Text, Int64, Text, _>(|text, length| {
                    Ok::<_, FunctionError>(text[..byte_index_after(text, to_length("LEFT", length)?)].to_owned())
                }),
                Overload::binary::<Bytes, Int64, Bytes, _>(|bytes, length| {
                    Ok::<_, FunctionError>(bytes[..to_length("LEFT", length)?.min(bytes.len())].to_vec())
                }),
            ],
        ),
        scalar(
            "right",
            vec![
                Overload::binary::<Text, Int64, Text, _>(|text, length| {
                    let skipped = text.chars().count().saturating_sub(to_length("RIGHT", length)?);
                    Ok::<_, FunctionError>(text[byte_index_after(text, skipped)..].to_owned())
                }),
                Overload::binary::<Bytes, Int64, Bytes, _>(|bytes, length| {
                    Ok::<_, FunctionError>(bytes[bytes.len().saturating_sub(to_length("RIGHT", length)?)..].to_vec())
                }),
            ],
        ),
    ]
}

fn substr() -> Vec<Overload> {
    vec![
        Overload::binary::<Text, Int64, Text, _>(|text, position| substr_text(text, position, i64::MAX)),
        Overload::ternary::<Text, Int64, Int64, Text, _>(substr_text),
        Overload::binary::<Bytes, Int64, Bytes, _>(|bytes, position| substr_bytes(bytes, position, i64::MAX)),
        Overload::ternary::<Bytes, Int64, Int64, Bytes, _>(substr_bytes),
    ]
}

fn substr_text(text: &str, position: i64, length: i64) -> Result<String, FunctionError> {
    // Only negative positions need the total length.
    let total = if position < 0 { text.chars().count() } else { 0 };
    let (skipped, length) = range(total, position, length)?;
    let rest = &text[byte_index_after(text, skipped)..];
    Ok(rest[..byte_index_after(rest, length)].to_owned())
}

fn substr_bytes(bytes: &[u8], position: i64, length: i64) -> Result<Vec<u8>, FunctionError> {
    let (skipped, length) = range(bytes.len(), position, length)?;
    Ok(bytes.iter().skip(skipped).take(length).copied().collect())
}

/// Returns the number of characters to skip and to take. Position 0 and positions before the start mean
/// the first character.
fn range(total: usize, position: i64, length: i64) -> Result<(usize, usize), FunctionError> {
    let skipped = match position {
        0 => 0,
        1.. => usize::try_from(position - 1).unwrap_or(usize::MAX),
        _ => total.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let length = usize::try_from(length).map_err(|_| FunctionError::new("Third argument in SUBSTR() cannot be negative"))?;
    Ok((skipped, length))
}

/// Returns the byte index after this number of characters, or the end.
fn byte_index_after(text: &str, characters: usize) -> usize {
    // In ASCII text, characters and bytes are the same.
    if text.as_bytes().get(..characters).is_some_and(<[u8]>::is_ascii) {
        return characters;
    }
    text.char_indices().nth(characters).map_or(text.len(), |(at, _)| at)
}
