//! Signed URLs: with URL_SIGNING_KEY, only events of URLs that the operator has signed are tracked.
//!
//! The signature of a URL is the parameter `sig`: the HMAC-SHA256, as 64 hexadecimal digits, of all its other
//! parameters in one canonical text, with the key's text as the key. Any implementation of the URL
//! standard (<https://url.spec.whatwg.org/#interface-urlsearchparams>) can compute the canonical text:
//!
//! ```js
//! const parameters = new URL(url).searchParams;
//! parameters.delete('sig');
//! parameters.sort();
//! parameters.append('sig', createHmac('sha256', key).update(parameters.toString()).digest('hex'));
//! ```
//!
//! Names and values are decoded by the rules of `application/x-www-form-urlencoded`, sorted by name (by UTF-16
//! code units; parameters of one name keep their order, because the first one counts), and encoded again: ASCII letters,
//! digits and `*-._` stay, a space is `+`, and every other byte is `%` and two upper-case digits. So the signature depends
//! on every name and value, but not on the order of the parameters or on their encoding. In Python, whose `urlencode` differs in two
//! characters: `urlencode(sorted(pairs, key=lambda pair: pair[0]), safe='*').replace('~', '%7E')`.
//!
//! * Scheme, host and path are not signed: they are not data of the event, and a pixel can have several of them. PIXEL_PATH
//!   checks the path.
//! * *All* other parameters are signed, also those that VALID_ATTRIBUTES does not name. A parameter that
//!   is added later, such as a cache-buster, invalidates the signature. If a mail service fills in values, the URL must be
//!   signed after that. Only an opt-out can be added: it is checked before the signature.
//! * A signature does not expire, and a signed URL can be requested again.
//! * There can be two keys while one replaces the other. The first one signs, and both verify.
//! * More than one `sig` is an invalid signature. The comparison takes constant time.

mod keys;

use std::str::FromStr;

use super::decoded::FilterReason;
use keys::Verdict;
pub use keys::{BadKeys, SigningKeys};

/// URL_SIGNING_KEY and SIGNATURE_MODE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    pub keys: SigningKeys,
    pub mode: SignatureMode,
}

/// The outcome of an event without a valid signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureMode {
    /// It is not stored.
    Require,
    /// It is stored, and the column `signed` is false.
    Mark,
}

/// The setting has another value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not require or mark")]
pub struct BadMode(String);

impl Signatures {
    /// Whether the parameters are signed. `Err` if an event without a valid signature is not stored.
    pub fn check(&self, query: &str) -> Result<bool, FilterReason> {
        match (self.keys.verify(query), self.mode) {
            (Verdict::Signed, _) => Ok(true),
            (Verdict::Unsigned | Verdict::Forged, SignatureMode::Mark) => Ok(false),
            (Verdict::Unsigned, SignatureMode::Require) => Err(FilterReason::Unsigned),
            (Verdict::Forged, SignatureMode::Require) => Err(FilterReason::BadSignature),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_decides_on_events_without_valid_signature() {
        let keys = SigningKeys::parse("0123456789abcdef0123456789abcdef").unwrap();
        let signed = keys.sign("?a=1").split_off(1);
        let check = |mode, query: &str| Signatures { keys: keys.clone(), mode }.check(query);
        assert_eq!(check(SignatureMode::Require, &signed), Ok(true));
        assert_eq!(check(SignatureMode::Require, "a=1"), Err(FilterReason::Unsigned));
        assert_eq!(check(SignatureMode::Require, "a=1&sig=0"), Err(FilterReason::BadSignature));
        assert_eq!(check(SignatureMode::Mark, &signed), Ok(true));
        assert_eq!(check(SignatureMode::Mark, "a=1"), Ok(false));
        assert_eq!(check(SignatureMode::Mark, "a=1&sig=0"), Ok(false));
    }
}
