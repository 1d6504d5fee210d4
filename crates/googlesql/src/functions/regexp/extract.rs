//! REGEXP_CONTAINS, REGEXP_EXTRACT, REGEXP_SUBSTR, REGEXP_EXTRACT_ALL and REGEXP_INSTR.

use regex::Captures;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::array_column::ArrayOf;
use super::super::column::{Bool, Int64, Parsed, Text};
use super::super::function_error::FunctionError;
use super::super::memory_budget::MemoryBudget;
use super::super::overload::Overload;
use super::super::text::collect_parts;
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
        scalar("regexp_extract_all", vec![Overload::growing_binary::<Text, Parsed<RegexPattern>, ArrayOf<Text>, _>(extract_all)]),
        scalar(
            "regexp_instr",
            vec![
                Overload::binary::<Text, Parsed<RegexPattern>, Int64, _>(|text, pattern| find_position(text, pattern, 1, 1, 0)),
                Overload::ternary::<Text, Parsed<RegexPattern>, Int64, Int64, _>(|text, pattern, position| {
                    find_position(text, pattern, position, 1, 0)
                }),
                Overload::quaternary::<Text, Parsed<RegexPattern>, Int64, Int64, Int64, _>(|text, pattern, position, occurrence| {
                    find_position(text, pattern, position, occurrence, 0)
                }),
                Overload::quinary::<Text, Parsed<RegexPattern>, Int64, Int64, Int64, Int64, _>(find_position),
            ],
        ),
    ]
}

/// Returns the match with this number, counted from 1, at or after the character position.
fn find_match<'t>(text: &'t str, pattern: &RegexPattern, position: i64, occurrence: i64) -> Result<Option<Captures<'t>>, FunctionError> {
    let not_positive = |name: &str| FunctionError::new(format!("{name} must be positive"));
    let skipped = usize::try_from(position - 1).map_err(|_| not_positive("position"))?;
    let mut remaining = usize::try_from(occurrence - 1).map_err(|_| not_positive("occurrence"))?;
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let Some(mut start) = starts.nth(skipped) else { return Ok(None) };
    loop {
        let Some(found) = pattern.0.captures_at(text, start) else { return Ok(None) };
        if remaining == 0 {
            return Ok(Some(found));
        }
        remaining -= 1;
        let full_match = found.get_match();
        // An empty match would match again at the same position.
        start = match full_match.is_empty() {
            false => full_match.end(),
            true => match text[full_match.end()..].chars().next() {
                Some(next) => full_match.end() + next.len_utf8(),
                None => return Ok(None),
            },
        };
    }
}

fn extract(text: &str, pattern: &RegexPattern, position: i64, occurrence: i64) -> Result<Option<String>, FunctionError> {
    let group = pattern.capturing_group()?;
    let found = find_match(text, pattern, position, occurrence)?;
    Ok(found.and_then(|found| found.get(group).map(|group_match| group_match.as_str().to_owned())))
}

fn extract_all(budget: &mut MemoryBudget, text: &str, pattern: &RegexPattern) -> Result<Vec<String>, FunctionError> {
    let group = pattern.capturing_group()?;
    let text_of_group = |found: Captures| found.get(group).map_or(String::new(), |group_match| group_match.as_str().to_owned());
    collect_parts(budget, pattern.0.captures_iter(text).map(text_of_group))
}

/// Returns the position of the match or its group, or the position after it. Returns 0 without a match.
fn find_position(text: &str, pattern: &RegexPattern, position: i64, occurrence: i64, end: i64) -> Result<i64, FunctionError> {
    let group = pattern.capturing_group()?;
    let found = find_match(text, pattern, position, occurrence)?;
    let Some(group_match) = found.as_ref().and_then(|found| found.get(group)) else { return Ok(0) };
    let at = match end {
        0 => group_match.start(),
        1 => group_match.end(),
        other => return Err(FunctionError::new(format!("occurrence_position must be 0 or 1, got {other}"))),
    };
    Ok(text[..at].chars().count() as i64 + 1)
}
