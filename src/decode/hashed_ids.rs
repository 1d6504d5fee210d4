//! Replaces ids by a keyed hash before they are used in table names and columns.
//!
//! The hash is the first 32 hexadecimal digits (128 bits) of the HMAC-SHA256 of the value with the key of HASH_USER_IDS.
//! The same id always has the same hash. The id cannot be computed from the hash without the key. With the key, the rows
//! of an id can be found.
//!
//! The hash replaces the value in the attribute's column, in the suffix, and in the queries of the columns `request_url`
//! and `referer`, where the parameter's name is compared without regard to case. These columns also lose their fragment
//! and `sig`: a signature confirms a guessed id. Ids in other places, such as a path or the value of another parameter,
//! are not recognized.

use std::borrow::Cow;

use hmac::Mac as _;
use url::form_urlencoded;

use super::attributes::{Attributes, ValidAttributes};
use super::key::Key;

/// HASH_USER_IDS and HASH_ATTRIBUTES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedIds {
    key: Key,
    /// Names, with their position in VALID_ATTRIBUTES.
    attributes: Vec<(String, usize)>,
}

/// Why a text is not a list of attributes to hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHashAttributes {
    #[error("{} is not in VALID_ATTRIBUTES: name the attributes that hold ids", .0.join(", "))]
    NotValid(Vec<String>),
    #[error("it is empty: name the attributes that hold ids, or leave HASH_USER_IDS empty to store ids as they are")]
    Empty,
}

impl HashedIds {
    /// Number of digits of a hash.
    pub const DIGITS: usize = 32;

    /// Reads names separated by commas.
    pub fn parse(key: Key, list: &str, valid: &ValidAttributes) -> Result<Self, BadHashAttributes> {
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let (mut attributes, mut unknown) = (Vec::new(), Vec::new());
        for name in names {
            match valid.position(name) {
                Some(position) => attributes.push((name.to_owned(), position)),
                None => unknown.push(name.to_owned()),
            }
        }
        match (unknown.is_empty(), attributes.is_empty()) {
            (false, _) => Err(BadHashAttributes::NotValid(unknown)),
            (true, true) => Err(BadHashAttributes::Empty),
            (true, false) => Ok(Self { key, attributes }),
        }
    }

    /// The names of the attributes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }

    /// Whether the attribute at that position of VALID_ATTRIBUTES is hashed.
    pub fn holds(&self, position: usize) -> bool {
        self.attributes.iter().any(|(_, of)| *of == position)
    }

    /// The hash of an id. An empty id stays empty, as a missing one.
    pub fn hash(&self, id: &str) -> String {
        if id.is_empty() {
            return String::new();
        }
        let hash = self.key.hmac(id.as_bytes()).finalize().into_bytes();
        hex::encode(&hash[..Self::DIGITS / 2])
    }

    /// Whether a text looks like a hash: it may be one.
    pub fn has_form_of_hash(text: &str) -> bool {
        text.len() == Self::DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }

    /// Replaces the values of the attributes.
    pub fn hide(&self, attributes: &mut Attributes<'_>) {
        for (_, position) in &self.attributes {
            attributes.replace(*position, |id| self.hash(id));
        }
    }

    /// A URL with hashes in place of ids. All other bytes of the query stay unchanged.
    pub fn hide_in_url<'u>(&self, url: &'u str) -> Cow<'u, str> {
        let url = url.split_once('#').map_or(url, |(before_fragment, _)| before_fragment);
        let Some((location, query)) = url.split_once('?') else { return url.into() };
        let pairs: Vec<Cow<'_, str>> = query.split('&').filter_map(|pair| self.hide_in_pair(pair)).collect();
        if pairs.is_empty() {
            return location.into();
        }
        format!("{location}?{}", pairs.join("&")).into()
    }

    fn hide_in_pair<'u>(&self, pair: &'u str) -> Option<Cow<'u, str>> {
        let Some((name, value)) = form_urlencoded::parse(pair.as_bytes()).next() else { return Some(pair.into()) };
        if name.eq_ignore_ascii_case("sig") {
            return None;
        }
        if !self.names().any(|of| name.eq_ignore_ascii_case(of)) {
            return Some(pair.into());
        }
        let spelling = pair.split_once('=').map_or(pair, |(spelling, _)| spelling);
        Some(format!("{spelling}={}", self.hash(&value)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "a key that nobody guesses within this universe's life";

    fn ids() -> HashedIds {
        let key = Key::parse(&KEY.replace(' ', "-")).unwrap();
        HashedIds::parse(key, "user_id, visitor", &ValidAttributes::parse("type,visitor,user_id").unwrap()).unwrap()
    }

    /// `printf %s 507f1f77bcf86cd799439011 | openssl dgst -sha256 -hmac a-key-that-…`. Tables outlive
    /// releases: this value must never change.
    #[test]
    fn a_hash_is_stable_across_releases() {
        assert_eq!(ids().hash("507f1f77bcf86cd799439011"), "2820ac2e8fec98fd94aae8f82f6478fc");
        assert_eq!(ids().hash(""), "");
    }

    #[test]
    fn only_valid_attributes_can_be_hashed() {
        let parse = |list: &str| HashedIds::parse(ids().key, list, &ValidAttributes::parse("user_id,type").unwrap());
        assert_eq!(parse("user_id,User_Id,session"), Err(BadHashAttributes::NotValid(vec!["User_Id".into(), "session".into()])));
        assert_eq!(parse(" ,"), Err(BadHashAttributes::Empty));
    }

    #[test]
    fn only_the_ids_of_a_url_are_replaced() {
        let ids = ids();
        let of = |id: &str| ids.hash(id);
        for (url, hidden) in [
            ("https://t.example.com/p.png", "https://t.example.com/p.png".to_owned()),
            ("https://t.example.com/p.png?", "https://t.example.com/p.png?".to_owned()),
            ("/p?user_id=u&type=a%20b+c&&x", format!("/p?user_id={}&type=a%20b+c&&x", of("u"))),
            ("/p?visitor=v&user_id=u&user_id=w", format!("/p?visitor={}&user_id={}&user_id={}", of("v"), of("u"), of("w"))),
            ("/p?USER_ID=u&user%5Fid=%75", format!("/p?USER_ID={}&user%5Fid={}", of("u"), of("u"))),
            ("/p?user_id=a?user_id=b", format!("/p?user_id={}", of("a?user_id=b"))),
            ("/p?user_id=&user_id", "/p?user_id=&user_id=".to_owned()),
            ("/p?user_id=u&sig=00ff#user_id=u", format!("/p?user_id={}", of("u"))),
            ("/p?sig=00ff", "/p".to_owned()),
        ] {
            assert_eq!(ids.hide_in_url(url), hidden, "{url}");
        }
    }

    proptest! {
        /// The hash replaces the parameter's value, whatever the rest of the query is.
        #[test]
        fn no_query_contains_an_id_after_hashing(id in "z[g-z0-9 %+&=é/]{3,20}", before in "[a-f&=?]{0,12}", after in "(&[a-f&=?]{0,12})?") {
            let pair = form_urlencoded::Serializer::new(String::new()).append_pair("user_id", &id).finish();
            let (_, spelling) = pair.split_once('=').unwrap();
            let url = format!("https://t.example.com/p.png?{before}&{pair}{after}");
            let ids = ids();
            let hidden = ids.hide_in_url(&url);
            prop_assert!(!hidden.contains(spelling), "{}", hidden);
            prop_assert!(hidden.contains(&ids.hash(&id)), "{}", hidden);
        }
    }
}
