//! Reads JSON of other senders: leniently, without copying, and without quoting it in errors.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

/// Reads a struct from a JSON object. Borrows strings without escapes.
pub fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    // Validating the whole text as UTF-8 is much faster than string by string. If it is invalid, only the strings of
    // the struct must be UTF-8.
    let object = match std::str::from_utf8(json) {
        Ok(text) => serde_json::from_str::<Object<T>>(text),
        Err(_) => serde_json::from_slice::<Object<T>>(json),
    };
    object.map(|Object(value)| value)
}

/// The kind and the position of an error. serde's own message quotes the text, which must not be logged.
pub fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        Category::Data => "an unexpected type or a duplicate member",
        Category::Eof => "an unexpected end",
        Category::Io | Category::Syntax => "a syntax error",
    };
    format!("{what} at line {} column {}", error.line(), error.column())
}

/// A JSON string, number or boolean as text, borrowed from the input if it has no escapes.
///
/// Senders write the same member with different types (`"status": 200` and `"status": "200"`). Google's Pub/Sub emulator
/// escapes each `/`, so `&str` does not suffice. Objects and arrays have no text, so that an unexpected member does not
/// make an event a dead letter.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// There is no such member, or it is null.
    #[default]
    Absent,
    Text(Cow<'a, str>),
    /// An object or an array.
    NotScalar,
}

impl<'a> Scalar<'a> {
    /// The text, unless there is none or it is empty.
    pub fn non_empty(self) -> Option<Cow<'a, str>> {
        self.get().filter(|text| !text.is_empty())
    }

    /// The text, unless there is none or it is empty.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            Self::Text(_) | Self::Absent | Self::NotScalar => None,
        }
    }

    /// The text, unless there is none.
    pub fn get(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Absent | Self::NotScalar => None,
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar)
    }
}

struct AnyScalar;

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(number.to_string())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::NotScalar)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::NotScalar)
    }
}

/// A struct that is read from a JSON object only. serde also reads structs from arrays, by position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OnlyMap(PhantomData))
    }
}

/// A struct that is read from a JSON object, or `None` from any other value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectOrOther<T>(pub Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ObjectOrOther<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue(PhantomData))
    }
}

struct AnyValue<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AnyValue<T> {
    type Value = ObjectOrOther<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| ObjectOrOther(Some(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(ObjectOrOther(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(ObjectOrOther(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(ObjectOrOther(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(ObjectOrOther(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(ObjectOrOther(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(ObjectOrOther(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(ObjectOrOther(None))
    }
}

struct OnlyMap<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<Cow<'_, str>> {
        serde_json::from_str::<Scalar<'_>>(json).unwrap().get()
    }

    #[test]
    fn only_strings_without_escapes_are_borrowed() {
        assert!(matches!(read(r#""a/b""#), Some(Cow::Borrowed("a/b"))));
        assert!(matches!(read(r#""a\/b""#), Some(Cow::Owned(text)) if text == "a/b"));
    }

    #[test]
    fn numbers_and_booleans_are_text_and_others_absent() {
        assert_eq!(read("200").as_deref(), Some("200"));
        assert_eq!(read("-1").as_deref(), Some("-1"));
        assert_eq!(read("0.5").as_deref(), Some("0.5"));
        assert_eq!(read("true").as_deref(), Some("true"));
        for absent in ["null", "[1,[2]]", r#"{"a":{"b":1}}"#] {
            assert_eq!(read(absent), None, "{absent}");
        }
    }
}
