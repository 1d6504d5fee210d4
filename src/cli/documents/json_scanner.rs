//! Finds the end of a JSON object or array, and fails at the first byte that cannot follow.
//!
//! It checks the structure: brackets, keys, colons, commas and quotes. It does not check what is within a string or a
//! number; the decoder does.

/// Maximum depth at the end of a line. Text of many cut lines, each of which leaves a bracket open, would be one deep
/// document otherwise, and each of its lines would be read as often as there are lines. One line may be deeper.
const MAX_DEPTH_ACROSS_LINES: usize = 128;

/// What was found in a part of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// The value ends after this number of bytes.
    End(usize),
    /// The byte at this index cannot follow.
    Error(usize),
    More,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    /// A value, or the end of an empty array.
    FirstValue,
    Key,
    /// A key, or the end of an empty object.
    FirstKey,
    Colon,
    AfterValue,
    String,
    Escape,
    /// A number, `true`, `false` or `null`.
    Literal,
}

/// Reads one value, in any number of parts. The value must begin with a bracket.
#[derive(Debug)]
pub(super) struct JsonScanner {
    state: State,
    /// Whether the current string is a key.
    is_key: bool,
    /// Open brackets: whether each is that of an object.
    open: Vec<bool>,
}

impl JsonScanner {
    pub(super) fn new() -> Self {
        Self { state: State::Value, is_key: false, open: Vec::new() }
    }

    /// Reads the next part of the text.
    pub(super) fn scan(&mut self, part: &[u8]) -> Scan {
        let mut index = 0;
        while let Some(byte) = part.get(index) {
            match self.state {
                State::String => match part[index..].iter().position(|byte| matches!(byte, b'"' | b'\\' | b'\n')) {
                    None => return Scan::More,
                    Some(length) => index += length,
                },
                // The byte after a literal belongs to the next state.
                State::Literal if !is_literal(*byte) => {
                    self.state = State::AfterValue;
                    continue;
                }
                _ => {}
            }
            if !self.accept(part[index]) {
                return Scan::Error(index);
            }
            index += 1;
            if self.open.is_empty() {
                return Scan::End(index);
            }
        }
        Scan::More
    }

    /// Whether the byte may follow.
    fn accept(&mut self, byte: u8) -> bool {
        self.state = match (self.state, byte) {
            (State::String, b'"') if self.is_key => State::Colon,
            (State::String, b'"') => State::AfterValue,
            (State::String, b'\\') => State::Escape,
            (State::String | State::Escape, b'\n') => return false,
            (State::Escape, _) => State::String,
            (state, b' ' | b'\t' | b'\r') => state,
            (state, b'\n') if self.open.len() <= MAX_DEPTH_ACROSS_LINES => state,
            (State::Key | State::FirstKey, b'"') => {
                self.is_key = true;
                State::String
            }
            (State::Colon, b':') => State::Value,
            (State::AfterValue, b',') => {
                if self.open.last() == Some(&true) {
                    State::Key
                } else {
                    State::Value
                }
            }
            (State::AfterValue | State::FirstKey, b'}') => return self.close(true),
            (State::AfterValue | State::FirstValue, b']') => return self.close(false),
            (State::Value | State::FirstValue, b'"') => {
                self.is_key = false;
                State::String
            }
            (State::Value | State::FirstValue, b'{') => {
                self.open.push(true);
                State::FirstKey
            }
            (State::Value | State::FirstValue, b'[') => {
                self.open.push(false);
                State::FirstValue
            }
            (State::Value | State::FirstValue | State::Literal, byte) if is_literal(byte) => State::Literal,
            _ => return false,
        };
        true
    }

    fn close(&mut self, is_object: bool) -> bool {
        self.state = State::AfterValue;
        self.open.pop() == Some(is_object)
    }
}

fn is_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    fn scan(text: &str) -> Scan {
        JsonScanner::new().scan(text.as_bytes())
    }

    #[test]
    fn a_document_ends_at_its_closing_bracket() {
        for text in [r"{}", r"[]", r#"{"a":[1,-2.5e3,true,null,"]}\"\\"],"b":{}}"#, "{\n \"a\" : [ ]\r\n}"] {
            assert_eq!(scan(&format!("{text} {{")), Scan::End(text.len()), "{text}");
            assert_eq!(scan(&text[..text.len() - 1]), Scan::More, "{text}");
        }
    }

    #[test]
    fn the_first_byte_that_cannot_follow_is_an_error() {
        for (text, at) in [
            ("{\"a\":\n{\"b\":1}\n{", 14),
            ("{\"a\":\"b\n", 7),
            ("{\"a\":1,}", 7),
            ("{'a':1}", 1),
            ("{\"a\" 1}", 5),
            ("[1 2]", 3),
            ("[1}", 2),
            ("{\"a\":1]", 6),
            ("{\"a\":}", 5),
            ("{\"a\":<b>}", 5),
        ] {
            assert_eq!(scan(text), Scan::Error(at), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_across_lines_but_not_within_one() {
        let deep = "[".repeat(100_000);
        assert_eq!(scan(&deep), Scan::More);
        assert_eq!(scan(&format!("{deep}\n")), Scan::Error(deep.len()));
        assert_eq!(scan(&"[\n".repeat(128)), Scan::More);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from)
        ];
        let tree = leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((".*", inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        tree.prop_map(|tree| json!([tree]))
    }

    proptest! {
        #[test]
        fn any_document_is_read_in_any_parts(value in value(), is_pretty: bool, size in 1_usize..9) {
            let text = if is_pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let mut scanner = JsonScanner::new();
            let mut parts = text.as_bytes().chunks(size).map(|part| (part.len(), scanner.scan(part))).collect::<Vec<_>>();
            let (length, last) = parts.pop().unwrap();
            prop_assert_eq!(last, Scan::End(length));
            prop_assert!(parts.iter().all(|(_, part)| *part == Scan::More));
        }
    }
}
