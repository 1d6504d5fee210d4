//! Translation of RE2 syntax to the syntax of the `regex` crate.
//!
//! Classes like `\d` are ASCII in RE2. Syntax that only `regex` has (`\<`, `[a&&b]`, `(?x)`) is literal or
//! an error, as in RE2. RE2 syntax: <https://github.com/google/re2/wiki/Syntax>.

use std::str::FromStr;

use regex::Regex;

use super::super::function_error::FunctionError;

#[derive(Debug)]
pub(crate) struct RegexPattern(pub(crate) Regex);

impl FromStr for RegexPattern {
    type Err = FunctionError;

    fn from_str(text: &str) -> Result<RegexPattern, FunctionError> {
        let invalid = |reason: &str| FunctionError::new(format!("Cannot parse regular expression: {reason}"));
        let translated = translate(text).map_err(|reason| invalid(&reason))?;
        match Regex::new(&translated) {
            Ok(regex) => Ok(RegexPattern(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err(invalid("pattern too large - compile failed")),
            Err(error) => {
                let error = error.to_string();
                Err(invalid(&format!(
                    "{}: {text}",
                    error.lines().last().expect("an error message is not empty").trim_start_matches("error: ")
                )))
            }
        }
    }
}

impl RegexPattern {
    /// Returns the index of the only capturing group, or 0 for the whole match if there is none.
    pub(crate) fn capturing_group(&self) -> Result<usize, FunctionError> {
        match self.0.captures_len() - 1 {
            groups @ (0 | 1) => Ok(groups),
            _ => Err(FunctionError::new("Regular expressions passed into extraction functions must not have more than 1 capturing group")),
        }
    }
}

fn translate(text: &str) -> Result<String, String> {
    let mut result = String::with_capacity(text.len() + 16);
    let mut rest = text;
    // RE2 does not allow a repetition of a repetition.
    let mut is_repetition = false;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let was_repetition = std::mem::take(&mut is_repetition);
        rest = match first {
            '\\' => translate_escape(after, &mut result, false)?,
            '[' => translate_class(after, &mut result)?,
            '(' => translate_group(after, &mut result)?,
            '*' | '+' | '?' if was_repetition => return Err(format!("bad repetition operator: {first}")),
            '*' | '+' | '?' => {
                is_repetition = true;
                result.push(first);
                translate_lazy(after, &mut result)
            }
            '{' => match bounds_length(after) {
                Some(_) if was_repetition => return Err("bad repetition operator: {".to_owned()),
                Some(end) => {
                    is_repetition = true;
                    result.push_str(&rest[..=end]);
                    translate_lazy(&after[end..], &mut result)
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

fn translate_lazy<'t>(rest: &'t str, result: &mut String) -> &'t str {
    match rest.strip_prefix('?') {
        Some(after) => {
            result.push('?');
            after
        }
        None => rest,
    }
}

/// Returns the length of the repetition bounds `2}`, `2,}` or `2,3}`, if the text begins with them.
fn bounds_length(rest: &str) -> Option<usize> {
    let (inner, _) = rest.split_once('}')?;
    let (least, most) = inner.split_once(',').unwrap_or((inner, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some(inner.len() + 1)
}

fn translate_group<'t>(rest: &'t str, result: &mut String) -> Result<&'t str, String> {
    result.push('(');
    let Some(flags) = rest.strip_prefix('?') else { return Ok(rest) };
    if flags.starts_with("P<") || flags.starts_with('<') {
        return Ok(rest);
    }
    let length = flags.find([':', ')']).unwrap_or(flags.len());
    match flags[..length].chars().all(|flag| "imsU-".contains(flag)) {
        true => Ok(rest),
        false => Err(format!("invalid perl operator: (?{}", flags.chars().next().expect("the flags are not empty"))),
    }
}

/// Translates the text after a backslash. `in_class` is true within brackets.
fn translate_escape<'t>(rest: &'t str, result: &mut String, in_class: bool) -> Result<&'t str, String> {
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
        (_, Some(members)) if in_class => result.push_str(members),
        (_, Some(members)) => result.push_str(&format!("[{members}]")),
        ('b' | 'B', _) if !in_class => result.push_str(&format!(r"(?-u:\{letter})")),
        ('Q', _) if !in_class => {
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

/// Translates a class after its opening bracket.
fn translate_class<'t>(rest: &'t str, result: &mut String) -> Result<&'t str, String> {
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
            '\\' => translate_escape(after, result, true)?,
            // A named class, such as `[:alpha:]`.
            '[' if after.starts_with(':') && after.contains(":]") => {
                let end = after.find(":]").expect("the guard has found it") + 2;
                result.push_str(&rest[..=end]);
                &after[end..]
            }
            '[' | ']' | '&' | '~' => {
                result.push('\\');
                result.push(letter);
                after
            }
            // `regex` uses `--` for set difference.
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
