//! An expression in RE2's syntax, rewritten to that of the `regex` crate, which is close: classes
//! like `\d` are ASCII in RE2, and what only `regex` gives a meaning to (`\<`, `[a&&b]`, `(?x)`) is
//! taken literally or refused, as RE2 does. Syntax: <https://github.com/google/re2/wiki/Syntax>.

use std::str::FromStr;

use regex::Regex;

use super::super::function_error::FunctionError;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct RegexPattern(pub(crate) Regex);

impl FromStr for RegexPattern {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<RegexPattern, FunctionError> {
        let invalid = |why: &str| FunctionError::new(format!("Cannot parse regular expression: {why}"));
        let rewritten = rewritten(text).map_err(|why| invalid(&why))?;
        match Regex::new(&rewritten) {
            Ok(regex) => Ok(RegexPattern(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err(invalid("pattern too large - compile failed")),
            Err(error) => {
                let error = error.to_string();
                Err(invalid(&format!("{}: {text}", error.lines().last().unwrap_or_default().trim_start_matches("error: "))))
            }
        }
    }
}

impl RegexPattern {
    /// The group whose text stands for the match: the only one, or all of it.
    pub(crate) fn group(&self) -> Result<usize, FunctionError> {
        match self.0.captures_len() - 1 {
            groups @ (0 | 1) => Ok(groups),
            _ => Err(FunctionError::new("Regular expressions passed into extraction functions must not have more than 1 capturing group")),
        }
    }
}

fn rewritten(text: &str) -> Result<String, String> {
    let mut result = String::with_capacity(text.len() + 16);
    let mut rest = text;
    // Whether a repetition has just ended: another may not follow.
    let mut repeated = false;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let was_repeated = std::mem::take(&mut repeated);
        rest = match first {
            '\\' => escape(after, &mut result, false)?,
            '[' => class(after, &mut result)?,
            '(' => group(after, &mut result)?,
            '*' | '+' | '?' if was_repeated => return Err(format!("bad repetition operator: {first}")),
            '*' | '+' | '?' => {
                repeated = true;
                result.push(first);
                lazy(after, &mut result)
            }
            '{' => match bounds(after) {
                Some(_) if was_repeated => return Err("bad repetition operator: {".to_owned()),
                Some(end) => {
                    repeated = true;
                    result.push_str(&rest[..=end]);
                    lazy(&after[end..], &mut result)
                }
                None => {
                    result.push_str("\\{");
                    after
                }
            },
            other => {
                result.push(other);
                after
            }
        };
    }
    Ok(result)
}

fn lazy<'t>(rest: &'t str, result: &mut String) -> &'t str {
    match rest.strip_prefix('?') {
        Some(after) => {
            result.push('?');
            after
        }
        None => rest,
    }
}

/// The length of `2}`, `2,}`, `2,3}`, if that is what follows the brace.
fn bounds(rest: &str) -> Option<usize> {
    let (inner, _) = rest.split_once('}')?;
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some(inner.len() + 1)
}

fn group<'t>(rest: &'t str, result: &mut String) -> Result<&'t str, String> {
    result.push('(');
    let Some(flags) = rest.strip_prefix('?') else { return Ok(rest) };
    if flags.starts_with("P<") || flags.starts_with('<') {
        return Ok(rest);
    }
    let length = flags.find([':', ')']).unwrap_or(flags.len());
    match flags[..length].chars().all(|flag| "imsU-".contains(flag)) {
        true => Ok(rest),
        false => Err(format!("invalid perl operator: (?{}", flags.chars().next().unwrap_or_default())),
    }
}

/// What follows a backslash, outside of brackets or within.
fn escape<'t>(rest: &'t str, result: &mut String, within: bool) -> Result<&'t str, String> {
    let Some(letter) = rest.chars().next() else { return Err("trailing \\ at end of regular expression".to_owned()) };
    let after = &rest[letter.len_utf8()..];
    let members = match letter.to_ascii_lowercase() {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some(r"\t\n\x0C\r\x20"),
        _ => None,
    };
    match (letter, members) {
        (_, Some(members)) if letter.is_ascii_uppercase() => result.push_str(&format!("[^{members}]")),
        (_, Some(members)) if within => result.push_str(members),
        (_, Some(members)) => result.push_str(&format!("[{members}]")),
        ('b' | 'B', _) if !within => result.push_str(&format!(r"(?-u:\{letter})")),
        ('Q', _) if !within => {
            let (literal, after) = after.split_once(r"\E").unwrap_or((after, ""));
            result.push_str(&regex::escape(literal));
            return Ok(after);
        }
        ('<' | '>', _) => result.push(letter),
        ('u' | 'U', _) => return Err(format!("invalid escape sequence: \\{letter}")),
        _ => {
            result.push('\\');
            result.push(letter);
        }
    }
    Ok(after)
}

/// A class in brackets, after the opening one.
fn class<'t>(rest: &'t str, result: &mut String) -> Result<&'t str, String> {
    result.push('[');
    let mut rest = rest;
    if let Some(after) = rest.strip_prefix('^') {
        result.push('^');
        rest = after;
    }
    let mut is_first = true;
    while let Some(letter) = rest.chars().next() {
        let after = &rest[letter.len_utf8()..];
        rest = match letter {
            ']' if !is_first => {
                result.push(']');
                return Ok(after);
            }
            '\\' => escape(after, result, true)?,
            // A named class, `[:alpha:]`.
            '[' if after.starts_with(':') && after.contains(":]") => {
                let end = after.find(":]").unwrap_or_default() + 2;
                result.push_str(&rest[..=end]);
                &after[end..]
            }
            '[' | ']' | '&' | '~' => {
                result.push('\\');
                result.push(letter);
                after
            }
            // `--` takes one set from another in `regex`.
            '-' if is_first || after.starts_with(['-', ']']) => {
                result.push_str("\\-");
                after
            }
            other => {
                result.push(other);
                after
            }
        };
        is_first = false;
    }
    Err("missing ]".to_owned())
}
