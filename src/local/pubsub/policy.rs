//! What a subscription can be told: ack deadline, retry policy, dead-letter policy.

use std::time::Duration;

/// The settings of a push subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Time for an answer. For a push it is also the request's timeout.
    pub ack_deadline: Duration,
    pub retry: RetryPolicy,
    /// Without one, a message is delivered until it is acknowledged.
    pub dead_letter: Option<DeadLetterPolicy>,
}

/// How long one message waits before it is delivered again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    pub minimum: Duration,
    pub maximum: Duration,
}

/// When a message is given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetterPolicy {
    /// 5 to 100.
    pub max_delivery_attempts: u32,
}

impl Default for Policy {
    /// The ack deadline is the deployment's of `commands.txt`. Its retry policy, 10 s to 600 s, is
    /// cut to a tenth: who has just mended something does not want to wait ten minutes.
    fn default() -> Self {
        Self {
            ack_deadline: Duration::from_secs(60),
            retry: RetryPolicy { minimum: Duration::from_secs(1), maximum: Duration::from_secs(60) },
            dead_letter: Some(DeadLetterPolicy { max_delivery_attempts: 100 }),
        }
    }
}

impl RetryPolicy {
    /// What a subscription has that was told nothing.
    pub const IMMEDIATE: Self = Self { minimum: Duration::ZERO, maximum: Duration::ZERO };

    /// The wait after the n-th attempt failed: doubled each time.
    pub(crate) fn delay_after(self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.minimum.saturating_mul(factor).min(self.maximum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_from_minimum_to_maximum() {
        let retry = RetryPolicy { minimum: Duration::from_secs(10), maximum: Duration::from_secs(600) };
        let delays: Vec<u64> = [1, 2, 3, 6, 7, 8, 33, u32::MAX].map(|attempt| retry.delay_after(attempt).as_secs()).to_vec();
        assert_eq!(delays, [10, 20, 40, 320, 600, 600, 600, 600]);
    }
}
