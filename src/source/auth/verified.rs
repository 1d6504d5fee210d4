//! Tokens that were found good. Pub/Sub sends one for up to an hour, with thousands of messages.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// A subscription has one or two at a time. Only good tokens get in, so nobody can push them out.
const MOST: usize = 256;
/// Google's tokens last that long; whatever one says of itself, it is looked at again after that many seconds.
const LONGEST: f64 = 3600.0;

/// The tokens by their hashes, each with the second of the epoch until which it is good.
#[derive(Debug, Default)]
pub(crate) struct Verified(RwLock<HashMap<Fingerprint, f64>>);

/// Tokens are secrets: they are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl Verified {
    /// Whether the token was found good and still is.
    pub(crate) fn holds(&self, token: Fingerprint, now: Timestamp) -> bool {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&token).is_some_and(|until| seconds(now) < *until)
    }

    /// Remembers a token that was found good and expires then.
    pub(crate) fn insert(&self, token: Fingerprint, expires: f64, now: Timestamp) {
        let now = seconds(now);
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MOST {
            tokens.retain(|_, until| now < *until);
        }
        if tokens.len() >= MOST {
            tokens.clear();
        }
        tokens.insert(token, expires.min(now + LONGEST));
    }
}

fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_is_good_until_it_expires_and_never_for_more_than_an_hour() {
        let (verified, short, long) = (Verified::default(), Fingerprint::of("short"), Fingerprint::of("long"));
        verified.insert(short, 1060.0, at(1000));
        verified.insert(long, 1e300, at(1000));
        for (second, expected) in [(1059, (true, true)), (1060, (false, true)), (4599, (false, true)), (4600, (false, false))] {
            assert_eq!((verified.holds(short, at(second)), verified.holds(long, at(second))), expected, "{second}");
        }
        assert!(!verified.holds(Fingerprint::of("other"), at(1000)));
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let verified = Verified::default();
        for number in 0..10 * MOST {
            verified.insert(Fingerprint::of(&number.to_string()), 2000.0, at(1000));
            assert!(verified.0.read().unwrap().len() <= MOST);
        }
        assert!(verified.holds(Fingerprint::of(&(10 * MOST - 1).to_string()), at(1000)), "the latest is there");
    }
}
