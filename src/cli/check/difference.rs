//! A difference between a resource of the project and its description.

use serde::Serialize;
use serde_json::Value;

/// Longest value that a message contains whole.
const MAX_VALUE_CHARS: usize = 160;
/// Characters around the first difference of two longer values.
const CONTEXT_CHARS: usize = 40;

/// What differs, what it causes, and how to fix it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Difference {
    /// Kind and name, such as `subscription pixel-push`.
    pub(crate) resource: String,
    pub(crate) problem: String,
    /// What it causes; empty if the problem says so.
    pub(crate) effect: String,
    /// Commands, one per line; empty if no command fixes it.
    pub(crate) fix: String,
}

/// A member of a resource with another value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    /// Its path in the resource, such as `pushConfig.pushEndpoint`.
    pub(crate) path: String,
    pub(crate) found: Value,
    pub(crate) expected: Value,
}

impl Difference {
    /// The line of the report.
    pub(crate) fn text(&self) -> String {
        let Self { resource, problem, effect, .. } = self;
        if effect.is_empty() { format!("{resource}: {problem}") } else { format!("{resource}: {problem}: {effect}") }
    }
}

impl Member {
    pub(crate) fn problem(&self) -> String {
        let Self { path, found, expected } = self;
        match (text(found), text(expected)) {
            (_, expected) if self.expected.is_null() => format!("{path} is {} and should be {expected}", start(&text(found))),
            (found, expected) if found.chars().count().max(expected.chars().count()) <= MAX_VALUE_CHARS => {
                format!("{path} is {found} and not {expected}")
            }
            (found, expected) => {
                let (found, expected) = first_difference(&found, &expected);
                format!("{path} has {found} and not {expected}")
            }
        }
    }
}

/// The members that differ. Members of objects that `expected` does not have are the API's own, and are not compared.
pub(crate) fn compare(path: &str, found: &Value, expected: &Value) -> Vec<Member> {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) if !expected.is_empty() => {
            let member = |(name, value): (&String, &Value)| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(&path, found.get(name).unwrap_or(&Value::Null), value)
            };
            expected.iter().flat_map(member).collect()
        }
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            let pairs = in_order_of(found, expected).into_iter().zip(expected).enumerate();
            pairs.flat_map(|(index, (found, expected))| compare(&format!("{path}[{index}]"), found, expected)).collect()
        }
        _ if is_same(found, expected) => Vec::new(),
        _ => vec![Member { path: path.to_owned(), found: found.clone(), expected: expected.clone() }],
    }
}

/// An API may return a list of labels in another order.
fn in_order_of<'v>(found: &'v [Value], expected: &[Value]) -> Vec<&'v Value> {
    let by_key = |item: &Value| {
        let key = item.get("key")?;
        found.iter().find(|other| other.get("key") == Some(key))
    };
    let ordered: Option<Vec<&Value>> = expected.iter().map(by_key).collect();
    ordered.unwrap_or_else(|| found.iter().collect())
}

/// Whether two values mean the same: an API writes large numbers as texts, and leaves out the default of a type. The first
/// type of a label is STRING.
fn is_same(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Null, expected) => is_default(expected) || expected == "STRING",
        (Value::String(found), Value::Bool(expected)) => found.eq_ignore_ascii_case(if *expected { "true" } else { "false" }),
        (Value::String(found), Value::Number(_)) => found.parse::<f64>().ok() == expected.as_f64(),
        (Value::Number(found), Value::Number(expected)) => found.as_f64() == expected.as_f64(),
        (found, expected) => found == expected,
    }
}

/// Whether a value is the one that a type has without a value.
pub(crate) fn is_default(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(is_set) => !is_set,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "0",
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

/// A JSON value in a message.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn start(text: &str) -> String {
    if text.chars().count() <= MAX_VALUE_CHARS {
        return text.to_owned();
    }
    format!("{}…", text.chars().take(MAX_VALUE_CHARS).collect::<String>())
}

/// The places of two texts at which they begin to differ.
fn first_difference(found: &str, expected: &str) -> (String, String) {
    let same = found.chars().zip(expected.chars()).take_while(|(a, b)| a == b).count();
    let excerpt = |text: &str| {
        let start = same.saturating_sub(CONTEXT_CHARS);
        let part: String = text.chars().skip(start).take(2 * CONTEXT_CHARS).collect();
        let (before, after) = (if start > 0 { "…" } else { "" }, if text.chars().count() > start + 2 * CONTEXT_CHARS { "…" } else { "" });
        format!("{:?}", format!("{before}{part}{after}"))
    };
    (excerpt(found), excerpt(expected))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_that_only_the_api_sets_are_not_compared() {
        let found = json!({"a": 1, "b": {"c": "x", "d": true}, "etag": "e"});
        assert_eq!(compare("", &found, &json!({"a": 1, "b": {"c": "x"}})), Vec::new());
        let different = compare("", &found, &json!({"a": 2, "b": {"c": "y", "z": 1}}));
        let paths: Vec<&str> = different.iter().map(|member| member.path.as_str()).collect();
        assert_eq!(paths, ["a", "b.c", "b.z"]);
    }

    #[test]
    fn values_of_the_same_meaning_are_equal() {
        for (found, expected) in [
            (json!("7776000000"), json!(7_776_000_000_u64)),
            (json!("True"), json!(true)),
            (json!(2), json!(2.0)),
            (json!(null), json!(0)),
            (json!(null), json!(false)),
            (json!(null), json!({})),
            (json!([{"key": "b", "n": 2}, {"key": "a", "n": 1}]), json!([{"key": "a", "n": 1}, {"key": "b", "n": 2}])),
        ] {
            assert_eq!(compare("x", &found, &expected), Vec::new(), "{found} {expected}");
        }
        for (found, expected) in [
            (json!(null), json!(1)),
            (json!(""), json!("a")),
            (json!([1]), json!([1, 2])),
            (json!("x"), json!(true)),
            (json!({"a": 1}), json!({})),
            (json!([{"key": "a"}, {"key": "a"}]), json!([{"key": "a"}, {"key": "b"}])),
        ] {
            assert_ne!(compare("x", &found, &expected), Vec::new(), "{found} {expected}");
        }
    }

    #[test]
    fn a_long_text_is_shown_where_it_differs() {
        let (found, expected) = ("x".repeat(500) + "a" + &"y".repeat(500), "x".repeat(500) + "b" + &"y".repeat(500));
        let problem = Member { path: "filter".to_owned(), found: json!(found), expected: json!(expected) }.problem();
        assert!(problem.starts_with("filter has \"…xxx") && problem.contains("xay") && problem.contains("xby"), "{problem}");
        assert!(problem.len() < 300, "{problem}");
    }
}
