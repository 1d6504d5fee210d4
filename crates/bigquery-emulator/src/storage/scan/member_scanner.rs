//! Steps over a stored row to the members that are asked for.
//!
//! A query mostly wants few of a row's members. Those are found here without the others being
//! parsed, so that most of a row costs no more than a search for the next quote; what was found is
//! then read by `builder`. A row that is not in the form in which rows are written (`row`), without
//! white space and with plain names, is not understood here; it is left to a whole parser.

use std::ops::Range;

/// One member of an object, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member<'t> {
    pub name: &'t str,
    /// Where in the text its value is.
    pub value: Range<usize>,
}

/// What is not written as stored rows are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unusual;

/// The members of an object, one after the other.
pub(crate) struct Written<'t> {
    text: &'t str,
    /// Where the next member begins; behind the last one, the end of the text.
    at: usize,
}

impl<'t> Written<'t> {
    pub(crate) fn of(text: &'t str) -> Result<Written<'t>, Unusual> {
        match text.as_bytes() {
            b"{}" => Ok(Written { text, at: 2 }),
            [b'{', .., b'}'] => Ok(Written { text, at: 1 }),
            _ => Err(Unusual),
        }
    }

    fn member(&self) -> Option<Member<'t>> {
        let named = end_of_string(self.text, self.at)?;
        let name = &self.text[self.at + 1..named - 1];
        if self.text.as_bytes().get(named) != Some(&b':') || name.contains('\\') {
            return None;
        }
        let end = end_of_value(self.text, named + 1)?;
        Some(Member { name, value: named + 1..end })
    }
}

impl<'t> Iterator for Written<'t> {
    type Item = Result<Member<'t>, Unusual>;

    fn next(&mut self) -> Option<Result<Member<'t>, Unusual>> {
        if self.at == self.text.len() {
            return None;
        }
        let Some(member) = self.member() else { return Some(Err(Unusual)) };
        self.at = member.value.end + 1;
        match (self.text.as_bytes().get(member.value.end), self.at == self.text.len()) {
            (Some(b','), false) | (Some(b'}'), true) => Some(Ok(member)),
            _ => Some(Err(Unusual)),
        }
    }
}

/// Where the value that begins at `from` is over.
fn end_of_value(text: &str, from: usize) -> Option<usize> {
    match text.as_bytes().get(from)? {
        b'"' => end_of_string(text, from),
        b'[' | b'{' => end_of_nested(text, from),
        b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => end_of_word(text, from),
        _ => None,
    }
}

/// A string's end is the first quote that no backslash stands for.
fn end_of_string(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(from) != Some(&b'"') {
        return None;
    }
    let mut at = from + 1;
    loop {
        // A search that the standard library does many bytes at a time.
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

/// Numbers, `true`, `false`, `null`.
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

    fn members(text: &str) -> Result<Vec<(&str, &str)>, Unusual> {
        Written::of(text)?.map(|member| member.map(|member| (member.name, &text[member.value]))).collect()
    }

    #[test]
    fn members_are_found_as_they_are_written() {
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
    fn what_is_written_otherwise_is_left_to_a_parser() {
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
            assert_eq!(members(row), Err(Unusual), "{row}");
        }
    }

    proptest! {
        #[test]
        fn whatever_serde_writes_is_understood(names in proptest::collection::btree_set("[a-z_é]{1,4}", 0..5), texts in proptest::collection::vec(".*", 5)) {
            let row: serde_json::Map<String, Value> = names.into_iter().zip(texts).map(|(name, text)| match text.len() % 3 {
                0 => (name, serde_json::json!([{"k": text}, [], 1.5, null])),
                1 => (name, Value::from(-(text.len() as i64))),
                _ => (name, Value::from(text)),
            }).collect();
            let text = Value::Object(row.clone()).to_string();
            let found = members(&text).expect("understood");
            prop_assert_eq!(found.len(), row.len());
            for (name, value) in found {
                prop_assert_eq!(&serde_json::from_str::<Value>(value).expect("a value"), &row[name]);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*", row in r#"\{[\[\]{}":,\\a1 é]*\}"#) {
            let _ = (members(&text), members(&row));
        }
    }
}
