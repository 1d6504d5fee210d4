//! A value of the type JSON in memory, and the one text that stands for it.
//!
//! The type keeps no order of members: they go by their names, as bytes compare. Of members of one
//! name the first counts. Numbers are 64-bit integers or FLOAT64, and are written as such.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::function_error::FunctionError;
use super::path::Step;

/// Deeper values are refused: reading goes down with the nesting.
const MAX_DEPTH: usize = 128;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tree {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Array(Vec<Tree>),
    Object(BTreeMap<String, Tree>),
}

/// What becomes of a number that FLOAT64 cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wide {
    /// The text is refused.
    Refuse,
    /// The nearest FLOAT64 stands for it.
    Round,
}

impl Tree {
    /// Of text; `function` is who is to blame for it.
    pub(crate) fn read(text: &str, wide: Wide, function: &str) -> Result<Tree, FunctionError> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| FunctionError::new(format!("Invalid input to {function}: {error}")))?;
        tree(raw.get(), wide, 0).map_err(|reason| FunctionError::new(format!("Invalid input to {function}: {reason}")))
    }

    /// Of text that is JSON already.
    pub(crate) fn of(json: &str) -> Result<Tree, FunctionError> {
        Tree::read(json, Wide::Round, "JSON")
    }

    /// What the path leads to.
    pub(crate) fn at(&mut self, path: &[Step]) -> Option<&mut Tree> {
        path.iter().try_fold(self, |tree, step| match (tree, step) {
            (Tree::Object(members), Step::Member(name)) => members.get_mut(name),
            (Tree::Array(elements), Step::Element(index)) => elements.get_mut(*index),
            _ => None,
        })
    }

    pub(crate) fn write(&self, json: &mut String) {
        match self {
            Tree::Null => json.push_str("null"),
            Tree::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
            Tree::Number(number) => json.push_str(number),
            Tree::Text(text) => quoted(text, json),
            Tree::Array(elements) => {
                json.push('[');
                for (place, element) in elements.iter().enumerate() {
                    json.push_str(if place > 0 { "," } else { "" });
                    element.write(json);
                }
                json.push(']');
            }
            Tree::Object(members) => {
                json.push('{');
                for (place, (name, member)) in members.iter().enumerate() {
                    json.push_str(if place > 0 { "," } else { "" });
                    quoted(name, json);
                    json.push(':');
                    member.write(json);
                }
                json.push('}');
            }
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut json = String::new();
        self.write(&mut json);
        json
    }
}

fn tree(text: &str, wide: Wide, depth: usize) -> Result<Tree, String> {
    if depth > MAX_DEPTH {
        return Err(format!("it is nested more than {MAX_DEPTH} levels deep"));
    }
    let invalid = |error: serde_json::Error| error.to_string();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let mut members = BTreeMap::new();
            for (name, member) in deserializer.deserialize_map(Members).map_err(invalid)? {
                let member = tree(member.get(), wide, depth + 1)?;
                members.entry(name).or_insert(member);
            }
            Tree::Object(members)
        }
        Some(b'[') => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(invalid)?;
            Tree::Array(elements.into_iter().map(|element| tree(element.get(), wide, depth + 1)).collect::<Result<_, _>>()?)
        }
        Some(b'"') => Tree::Text(serde_json::from_str(text).map_err(invalid)?),
        Some(b't') => Tree::Bool(true),
        Some(b'f') => Tree::Bool(false),
        Some(b'n') => Tree::Null,
        _ => Tree::Number(number(text, wide)?),
    })
}

fn number(text: &str, wide: Wide) -> Result<String, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.to_string());
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Ok(whole.to_string());
    }
    let value: f64 = text.parse().map_err(|_| format!("{text} is no number"))?;
    if !value.is_finite() || (wide == Wide::Refuse && digits(text) != digits(&format!("{value:e}"))) {
        return Err(format!("Input number: {text} cannot round-trip through string representation"));
    }
    Ok(float(value))
}

/// What counts of a number: its digits but for zeros around them, and where its point is.
fn digits(text: &str) -> (String, i64) {
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

/// The fewest digits that read as the same number: `1.0`, `0.001`, `1e+16`.
pub(crate) fn float(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
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

/// The members of an object in their order.
struct Members;

impl<'t> Visitor<'t> for Members {
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

pub(crate) fn quoted(text: &str, json: &mut String) {
    json.push_str(&serde_json::Value::from(text).to_string());
}
