//! LENGTH, CHAR_LENGTH, CHARACTER_LENGTH, BYTE_LENGTH and OCTET_LENGTH.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Int64, Text};
use super::super::overload::Overload;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let characters = || Overload::unary::<Text, Int64, _>(|text| characters(text) as i64);
    let bytes = || Overload::unary::<Bytes, Int64, _>(|bytes| bytes.len() as i64);
    let text_bytes = || Overload::unary::<Text, Int64, _>(|text| text.len() as i64);
    vec![
        scalar("length", vec![characters(), bytes()]),
        scalar("char_length", vec![characters()]),
        scalar("character_length", vec![characters()]),
        scalar("byte_length", vec![text_bytes(), bytes()]),
        scalar("octet_length", vec![text_bytes(), bytes()]),
    ]
}

fn characters(text: &str) -> usize {
    text.chars().count()
}
