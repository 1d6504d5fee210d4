//! Whether a text is a value of BigQuery's type JSON.
//!
//! serde_json skims what nobody wants to have, and lets pass what BigQuery's parser does not
//! (<https://github.com/google/zetasql/blob/master/zetasql/public/json_value.cc>): half a surrogate pair, which is no
//! character, and a number that no FLOAT64 holds. And BigQuery stores 500 levels
//! (<https://cloud.google.com/bigquery/docs/json-data#limitations>). The row would be refused, when it is the
//! column that has to stay empty.

use serde::de::IgnoredAny;

/// How deep arrays and objects may stand in each other.
const DEEPEST: usize = 500;

/// Whether BigQuery takes it.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok() && fits(text)
}

/// Of a text whose syntax is JSON's.
fn fits(text: &str) -> bool {
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some(first) = rest.bytes().next() {
        let token = match first {
            b'"' => string(rest),
            b'-' | b'0'..=b'9' => rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len()),
            // A syntax of bytes: outside of strings there are no others.
            _ => 1,
        };
        let (token, after) = rest.split_at(token);
        let is_good = match first {
            b'"' => !token.contains("\\u") || serde_json::from_str::<String>(token).is_ok(),
            b'-' | b'0'..=b'9' => token.parse().is_ok_and(f64::is_finite),
            b'[' | b'{' => {
                depth += 1;
                depth <= DEEPEST
            }
            b']' | b'}' => {
                depth -= 1;
                true
            }
            _ => true,
        };
        if !is_good {
            return false;
        }
        rest = after;
    }
    true
}

/// How long the string is that the text begins with, in quotes.
fn string(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate().skip(1);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return at + 1,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bigquery_stores_is_json() {
        let deep = "[".repeat(500) + &"]".repeat(500);
        for text in [
            "null",
            " [1, -2.5e3, 18446744073709551616, 1e-400] ",
            r#"{"a\"b\\":"c]}","\ud83d\ude00":"\u00e9\n"}"#,
            r#""\\ud800""#,
            "\"é\"",
            &deep,
        ] {
            assert!(is_json(text), "{text}");
        }
    }

    #[test]
    fn what_bigquery_refuses_is_none() {
        let too_deep = "[".repeat(501) + &"]".repeat(501);
        let far_too_deep = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
        for text in [
            "",
            "{",
            "[1,]",
            "'a'",
            "01",
            "NaN",
            "1e400",
            "[-1e999]",
            r#""\ud800""#,
            r#"{"\udc00":1}"#,
            r#""\ud800\ud800""#,
            "\"\0\"",
            &too_deep,
            &far_too_deep,
        ] {
            assert!(!is_json(text), "{}", &text[..text.len().min(40)]);
        }
    }
}
