//! BigQuery's message about a table, for the log: without what may identify a user.
//!
//! A generated table has values of the user in its name, and a message may quote values of the row.

use serde_json::Value;

/// What stands for a removed text.
const REMOVED: &str = "…";

/// The message without quoted text, the table's suffix and the values of the row.
pub(super) fn redact(message: &str, suffix: &str, row: &[u8]) -> String {
    let mut values = Vec::new();
    if let Ok(row) = serde_json::from_slice(row) {
        scalars(&row, &mut values);
    }
    // A value may be part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let message = if suffix.is_empty() { message.to_owned() } else { message.replace(suffix, REMOVED) };
    values.iter().fold(without_quotes(&message), |message, value| without_word(&message, value))
}

fn scalars(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => found.push(number.to_string()),
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| scalars(value, found)),
        Value::Object(members) => members.values().for_each(|value| scalars(value, found)),
    }
}

/// Removes `word` where it does not stand inside a longer one.
fn without_word(text: &str, word: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word).filter(|_| !word.is_empty()) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let is_inside = kept.chars().chain(before.chars()).next_back().is_some_and(char::is_alphanumeric)
            || after.chars().next().is_some_and(char::is_alphanumeric);
        kept += before;
        kept += if is_inside { word } else { REMOVED };
        rest = after;
    }
    kept + rest
}

/// Removes the text in quotes. An apostrophe inside a word opens none.
fn without_quotes(text: &str) -> String {
    let (mut kept, mut open) = (String::with_capacity(text.len()), None);
    for character in text.chars() {
        match open {
            Some(quote) if quote == character => {
                open = None;
                kept.extend([REMOVED, &character.to_string()]);
            }
            Some(_) => {}
            None => {
                let is_apostrophe = kept.chars().next_back().is_some_and(char::is_alphanumeric);
                open = (matches!(character, '"' | '\'' | '`') && !is_apostrophe).then_some(character);
                kept.push(character);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_about_the_table_is_kept() {
        for message in [
            "400 invalid: The destination table has no schema.",
            "400 invalid: Cannot add rows to a table of type VIEW.",
            "400 invalid: Streaming to metadata partition of column based partitioning table p:d.pixel$20191031 is disallowed.",
        ] {
            assert_eq!(redact(message, "_bob_20260102", br#"{"user_id":"bob","n":7,"ok":true}"#), message);
        }
    }

    #[test]
    fn the_suffix_and_the_values_of_the_row_are_removed() {
        let row = br#"{"user_id":"bob","tags":["blue","x"],"n":4711,"text":"it's \"bob\""}"#;
        for (message, expected) in [
            ("Table p:d.pixel_bob_20260102 is read-only", "Table p:d.pixel… is read-only"),
            ("Cannot convert bob to a float", "Cannot convert … to a float"),
            ("value: bob, n: 4711.", "value: …, n: …."),
            ("bobsled and 47110 and blue_1", "bobsled and 47110 and …_1"),
            ("Could not parse 'bo...' as \"x y\" in `p.d`", "Could not parse '…' as \"…\" in `…`"),
            ("The column's value can't end 'here", "The column's value can't end '"),
        ] {
            assert_eq!(redact(message, "_bob_20260102", row), expected, "{message}");
        }
    }
}
