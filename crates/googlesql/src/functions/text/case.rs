//! UPPER, LOWER, INITCAP and REVERSE.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bytes, Text};
use super::super::overload::Overload;

/// The default word delimiters of INITCAP.
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
            vec![Overload::unary::<Text, Text, _>(|text| initcap(text, DELIMITERS)), Overload::binary::<Text, Text, Text, _>(initcap)],
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

fn initcap(text: &str, delimiters: &str) -> String {
    let mut is_word_start = true;
    let mut result = String::with_capacity(text.len());
    for character in text.chars() {
        match is_word_start {
            true => result.extend(character.to_uppercase()),
            false => result.extend(character.to_lowercase()),
        }
        is_word_start = delimiters.contains(character);
    }
    result
}
