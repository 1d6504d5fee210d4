//! Lookup of a path in JSON text without parsing the other values.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::path::PathStep;

/// Returns the text of the value at the path. None if it does not exist or the text is not JSON.
pub(crate) fn find<'t>(text: &'t str, path: &[PathStep]) -> Option<&'t str> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    path.iter().try_fold(raw.get(), |text, step| match step {
        PathStep::Member(name) => visit(text, MemberVisitor(name)),
        PathStep::Element(index) => visit(text, ElementVisitor(*index)),
    })
}

/// Returns the elements of an array, or none if the value is not an array.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Returns the text of a string, number or boolean. Returns none for other values and for `null`.
pub(crate) fn scalar(text: &str) -> Option<String> {
    match text.trim().as_bytes().first()? {
        b'"' => serde_json::from_str(text).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(text.trim().to_owned()),
    }
}

/// Removes the white space between tokens.
pub(crate) fn compact(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for character in text.chars() {
        if in_string || !character.is_ascii_whitespace() {
            result.push(character);
        }
        match character {
            '"' if !escaped => in_string = !in_string,
            _ => {}
        }
        escaped = in_string && character == '\\' && !escaped;
    }
    result
}

pub(crate) fn is_null(text: &str) -> bool {
    text.trim() == "null"
}

fn visit<'t, V: Visitor<'t, Value = Option<&'t RawValue>>>(text: &'t str, visitor: V) -> Option<&'t str> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.deserialize_any(visitor).ok().flatten().map(RawValue::get)
}

/// Finds the first member of the name.
struct MemberVisitor<'n>(&'n str);

impl<'t> Visitor<'t> for MemberVisitor<'_> {
    type Value = Option<&'t RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut value = None;
        while let Some(name) = map.next_key::<Name>()? {
            match value.is_none() && name.0 == self.0 {
                true => value = Some(map.next_value()?),
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(value)
    }
}

struct ElementVisitor(usize);

impl<'t> Visitor<'t> for ElementVisitor {
    type Value = Option<&'t RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut value = None;
        let mut index = 0;
        while let Some(element) = elements.next_element::<&'t RawValue>()? {
            if index == self.0 {
                value = Some(element);
            }
            index += 1;
        }
        Ok(value)
    }
}

/// A member name, borrowed if it has no escapes.
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
