//! Deserializes booleans and counts in the forms that Google's clients send.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

/// Deserializes a boolean query parameter. The Python client sends `True`.
pub(crate) fn deserialize_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err(D::Error::custom(format!("{text:?} is not a boolean"))),
    }
}

/// Deserializes a count of a body. Google's JSON has 64-bit integers as strings, and smaller ones as strings or numbers.
pub(crate) fn deserialize_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let count = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    count.map(Some).ok_or_else(|| D::Error::custom("expected a count"))
}
