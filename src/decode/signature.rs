//! Signed URLs: with URL_SIGNING_KEY, only those whose parameters the operator has signed are tracked.
//!
//! The signature of a URL is the parameter `sig`: the HMAC-SHA256, as 64 hexadecimal digits, of all its other
//! parameters in one canonical text, with the key's text as the key. The canonical text is what any implementation
//! of the URL standard (<https://url.spec.whatwg.org/#interface-urlsearchparams>) makes of the query:
//!
//! ```js
//! const parameters = new URL(url).searchParams;
//! parameters.delete('sig');
//! parameters.sort();
//! parameters.append('sig', createHmac('sha256', key).update(parameters.toString()).digest('hex'));
//! ```
//!
//! That is: names and values are decoded by the rules of `application/x-www-form-urlencoded`, sorted by name (by UTF-16
//! code units; parameters of one name keep their order, because the first one counts), and encoded anew: ASCII letters,
//! digits and `*-._` stay, a space is `+`, and every other byte is `%` and two upper-case digits. So neither the order of
//! the parameters nor their spelling matters, and every name and value does. In Python, whose `urlencode` differs in two
//! characters: `urlencode(sorted(pairs, key=lambda pair: pair[0]), safe='*').replace('~', '%7E')`.
//!
//! * Scheme, host and path are not signed: they say nothing of the event, a pixel has several of them, and the path is
//!   compared with PIXEL_PATH anyway.
//! * *All* other parameters are signed, also those that VALID_ATTRIBUTES does not name. Whatever adds one later, be it a
//!   cache-buster or a mail service's tracking, breaks the signature, and what a mail service fills in has to be signed
//!   once it is there. Only an opt-out may be added: it is heard before the signature is looked at.
//! * A signature does not expire, and a signed URL can be requested again.
//! * There may be two keys while one replaces the other. The first signs, either is accepted.
//! * More than one `sig` is no signature. The comparison takes the same time whatever the digits are.

use std::str::FromStr;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use url::form_urlencoded;

use super::decoded::FilterReason;
use super::key::{BadKey, Key};

/// The parameter that holds the signature.
const SIGNATURE: &str = "sig";

/// URL_SIGNING_KEY and SIGNATURE_MODE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    pub keys: SigningKeys,
    pub mode: SignatureMode,
}

/// What becomes of an event without a valid signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureMode {
    /// It is not stored.
    Require,
    /// It is stored, and the column `signed` is false.
    Mark,
}

/// Neither of the two.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither require nor mark")]
pub struct BadMode(String);

/// One key, or the new one and the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeys {
    signs: Key,
    before: Option<Key>,
}

/// Why a text holds no keys. Does not quote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeys {
    #[error(transparent)]
    Bad(#[from] BadKey),
    #[error("it has {0} keys: one is enough, and two, separated by a comma, while the first replaces the second")]
    TooMany(usize),
}

/// What the signature of a query is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Signed,
    Unsigned,
    Forged,
}

impl Signatures {
    /// Whether the parameters are signed; the reason for not storing them where they have to be and are not.
    pub fn check(&self, query: &str) -> Result<bool, FilterReason> {
        match (self.keys.verify(query), self.mode) {
            (Verdict::Signed, _) => Ok(true),
            (Verdict::Unsigned | Verdict::Forged, SignatureMode::Mark) => Ok(false),
            (Verdict::Unsigned, SignatureMode::Require) => Err(FilterReason::Unsigned),
            (Verdict::Forged, SignatureMode::Require) => Err(FilterReason::BadSignature),
        }
    }
}

impl SigningKeys {
    /// Reads one key, or two separated by a comma.
    pub fn parse(text: &str) -> Result<Self, BadKeys> {
        match text.split(',').collect::<Vec<_>>()[..] {
            [signs] => Ok(Self { signs: Key::parse(signs)?, before: None }),
            [signs, before] => Ok(Self { signs: Key::parse(signs)?, before: Some(Key::parse(before)?) }),
            ref more => Err(BadKeys::TooMany(more.len())),
        }
    }

    /// The URL with a signature at the end of its query, in place of any that it had.
    pub fn sign(&self, url: &str) -> String {
        let (rest, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let canonical = canonical(query);
        let digits = hex::encode(self.signs.hmac(canonical.as_bytes()).finalize().into_bytes());
        // Spelt as they were; empty pairs are no parameters.
        let is_signature = |pair: &str| form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == SIGNATURE);
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !is_signature(pair));
        let pairs: String = kept.flat_map(|pair| [pair, "&"]).collect();
        format!("{location}?{pairs}{SIGNATURE}={digits}{fragment}")
    }

    fn verify(&self, query: &str) -> Verdict {
        let mut signatures = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == SIGNATURE);
        let Some((_, digits)) = signatures.next() else { return Verdict::Unsigned };
        let mut bytes = [0; 32];
        let is_hex = hex::decode_to_slice(&*digits, &mut bytes).is_ok();
        if !is_hex || signatures.next().is_some() {
            return Verdict::Forged;
        }
        // Only now: sorting is the work that a stranger could make.
        let canonical = canonical(query);
        let holds = |key: &Key| Hmac::<Sha256>::verify_slice(key.hmac(canonical.as_bytes()), &bytes).is_ok();
        if holds(&self.signs) || self.before.as_ref().is_some_and(holds) { Verdict::Signed } else { Verdict::Forged }
    }
}

impl FromStr for SignatureMode {
    type Err = BadMode;

    fn from_str(text: &str) -> Result<Self, BadMode> {
        match text.trim().to_ascii_lowercase().as_str() {
            "require" => Ok(Self::Require),
            "mark" => Ok(Self::Mark),
            _ => Err(BadMode(text.to_owned())),
        }
    }
}

/// What is signed: all parameters but the signature.
fn canonical(query: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != SIGNATURE).collect();
    // Stable, as the standard's.
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

    /// Made by Node with the four lines on top. URLs are printed and mailed: these must never change.
    #[test]
    fn the_canonical_text_is_the_url_standards() {
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
    fn a_signed_url_keeps_its_spelling() {
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
    fn what_is_not_signed_by_one_of_the_keys_is_told_from_what_is() {
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
    fn while_a_key_is_replaced_both_are_accepted_and_the_first_signs() {
        let both = keys(&format!("{OTHER}, {KEY}\n"));
        assert_eq!(both.verify(&signed("user_id=u")), Verdict::Signed);
        let new = both.sign("?user_id=u");
        assert_eq!(keys(OTHER).verify(&new[1..]), Verdict::Signed);
        assert_eq!(keys(KEY).verify(&new[1..]), Verdict::Forged);
        assert_eq!(SigningKeys::parse(&format!("{KEY},{OTHER},{KEY}")), Err(BadKeys::TooMany(3)));
        assert_eq!(SigningKeys::parse(&format!("{KEY},")), Err(BadKeys::Bad(BadKey::TooShort(0))));
    }

    #[test]
    fn the_mode_decides_what_becomes_of_the_rest() {
        let check = |mode, query: &str| Signatures { keys: keys(KEY), mode }.check(query);
        assert_eq!(check(SignatureMode::Require, &signed("a=1")), Ok(true));
        assert_eq!(check(SignatureMode::Require, "a=1"), Err(FilterReason::Unsigned));
        assert_eq!(check(SignatureMode::Require, "a=1&sig=0"), Err(FilterReason::BadSignature));
        assert_eq!(check(SignatureMode::Mark, &signed("a=1")), Ok(true));
        assert_eq!(check(SignatureMode::Mark, "a=1"), Ok(false));
        assert_eq!(check(SignatureMode::Mark, "a=1&sig=0"), Ok(false));
    }

    /// Few letters, so that near collisions are common; and anything at all.
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
        fn what_is_signed_is_accepted_in_any_order_of_names(mut pairs in pairs(), random in any::<u64>()) {
            pairs.retain(|(name, _)| name != SIGNATURE);
            let url = keys(KEY).sign(&format!("https://t.example.com/pixel.png?{}#fragment", query(&pairs)));
            let signed = super::super::request_url::RequestUrl::new(&url).query;
            prop_assert_eq!(keys(KEY).verify(signed), Verdict::Signed);
            // Another order of the names, with those of one name in theirs.
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
        fn any_change_of_any_parameter_breaks_the_signature(mut one in pairs(), mut other in pairs()) {
            one.retain(|(name, _)| name != SIGNATURE);
            other.retain(|(name, _)| name != SIGNATURE);
            let digits = |pairs: &[(String, String)]| keys(KEY).sign(&format!("?{}", query(pairs))).rsplit_once('=').unwrap().1.to_owned();
            let forged = format!("{}&sig={}", query(&other), digits(&one));
            one.sort_by(|(a, _), (b, _)| a.cmp(b));
            other.sort_by(|(a, _), (b, _)| a.cmp(b));
            prop_assert_eq!(keys(KEY).verify(&forged) == Verdict::Signed, one == other);
        }

        /// The same with two lists that differ in one place.
        #[test]
        fn one_changed_character_breaks_the_signature(pairs in pairs(), at in any::<prop::sample::Index>(), what in 0..4, by in "[ab&=+%]") {
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
        fn no_query_is_taken_for_signed_by_chance(query in ".{0,40}") {
            prop_assert_ne!(keys(KEY).verify(&query), Verdict::Signed);
        }
    }
}
