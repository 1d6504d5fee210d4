//! Replaces ids by a keyed hash before they are used in table names and columns.
//!
//! The hash is the first 32 hexadecimal digits (128 bits) of the HMAC-SHA256 of the value with the key of HASH_USER_IDS.
//! The same id always has the same hash. The id cannot be computed from the hash without the key. With the key, the rows
//! of an id can be found.
//!
//! The hash replaces the value in the attribute's column, in the suffix, and in the columns `request_url` and `referer`,
//! where the parameter's name is compared without regard to case. These columns also lose their fragment, `sig` (a
//! signature confirms a guessed id), and everything that may contain an id: see [`super::hashed_url`]. A value of another
//! attribute that assigns an id, such as `open;user_id=1`, is hashed as a whole. Other ids, such as the bare id as the
//! value of another attribute, are not recognized.

use hmac::Mac as _;

use super::attributes::{Attributes, ValidAttributes};
use super::hashed_url::ClearIds;
use super::key::Key;
use super::list::{self, EmptyItem};

/// HASH_USER_IDS and HASH_ATTRIBUTES.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedIds {
    key: Key,
    /// Names, with their position in VALID_ATTRIBUTES.
    attributes: Vec<(String, usize)>,
    /// The names in VALID_ATTRIBUTES that are not hashed.
    others: Vec<String>,
}

/// Why a text is not a list of attributes to hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHashAttributes {
    #[error(transparent)]
    EmptyItem(#[from] EmptyItem),
    #[error("{} is not in VALID_ATTRIBUTES: name the attributes that hold ids, of {}", .unknown.join(", "), .valid.join(", "))]
    NotValid { unknown: Vec<String>, valid: Vec<String> },
    #[error("it is empty: name the attributes that hold ids, or leave HASH_USER_IDS empty to store ids as they are")]
    Empty,
}

impl HashedIds {
    /// Number of digits of a hash.
    pub const DIGITS: usize = 32;

    /// Reads names separated by commas.
    pub fn parse(key: Key, list: &str, valid: &ValidAttributes) -> Result<Self, BadHashAttributes> {
        let attributes = read_names(list, valid)?;
        let is_hashed = |name: &&String| attributes.iter().any(|(hashed, _)| hashed == *name);
        let others = valid.names().iter().filter(|name| !is_hashed(name)).cloned().collect();
        Ok(Self { key, attributes, others })
    }

    /// Checks a list without a key.
    pub fn check_names(list: &str, valid: &ValidAttributes) -> Result<(), BadHashAttributes> {
        read_names(list, valid).map(drop)
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

    /// Whether the parameter is an attribute that is not hashed.
    pub(super) fn is_other_attribute(&self, name: &str) -> bool {
        self.others.iter().any(|other| other == name)
    }

    /// Replaces the values of the attributes, and returns them.
    pub fn hide(&self, attributes: &mut Attributes<'_>) -> ClearIds {
        let mut clear = ClearIds::default();
        attributes.replace(|position, value| match self.holds(position) {
            true => {
                clear.add(value);
                Some(self.hash(value))
            }
            false => self.is_assigned_in(value).then(|| self.hash(value)),
        });
        clear
    }
}

/// The names, with their positions.
fn read_names(list: &str, valid: &ValidAttributes) -> Result<Vec<(String, usize)>, BadHashAttributes> {
    let (mut attributes, mut unknown) = (Vec::new(), Vec::new());
    for name in list::items(list)? {
        match valid.position(name) {
            Some(position) => attributes.push((name.to_owned(), position)),
            None => unknown.push(name.to_owned()),
        }
    }
    match (unknown.is_empty(), attributes.is_empty()) {
        (false, _) => Err(BadHashAttributes::NotValid { unknown, valid: valid.names().to_vec() }),
        (true, true) => Err(BadHashAttributes::Empty),
        (true, false) => Ok(attributes),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::form_urlencoded;

    use super::*;

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
        assert_eq!(
            parse("user_id,User_Id,session"),
            Err(BadHashAttributes::NotValid {
                unknown: vec!["User_Id".into(), "session".into()],
                valid: vec!["user_id".into(), "type".into()]
            })
        );
        assert_eq!(parse(" "), Err(BadHashAttributes::Empty));
        assert_eq!(parse("user_id,"), Err(BadHashAttributes::EmptyItem(EmptyItem)));
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
            ("/p?amp;user_id=u&amp;type=x", format!("/p?amp;user_id={}&amp;type=x", of("u"))),
            ("/p?user_id=a?user_id=b", format!("/p?user_id={}", of("a?user_id=b"))),
            ("/p?user_id=&user_id", "/p?user_id=&user_id=".to_owned()),
            ("/p?user_id=u&sig=00ff#user_id=u", format!("/p?user_id={}", of("u"))),
            ("/p?sig=00ff", "/p".to_owned()),
        ] {
            assert_eq!(ids.hide_in_url(url, &ClearIds::default()), hidden, "{url}");
        }
    }

    #[test]
    fn what_a_server_may_read_as_the_id_is_dropped() {
        let ids = ids();
        for pair in [
            "user_id[]=u",
            "user_id%5B%5D=u",
            "user_id[0]=u",
            "user_id%20=u",
            "%20user_id=u",
            "+user_id+=u",
            "user_id%00=u",
            ";user_id=u",
            "%3Buser_id=u",
            "user_id;=u",
            "user_id.x=u",
            "user.id=u",
            "user%20id=u",
            "user-id=u",
            "user[id=u",
            "USER.ID[]=u",
            "x[user_id]=u",
            "x.user_id=u",
            "$user_id=u",
            "%2575ser_id=u",
            "%252575ser%25255Fid=u",
            "amp;amp;user_id[]=u",
            "?user_id=u",
            "a;user_id=u",
            "a=1;user_id=u",
            "a=%26user_id%3Du",
            "a=%2526user_id%253Du",
            "url=https%3A%2F%2Fh%2Fp%3Fuser_id%3Du",
            "url=https%253A%252F%252Fh%252Fp%253FUSER_ID%253Du",
            "json=%7B%22user_id%22%3A%22u%22%7D",
            "type=open;user_id=u",
            "type=open%3Buser_id%20%3Du",
            "visitor.id=1&a=visitor%3Du",
            "sig=00",
        ] {
            assert_eq!(ids.hide_in_url(&format!("/p?{pair}"), &ClearIds::default()), "/p", "{pair}");
        }
        for pair in ["userid=u", "my_user_id=u", "user_id2=u", "a=user_id", "type=user", "order=user_idx:1", "a=1%2525", "q=100%25"] {
            let url = format!("/p?{pair}");
            assert_eq!(ids.hide_in_url(&url, &ClearIds::default()), url, "{pair}");
        }
    }

    #[test]
    fn a_path_ends_before_the_first_id() {
        let ids = ids();
        let mut clear = ClearIds::default();
        clear.add("Bob+1@example.com");
        for (url, hidden) in [
            ("https://h/p;user_id=u/x", "https://h/"),
            ("https://h/a/p%3Fuser_id=u", "https://h/a/"),
            ("https://h/a/p%253Fuser_id%253Du?b=1", "https://h/a/?b=1"),
            ("user_id=u", ""),
            ("https://h;user_id=u/x", ""),
            ("https://bob 1@example.com.example/x", "https://bob 1@example.com.example/x"),
            ("https://h/users/bob%2B1%40EXAMPLE.com/x?a=1", "https://h/users/?a=1"),
            ("https://h/x?mail=bob%201@example.com&a=1#bob 1@example.com", "https://h/x?a=1"),
            ("https://h/x?Bob%252B1%2540example.com", "https://h/x"),
            ("https://h/x?type=bob+1@example.com", "https://h/x?type=bob+1@example.com"),
        ] {
            assert_eq!(ids.hide_in_url(url, &clear), hidden, "{url}");
        }
    }

    #[test]
    fn texts_beside_too_many_ids_or_too_long_ones_are_dropped() {
        let ids = ids();
        for (count, hidden) in [(100, "https://h/p?mail=x"), (101, "https://h")] {
            let mut clear = ClearIds::default();
            (0..count).for_each(|id| clear.add(&format!("visitor{id}")));
            assert_eq!(ids.hide_in_url("https://h/p?mail=x&back=visitor99", &clear), hidden, "{count} ids");
        }
        for (length, is_hidden) in [(1 << 20, false), ((1 << 20) + 1, true)] {
            let url = format!("/p?{}", "x".repeat(length));
            assert_eq!(ids.hide_in_url(&url, &ClearIds::default()) == "/p", is_hidden, "{length}");
        }
    }

    #[test]
    fn a_value_that_assigns_an_id_is_hashed() {
        let (ids, valid) = (ids(), ValidAttributes::parse("type,visitor,user_id").unwrap());
        let mut attributes = valid.read("type=open;user_id=u&user_id=u", |_| false);
        ids.hide(&mut attributes);
        assert_eq!(attributes.first(0), Some(ids.hash("open;user_id=u").as_str()));
        assert_eq!(attributes.first(2), Some(ids.hash("u").as_str()));
    }

    /// The spellings of a byte in a query.
    fn spelled(text: &str, style: u8) -> String {
        let byte = |byte: u8| match style % 4 {
            0 => format!("%{byte:02x}"),
            1 => format!("%{byte:02X}"),
            2 => format!("%25{byte:02X}"),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02x}"),
        };
        text.bytes().map(byte).collect()
    }

    proptest! {
        /// The hash replaces the parameter's value, whatever the rest of the query is.
        #[test]
        fn no_query_contains_an_id_after_hashing(id in "z[g-z0-9 %+&=é/]{3,20}", before in "[a-f&=?]{0,12}", after in "(&[a-f&=?]{0,12})?") {
            let pair = form_urlencoded::Serializer::new(String::new()).append_pair("user_id", &id).finish();
            let (_, spelling) = pair.split_once('=').unwrap();
            let url = format!("https://t.example.com/p.png?{before}&{pair}{after}");
            let ids = ids();
            let hidden = ids.hide_in_url(&url, &ClearIds::default());
            prop_assert!(!hidden.contains(spelling), "{}", hidden);
            prop_assert!(hidden.contains(&ids.hash(&id)), "{}", hidden);
        }

        /// Neither near-names of the parameter, nor other places in the URL, nor other encodings keep the id.
        #[test]
        fn no_url_contains_an_id_in_any_spelling(
            id in "[g-z0-9]{6,20}(@[g-z]{2,5})?",
            before in "(a=1&|&|amp;|x;|%20|\\+|[$.;] ?)?",
            name in "(user_id|USER_id|visitor)",
            after in "(\\[\\]|\\[0\\]|%20|%00|[.]x|;|%5B%5D)?",
            styles in (0_u8..4, 0_u8..4),
            place in 0_usize..5,
        ) {
            let (ids, valid) = (ids(), ValidAttributes::parse("type,visitor,user_id").unwrap());
            let value = spelled(&id, styles.0);
            let pair = format!("{before}{name}{after}={value}");
            let nested = spelled(&format!("https://h/?{name}={id}"), styles.1);
            let url = match place {
                0 => format!("https://h/p?{pair}"),
                1 => format!("https://h/p?b=2&{pair}&c=3#{pair}"),
                2 => format!("https://h/p?b=2&url={nested}"),
                3 => format!("https://h/p;{name}={value}/x?user_id={value}"),
                _ => format!("https://h/u/{value}?user_id={value}&back={value}"),
            };
            let query = url.split_once('#').map_or(url.as_str(), |(url, _)| url).split_once('?').unwrap().1;
            let mut attributes = valid.read(query, |_| true);
            let clear = ids.hide(&mut attributes);
            let hidden = ids.hide_in_url(&url, &clear).into_owned();
            let columns = (0..3).flat_map(|index| attributes.all(index)).map(str::to_owned).collect::<Vec<_>>().join(" ");
            for text in [hidden, columns] {
                let mut text = text.to_lowercase();
                for _ in 0..4 {
                    prop_assert!(!text.contains(&id), "{} in {}", text, url);
                    text = String::from_utf8_lossy(&crate::decode::percent::decode(&text)).into_owned();
                }
            }
        }
    }
}
