//! The values of an attribute in text that is not a readable log entry: what follows `NAME=`.
//!
//! A value without its name is not searched for: an entry is full of numbers (`"status":200`), and an id may be one.

use std::borrow::Cow;

use url::form_urlencoded;

/// The attribute's values, decoded as in a URL's query.
pub(crate) fn values(text: &str, name: &str) -> Vec<Cow<'static, str>> {
    let text = unescaped(text);
    let ends_a_pair = |c: char| c.is_ascii_whitespace() || c.is_ascii_control() || matches!(c, '&' | '"' | '#' | '\\');
    let sides = |pair: &str| pair.match_indices('=').map(|(at, _)| (pair[..at].to_owned(), pair[at + 1..].to_owned())).collect::<Vec<_>>();
    let of_the_name = text.split(ends_a_pair).flat_map(sides).filter(|(before, _)| ends_with_name(&decoded(before), name));
    of_the_name.map(|(_, value)| decoded(&value).into()).collect()
}

/// `https://h/p?user_id` does, `my_user_id` does not.
fn ends_with_name(text: &str, name: &str) -> bool {
    let before = text.strip_suffix(name);
    before.is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-')))
}

fn decoded(text: &str) -> String {
    let pair = format!("={text}");
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Replaces JSON's escapes `\uXXXX` and `\/`: senders write `&` as `\u0026`, and `/` as `\/`.
fn unescaped(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let digits = after.strip_prefix('u').and_then(|after| after.get(..4));
        let character = digits.and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        rest = match character {
            Some(character) => {
                out.push(character);
                &after["u0000".len()..]
            }
            None if after.starts_with('/') => after,
            None => {
                out.push('\\');
                after
            }
        };
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::values;

    #[test]
    fn a_value_ends_where_its_pair_does() {
        for (text, expected) in [
            ("user_id=a", vec!["a"]),
            ("{\"requestUrl\":\"https://h/p?user_id=a\\u0026user_id=b%20c\",\"status\":200", vec!["a", "b c"]),
            (r"https:\/\/h\/p?x=1;y=2&user%5fid=a+b%2b#user_id=c", vec!["a b+", "c"]),
            (r#"\"user_id=a\""#, vec!["a"]),
            ("user_id==a=b", vec!["=a=b"]),
            ("my_user_id=a&user_id_=b&auser_id=c", vec![]),
            ("user_id=\nuser_id", vec![""]),
            ("\\u00", vec![]),
        ] {
            assert_eq!(values(text, "user_id"), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_found_with_any_text_around_its_pair(value in "\\PC{1,20}", before in "\\PC{0,20}", after in "\\PC{0,20}") {
            let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair("user_id", &value).finish();
            let text = format!("{before}&{pair}&{after}");
            prop_assert!(values(&text, "user_id").iter().any(|found| *found == value), "{}", text);
        }
    }
}
