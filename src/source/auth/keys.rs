//! Google's public keys, and when to ask for them again. Pure: the time comes in from outside.
//!
//! Keys are fresh for as long as `Cache-Control` said. After that they are fetched again, and go on working until
//! that is done, for a day at most: Google shows a key days before it signs with it and for as long after, and takes
//! one back at once only if it was stolen. A key id that is not among them is worth one fetch in half a minute,
//! whoever makes them up. If that fails nobody knows whether there is such a key, and it is tried again as others are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

/// The age at which keys that could not be fetched again no longer count.
const TOO_OLD: Duration = Duration::from_secs(24 * 3600);
/// Between two fetches for key ids that nobody knows.
const COOL_DOWN: Duration = Duration::from_secs(30);
/// After a fetch that failed; doubles with each, up to the cool-down.
const RETRY: Duration = Duration::from_secs(1);

/// Keys by their ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeySet(HashMap<String, Arc<DecodingKey>>);

/// An answer that has no key in it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoKeySet {
    #[error("no JWK set: {0}")]
    Json(#[from] serde_json::Error),
    #[error("no RSA key for signatures in it")]
    Empty,
}

/// RFC 7517 section 5.
#[derive(Deserialize)]
struct WireSet<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// RFC 7517 section 4, RFC 7518 section 6.3.1. An RSA key; a key of another kind lacks the one or the other.
#[derive(Deserialize)]
struct WireKey {
    kty: String,
    kid: String,
    n: String,
    e: String,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
}

impl KeySet {
    /// Reads a JWK set. Keys that are not for RS256 are not ours to judge, and left out.
    pub(crate) fn read(json: &[u8]) -> Result<Self, NoKeySet> {
        let set: WireSet<'_> = serde_json::from_slice(json)?;
        let keys = set.keys.into_iter().filter_map(|key| read_key(key.get()));
        let keys: HashMap<_, _> = keys.collect();
        if keys.is_empty() { Err(NoKeySet::Empty) } else { Ok(Self(keys)) }
    }
}

fn read_key(json: &str) -> Option<(String, Arc<DecodingKey>)> {
    let key: WireKey = serde_json::from_str(json).ok()?;
    let fits = key.kty == "RSA" && key.alg.is_none_or(|alg| alg == "RS256") && key.purpose.is_none_or(|purpose| purpose == "sig");
    let decoding = fits.then(|| DecodingKey::from_rsa_components(&key.n, &key.e).ok())??;
    Some((key.kid, Arc::new(decoding)))
}

/// What is known of the keys, and of the attempts to know more.
#[derive(Debug, Default)]
pub(crate) struct Known {
    held: Option<Held>,
    /// Fetches that ended, well or badly.
    pub(crate) attempts: u64,
    under_way: bool,
    /// In a row.
    failures: u32,
    retry_at: Option<Instant>,
    /// Of the last fetch for a key id that nobody knew.
    sought_at: Option<Instant>,
}

#[derive(Debug)]
struct Held {
    keys: KeySet,
    fetched_at: Instant,
    fresh_until: Instant,
}

/// What is known of one key.
#[derive(Debug)]
pub(crate) enum Found {
    Fresh(Arc<DecodingKey>),
    /// It may have been taken back since.
    Stale(Arc<DecodingKey>),
    Unknown,
    NoKeys,
}

/// Whether there is a fetch that may help. Who has a key need not wait for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    No,
    /// It is under way.
    Wait,
    /// And begin it.
    Begin,
}

impl Known {
    pub(crate) fn find(&self, id: &str, now: Instant) -> Found {
        let Some(held) = self.held.as_ref().filter(|held| now < held.fetched_at + TOO_OLD) else { return Found::NoKeys };
        match held.keys.0.get(id).map(Arc::clone) {
            Some(key) if now < held.fresh_until => Found::Fresh(key),
            Some(key) => Found::Stale(key),
            None => Found::Unknown,
        }
    }

    /// Whether the last fetch failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.failures > 0
    }

    /// What to do about a key that was found so. Who is told to begin has to see that [`Self::fetched`] is called.
    pub(crate) fn wants(&mut self, found: &Found, now: Instant) -> Fetch {
        if matches!(found, Found::Fresh(_)) {
            return Fetch::No;
        }
        if self.under_way {
            return Fetch::Wait;
        }
        let fresh = self.held.as_ref().is_some_and(|held| now < held.fresh_until);
        let seeks = matches!(found, Found::Unknown) && fresh;
        let too_early = self.retry_at.is_some_and(|at| now < at) || seeks && self.sought_at.is_some_and(|at| now < at + COOL_DOWN);
        if too_early {
            return Fetch::No;
        }
        if seeks {
            self.sought_at = Some(now);
        }
        self.under_way = true;
        Fetch::Begin
    }

    /// A fetch ended: with keys and the time for which they are fresh, or badly.
    pub(crate) fn fetched(&mut self, result: Option<(KeySet, Duration)>, now: Instant) {
        self.attempts += 1;
        self.under_way = false;
        match result {
            Some((keys, fresh_for)) => {
                self.held = Some(Held { keys, fetched_at: now, fresh_until: now + fresh_for.min(TOO_OLD) });
                self.failures = 0;
                self.retry_at = None;
            }
            None => {
                self.retry_at = Some(now + RETRY.saturating_mul(1 << self.failures.min(10)).min(COOL_DOWN));
                self.failures += 1;
                // It has told nobody anything.
                self.sought_at = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const SECOND: Duration = Duration::from_secs(1);

    fn key(id: &str) -> String {
        format!(r#"{{"kty":"RSA","kid":"{id}","n":"AQAB","e":"AQAB","alg":"RS256","use":"sig"}}"#)
    }

    fn set(ids: &[&str]) -> KeySet {
        let keys: Vec<String> = ids.iter().map(|id| key(id)).collect();
        KeySet::read(format!(r#"{{"keys":[{}]}}"#, keys.join(",")).as_bytes()).unwrap()
    }

    /// How a caller with that key id fares at that time: what it finds, and whether it makes for a fetch.
    fn ask(known: &mut Known, id: &str, now: Instant) -> (&'static str, Fetch) {
        let found = known.find(id, now);
        let name = match &found {
            Found::Fresh(_) => "fresh",
            Found::Stale(_) => "stale",
            Found::Unknown => "unknown",
            Found::NoKeys => "none",
        };
        (name, known.wants(&found, now))
    }

    #[test]
    fn of_many_who_want_keys_one_begins() {
        let (mut known, now) = (Known::default(), Instant::now());
        assert_eq!(ask(&mut known, "a", now), ("none", Fetch::Begin));
        for id in ["a", "b", "c"] {
            assert_eq!(ask(&mut known, id, now), ("none", Fetch::Wait));
        }
        known.fetched(Some((set(&["a"]), HOUR)), now);
        assert_eq!(ask(&mut known, "a", now), ("fresh", Fetch::No));
    }

    #[test]
    fn unknown_ids_are_worth_one_fetch_in_half_a_minute() {
        let (mut known, mut now) = (Known::default(), Instant::now());
        ask(&mut known, "a", now);
        known.fetched(Some((set(&["a"]), HOUR)), now);
        let mut fetches = 0;
        // A hundred made-up ids a second for ten minutes.
        for number in 0..60_000 {
            now += Duration::from_millis(10);
            if ask(&mut known, &number.to_string(), now) == ("unknown", Fetch::Begin) {
                fetches += 1;
                known.fetched(Some((set(&["a"]), HOUR)), now);
            }
        }
        assert_eq!(fetches, 20);
        assert_eq!(ask(&mut known, "a", now), ("fresh", Fetch::No));
    }

    #[test]
    fn a_search_that_failed_is_repeated_as_soon_as_any_fetch() {
        let (mut known, now) = (Known::default(), Instant::now());
        ask(&mut known, "a", now);
        known.fetched(Some((set(&["a"]), HOUR)), now);
        assert_eq!(ask(&mut known, "b", now), ("unknown", Fetch::Begin));
        known.fetched(None, now);
        assert!(known.is_failing());
        assert_eq!(ask(&mut known, "b", now), ("unknown", Fetch::No));
        assert_eq!(ask(&mut known, "b", now + RETRY), ("unknown", Fetch::Begin));
        known.fetched(Some((set(&["a"]), HOUR)), now + RETRY);
        assert!(!known.is_failing());
        assert_eq!(ask(&mut known, "b", now + 2 * RETRY), ("unknown", Fetch::No));
    }

    #[test]
    fn keys_are_fetched_again_when_their_time_is_over_and_work_for_a_day_if_that_fails() {
        let (mut known, start) = (Known::default(), Instant::now());
        ask(&mut known, "a", start);
        known.fetched(Some((set(&["a"]), HOUR)), start);
        let mut now = start + HOUR;
        assert_eq!(ask(&mut known, "a", now - SECOND), ("fresh", Fetch::No));
        assert_eq!(ask(&mut known, "a", now), ("stale", Fetch::Begin));
        known.fetched(None, now);
        let mut fetches = 0;
        while now < start + TOO_OLD - SECOND {
            now += SECOND;
            if let ("stale", Fetch::Begin) = ask(&mut known, "a", now) {
                fetches += 1;
                known.fetched(None, now);
            }
            assert_eq!(ask(&mut known, "a", now), ("stale", Fetch::No));
        }
        let hours_without = 23 * 3600 / 30;
        assert!((hours_without - 10..hours_without + 10).contains(&fetches), "{fetches}");
        now = start + TOO_OLD + COOL_DOWN;
        assert_eq!(ask(&mut known, "a", now), ("none", Fetch::Begin));
        known.fetched(Some((set(&["a"]), HOUR)), now);
        assert_eq!(ask(&mut known, "a", now), ("fresh", Fetch::No));
    }

    #[test]
    fn a_first_fetch_that_failed_is_repeated_soon_and_then_less_often() {
        let (mut known, mut now) = (Known::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            assert_eq!(ask(&mut known, "a", now), ("none", Fetch::Begin));
            known.fetched(None, now);
            let failed = now;
            while ask(&mut known, "a", now) == ("none", Fetch::No) {
                now += SECOND;
            }
            pauses.push((now - failed).as_secs());
            known.under_way = false;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    }

    /// Google could add keys of other kinds any day.
    #[test]
    fn keys_of_other_kinds_are_left_out() {
        let others = [
            r#"{"kty":"EC","kid":"ec","crv":"P-256","x":"AA","y":"AA"}"#,
            r#"{"kty":"oct","kid":"oct","k":"AA"}"#,
            r#"{"kty":"RSA","kid":"enc","n":"AQAB","e":"AQAB","use":"enc"}"#,
            r#"{"kty":"RSA","kid":"rs512","n":"AQAB","e":"AQAB","alg":"RS512"}"#,
            r#"{"kty":"RSA","kid":"broken","n":"%","e":"AQAB"}"#,
            r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#,
            "1",
        ];
        let keys = KeySet::read(format!(r#"{{"keys":[{},{}]}}"#, others.join(","), key("a")).as_bytes()).unwrap();
        assert_eq!(keys.0.keys().collect::<Vec<_>>(), ["a"]);
        assert!(matches!(KeySet::read(format!(r#"{{"keys":[{}]}}"#, others.join(",")).as_bytes()), Err(NoKeySet::Empty)));
        for json in ["", "<html>", "{}", r#"{"keys":{}}"#, "[]"] {
            assert!(matches!(KeySet::read(json.as_bytes()), Err(NoKeySet::Json(_))), "{json}");
        }
    }
}
