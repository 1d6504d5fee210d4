//! UPPER, LOWER, INITCAP, and REVERSE.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Text};
use super::super::overload::Overload;

/// What separates words unless INITCAP is told.
const DELIMITERS: &str = " \t\n\r\u{b}\u{c}[](){}/|<>!?@\"^#$&~_,.:;*%+-";

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        scalar(
            "upper",
            vec![Overload::unary::<Text, Text, _>(str::to_uppercase), Overload::unary::<Bytes, Bytes, _>(<[u8]>::to_ascii_uppercase)],
        ),
        scalar(
            "lower",
            vec![Overload::unary::<Text, Text, _>(str::to_lowercase), Overload::unary::<Bytes, Bytes, _>(<[u8]>::to_ascii_lowercase)],
        ),
        scalar(
            "initcap",
            vec![Overload::unary::<Text, Text, _>(|text| capitals(text, DELIMITERS)), Overload::binary::<Text, Text, Text, _>(capitals)],
        ),
        scalar(
            "reverse",
            vec![
                Overload::unary::<Text, Text, _>(|text| text.chars().rev().collect::<String>()),
                Overload::unary::<Bytes, Bytes, _>(|bytes| bytes.iter().rev().copied().collect::<Vec<u8>>()),
            ],
        ),
    ]
}

fn capitals(text: &str, delimiters: &str) -> String {
    let mut capital = true;
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match capital {
            true => result.extend(character.to_uppercase()),
            false => result.extend(character.to_lowercase()),
        }
        capital = delimiters.contains(character);
    }
    result
}
