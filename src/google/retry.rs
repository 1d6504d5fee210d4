//! Answers that would be others a little later, and how long to wait for that.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde_json::Value;

use super::google::Unseen;

/// Before the second and each further attempt, of which there are as many.
const PAUSES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(4)];
/// Nobody at a terminal waits for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) struct Setback {
    pub(crate) error: Unseen,
    /// For what passes by itself: how long it asks to wait, if it does.
    passes_after: Option<Duration>,
}

impl Setback {
    pub(crate) fn lasting(error: Unseen) -> Self {
        Self { error, passes_after: None }
    }

    /// Another attempt is another thing.
    pub(crate) fn passing(error: Unseen) -> Self {
        Self { error, passes_after: Some(Duration::ZERO) }
    }

    /// An answer that is none of success. `body` is its JSON.
    pub(crate) fn answered(error: Unseen, status: StatusCode, headers: &HeaderMap, body: &Value) -> Self {
        // BigQuery's quotas per second come as 403, <https://cloud.google.com/bigquery/docs/error-messages>.
        let is_too_fast = status == StatusCode::FORBIDDEN && body["error"]["errors"][0]["reason"] == "rateLimitExceeded";
        let passes = is_too_fast || matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504);
        let seconds = headers.get(RETRY_AFTER).and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        Self { error, passes_after: passes.then(|| Duration::from_secs(seconds.unwrap_or(0))) }
    }

    /// No answer. A connection that ends is another time another; who is not there, or silent, stays so.
    pub(crate) fn unanswered(error: Unseen, cause: &reqwest::Error) -> Self {
        let passes = !cause.is_connect() && !cause.is_timeout() && !cause.is_builder();
        Self { error, passes_after: passes.then_some(Duration::ZERO) }
    }

    /// How long to wait after that many attempts; `None` if another is no use.
    pub(crate) fn pause(&self, attempts: usize) -> Option<Duration> {
        let pause = PAUSES.get(attempts.checked_sub(1)?)?;
        self.passes_after.map(|asked| asked.min(LONGEST_PAUSE).max(*pause))
    }
}
