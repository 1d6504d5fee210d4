//! The texts that can take most of a request: the payload and the URL.
//!
//! Written by hand for their memory: serde_json unescapes a string into a buffer that grows to twice its length, and copies
//! it from there.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::json::Scalar;

/// A [`Scalar`], read with at most one copy.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LongText<'a>(pub Scalar<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for LongText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let string = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
        let text = match string {
            Some(string) if !has_backslash(string) => Some(Cow::Borrowed(string)),
            Some(string) => unescape(string).map(Cow::Owned),
            None => None,
        };
        match text {
            Some(text) => Ok(Self(Scalar::Text(text))),
            // Not a string, or an unpaired surrogate.
            None => serde_json::from_str(json).map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// Reads a member of a struct.
pub fn deserialize<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Scalar<'a>, D::Error> {
    LongText::deserialize(deserializer).map(|LongText(text)| text)
}

/// Without an early end, which the compiler makes into a few instructions for 16 bytes.
fn has_backslash(string: &str) -> bool {
    string.bytes().fold(false, |has, byte| has | (byte == b'\\'))
}

/// The text between the quotes of a JSON string. `None` if an escape is not a character.
fn unescape(string: &str) -> Option<String> {
    let mut text = String::with_capacity(string.len());
    let mut rest = string;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let (character, length) = match *escape.as_bytes().first()? {
            b'n' => ('\n', 1),
            b't' => ('\t', 1),
            b'r' => ('\r', 1),
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'u' => unescape_utf16(escape)?,
            other => (char::from(other), 1),
        };
        text.push(character);
        rest = escape.get(length..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// The character of `uXXXX`, or of `uXXXX\uXXXX` for two surrogates, and the length of that text.
fn unescape_utf16(escape: &str) -> Option<(char, usize)> {
    let unit = |at: usize| u16::from_str_radix(escape.get(at..at + 4)?, 16).ok();
    let first = unit(1)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 5));
    }
    let second = escape.get(5..7).filter(|next| *next == "\\u").and_then(|_| unit(7))?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 11))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Option<Scalar<'_>> {
        serde_json::from_str::<LongText<'_>>(json).ok().map(|LongText(text)| text)
    }

    #[test]
    fn scalars_are_read_as_usual() {
        for json in
            [r#""""#, r#""+/8=""#, "12", "-0.5", "true", "null", "[\"a\"]", "{}", r#""\ud800""#, r#""\ud800\u0041""#, r#""\x""#, "\"a"]
        {
            assert_eq!(read(json), serde_json::from_str(json).ok(), "{json}");
        }
        assert!(matches!(read(r#""a/b""#).unwrap().get(), Some(Cow::Borrowed("a/b"))));
    }

    proptest! {
        #[test]
        fn any_string_is_read_as_serde_json_reads_it(text in any::<String>(), escapes in "(\\\\[nrtbf/\"\\\\]|\\\\u00[0-7][0-9a-fA-F]|\\\\ud83[d-e]|\\\\ude0[0-9]|x){0,20}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(read(&json), Some(Scalar::Text(text.into())));
            let json = format!("\"{escapes}\"");
            prop_assert_eq!(read(&json), serde_json::from_str(&json).ok());
        }
    }
}
