//! Values of the type JSON and their normalized text.
//!
//! The type JSON does not keep the member order: members are sorted by name, in byte order. The first of
//! duplicate names applies. Numbers are 64-bit integers or FLOAT64.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::function_error::FunctionError;
use super::path::PathStep;

/// Maximum nesting depth. The parser is recursive.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum JsonTree {
    Null,
    Bool(bool),
    /// The number's text.
    Number(String),
    Text(String),
    Array(Vec<JsonTree>),
    Object(BTreeMap<String, JsonTree>),
}

/// The handling of numbers that FLOAT64 cannot represent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberRounding {
    /// Return an error.
    Reject,
    /// Round to the nearest FLOAT64.
    Round,
}

impl JsonTree {
    /// Parses text. `function` appears in error messages.
    pub(crate) fn parse(text: &str, rounding: NumberRounding, function: &str) -> Result<JsonTree, FunctionError> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| FunctionError::new(format!("Invalid input to {function}: {error}")))?;
        parse_tree(raw.get(), rounding, 0).map_err(|reason| FunctionError::new(format!("Invalid input to {function}: {reason}")))
    }

    /// Parses valid JSON text.
    pub(crate) fn from_json(json: &str) -> Result<JsonTree, FunctionError> {
        JsonTree::parse(json, NumberRounding::Round, "JSON")
    }

    /// Returns the value at the path.
    pub(crate) fn get_mut(&mut self, path: &[PathStep]) -> Option<&mut JsonTree> {
        path.iter().try_fold(self, |tree, step| match (tree, step) {
            (JsonTree::Object(members), PathStep::Member(name)) => members.get_mut(name),
            (JsonTree::Array(elements), PathStep::Element(index)) => elements.get_mut(*index),
            _ => None,
        })
    }

    pub(crate) fn write(&self, json: &mut String) {
        match self {
            JsonTree::Null => json.push_str("null"),
            JsonTree::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
            JsonTree::Number(number) => json.push_str(number),
            JsonTree::Text(text) => write_quoted(text, json),
            JsonTree::Array(elements) => {
                json.push('[');
                for (index, element) in elements.iter().enumerate() {
                    json.push_str(if index > 0 { "," } else { "" });
                    element.write(json);
                }
                json.push(']');
            }
            JsonTree::Object(members) => {
                json.push('{');
                for (index, (name, member)) in members.iter().enumerate() {
                    json.push_str(if index > 0 { "," } else { "" });
                    write_quoted(name, json);
                    json.push(':');
                    member.write(json);
                }
                json.push('}');
            }
        }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }
}

fn parse_tree(text: &str, rounding: NumberRounding, depth: usize) -> Result<JsonTree, String> {
    if depth > MAX_DEPTH {
        return Err(format!("the nesting exceeds {MAX_DEPTH} levels"));
    }
    let invalid = |error: serde_json::Error| error.to_string();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let mut members = BTreeMap::new();
            for (name, member) in deserializer.deserialize_map(MembersVisitor).map_err(invalid)? {
                let member = parse_tree(member.get(), rounding, depth + 1)?;
                members.entry(name).or_insert(member);
            }
            JsonTree::Object(members)
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(invalid)?;
            JsonTree::Array(elements.into_iter().map(|element| parse_tree(element.get(), rounding, depth + 1)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => JsonTree::Text(serde_json::from_str(text).map_err(invalid)?),
        Some(b't') => JsonTree::Bool(true),
        Some(b'f') => JsonTree::Bool(false),
        Some(b'n') => JsonTree::Null,
        _ => JsonTree::Number(number(text, rounding)?),
    })
}

fn number(text: &str, rounding: NumberRounding) -> Result<String, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.to_string());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Ok(whole.to_string());
    }
    let value: f64 = text.parse().map_err(|_| format!("{text} is not a number"))?;
    if !value.is_finite() || (rounding == NumberRounding::Reject && significant_digits(text) != significant_digits(&format!("{value:e}"))) {
        return Err(format!("Input number: {text} cannot round-trip through string representation"));
    }
    Ok(format_float(value))
}

/// Returns the significant digits and the decimal exponent.
fn significant_digits(text: &str) -> (String, i64) {
    let (mantissa, exponent) = text.trim_start_matches('-').split_once(['e', 'E']).unwrap_or((text.trim_start_matches('-'), "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let point = exponent.parse::<i64>().unwrap_or(i64::MAX / 2) + whole.len() as i64 - (all.len() - significant.len()) as i64;
    match significant.trim_end_matches('0') {
        "" => (String::new(), 0),
        significant => (significant.to_owned(), point),
    }
}

/// Formats with the fewest digits that parse to the same number: `1.0`, `0.001`, `1e+16`.
pub(crate) fn format_float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("`{:e}` writes an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is an integer");
    match exponent {
        -4..15 => format!("{value:?}"),
        _ => {
            let mut text = mantissa.to_owned();
            // Writing to a String cannot fail.
            let _ = write!(text, "e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
            text
        }
    }
}

/// Reads the members of an object in their order.
struct MembersVisitor;

impl<'t> Visitor<'t> for MembersVisitor {
    type Value = Vec<(String, &'t RawValue)>;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

pub(crate) fn write_quoted(text: &str, json: &mut String) {
    json.push_str(&serde_json::Value::from(text).to_string());
}
