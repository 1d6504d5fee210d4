//! Decides which failed requests are sent again, and after which delay.
//!
//! The retries of `insertAll` are in the sink, because its answers are about single rows.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder, Retryable as _};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use super::error::{ApiError, ApiResult};
use super::transport::{TransportError, retry_after};

/// Statuses of transient failures.
const RETRYABLE_STATUSES: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// The same for reasons in the body of a 403: BigQuery's limits per second,
/// <https://cloud.google.com/bigquery/docs/error-messages>.
const RETRYABLE_REASONS: [&str; 1] = ["rateLimitExceeded"];
/// Longest delay that a Retry-After header may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How many times to retry, and the delays between attempts.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    min_delay: Duration,
    factor: f32,
    max_delay: Duration,
    /// `None` retries for ever.
    max_retries: Option<usize>,
}

/// Whether to send a failed request again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    Fail,
    /// Not before this time has passed.
    Retry {
        after: Duration,
    },
}

/// A failed attempt.
#[derive(Debug)]
pub(crate) struct FailedAttempt {
    pub(crate) error: ApiError,
    pub(crate) decision: RetryDecision,
}

impl RetryPolicy {
    /// For callers that repeat the request themselves.
    pub const ONCE: Self = Self { max_retries: Some(0), ..Self::COMMAND };
    /// For a person at a terminal.
    pub const COMMAND: Self =
        Self { min_delay: Duration::from_millis(250), factor: 4.0, max_delay: Duration::from_secs(4), max_retries: Some(3) };
    /// For a service that cannot work without the answer.
    pub const UNTIL_SUCCESS: Self =
        Self { min_delay: Duration::from_millis(200), factor: 2.0, max_delay: Duration::from_millis(12_800), max_retries: None };

    /// For a service that continues with its previous answer.
    pub const REFRESH: Self =
        Self { min_delay: Duration::from_secs(2), factor: 2.0, max_delay: Duration::from_secs(32), max_retries: None };

    /// For the state of a job that runs.
    pub const POLL: Self =
        Self { min_delay: Duration::from_millis(250), factor: 2.0, max_delay: Duration::from_secs(8), max_retries: None };

    /// The delays before the second and each further attempt: exponential, with jitter up to twice as long.
    pub fn delays(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        self.backoff().build()
    }

    fn backoff(&self) -> ExponentialBuilder {
        let backoff = ExponentialBuilder::new().with_jitter().with_factor(self.factor);
        let backoff = backoff.with_min_delay(self.min_delay).with_max_delay(self.max_delay);
        match self.max_retries {
            Some(retries) => backoff.with_max_times(retries),
            None => backoff.without_max_times(),
        }
    }

    /// Repeats `attempt` until it succeeds, fails for good, or has used up its retries. `service` is for the log.
    pub(crate) async fn run<T, F>(&self, service: &'static str, attempt: impl FnMut() -> F) -> ApiResult<T>
    where
        F: Future<Output = Result<T, FailedAttempt>>,
    {
        attempt
            .retry(self.backoff())
            .when(|failed| failed.decision != RetryDecision::Fail)
            .adjust(|failed, delay| delay.map(|delay| delay.max(failed.decision.after())))
            // Without the error: it may contain a table's name, and with it a user id.
            .notify(|_, delay| tracing::info!(service, seconds = delay.as_secs_f64(), "retrying a request"))
            .await
            .map_err(|failed| failed.error)
    }
}

impl RetryDecision {
    /// For an answer of another status than success. `reasons` are those in its body.
    pub(crate) fn of_answer(status: StatusCode, headers: &HeaderMap, reasons: &[String]) -> Self {
        let is_rate_limited = || reasons.iter().any(|reason| RETRYABLE_REASONS.contains(&reason.as_str()));
        let is_retryable = RETRYABLE_STATUSES.contains(&status.as_u16()) || status == StatusCode::FORBIDDEN && is_rate_limited();
        let after = retry_after(headers).unwrap_or_default().min(MAX_RETRY_AFTER);
        if is_retryable { Self::Retry { after } } else { Self::Fail }
    }

    /// For a request without an answer. A lost connection may work the next time, and so may a refused one if the server has
    /// answered before; otherwise the address is wrong. A server that does not answer in time has had its time.
    pub(crate) fn of_transport_error(cause: &TransportError, has_answered: bool) -> Self {
        match cause {
            TransportError::Unreachable(_) => Self::Fail,
            TransportError::Refused(_) if !has_answered => Self::Fail,
            TransportError::Refused(_) | TransportError::ConnectionLost(_) => Self::Retry { after: Duration::ZERO },
        }
    }

    fn after(self) -> Duration {
        match self {
            Self::Fail => Duration::ZERO,
            Self::Retry { after } => after,
        }
    }
}

impl FailedAttempt {
    pub(crate) fn permanent(error: impl Into<ApiError>) -> Self {
        Self { error: error.into(), decision: RetryDecision::Fail }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use reqwest::header::RETRY_AFTER;
    use tokio::time::Instant;

    use super::*;

    fn decision(status: u16, retry_after: Option<&str>, reasons: &[&str]) -> RetryDecision {
        let headers = retry_after.into_iter().map(|value| (RETRY_AFTER, value.parse().unwrap())).collect();
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        RetryDecision::of_answer(StatusCode::from_u16(status).unwrap(), &headers, &reasons)
    }

    fn after(seconds: u64) -> RetryDecision {
        RetryDecision::Retry { after: Duration::from_secs(seconds) }
    }

    fn failed(decision: RetryDecision) -> FailedAttempt {
        FailedAttempt { error: ApiError::Absent("it".to_owned()), decision }
    }

    #[test]
    fn only_listed_statuses_and_reasons_are_retried() {
        for status in RETRYABLE_STATUSES {
            assert_eq!(decision(status, None, &[]), after(0), "{status}");
        }
        for status in [400, 401, 403, 404, 409, 412, 501] {
            assert_eq!(decision(status, Some("1"), &[]), RetryDecision::Fail, "{status}");
        }
        assert_eq!(decision(403, None, &["rateLimitExceeded"]), after(0));
        assert_eq!(decision(403, None, &["quotaExceeded"]), RetryDecision::Fail);
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_minute() {
        for (header, seconds) in [("7", 7), ("3600", 60), ("soon", 0)] {
            assert_eq!(decision(429, Some(header), &[]), after(seconds), "{header}");
        }
    }

    #[test]
    fn delays_grow_with_jitter_to_their_maximum() {
        let delays: Vec<Duration> = RetryPolicy::UNTIL_SUCCESS.delays().take(9).collect();
        for (delay, millis) in delays.iter().zip([200, 400, 800, 1600, 3200, 6400, 12_800, 12_800, 12_800]) {
            assert!((millis..=2 * millis).contains(&delay.as_millis()), "{delays:?}");
        }
        assert_eq!(RetryPolicy::COMMAND.delays().count(), 3);
        assert_eq!(RetryPolicy::ONCE.delays().count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn retries_end_after_the_last_and_at_a_permanent_failure() {
        for (decision, attempts) in [(after(0), 4), (RetryDecision::Fail, 1)] {
            let count = Cell::new(0);
            let result: ApiResult<()> = RetryPolicy::COMMAND
                .run("test", || {
                    count.set(count.get() + 1);
                    std::future::ready(Err(failed(decision)))
                })
                .await;
            assert!(result.is_err());
            assert_eq!(count.get(), attempts);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_for_retry_after() {
        let (started, count) = (Instant::now(), Cell::new(0));
        let result = RetryPolicy::COMMAND.run("test", || {
            count.set(count.get() + 1);
            std::future::ready(if count.get() == 1 { Err(failed(after(30))) } else { Ok(()) })
        });
        result.await.unwrap();
        assert!(started.elapsed() >= Duration::from_secs(30), "{:?}", started.elapsed());
    }
}
