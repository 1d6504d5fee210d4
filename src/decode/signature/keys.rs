//! The keys that sign URLs and verify their signatures. [`super`] describes the signature.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use url::form_urlencoded;

use crate::decode::key::{BadKey, Key};

/// The name of the signature's parameter.
const SIGNATURE: &str = "sig";

/// One key, or a new key and the old one that it replaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeys {
    current: Key,
    previous: Option<Key>,
}

/// Why a text is not a list of keys. Does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    #[error(transparent)]
    Bad(#[from] BadKey),
    #[error("it has {0} keys: use one key, or two separated by a comma while the first replaces the second")]
    TooMany(usize),
}

/// The state of a query's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Signed,
    Unsigned,
    Forged,
}

impl SigningKeys {
    /// Reads one key, or two separated by a comma.
    pub fn parse(text: &str) -> Result<Self, BadKeys> {
        match text.split(',').collect::<Vec<_>>()[..] {
            [current] => Ok(Self { current: Key::parse(current)?, previous: None }),
            [current, previous] => Ok(Self { current: Key::parse(current)?, previous: Some(Key::parse(previous)?) }),
            ref more => Err(BadKeys::TooMany(more.len())),
        }
    }

    /// The URL with a signature at the end of its query, in place of any that it had.
    pub fn sign(&self, url: &str) -> String {
        let (rest, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let canonical = canonical(query);
        let digits = hex::encode(self.current.hmac(canonical.as_bytes()).finalize().into_bytes());
        // The other parameters keep their bytes. Empty pairs are dropped.
        let is_signature = |pair: &str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == SIGNATURE);
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_signature(pair));
        let pairs: String = kept.flat_map(|pair| [pair, "&"]).collect();
        format!("{location}?{pairs}{SIGNATURE}={digits}{fragment}")
    }

    pub(super) fn verify(&self, query: &str) -> Verdict {
        let mut signatures = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == SIGNATURE);
        let Some((_, digits)) = signatures.next() else { return Verdict::Unsigned };
        let mut bytes = [0; 32];
        let is_hex = hex::decode_to_slice(&*digits, &mut bytes).is_ok();
        if !is_hex || signatures.next().is_some() {
            return Verdict::Forged;
        }
        // Sorting is the expensive part, so requests without a well-formed signature do not reach it.
        let canonical = canonical(query);
        let is_valid = |key: &Key| Hmac::<Sha256>::verify_slice(key.hmac(canonical.as_bytes()), &bytes).is_ok();
        if is_valid(&self.current) || self.previous.as_ref().is_some_and(is_valid) { Verdict::Signed } else { Verdict::Forged }
    }
}

/// The signed text: all parameters except the signature.
fn canonical(query: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != SIGNATURE).collect();
    // A stable sort, as in the URL standard.
    pairs.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn keys(text: &str) -> SigningKeys {
        SigningKeys::parse(text).unwrap()
    }

    fn signed(query: &str) -> String {
        let url = keys(KEY).sign(&format!("/pixel.png?{query}"));
        url.strip_prefix("/pixel.png?").unwrap().to_owned()
    }

    /// Computed by Node with the code in the module's documentation. Signed URLs are in use, so these must never change.
    #[test]
    fn the_canonical_text_is_that_of_the_url_standard() {
        for (query, canonical, signature) in [
            ("user_id=u&type=click", "type=click&user_id=u", "d31a1d9374e51996229fb6d8a6f9d97f0263427ea7866b90ff804a30167ea529"),
            ("type=click&user_id=u", "type=click&user_id=u", "d31a1d9374e51996229fb6d8a6f9d97f0263427ea7866b90ff804a30167ea529"),
            ("b=2&a=1&b=1", "a=1&b=2&b=1", "4fae2b742b2bbbc01d09738ffaa0a21c0a23e532a3d1c156258bbad5ae3123e9"),
            ("a=x+y%2Bz&%61b=~*-._%20/", "a=x+y%2Bz&ab=%7E*-._+%2F", "b8d6f8ff82671b2c5c89198501ffee9416bef16866619af355e3dadcbd499311"),
            (
                "n=%C3%A9%F0%9F%92%A9&%EF%BF%BF=1&%F0%9F%92%A9=2",
                "n=%C3%A9%F0%9F%92%A9&%F0%9F%92%A9=2&%EF%BF%BF=1",
                "771e5163c60b3970d94b8da320555dd3c9aad7c9f89c37f1347eda290e7b0e27",
            ),
            ("", "", "796cd3078af14636753d26b3b5555422ff55a3e261cf847b48e95371b9bd0aa2"),
            ("a&&=b&c==", "=b&a=&c=%3D", "6b72e8d04ee3611f1e8fb68b4bfa06480596f181376457104f213009a2bd0112"),
        ] {
            assert_eq!(super::canonical(query), canonical, "{query}");
            assert!(signed(query).ends_with(&format!("sig={signature}")), "{query}: {}", signed(query));
        }
    }

    #[test]
    fn signing_does_not_change_the_rest_of_a_url() {
        let keys = keys(KEY);
        let digits = "d31a1d9374e51996229fb6d8a6f9d97f0263427ea7866b90ff804a30167ea529";
        for (url, expected) in [
            (
                "https://t.example.com/p.png?user_id=%75&type=click",
                format!("https://t.example.com/p.png?user_id=%75&type=click&sig={digits}"),
            ),
            ("/p?user_id=u&sig=old&type=click&s%69g#top", format!("/p?user_id=u&type=click&sig={digits}#top")),
            ("&?&user_id=u&&type=click&", format!("&?user_id=u&type=click&sig={digits}")),
            ("/p", format!("/p?sig={}", "796cd3078af14636753d26b3b5555422ff55a3e261cf847b48e95371b9bd0aa2")),
        ] {
            assert_eq!(keys.sign(url), expected, "{url}");
        }
    }

    #[test]
    fn signed_unsigned_and_forged_queries_are_distinguished() {
        let (keys, good) = (keys(KEY), signed("user_id=u"));
        let digits = good.split_once("sig=").unwrap().1;
        for (query, verdict) in [
            (good.clone(), Verdict::Signed),
            (format!("sig={digits}&%75ser_id=u"), Verdict::Signed),
            (format!("user_id=u&sig={}", digits.to_uppercase()), Verdict::Signed),
            ("user_id=u".to_owned(), Verdict::Unsigned),
            (String::new(), Verdict::Unsigned),
            (format!("user_id=u&SIG={digits}"), Verdict::Unsigned),
            ("user_id=u&sig".to_owned(), Verdict::Forged),
            (format!("{good}&sig={digits}"), Verdict::Forged),
            (format!("{good}&sig="), Verdict::Forged),
            (format!("{good}&x"), Verdict::Forged),
            (format!("user_id=u&sig={}", &digits[1..]), Verdict::Forged),
            (format!("user_id=u&sig={digits}0"), Verdict::Forged),
            (format!("user_id=u&sig={}é", &digits[2..]), Verdict::Forged),
            (format!("user_id=u&sig={}+1", &digits[2..]), Verdict::Forged),
            (format!("user_id=u&sig={}", "0".repeat(64)), Verdict::Forged),
        ] {
            assert_eq!(keys.verify(&query), verdict, "{query}");
        }
    }

    #[test]
    fn both_keys_verify_and_the_first_one_signs() {
        let both = keys(&format!("{OTHER}, {KEY}\n"));
        assert_eq!(both.verify(&signed("user_id=u")), Verdict::Signed);
        let new = both.sign("?user_id=u");
        assert_eq!(keys(OTHER).verify(&new[1..]), Verdict::Signed);
        assert_eq!(keys(KEY).verify(&new[1..]), Verdict::Forged);
        assert_eq!(SigningKeys::parse(&format!("{KEY},{OTHER},{KEY}")), Err(BadKeys::TooMany(3)));
        assert_eq!(SigningKeys::parse(&format!("{KEY},")), Err(BadKeys::Bad(BadKey::TooShort(0))));
    }

    /// Texts of few letters, so that near collisions are common, and any texts.
    fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
        let text = || prop_oneof!["[ab&=+% ]{0,3}", ".{0,4}"];
        proptest::collection::vec((text(), text()), 0..5)
    }

    fn query(pairs: &[(String, String)]) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn signatures_are_valid_in_any_order_of_the_names(mut pairs in pairs(), random in any::<u64>()) {
            pairs.retain(|(name, _)| name != SIGNATURE);
            let url = keys(KEY).sign(&format!("https://t.example.com/pixel.png?{}#fragment", query(&pairs)));
            let signed = crate::decode::request_url::RequestUrl::new(&url).query;
            prop_assert_eq!(keys(KEY).verify(signed), Verdict::Signed);
            // Another order of the names. Parameters of one name keep their order.
            let digits = signed.rsplit_once('=').unwrap().1;
            let mut names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
            names.sort();
            names.dedup();
            fastrand::Rng::with_seed(random).shuffle(&mut names);
            let mut shuffled: Vec<(String, String)> =
                names.iter().flat_map(|name| pairs.iter().filter(move |(of, _)| of == name).cloned()).collect();
            shuffled.insert(shuffled.len() / 2, (SIGNATURE.to_owned(), digits.to_owned()));
            prop_assert_eq!(keys(KEY).verify(&query(&shuffled)), Verdict::Signed);
        }

        /// Two lists of parameters share a signature only if every name has the same values in the same order.
        #[test]
        fn other_parameters_have_other_signatures(mut one in pairs(), mut other in pairs()) {
            one.retain(|(name, _)| name != SIGNATURE);
            other.retain(|(name, _)| name != SIGNATURE);
            let digits = |pairs: &[(String, String)]| keys(KEY).sign(&format!("?{}", query(pairs))).rsplit_once('=').unwrap().1.to_owned();
            let forged = format!("{}&sig={}", query(&other), digits(&one));
            one.sort_by(|(a, _), (b, _)| a.cmp(b));
            other.sort_by(|(a, _), (b, _)| a.cmp(b));
            prop_assert_eq!(keys(KEY).verify(&forged) == Verdict::Signed, one == other);
        }

        /// Two lists that differ in one place.
        #[test]
        fn one_changed_character_invalidates_the_signature(pairs in pairs(), at in any::<prop::sample::Index>(), what in 0..4, by in "[ab&=+%]") {
            prop_assume!(!pairs.is_empty());
            let digits = keys(KEY).sign(&format!("?{}", query(&pairs))).rsplit_once('=').unwrap().1.to_owned();
            let mut changed = pairs.clone();
            let index = at.index(pairs.len());
            match what {
                0 => changed[index].0 += &by,
                1 => changed[index].1 += &by,
                2 => drop(changed.remove(index)),
                _ => changed.insert(index, (by.clone(), by)),
            }
            let forged = format!("{}&sig={digits}", query(&changed));
            prop_assert_eq!(keys(KEY).verify(&forged), Verdict::Forged);
        }

        #[test]
        fn random_queries_are_not_signed(query in ".{0,40}") {
            prop_assert_ne!(keys(KEY).verify(&query), Verdict::Signed);
        }
    }
}
