//! Finds the members of a stored row without parsing their values.
//!
//! Most queries read few of a row's members. The scanner skips the other members by searching for the next quote, and
//! `column_builder` parses the values of the members that are needed. The scanner supports only the format in which rows
//! are stored (`streaming::row`): without white space, and without escape sequences in names. A JSON parser reads other
//! rows.

use std::ops::Range;

/// One member of an object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ScannedMember<'t> {
    pub name: &'t str,
    /// The range of the value in the text.
    pub value: Range<usize>,
}

/// The text does not have the format of stored rows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnexpectedFormat;

/// An iterator over the members of an object.
pub(crate) struct MemberScanner<'t> {
    text: &'t str,
    /// The start of the next member, or the end of the text after the last member.
    at: usize,
}

impl<'t> MemberScanner<'t> {
    pub(crate) fn new(text: &'t str) -> Result<MemberScanner<'t>, UnexpectedFormat> {
        match text.as_bytes() {
            b"{}" => Ok(MemberScanner { text, at: 2 }),
            [b'{', .., b'}'] => Ok(MemberScanner { text, at: 1 }),
            _ => Err(UnexpectedFormat),
        }
    }

    fn member(&self) -> Option<ScannedMember<'t>> {
        let named = end_of_string(self.text, self.at)?;
        let name = &self.text[self.at + 1..named - 1];
        if self.text.as_bytes().get(named) != Some(&b':') || name.contains('\\') {
            return None;
        }
        let end = end_of_value(self.text, named + 1)?;
        Some(ScannedMember { name, value: named + 1..end })
    }
}

impl<'t> Iterator for MemberScanner<'t> {
    type Item = Result<ScannedMember<'t>, UnexpectedFormat>;

    fn next(&mut self) -> Option<Result<ScannedMember<'t>, UnexpectedFormat>> {
        if self.at == self.text.len() {
            return None;
        }
        let Some(member) = self.member() else { return Some(Err(UnexpectedFormat)) };
        self.at = member.value.end + 1;
        match (self.text.as_bytes().get(member.value.end), self.at == self.text.len()) {
            (Some(b','), false) | (Some(b'}'), true) => Some(Ok(member)),
            _ => Some(Err(UnexpectedFormat)),
        }
    }
}

/// The end of the value that begins at `from`.
fn end_of_value(text: &str, from: usize) -> Option<usize> {
    match text.as_bytes().get(from)? {
        b'"' => end_of_string(text, from),
        b'[' | b'{' => end_of_nested(text, from),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => end_of_word(text, from),
        _ => None,
    }
}

/// The end of a string: after the first quote that is not escaped.
fn end_of_string(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(from) != Some(&b'"') {
        return None;
    }
    let mut at = from + 1;
    loop {
        // The standard library searches many bytes at a time.
        let quote = at + text.get(at..)?.find('"')?;
        let mut before = quote;
        while before > at && bytes[before - 1] == b'\\' {
            before -= 1;
        }
        if (quote - before).is_multiple_of(2) {
            return Some(quote + 1);
        }
        at = quote + 1;
    }
}

fn end_of_nested(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0;
    let mut at = from;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = end_of_string(text, at)?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The end of a number, `true`, `false` or `null`.
fn end_of_word(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while matches!(text.as_bytes().get(at)?, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') {
        at += 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn members(text: &str) -> Result<Vec<(&str, &str)>, UnexpectedFormat> {
        MemberScanner::new(text)?.map(|member| member.map(|member| (member.name, &text[member.value]))).collect()
    }

    #[test]
    fn the_scanner_returns_names_and_value_ranges() {
        let row = r#"{"a":"x, \"y\" {","b":-1.5e3,"c":[{"k":"]"},[]],"d":null,"e":"\\","f":{},"g":"é\\\""}"#;
        let expected = [
            ("a", r#""x, \"y\" {""#),
            ("b", "-1.5e3"),
            ("c", r#"[{"k":"]"},[]]"#),
            ("d", "null"),
            ("e", r#""\\""#),
            ("f", "{}"),
            ("g", r#""é\\\"""#),
        ];
        assert_eq!(members(row), Ok(expected.to_vec()));
        assert_eq!(members("{}"), Ok(vec![]));
    }

    #[test]
    fn other_formats_are_an_unexpected_format() {
        for row in [
            "",
            "{",
            "[]",
            "{ }",
            r#"{"a": 1}"#,
            r#"{"a":1 }"#,
            r#"{"a\u0062":1}"#,
            r#"{"a":1"#,
            r#"{"a"}"#,
            r#"{"a":"}"#,
            r#"{"a":[}"#,
            r#"{"a":1}"b":2}"#,
            r#"{"a":1,}"#,
        ] {
            assert_eq!(members(row), Err(UnexpectedFormat), "{row}");
        }
    }

    proptest! {
        #[test]
        fn the_scanner_reads_the_output_of_serde_json(names in proptest::collection::btree_set("[a-z_é]{1,4}", 0..5), texts in proptest::collection::vec(".*", 5)) {
            let row: serde_json::Map<String, Value> = names.into_iter().zip(texts).map(|(name, text)| match text.len() % 3 {
                0 => (name, serde_json::json!([{"k": text}, [], 1.5, null])),
                1 => (name, Value::from(-(text.len() as i64))),
                _ => (name, Value::from(text)),
            }).collect();
            let text = Value::Object(row.clone()).to_string();
            let found = members(&text).expect("the format of stored rows");
            prop_assert_eq!(found.len(), row.len());
            for (name, value) in found {
                prop_assert_eq!(&serde_json::from_str::<Value>(value).expect("a value"), &row[name]);
            }
        }

        #[test]
        fn the_scanner_does_not_panic_on_any_text(text in ".*", row in r#"\{[\[\]{}":,\\a1 é]*\}"#) {
            let _ = (members(&text), members(&row));
        }
    }
}
