//! Whether a text is a value of BigQuery's type JSON.
//!
//! serde_json does not check values that it ignores. It accepts two things that BigQuery's parser rejects
//! (<https://github.com/google/zetasql/blob/master/zetasql/public/json_value.cc>): an unpaired surrogate, and a number
//! outside the range of FLOAT64. BigQuery also limits the nesting to 500 levels
//! (<https://cloud.google.com/bigquery/docs/json-data#limitations>). Without this check, BigQuery would reject the whole
//! row, not only the value.

use serde::de::IgnoredAny;

/// BigQuery's limit for nested arrays and objects.
const MAX_DEPTH: usize = 500;

/// Whether BigQuery accepts the text.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok() && is_within_limits(text)
}

/// Checks surrogates, numbers and nesting of a text whose syntax is valid.
fn is_within_limits(text: &str) -> bool {
    let (mut rest, mut depth) = (text, 0_usize);
    while let Some(first) = rest.bytes().next() {
        let token = match first {
            b'"' => string(rest),
            b'-' | b'0'..=b'9' => rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len()),
            // Outside of strings, all characters are ASCII.
            _ => 1,
        };
        let (token, after) = rest.split_at(token);
        let is_valid = match first {
            b'"' => !token.contains("\\u") || serde_json::from_str::<String>(token).is_ok(),
            b'-' | b'0'..=b'9' => token.parse().is_ok_and(f64::is_finite),
            b'[' | b'{' => {
                depth += 1;
                depth <= MAX_DEPTH
            }
            b']' | b'}' => {
                depth -= 1;
                true
            }
            _ => true,
        };
        if !is_valid {
            return false;
        }
        rest = after;
    }
    true
}

/// The length of the quoted string at the beginning of the text.
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
    fn values_that_bigquery_stores_are_accepted() {
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
    fn values_that_bigquery_rejects_are_rejected() {
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
