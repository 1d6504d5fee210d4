//! Other spellings of an id: what a URL may have made of it, or what the operator may have copied from a URL.
//!
//! `bob+tag` in an unencoded URL is stored as `bob tag`. The two may also be two persons, so rows with another spelling are
//! listed and not deleted. Letter case, blanks around the id and Unicode forms are compared by BigQuery.

use url::form_urlencoded;

/// The other spellings, without the id itself.
pub(crate) fn spellings(id: &str) -> Vec<String> {
    let form_encoded: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let candidates = [
        form_decoded(id),
        form_decoded(&id.replace('+', "%2B")),
        id.replace(' ', "+"),
        form_encoded.replace('+', "%20"),
        form_encoded,
        id.trim().to_owned(),
        id.to_lowercase(),
        id.to_uppercase(),
    ];
    let mut others: Vec<String> = Vec::new();
    for candidate in candidates {
        if candidate != id && !candidate.is_empty() && !others.contains(&candidate) {
            others.push(candidate);
        }
    }
    others
}

/// The id in a URL or in text: as it is, and encoded.
pub(crate) fn encodings(id: &str) -> Vec<String> {
    let form_encoded: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    let mut encodings = vec![id.to_owned(), form_encoded.replace('+', "%20"), form_encoded];
    encodings.dedup();
    encodings
}

/// Whether a text contains a word between other characters than letters and digits, without regard to case.
pub(crate) fn contains_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.to_lowercase(), word.to_lowercase());
    let is_boundary = |c: Option<char>| !c.is_some_and(|c| c.is_ascii_alphanumeric());
    let is_word = |start: usize| {
        let (before, after) = (&text[..start], &text[start + word.len()..]);
        is_boundary(before.chars().next_back()) && is_boundary(after.chars().next())
    };
    !word.is_empty() && text.match_indices(&word).any(|(start, _)| is_word(start))
}

fn form_decoded(text: &str) -> String {
    let pair = format!("={}", text.replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_url_makes_of_an_id_is_a_spelling_of_it() {
        for (id, other) in [
            ("bob+tag@example.com", "bob tag@example.com"),
            ("bob tag", "bob+tag"),
            ("bob%40example.com", "bob@example.com"),
            ("bob@example.com", "bob%40example.com"),
            ("a&b", "a%26b"),
            ("a%26b", "a&b"),
            (" bob", "bob"),
            ("Bob", "bob"),
        ] {
            assert!(spellings(id).contains(&other.to_owned()), "{id}: {:?}", spellings(id));
        }
        assert_eq!(spellings("42"), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn an_unencoded_id_is_stored_as_a_spelling_of_it(id in "[^&#]{1,20}") {
            let query = format!("user_id={id}");
            let stored = form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap();
            prop_assert!(stored == id || spellings(&id).contains(&stored), "{stored}");
        }
    }
}
