//! The CDN in front of the bucket: answers from the cache after the first request.
//!
//! The cache key of a backend bucket is the path, without protocol, host and query
//! (<https://cloud.google.com/cdn/docs/caching#cache-keys>; query parameters of Cloud Storage are not supported here).
//! A stale entry is served, too, and validated afterwards (`serve-while-stale`), by a request of the CDN's own, which is
//! logged as well (<https://cloud.google.com/cdn/docs/serving-stale-content>). A deployed pixel is stale after a day, and
//! here after a minute, so that such requests occur.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::AGE;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use tokio::time::Instant;

/// The age after which an entry is stale.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(60);

/// One CDN location, with one cache.
#[derive(Debug)]
pub(crate) struct Cdn {
    max_age: Duration,
    /// When each path was stored or validated.
    filled: Mutex<HashMap<String, Instant>>,
}

/// How the cache treated a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheResult {
    /// Not looked up: only `GET` and `HEAD` can be answered from the cache.
    Bypassed,
    /// Not in the cache, and not stored.
    Missed,
    /// Not in the cache, and stored.
    Filled,
    /// Answered from the cache.
    Hit,
    /// Answered from the cache, and validated after that.
    StaleHit,
}

impl CacheResult {
    pub(crate) fn is_hit(self) -> bool {
        matches!(self, Self::Hit | Self::StaleHit)
    }
}

impl Cdn {
    pub(crate) fn new(max_age: Duration) -> Self {
        Self { max_age, filled: Mutex::default() }
    }

    /// Looks up the path. On a hit the answer gets an `Age`; it is otherwise equal to the bucket's.
    pub(crate) fn process<B>(&self, method: &Method, path: &str, answer: &mut Response<B>, now: Instant) -> CacheResult {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return CacheResult::Bypassed;
        }
        // Negative caching is off by default.
        if !matches!(answer.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
            return CacheResult::Missed;
        }
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        match filled.get_mut(path) {
            Some(since) => {
                let age = now.duration_since(*since);
                answer.headers_mut().insert(AGE, HeaderValue::from(age.as_secs()));
                if age < self.max_age {
                    return CacheResult::Hit;
                }
                *since = now;
                CacheResult::StaleHit
            }
            None if *method == Method::GET => {
                filled.insert(path.to_owned(), now);
                CacheResult::Filled
            }
            None => CacheResult::Missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Response<()> {
        Response::builder().status(status).body(()).unwrap()
    }

    #[test]
    fn the_first_get_fills_the_cache() {
        let (cdn, now) = (Cdn::new(MAX_AGE), Instant::now());
        let pass = |method, path, status, after: u64| {
            let mut answer = answer(status);
            let cache = cdn.process(&method, path, &mut answer, now + Duration::from_secs(after));
            (cache, answer.headers().get(AGE).map(|age| age.to_str().unwrap().to_owned()))
        };
        assert_eq!(pass(Method::HEAD, "/p", 200, 0), (CacheResult::Missed, None), "a HEAD has no body to store");
        assert_eq!(pass(Method::GET, "/p", 200, 0), (CacheResult::Filled, None));
        assert_eq!(pass(Method::GET, "/p", 200, 7), (CacheResult::Hit, Some("7".to_owned())));
        assert_eq!(pass(Method::HEAD, "/p", 304, 9), (CacheResult::Hit, Some("9".to_owned())));
        assert_eq!(pass(Method::POST, "/p", 405, 9), (CacheResult::Bypassed, None));
        assert_eq!(pass(Method::GET, "/p", 200, 59), (CacheResult::Hit, Some("59".to_owned())));
        assert_eq!(pass(Method::GET, "/p", 200, 60), (CacheResult::StaleHit, Some("60".to_owned())));
        assert_eq!(pass(Method::GET, "/p", 200, 61), (CacheResult::Hit, Some("1".to_owned())), "validated");
        for _ in 0..2 {
            assert_eq!(pass(Method::GET, "/favicon.ico", 404, 9), (CacheResult::Missed, None));
        }
    }
}
