//! The cache of valid tokens. Pub/Sub sends the same token for up to an hour, with thousands of messages.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// A subscription has one or two at a time. Only valid tokens are inserted, so a forger cannot evict them.
const MAX_TOKENS: usize = 256;
/// In seconds: the lifetime of Google's tokens. After that a token is verified again, whatever its `exp`.
const MAX_CACHE_SECONDS: f64 = 3600.0;

/// The tokens by their hashes, each with its expiry in seconds of the epoch.
#[derive(Debug, Default)]
pub struct Verified(RwLock<HashMap<Fingerprint, f64>>);

/// A hash of a token. Tokens are secrets and not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

impl Verified {
    /// Whether the token is in the cache and has not expired.
    pub fn holds(&self, token: Fingerprint, now: Timestamp) -> bool {
        let tokens = self.0.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&token).is_some_and(|until| seconds(now) < *until)
    }

    /// Inserts a valid token.
    pub fn insert(&self, token: Fingerprint, expires: f64, now: Timestamp) {
        let now = seconds(now);
        let mut tokens = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS {
            tokens.retain(|_, until| now < *until);
        }
        if tokens.len() >= MAX_TOKENS {
            tokens.clear();
        }
        tokens.insert(token, expires.min(now + MAX_CACHE_SECONDS));
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
    fn a_token_is_cached_until_it_expires_or_an_hour() {
        let (verified, short, long) = (Verified::default(), Fingerprint::of("short"), Fingerprint::of("long"));
        verified.insert(short, 1060.0, at(1000));
        verified.insert(long, 1e300, at(1000));
        for (second, expected) in [(1059, (true, true)), (1060, (false, true)), (4599, (false, true)), (4600, (false, false))] {
            assert_eq!((verified.holds(short, at(second)), verified.holds(long, at(second))), expected, "{second}");
        }
        assert!(!verified.holds(Fingerprint::of("other"), at(1000)));
    }

    #[test]
    fn the_number_of_tokens_is_bounded() {
        let verified = Verified::default();
        for number in 0..10 * MAX_TOKENS {
            verified.insert(Fingerprint::of(&number.to_string()), 2000.0, at(1000));
            assert!(verified.0.read().unwrap().len() <= MAX_TOKENS);
        }
        assert!(verified.holds(Fingerprint::of(&(10 * MAX_TOKENS - 1).to_string()), at(1000)), "the latest is there");
    }
}
