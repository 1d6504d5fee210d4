//! Counts and logs the outcome of each message, pushed or pulled.
//!
//! An invalid push request is logged in [`super::push`], where its error is known.

use std::time::Duration;

use crate::ack::Outcome;
use crate::telemetry::{Throttle, metrics};

/// One log line of each kind per second: during an outage, every message has one.
pub const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// The throttles of the log lines.
#[derive(Debug)]
pub struct OutcomeLog {
    dead_letter: Throttle,
    retry: Throttle,
    unauthorized: Throttle,
}

impl OutcomeLog {
    pub fn new() -> Self {
        let [dead_letter, retry, unauthorized] = std::array::from_fn(|_| Throttle::new(LOG_INTERVAL));
        Self { dead_letter, retry, unauthorized }
    }

    /// Records the outcome of a message that arrived this long ago. `trace` is that of its push request.
    pub fn record(&self, outcome: Outcome, age: Duration, trace: Option<&str>) {
        let (name, reason) = (outcome.as_str(), outcome.reason());
        metrics::record_delivery(name, reason, age);
        match outcome {
            Outcome::Stored | Outcome::Filtered(_) | Outcome::InvalidRequest(_) => {}
            Outcome::DeadLetter(_) => {
                if let Some(suppressed) = self.dead_letter.pass() {
                    tracing::warn!(outcome = name, reason, suppressed, trace, "message stored in the dead-letter table");
                }
            }
            Outcome::Retry(_) | Outcome::Saturated(_) => {
                if let Some(suppressed) = self.retry.pass() {
                    tracing::warn!(outcome = name, reason, suppressed, trace, "message returned to Pub/Sub");
                }
            }
            Outcome::Unauthorized(_) => {
                if let Some(suppressed) = self.unauthorized.pass() {
                    tracing::warn!(outcome = name, reason, suppressed, trace, "unauthorized push request rejected");
                }
            }
        }
    }
}

impl Default for OutcomeLog {
    fn default() -> Self {
        Self::new()
    }
}
