//! Base64 in a JSON string. It is the longest text of a push request, so its escapes are not left to serde_json, whose
//! buffer grows to twice the text and is then copied.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::decode::json::Scalar;

/// The text of a member like [`Scalar`]; empty if the member is no text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Base64Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Base64Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&RawValue>::deserialize(deserializer)?.get();
        let string = json.strip_prefix('"').and_then(|json| json.strip_suffix('"'));
        let text = match string {
            Some(string) if !string.contains('\\') => Some(Cow::Borrowed(string)),
            Some(string) => unescape(string).map(Cow::Owned),
            None => None,
        };
        match text {
            Some(text) => Ok(Self(text)),
            // Not base64, or not a string.
            None => serde_json::from_str::<Scalar<'_>>(json)
                .map(|scalar| Self(scalar.get().unwrap_or_default()))
                .map_err(serde::de::Error::custom),
        }
    }
}

/// The text between the quotes of a valid JSON string. `None` if it has an escape that base64 does not need.
fn unescape(string: &str) -> Option<String> {
    let mut text = String::with_capacity(string.len());
    let mut rest = string;
    while let Some((before, escape)) = rest.split_once('\\') {
        text.push_str(before);
        let (character, length) = match escape.as_bytes() {
            [b'/', ..] => (b'/', 1),
            [b'u', b'0', b'0', ..] => (u8::from_str_radix(escape.get(3..5)?, 16).ok().filter(u8::is_ascii)?, 5),
            _ => return None,
        };
        text.push(character.into());
        rest = escape.get(length..)?;
    }
    text.push_str(rest);
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_read_as_serde_json_reads_it() {
        for json in [
            r#""""#,
            r#""+/8=""#,
            r#""\/\/8\u003d\u002B""#,
            r#""\u00e9\ud83d\ude00""#,
            r#""a\n\"\\/\u0041""#,
            r#""\u0000""#,
            "\"é\\/\"",
            "12",
            "true",
            "null",
            "[\"a\"]",
            "{}",
        ] {
            let expected: Scalar<'_> = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_str::<Base64Text<'_>>(json).unwrap().0, expected.get().unwrap_or_default(), "{json}");
        }
        for json in [r#""\ud800""#, r#""\x""#, r#""a"#] {
            assert!(serde_json::from_str::<Base64Text<'_>>(json).is_err(), "{json}");
        }
    }
}
