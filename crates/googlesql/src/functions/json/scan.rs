//! Walking along a path through JSON text, without making values of what is passed by.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::path::Step;

/// The text of what the path leads to; none if it leads nowhere or the text is not JSON.
pub(crate) fn find<'t>(text: &'t str, path: &[Step]) -> Option<&'t str> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    path.iter().try_fold(raw.get(), |text, step| match step {
        Step::Member(name) => only(text, Member(name)),
        Step::Element(index) => only(text, Element(*index)),
    })
}

/// The elements of an array; none if it is none.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// The text of a STRING, number or BOOL; none of anything else, `null` included.
pub(crate) fn scalar(text: &str) -> Option<String> {
    match text.trim().as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(text.trim().to_owned()),
    }
}

/// Without the white space between tokens.
pub(crate) fn compact(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for letter in text.chars() {
        if quoted || !letter.is_ascii_whitespace() {
            result.push(letter);
        }
        match letter {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && letter == '\\' && !escaped;
    }
    result
}

pub(crate) fn is_null(text: &str) -> bool {
    text.trim() == "null"
}

fn only<'t, V: Visitor<'t, Value = Option<&'t RawValue>>>(text: &'t str, visitor: V) -> Option<&'t str> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_any(visitor).ok().flatten().map(RawValue::get)
}

/// Of members of the same name the first counts.
struct Member<'n>(&'n str);

impl<'t> Visitor<'t> for Member<'_> {
    type Value = Option<&'t RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<Name>()? {
            match found.is_none() && name.0 == self.0 {
                true => found = Some(map.next_value()?),
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

struct Element(usize);

impl<'t> Visitor<'t> for Element {
    type Value = Option<&'t RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let mut index = 0;
        while let Some(element) = elements.next_element::<&'t RawValue>()? {
            if index == self.0 {
                found = Some(element);
            }
            index += 1;
        }
        Ok(found)
    }
}

/// A member's name, borrowed where it has no escapes.
struct Name<'t>(std::borrow::Cow<'t, str>);

impl<'t> Deserialize<'t> for Name<'t> {
    fn deserialize<D: Deserializer<'t>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'t> Visitor<'t> for Text {
            type Value = Name<'t>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'t str) -> Result<Name<'t>, E> {
                Ok(Name(text.into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Name<'t>, E> {
                Ok(Name(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(Text)
    }
}
