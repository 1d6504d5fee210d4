//! The cache of Google's public keys, and when to fetch them again. Pure: the time is an argument.
//!
//! Written by hand because of three rules: stale keys stay valid during an outage, unknown key ids cause few fetches, and
//! a key that is cached is used without waiting for a fetch.
//!
//! Keys are fresh for the time in `Cache-Control`. After that they are stale: they are fetched again, and stay valid
//! until that succeeds, for at most one day. Google publishes a key days before its first use and days after its last,
//! and withdraws a key at once only if it was stolen. An unknown key id causes at most one fetch per 30 s, because a
//! forger can invent ids. After a failed fetch it is unknown whether the key exists, and the usual backoff applies.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use tokio::time::Instant;

use super::key_set::KeySet;

/// The age at which stale keys expire.
const MAX_AGE: Duration = Duration::from_secs(24 * 3600);
/// Between two fetches for unknown key ids.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(30);
/// Backoff after a failed fetch. Doubles with each failure, up to [`MIN_REFRESH_INTERVAL`].
const INITIAL_BACKOFF: Duration = Duration::from_secs(1);

/// The keys and the state of their fetches.
#[derive(Debug, Default)]
pub struct KeyCache {
    latest: Option<FetchedKeys>,
    /// Completed fetches, successful or not.
    pub attempts: u64,
    is_fetching: bool,
    /// Failed fetches since the last successful one.
    failures: u32,
    retry_at: Option<Instant>,
    /// The start of the last fetch for an unknown key id.
    unknown_id_fetch_at: Option<Instant>,
}

#[derive(Debug)]
struct FetchedKeys {
    keys: KeySet,
    fetched_at: Instant,
    fresh_until: Instant,
}

/// The result of a lookup.
#[derive(Debug)]
pub enum Found {
    Fresh(Arc<DecodingKey>),
    /// It may have been withdrawn.
    Stale(Arc<DecodingKey>),
    Unknown,
    NoKeys,
}

/// Whether a fetch can provide the key. A request with a key does not wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    No,
    /// A fetch is in progress.
    Wait,
    /// The caller starts the fetch.
    Begin,
}

impl KeyCache {
    pub fn find(&self, id: &str, now: Instant) -> Found {
        let Some(latest) = self.latest.as_ref().filter(|latest| now < latest.fetched_at + MAX_AGE) else { return Found::NoKeys };
        match latest.keys.get(id) {
            Some(key) if now < latest.fresh_until => Found::Fresh(key),
            Some(key) => Found::Stale(key),
            None => Found::Unknown,
        }
    }

    /// Whether the last fetch failed.
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// The fetch that a lookup needs. After [`Fetch::Begin`] the caller makes sure that [`Self::fetched`] is called.
    pub fn plan_fetch(&mut self, found: &Found, now: Instant) -> Fetch {
        if matches!(found, Found::Fresh(_)) {
            return Fetch::No;
        }
        if self.is_fetching {
            return Fetch::Wait;
        }
        let fresh = self.latest.as_ref().is_some_and(|latest| now < latest.fresh_until);
        let is_for_unknown_id = matches!(found, Found::Unknown) && fresh;
        let too_early = self.retry_at.is_some_and(|at| now < at)
            || is_for_unknown_id && self.unknown_id_fetch_at.is_some_and(|at| now < at + MIN_REFRESH_INTERVAL);
        if too_early {
            return Fetch::No;
        }
        if is_for_unknown_id {
            self.unknown_id_fetch_at = Some(now);
        }
        self.is_fetching = true;
        Fetch::Begin
    }

    /// A fetch ended: with keys and their freshness lifetime, or with an error.
    pub fn fetched(&mut self, result: Option<(KeySet, Duration)>, now: Instant) {
        self.attempts += 1;
        self.is_fetching = false;
        match result {
            Some((keys, fresh_for)) => {
                self.latest = Some(FetchedKeys { keys, fetched_at: now, fresh_until: now + fresh_for.min(MAX_AGE) });
                self.failures = 0;
                self.retry_at = None;
            }
            None => {
                self.retry_at = Some(now + INITIAL_BACKOFF.saturating_mul(1 << self.failures.min(10)).min(MIN_REFRESH_INTERVAL));
                self.failures += 1;
                // A failed fetch does not tell whether the key exists.
                self.unknown_id_fetch_at = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    fn set(ids: &[&str]) -> KeySet {
        let key = |id: &&str| format!(r#"{{"kty":"RSA","kid":"{id}","n":"AQAB","e":"AQAB","alg":"RS256","use":"sig"}}"#);
        let keys: Vec<String> = ids.iter().map(key).collect();
        KeySet::read(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    /// The lookup of a key id at that time, and the fetch that it causes.
    fn ask(cache: &mut KeyCache, id: &str, now: Instant) -> (&'static str, Fetch) {
        let found = cache.find(id, now);
        let name = match &found {
            Found::Fresh(_) => "fresh",
            Found::Stale(_) => "stale",
            Found::Unknown => "unknown",
            Found::NoKeys => "none",
        };
        (name, cache.plan_fetch(&found, now))
    }

    #[test]
    fn one_of_many_requests_starts_a_fetch() {
        let (mut cache, now) = (KeyCache::default(), Instant::now());
        assert_eq!(ask(&mut cache, "a", now), ("none", Fetch::Begin));
        for id in ["a", "b", "c"] {
            assert_eq!(ask(&mut cache, id, now), ("none", Fetch::Wait));
        }
        cache.fetched(Some((set(&["a"]), HOUR)), now);
        assert_eq!(ask(&mut cache, "a", now), ("fresh", Fetch::No));
    }

    #[test]
    fn unknown_ids_cause_one_fetch_per_30_seconds() {
        let (mut cache, mut now) = (KeyCache::default(), Instant::now());
        ask(&mut cache, "a", now);
        cache.fetched(Some((set(&["a"]), HOUR)), now);
        let mut fetches = 0;
        // A hundred made-up ids a second for ten minutes.
        for number in 0..60_000 {
            now += Duration::from_millis(10);
            if ask(&mut cache, &number.to_string(), now) == ("unknown", Fetch::Begin) {
                fetches += 1;
                cache.fetched(Some((set(&["a"]), HOUR)), now);
            }
        }
        assert_eq!(fetches, 20);
        assert_eq!(ask(&mut cache, "a", now), ("fresh", Fetch::No));
    }

    #[test]
    fn a_failed_fetch_for_an_unknown_id_is_retried() {
        let (mut cache, now) = (KeyCache::default(), Instant::now());
        ask(&mut cache, "a", now);
        cache.fetched(Some((set(&["a"]), HOUR)), now);
        assert_eq!(ask(&mut cache, "b", now), ("unknown", Fetch::Begin));
        cache.fetched(None, now);
        assert!(cache.is_failing());
        assert_eq!(ask(&mut cache, "b", now), ("unknown", Fetch::No));
        assert_eq!(ask(&mut cache, "b", now + INITIAL_BACKOFF), ("unknown", Fetch::Begin));
        cache.fetched(Some((set(&["a"]), HOUR)), now + INITIAL_BACKOFF);
        assert!(!cache.is_failing());
        assert_eq!(ask(&mut cache, "b", now + 2 * INITIAL_BACKOFF), ("unknown", Fetch::No));
    }

    #[test]
    fn stale_keys_are_fetched_again_and_valid_for_a_day() {
        let (mut cache, start) = (KeyCache::default(), Instant::now());
        ask(&mut cache, "a", start);
        cache.fetched(Some((set(&["a"]), HOUR)), start);
        let mut now = start + HOUR;
        assert_eq!(ask(&mut cache, "a", now - SECOND), ("fresh", Fetch::No));
        assert_eq!(ask(&mut cache, "a", now), ("stale", Fetch::Begin));
        cache.fetched(None, now);
        let mut fetches = 0;
        while now < start + MAX_AGE - SECOND {
            now += SECOND;
            if let ("stale", Fetch::Begin) = ask(&mut cache, "a", now) {
                fetches += 1;
                cache.fetched(None, now);
            }
            assert_eq!(ask(&mut cache, "a", now), ("stale", Fetch::No));
        }
        let hours_without = 23 * 3600 / 30;
        assert!((hours_without - 10..hours_without + 10).contains(&fetches), "{fetches}");
        now = start + MAX_AGE + MIN_REFRESH_INTERVAL;
        assert_eq!(ask(&mut cache, "a", now), ("none", Fetch::Begin));
        cache.fetched(Some((set(&["a"]), HOUR)), now);
        assert_eq!(ask(&mut cache, "a", now), ("fresh", Fetch::No));
    }

    #[test]
    fn failed_fetches_are_retried_with_backoff() {
        let (mut cache, mut now) = (KeyCache::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            assert_eq!(ask(&mut cache, "a", now), ("none", Fetch::Begin));
            cache.fetched(None, now);
            let failed = now;
            while ask(&mut cache, "a", now) == ("none", Fetch::No) {
                now += SECOND;
            }
            pauses.push((now - failed).as_secs());
            cache.is_fetching = false;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }
}
