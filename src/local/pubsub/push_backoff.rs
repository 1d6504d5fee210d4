//! Push backoff: how long the whole subscription pauses after failed deliveries.
//!
//! Pub/Sub pauses for 100 ms to 60 s, exponentially, after nacks and expired ack deadlines. The pause applies to the
//! subscription, not to a message. It is independent of the retry policy and cannot be disabled
//! (<https://cloud.google.com/pubsub/docs/push#push_backoff>). The formula is not documented. Here, a failure doubles the
//! pause and an acknowledgement halves it. Deliveries that were in flight together and fail together count once;
//! otherwise one round would lead to the longest pause.

use std::time::Duration;

use tokio::time::Instant;

const MIN_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The current pause of a subscription.
#[derive(Debug, Default)]
pub(crate) struct PushBackoff {
    /// Zero without failures.
    pause: Duration,
    began: Option<Instant>,
}

impl PushBackoff {
    /// The end of the current pause, if there is one.
    pub(crate) fn paused_until(&self, now: Instant) -> Option<Instant> {
        Some(self.began? + self.pause).filter(|until| now < *until)
    }

    /// Records an acknowledged delivery.
    pub(crate) fn acked(&mut self) {
        self.pause /= 2;
        if self.pause < MIN_PAUSE {
            self.pause = Duration::ZERO;
        }
    }

    /// Records a delivery that began at `delivered` and failed at `now`.
    pub(crate) fn failed(&mut self, delivered: Instant, now: Instant) {
        if self.began.is_some_and(|began| delivered <= began) {
            return;
        }
        self.pause = (self.pause * 2).clamp(MIN_PAUSE, MAX_PAUSE);
        self.began = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn each_round_of_failures_doubles_the_pause_up_to_60_s() {
        let mut backoff = PushBackoff::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let delivered = now;
            now += MS;
            // A full window of failures.
            (0..50).for_each(|_| backoff.failed(delivered, now));
            let until = backoff.paused_until(now).expect("there is a pause");
            pauses.push((until - now).as_millis());
            now = until;
            assert_eq!(backoff.paused_until(now), None, "the pause ends");
        }
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
    }

    #[test]
    fn acknowledgements_shorten_the_pause() {
        let mut backoff = PushBackoff::default();
        let now = Instant::now();
        backoff.failed(now, now + MS);
        backoff.failed(now + 200 * MS, now + 201 * MS);
        assert_eq!(backoff.paused_until(now + 201 * MS), Some(now + 401 * MS));
        backoff.acked();
        assert_eq!(backoff.paused_until(now + 201 * MS), Some(now + 301 * MS));
        backoff.acked();
        assert_eq!(backoff.paused_until(now + 201 * MS), None);
    }
}
