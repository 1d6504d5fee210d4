//! The CDN in front of the bucket: what is answered from the cache from the second request on.
//!
//! The key of a backend bucket's cache is the path alone: neither protocol, nor host, nor query
//! (<https://cloud.google.com/cdn/docs/caching#cache-keys>; the few parameters that Cloud Storage
//! itself reads are left out here). Nothing leaves the cache, which lives as long as the process;
//! the service's would ask the bucket again after an hour.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::http::header::AGE;
use axum::http::{HeaderValue, Method, Response, StatusCode};
use tokio::time::Instant;

/// One place of the CDN, with one cache.
#[derive(Debug, Default)]
pub(crate) struct Cdn {
    filled: Mutex<HashMap<String, Instant>>,
}

/// What the cache had to do with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheResult {
    /// It was not asked: only `GET` and `HEAD` can be answered from it.
    Bypassed,
    /// It had nothing, and took nothing.
    Missed,
    /// It had nothing, and keeps the answer from now on.
    Filled,
    /// It had the answer.
    Hit,
}

impl Cdn {
    /// Takes the bucket's answer on its way to the visitor, or gives its own, which differs from
    /// it by `Age` only.
    pub(crate) fn process<B>(&self, method: &Method, path: &str, answer: &mut Response<B>, now: Instant) -> CacheResult {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return CacheResult::Bypassed;
        }
        // Negative caching is off unless it is asked for.
        if !matches!(answer.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
            return CacheResult::Missed;
        }
        let mut filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        match filled.get(path) {
            Some(since) => {
                answer.headers_mut().insert(AGE, HeaderValue::from(now.duration_since(*since).as_secs()));
                CacheResult::Hit
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
    use std::time::Duration;

    use super::*;

    fn answer(status: u16) -> Response<()> {
        Response::builder().status(status).body(()).unwrap()
    }

    #[test]
    fn a_get_fills_the_cache_for_everyone_after_it() {
        let (cdn, now) = (Cdn::default(), Instant::now());
        let pass = |method, path, status, after: u64| {
            let mut answer = answer(status);
            let cache = cdn.process(&method, path, &mut answer, now + Duration::from_secs(after));
            (cache, answer.headers().get(AGE).map(|age| age.to_str().unwrap().to_owned()))
        };
        assert_eq!(pass(Method::HEAD, "/p", 200, 0), (CacheResult::Missed, None), "there is no body to keep");
        assert_eq!(pass(Method::GET, "/p", 200, 0), (CacheResult::Filled, None));
        assert_eq!(pass(Method::GET, "/p", 200, 7), (CacheResult::Hit, Some("7".to_owned())));
        assert_eq!(pass(Method::HEAD, "/p", 304, 9), (CacheResult::Hit, Some("9".to_owned())));
        assert_eq!(pass(Method::POST, "/p", 405, 9), (CacheResult::Bypassed, None));
        for _ in 0..2 {
            assert_eq!(pass(Method::GET, "/favicon.ico", 404, 9), (CacheResult::Missed, None));
        }
    }
}
