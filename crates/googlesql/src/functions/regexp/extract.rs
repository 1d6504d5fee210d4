//! REGEXP_CONTAINS, REGEXP_EXTRACT (REGEXP_SUBSTR), REGEXP_EXTRACT_ALL, REGEXP_INSTR.

use regex::Captures;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Bool, Int64, Parsed, Text};
use super::super::function_error::FunctionError;
use super::super::list::ArrayOf;
use super::super::overload::Overload;
use super::pattern::RegexPattern;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let extract = || {
        vec![
            Overload::binary::<Text, Parsed<RegexPattern>, Text, _>(|text, pattern| extract(text, pattern, 1, 1)),
            Overload::ternary::<Text, Parsed<RegexPattern>, Int64, Text, _>(|text, pattern, position| extract(text, pattern, position, 1)),
            Overload::quaternary::<Text, Parsed<RegexPattern>, Int64, Int64, Text, _>(extract),
        ]
    };
    vec![
        scalar("regexp_contains", vec![Overload::binary::<Text, Parsed<RegexPattern>, Bool, _>(|text, pattern| pattern.0.is_match(text))]),
        scalar("regexp_extract", extract()),
        scalar("regexp_substr", extract()),
        scalar("regexp_extract_all", vec![Overload::binary::<Text, Parsed<RegexPattern>, ArrayOf<Text>, _>(extract_all)]),
        scalar(
            "regexp_instr",
            vec![
                Overload::binary::<Text, Parsed<RegexPattern>, Int64, _>(|text, pattern| place(text, pattern, 1, 1, 0)),
                Overload::ternary::<Text, Parsed<RegexPattern>, Int64, Int64, _>(|text, pattern, position| {
                    place(text, pattern, position, 1, 0)
                }),
                Overload::quaternary::<Text, Parsed<RegexPattern>, Int64, Int64, Int64, _>(|text, pattern, position, occurrence| {
                    place(text, pattern, position, occurrence, 0)
                }),
                Overload::quinary::<Text, Parsed<RegexPattern>, Int64, Int64, Int64, Int64, _>(place),
            ],
        ),
    ]
}

/// The match of that number, counted from 1, among those that start at that character or later.
fn nth<'t>(text: &'t str, pattern: &RegexPattern, position: i64, occurrence: i64) -> Result<Option<Captures<'t>>, FunctionError> {
    let not_positive = |name: &str| FunctionError::new(format!("{name} must be positive"));
    let skipped = usize::try_from(position - 1).map_err(|_| not_positive("position"))?;
    let mut more = usize::try_from(occurrence - 1).map_err(|_| not_positive("occurrence"))?;
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let Some(mut start) = starts.nth(skipped) else { return Ok(None) };
    loop {
        let Some(found) = pattern.0.captures_at(text, start) else { return Ok(None) };
        if more == 0 {
            return Ok(Some(found));
        }
        more -= 1;
        let whole = found.get_match();
        // What matched nothing would match it for ever.
        start = match whole.is_empty() {
            false => whole.end(),
            true => match text[whole.end()..].chars().next() {
                Some(next) => whole.end() + next.len_utf8(),
                None => return Ok(None),
            },
        };
    }
}

fn extract(text: &str, pattern: &RegexPattern, position: i64, occurrence: i64) -> Result<Option<String>, FunctionError> {
    let group = pattern.group()?;
    let found = nth(text, pattern, position, occurrence)?;
    Ok(found.and_then(|found| found.get(group).map(|part| part.as_str().to_owned())))
}

fn extract_all(text: &str, pattern: &RegexPattern) -> Result<Vec<String>, FunctionError> {
    let group = pattern.group()?;
    let part = |found: Captures| found.get(group).map_or(String::new(), |part| part.as_str().to_owned());
    Ok(pattern.0.captures_iter(text).map(part).collect())
}

/// The first character of the match (or of its group), or the one after it; 0 without match.
fn place(text: &str, pattern: &RegexPattern, position: i64, occurrence: i64, end: i64) -> Result<i64, FunctionError> {
    let group = pattern.group()?;
    let found = nth(text, pattern, position, occurrence)?;
    let Some(part) = found.as_ref().and_then(|found| found.get(group)) else { return Ok(0) };
    let at = match end {
        0 => part.start(),
        1 => part.end(),
        other => return Err(FunctionError::new(format!("occurrence_position must be 0 or 1, got {other}"))),
    };
    Ok(text[..at].chars().count() as i64 + 1)
}
