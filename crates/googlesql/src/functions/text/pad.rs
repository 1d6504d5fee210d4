//! LPAD, RPAD and REPEAT.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Int64, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::{check_output_size, to_length};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar("lpad", overloads("LPAD", true)),
        scalar("rpad", overloads("RPAD", false)),
        scalar(
            "repeat",
            vec![
                Overload::binary::<Text, Int64, Text, _>(|text, times| {
                    let times = to_length("REPEAT", times)?;
                    check_output_size("REPEAT", text.len().saturating_mul(times))?;
                    Ok::<_, FunctionError>(text.repeat(times))
                }),
                Overload::binary::<Bytes, Int64, Bytes, _>(|bytes, times| {
                    let times = to_length("REPEAT", times)?;
                    check_output_size("REPEAT", bytes.len().saturating_mul(times))?;
                    Ok::<_, FunctionError>(bytes.repeat(times))
                }),
            ],
        ),
    ]
}

fn overloads(function: &'static str, left: bool) -> Vec<Overload> {
    let text = move |text: &str, length: i64, pattern: &str| {
        let characters = |text: &str| text.chars().collect::<Vec<char>>();
        Ok::<String, FunctionError>(pad(function, left, &characters(text), length, &characters(pattern))?.into_iter().collect())
    };
    vec![
        Overload::binary::<Text, Int64, Text, _>(move |value, length| text(value, length, " ")),
        Overload::ternary::<Text, Int64, Text, Text, _>(text),
        Overload::binary::<Bytes, Int64, Bytes, _>(move |bytes, length| pad(function, left, bytes, length, b" ")),
        Overload::ternary::<Bytes, Int64, Bytes, Bytes, _>(move |bytes, length, pattern| pad(function, left, bytes, length, pattern)),
    ]
}

/// Truncates values that are too long at the end, for both directions.
fn pad<T: Copy>(function: &str, left: bool, value: &[T], length: i64, pattern: &[T]) -> Result<Vec<T>, FunctionError> {
    let length = check_output_size(function, to_length(function, length)?)?;
    if pattern.is_empty() {
        return Err(FunctionError::new(format!("Pattern argument of {function} cannot be empty")));
    }
    let truncated = value.iter().copied().take(length);
    let padding = pattern.iter().copied().cycle().take(length.saturating_sub(value.len()));
    Ok(match left {
        true => padding.chain(truncated).collect(),
        false => truncated.chain(padding).collect(),
    })
}
