//! Settings of a push subscription: ack deadline, retry policy, dead-letter policy.

use std::time::Duration;

/// The settings of a push subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionPolicy {
    /// Time for an answer; also the timeout of a push request.
    pub ack_deadline: Duration,
    pub retry: DeliveryRetryPolicy,
    /// Without one, a message is delivered until it is acknowledged.
    pub dead_letter: Option<DeadLetterPolicy>,
}

/// The time between two delivery attempts of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryRetryPolicy {
    pub minimum: Duration,
    pub maximum: Duration,
}

/// When a message is dead-lettered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadLetterPolicy {
    /// 5 to 100.
    pub max_delivery_attempts: u32,
}

impl Default for SubscriptionPolicy {
    /// The ack deadline is that of `commands.txt`. The retry policy of 10 s to 600 s is divided by ten, because a developer
    /// who fixes an error should not wait ten minutes.
    fn default() -> Self {
        Self {
            ack_deadline: Duration::from_secs(60),
            retry: DeliveryRetryPolicy { minimum: Duration::from_secs(1), maximum: Duration::from_secs(60) },
            dead_letter: Some(DeadLetterPolicy { max_delivery_attempts: 100 }),
        }
    }
}

impl DeliveryRetryPolicy {
    /// The policy of a subscription without a retry policy.
    pub const IMMEDIATE: Self = Self { minimum: Duration::ZERO, maximum: Duration::ZERO };

    /// The wait after this many failed attempts. It doubles with each attempt.
    pub(crate) fn delay_after(self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        self.minimum.saturating_mul(factor).min(self.maximum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_from_minimum_to_maximum() {
        let retry = DeliveryRetryPolicy { minimum: Duration::from_secs(10), maximum: Duration::from_secs(600) };
        let delays: Vec<u64> = [1, 2, 3, 6, 7, 8, 33, u32::MAX].map(|attempt| retry.delay_after(attempt).as_secs()).to_vec();
        assert_eq!(delays, [10, 20, 40, 320, 600, 600, 600, 600]);
    }
}
