//! A JSONPath as BigQuery takes it: `$.a."b c"[0]`, and `$['a']` of the older functions.

use std::str::FromStr;

use super::super::function_error::FunctionError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Member(String),
    Element(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonPath(pub(crate) Vec<Step>);

impl FromStr for JsonPath {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<JsonPath, FunctionError> {
        let invalid = |rest: &str| FunctionError::new(format!("Invalid token in JSONPath at: {rest}"));
        let mut rest = text.strip_prefix('$').ok_or_else(|| FunctionError::new("JSONPath must start with '$'"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest).ok_or_else(|| invalid(rest))?;
            steps.push(step);
            rest = after;
        }
        Ok(JsonPath(steps))
    }
}

fn step(rest: &str) -> Option<(Step, &str)> {
    if let Some(quoted) = rest.strip_prefix(".\"") {
        let (name, after) = until(quoted, '"')?;
        return Some((Step::Member(name), after));
    }
    if let Some(quoted) = rest.strip_prefix("['").or_else(|| rest.strip_prefix("[\"")) {
        let (name, after) = until(quoted, if rest.as_bytes()[1] == b'\'' { '\'' } else { '"' })?;
        return Some((Step::Member(name), after.strip_prefix(']')?));
    }
    if let Some(indexed) = rest.strip_prefix('[') {
        let (index, after) = indexed.split_once(']')?;
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        return Some((Step::Element(index.parse().ok().filter(|_| digits)?), after));
    }
    let plain = rest.strip_prefix('.')?;
    let end = plain.find(['.', '[']).unwrap_or(plain.len());
    let name = &plain[..end];
    let allowed = !name.is_empty() && !name.contains(['*', '"', '\'', '?', '@', ']', '(', ')']);
    allowed.then(|| (Step::Member(name.to_owned()), &plain[end..]))
}

/// Up to the closing quote, which may stand inside after a backslash.
fn until(text: &str, quote: char) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?.1),
            letter if letter == quote => return Some((name, &text[at + letter.len_utf8()..])),
            letter => name.push(letter),
        }
    }
    None
}
