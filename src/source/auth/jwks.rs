//! Fetches Google's public keys: one task fetches, and all requests read its latest result.
//!
//! Written by hand: no maintained crate caches a JWK set in this way (stale keys stay valid while fetches fail, unknown
//! key ids cause a bounded number of fetches, and time can be paused in tests).
//!
//! A task of its own, so that a request that is cancelled does not cancel the fetch that others wait for. Only a request
//! starts a fetch: Cloud Run provides CPU only during requests.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use reqwest::redirect::Policy;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use super::key_cache::{Fetch, Found, KeyCache};
use super::key_set::{KeySet, NoKeySet};
use crate::google::body::{BodyError, read_body};
use crate::telemetry::Throttle;

/// Requests without a key wait for the fetch. The default PUSH_DEADLINE leaves time for BigQuery after it.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Requests that wait for a fetch. They are not authenticated yet, so they must leave most connections to others.
const MAX_WAITING: usize = 1024;
/// Google's set has about 2 KiB.
const MAX_KEY_SET_BYTES: usize = 64 << 10;
/// Of an answer without `max-age`.
const DEFAULT_FRESHNESS: Duration = Duration::from_secs(300);
/// An answer with `max-age=0` would cause a fetch for each request.
const MIN_FRESHNESS: Duration = Duration::from_secs(1);

/// The keys, for verifiers.
#[derive(Debug)]
pub struct Keys {
    cache: Arc<watch::Sender<KeyCache>>,
    requests: Arc<Notify>,
    waiting: Semaphore,
}

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoKey {
    /// The latest key set does not contain it.
    Unknown,
    /// The key set could not be fetched, or too many requests wait for it. The key may be a new one.
    Unavailable,
}

impl Keys {
    /// The key of that id. Waits for a fetch if there is no key, until `deadline` at the latest. A stale key is valid
    /// until it expires: it starts a fetch, and the request does not wait for it.
    pub async fn key(&self, id: &str, deadline: Instant) -> Result<Arc<DecodingKey>, NoKey> {
        // The usual case takes only a read lock.
        if let Found::Fresh(key) = self.cache.borrow().find(id, Instant::now()) {
            return Ok(key);
        }
        let mut window = self.cache.subscribe();
        let (mut found, mut fetch, mut attempts) = (Found::NoKeys, Fetch::No, 0);
        self.cache.send_if_modified(|cache| {
            let now = Instant::now();
            found = cache.find(id, now);
            fetch = cache.plan_fetch(&found, now);
            attempts = cache.attempts;
            // Waiters need no notification.
            false
        });
        if fetch == Fetch::Begin {
            self.requests.notify_one();
        }
        if let Found::Fresh(key) | Found::Stale(key) = found {
            return Ok(key);
        }
        let Ok(_permit) = self.waiting.try_acquire() else { return Err(NoKey::Unavailable) };
        let ended = fetch == Fetch::No || timeout_at(deadline, window.wait_for(|cache| cache.attempts != attempts)).await.is_ok();
        let cache = self.cache.borrow();
        match cache.find(id, Instant::now()) {
            Found::Fresh(key) | Found::Stale(key) => Ok(key),
            Found::Unknown if ended && !cache.is_failing() => Err(NoKey::Unknown),
            Found::Unknown | Found::NoKeys => Err(NoKey::Unavailable),
        }
    }

    /// How many requests wait for a fetch.
    pub fn waiting(&self) -> usize {
        MAX_WAITING - self.waiting.available_permits()
    }
}

/// Why a fetch failed.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    /// Also of a request without a response.
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error("the answer is {0}")]
    Status(reqwest::StatusCode),
    #[error(transparent)]
    NoKeySet(#[from] NoKeySet),
}

/// The task that fetches the keys.
#[derive(Debug)]
pub struct KeyFetcher {
    http: reqwest::Client,
    url: String,
    cache: Arc<watch::Sender<KeyCache>>,
    requests: Arc<Notify>,
    throttle: Throttle,
}

impl KeyFetcher {
    /// The fetcher, and the keys that it provides. `url` is PUSH_JWKS_URL.
    pub fn new(url: String) -> Result<(Self, Keys), reqwest::Error> {
        // No proxy and no redirects, as for BigQuery.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(FETCH_TIMEOUT)
            .user_agent(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let (cache, requests) = (Arc::new(watch::Sender::new(KeyCache::default())), Arc::new(Notify::new()));
        let keys = Keys { cache: Arc::clone(&cache), requests: Arc::clone(&requests), waiting: Semaphore::new(MAX_WAITING) };
        Ok((Self { http, url, cache, requests, throttle: Throttle::new(Duration::from_secs(60)) }, keys))
    }

    /// Fetches on request, until it is dropped.
    pub async fn run(self) {
        loop {
            self.requests.notified().await;
            let fetched = match self.fetch().await {
                Ok(fetched) => Some(fetched),
                Err(error) => {
                    if let Some(suppressed) = self.throttle.pass() {
                        tracing::warn!(%error, suppressed, "cannot fetch the keys for Pub/Sub's tokens (PUSH_JWKS_URL)");
                    }
                    None
                }
            };
            self.cache.send_modify(|cache| cache.fetched(fetched, Instant::now()));
        }
    }

    async fn fetch(&self) -> Result<(KeySet, Duration), FetchError> {
        let response = self.http.get(&self.url).send().await.map_err(BodyError::from)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let fresh_for = fresh_for(response.headers());
        let body = read_body(response, MAX_KEY_SET_BYTES).await?;
        Ok((KeySet::read(&body)?, fresh_for))
    }
}

/// The freshness lifetime of an answer, as in RFC 9111 section 4.2 for a public file.
fn fresh_for(headers: &HeaderMap) -> Duration {
    let text = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let directives = text(CACHE_CONTROL).flat_map(|value| value.split(',')).map(str::trim);
    let max_age = directives.filter_map(|directive| directive.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    let Some(max_age) = max_age.and_then(|(_, seconds)| seconds.trim_matches('"').parse().ok()) else { return DEFAULT_FRESHNESS };
    // Time spent in caches.
    let age = text(AGE).find_map(|value| value.trim().parse().ok()).unwrap_or(0);
    Duration::from_secs(u64::saturating_sub(max_age, age)).max(MIN_FRESHNESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_max_age_minus_age() {
        let headers = |pairs: &[(&'static str, &str)]| {
            pairs.iter().fold(HeaderMap::new(), |mut headers, (name, value)| {
                headers.append(*name, value.parse().unwrap());
                headers
            })
        };
        for (pairs, seconds) in [
            // As Google sends it.
            (&[("cache-control", "public, max-age=22961, must-revalidate, no-transform"), ("age", "961")][..], 22_000),
            (&[("cache-control", "MAX-AGE=60")], 60),
            (&[("cache-control", "no-store"), ("cache-control", "max-age=\"60\"")], 60),
            (&[("cache-control", "max-age=60"), ("age", "61")], 1),
            (&[("cache-control", "max-age=0")], 1),
            (&[("cache-control", "max-age=soon")], 300),
            (&[("cache-control", "max-age=-1")], 300),
            (&[("cache-control", "s-maxage=60, public")], 300),
            (&[], 300),
        ] {
            assert_eq!(fresh_for(&headers(pairs)).as_secs(), seconds, "{pairs:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_waiting_requests_is_bounded() {
        let (_fetcher, keys) = KeyFetcher::new("http://127.0.0.1:9/".to_owned()).unwrap();
        let deadline = Instant::now() + Duration::from_secs(8);
        let results = futures_util::future::join_all((0..2 * MAX_WAITING).map(async |number| {
            let result = keys.key(&number.to_string(), deadline).await;
            (result.err(), Instant::now())
        }));
        let results = results.await;
        assert!(results.iter().all(|(error, _)| *error == Some(NoKey::Unavailable)));
        assert_eq!(results.iter().filter(|(_, ended)| *ended >= deadline).count(), MAX_WAITING);
        assert_eq!(keys.waiting(), 0);
    }
}
