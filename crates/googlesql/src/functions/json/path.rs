//! BigQuery's JSONPath: `$.a."b c"[0]`, and `$['a']` in legacy functions.
//!
//! Written by hand: the JSONPath crates implement RFC 9535, which quotes members in another way and has filters, slices and
//! wildcards that BigQuery rejects.

use std::str::FromStr;

use super::super::function_error::FunctionError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathStep {
    Member(String),
    Element(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonPath(pub(crate) Vec<PathStep>);

impl FromStr for JsonPath {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<JsonPath, FunctionError> {
        let invalid = |rest: &str| FunctionError::new(format!("Invalid token in JSONPath at: {rest}"));
        let mut rest = text.strip_prefix('$').ok_or_else(|| FunctionError::new("JSONPath must start with '$'"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = parse_step(rest).ok_or_else(|| invalid(rest))?;
            steps.push(step);
            rest = after;
        }
        Ok(JsonPath(steps))
    }
}

fn parse_step(rest: &str) -> Option<(PathStep, &str)> {
    if let Some(quoted) = rest.strip_prefix(".\"") {
        let (name, after) = parse_quoted(quoted, '"')?;
        return Some((PathStep::Member(name), after));
    }
    if let Some(quoted) = rest.strip_prefix("['").or_else(|| rest.strip_prefix("[\"")) {
        let (name, after) = parse_quoted(quoted, if rest.as_bytes()[1] == b'\'' { '\'' } else { '"' })?;
        return Some((PathStep::Member(name), after.strip_prefix(']')?));
    }
    if let Some(indexed) = rest.strip_prefix('[') {
        let (index, after) = indexed.split_once(']')?;
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        return Some((PathStep::Element(index.parse().ok().filter(|_| digits)?), after));
    }
    let plain = rest.strip_prefix('.')?;
    let end = plain.find(['.', '[']).unwrap_or(plain.len());
    let name = &plain[..end];
    let allowed = !name.is_empty() && !name.contains(['*', '"', '\'', '?', '@', ']', '(', ')']);
    allowed.then(|| (PathStep::Member(name.to_owned()), &plain[end..]))
}

/// Parses up to the closing quote, with backslash escapes.
fn parse_quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => name.push(characters.next()?.1),
            character if character == quote => return Some((name, &text[at + character.len_utf8()..])),
            character => name.push(character),
        }
    }
    None
}
