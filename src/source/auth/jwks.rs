//! Fetches Google's public keys: one task asks, everyone else looks at what it got last.
//!
//! A task, so that a caller who goes away does not take the fetch along that others wait for. Only a request makes
//! it fetch, because Cloud Run gives it CPU while there is one and at no other time.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use reqwest::header::{AGE, CACHE_CONTROL, HeaderMap};
use reqwest::redirect::Policy;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::keys::{Fetch, Found, KeySet, Known, NoKeySet};
use crate::telemetry::{Throttle, with_causes};

/// Callers without a key wait for it, and with the default PUSH_DEADLINE have some time left for BigQuery then.
const PATIENCE: Duration = Duration::from_secs(5);
/// Google's set has some 2 KiB.
const LONGEST: usize = 64 << 10;
/// For an answer that does not say.
const FRESH_FOR: Duration = Duration::from_secs(300);
/// However short the answer says; it could say zero, for each and every request.
const FRESH_AT_LEAST: Duration = Duration::from_secs(1);

/// The keys, for everyone who verifies.
#[derive(Debug)]
pub(crate) struct Keys {
    known: Arc<watch::Sender<Known>>,
    wanted: Arc<Notify>,
}

/// Why a key is not to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// Google does not know it either, or did not when it was last asked.
    Unknown,
    /// Google could not be asked. It may be one that was not there before.
    Unavailable,
}

impl Keys {
    /// The key of that id. Waits for a fetch where there is none without, until `deadline` at the latest. A key that
    /// is no longer fresh is as good as one until it is too old: it makes for a fetch, and nobody waits for that one.
    pub(crate) async fn key(&self, id: &str, deadline: Instant) -> Result<Arc<DecodingKey>, NoKey> {
        // Nearly always; and it keeps nobody else from reading.
        if let Found::Fresh(key) = self.known.borrow().find(id, Instant::now()) {
            return Ok(key);
        }
        let mut window = self.known.subscribe();
        let (mut found, mut fetch, mut attempts) = (Found::NoKeys, Fetch::No, 0);
        self.known.send_if_modified(|known| {
            let now = Instant::now();
            found = known.find(id, now);
            fetch = known.wants(&found, now);
            attempts = known.attempts;
            // Nothing that anybody waits for.
            false
        });
        if fetch == Fetch::Begin {
            self.wanted.notify_one();
        }
        if let Found::Fresh(key) | Found::Stale(key) = found {
            return Ok(key);
        }
        let ended = fetch == Fetch::No || timeout_at(deadline, window.wait_for(|known| known.attempts != attempts)).await.is_ok();
        let known = self.known.borrow();
        match known.find(id, Instant::now()) {
            Found::Fresh(key) | Found::Stale(key) => Ok(key),
            Found::Unknown if ended && !known.is_failing() => Err(NoKey::Unknown),
            Found::Unknown | Found::NoKeys => Err(NoKey::Unavailable),
        }
    }
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error("{}", with_causes(.0))]
    Http(reqwest::Error),
    #[error("the answer is {0}")]
    Status(reqwest::StatusCode),
    #[error("the answer has more than 64 KiB")]
    TooLong,
    #[error(transparent)]
    NoKeySet(#[from] NoKeySet),
}

impl From<reqwest::Error> for FetchError {
    /// Without the URL, in which there may be anything.
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.without_url())
    }
}

/// The task that asks Google.
#[derive(Debug)]
pub struct KeyFetcher {
    http: reqwest::Client,
    url: String,
    known: Arc<watch::Sender<Known>>,
    wanted: Arc<Notify>,
    throttle: Throttle,
}

impl KeyFetcher {
    /// The fetcher, and the window through which others see what it got. `url` is PUSH_JWKS_URL.
    pub(crate) fn new(url: String) -> Result<(Self, Keys), reqwest::Error> {
        // As for BigQuery, no proxy and no redirects.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("pixel-pipeline/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let (known, wanted) = (Arc::new(watch::Sender::new(Known::default())), Arc::new(Notify::new()));
        let keys = Keys { known: Arc::clone(&known), wanted: Arc::clone(&wanted) };
        Ok((Self { http, url, known, wanted, throttle: Throttle::new(Duration::from_secs(60)) }, keys))
    }

    /// Fetches whenever somebody wants it, until it is dropped.
    pub async fn run(self) {
        loop {
            self.wanted.notified().await;
            let fetched = match self.fetch().await {
                Ok(fetched) => Some(fetched),
                Err(error) => {
                    if let Some(suppressed) = self.throttle.pass() {
                        tracing::warn!(%error, suppressed, "cannot fetch the keys for Pub/Sub's tokens (PUSH_JWKS_URL)");
                    }
                    None
                }
            };
            self.known.send_modify(|known| known.fetched(fetched, Instant::now()));
        }
    }

    async fn fetch(&self) -> Result<(KeySet, Duration), FetchError> {
        let mut response = self.http.get(&self.url).send().await?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        let fresh_for = fresh_for(response.headers());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LONGEST {
                return Err(FetchError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((KeySet::read(&body)?, fresh_for))
    }
}

/// For how long an answer is fresh: RFC 9111 section 4.2, as far as it concerns a public file.
fn fresh_for(headers: &HeaderMap) -> Duration {
    let text = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let directives = text(CACHE_CONTROL).flat_map(|value| value.split(',')).map(str::trim);
    let max_age = directives.filter_map(|directive| directive.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    let Some(max_age) = max_age.and_then(|(_, seconds)| seconds.trim_matches('"').parse().ok()) else { return FRESH_FOR };
    // Spent in a cache on the way.
    let age = text(AGE).find_map(|value| value.trim().parse().ok()).unwrap_or(0);
    Duration::from_secs(u64::saturating_sub(max_age, age)).max(FRESH_AT_LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_what_the_answer_says_less_its_age() {
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
}
