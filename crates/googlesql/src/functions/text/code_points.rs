//! Conversion between characters and code points.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Bytes, Int64, Text};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "ascii",
            vec![Overload::unary::<Text, Int64, _>(|text| match text.chars().next() {
                None => Ok(0),
                Some(first) if first.is_ascii() => Ok(i64::from(u32::from(first))),
                Some(_) => Err(FunctionError::new("ASCII: the first character is not an ASCII character")),
            })],
        ),
        scalar(
            "unicode",
            vec![Overload::unary::<Text, Int64, _>(|text| text.chars().next().map_or(0, |first| i64::from(u32::from(first))))],
        ),
        scalar("chr", vec![Overload::unary::<Int64, Text, _>(|point| character(point).map(String::from))]),
        scalar(
            "to_code_points",
            vec![
                Overload::unary::<Text, ArrayOf<Int64>, _>(|text| {
                    text.chars().map(|character| i64::from(u32::from(character))).collect::<Vec<_>>()
                }),
                Overload::unary::<Bytes, ArrayOf<Int64>, _>(|bytes| bytes.iter().copied().map(i64::from).collect::<Vec<_>>()),
            ],
        ),
        scalar(
            "code_points_to_string",
            vec![Overload::unary::<ArrayOf<Int64>, Text, _>(|points| {
                points.into_iter().map(|point| point.map(character).transpose()).collect::<Result<Option<String>, FunctionError>>()
            })],
        ),
        scalar(
            "code_points_to_bytes",
            vec![Overload::unary::<ArrayOf<Int64>, Bytes, _>(|points| {
                let byte = |point: i64| u8::try_from(point).map_err(|_| FunctionError::new(format!("Invalid ASCII value {point}")));
                points.into_iter().map(|point| point.map(byte).transpose()).collect::<Result<Option<Vec<u8>>, FunctionError>>()
            })],
        ),
    ]
}

fn character(point: i64) -> Result<char, FunctionError> {
    let character = u32::try_from(point).ok().and_then(char::from_u32);
    character.ok_or_else(|| FunctionError::new(format!("Invalid codepoint {point}")))
}
