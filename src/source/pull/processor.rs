//! One pulled message: through the pipeline, and then its ack or nack.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::message::PulledMessage;
use crate::ack::{Answer, Outcome, RetryReason};
use crate::pipeline::Pipeline;
use crate::source::http::panic::{self, Panicked};
use crate::source::status::Status;
use crate::telemetry::{Throttle, metrics, with_causes};

/// Minimum time from the arrival of a message to its nack. Without a retry policy, Pub/Sub delivers it again at once.
const MIN_RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// One log line of each kind per second.
const LOG_INTERVAL: Duration = Duration::from_secs(1);

/// What all messages in progress share.
#[derive(Debug)]
pub struct Processor {
    pipeline: Pipeline,
    deadline: Duration,
    shutdown: CancellationToken,
    dead_letter_throttle: Throttle,
    retry_throttle: Throttle,
    unconfirmed_throttle: Throttle,
}

/// A message that is answered.
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    pub(super) size: usize,
    /// A hash of its id.
    pub(super) id: u64,
    pub(super) is_confirmed: bool,
}

impl Processor {
    /// `deadline` is the maximum time from the arrival of a message to its outcome. Once `shutdown` is cancelled, the worker
    /// drains.
    pub fn new(pipeline: Pipeline, deadline: Duration, shutdown: CancellationToken) -> Self {
        let [dead_letter_throttle, retry_throttle, unconfirmed_throttle] = std::array::from_fn(|_| Throttle::new(LOG_INTERVAL));
        Self { pipeline, deadline, shutdown, dead_letter_throttle, retry_throttle, unconfirmed_throttle }
    }

    /// Cancelled when the worker shuts down.
    pub(super) fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Sends the message through the pipeline, and answers it. `id` is a hash of its id.
    pub(super) async fn process(self: Arc<Self>, message: PulledMessage, id: u64) -> Answered {
        let (arrival, size) = (Instant::now(), message.size());
        let processing = async { self.pipeline.process(&message.message(), Timestamp::now(), arrival + self.deadline).await };
        let outcome = match panic::catch(processing).await {
            Ok(outcome) => outcome,
            Err(Panicked) => Outcome::Retry(RetryReason::Panic),
        };
        self.record(outcome, arrival);
        let lease = message.into_lease();
        let is_confirmed = match outcome.answer() {
            Answer::Ack => match lease.ack().await {
                Ok(()) => true,
                Err(error) => {
                    if let Some(suppressed) = self.unconfirmed_throttle.pass() {
                        let error = with_causes(&error);
                        tracing::warn!(error, suppressed, "message stored, but Pub/Sub did not confirm its acknowledgement");
                    }
                    false
                }
            },
            Answer::Nack => {
                tokio::select! {
                    () = sleep_until(arrival + MIN_RETRY_INTERVAL) => {}
                    () = self.shutdown.cancelled() => {}
                }
                lease.nack();
                true
            }
        };
        Answered { outcome, size, id, is_confirmed }
    }

    fn record(&self, outcome: Outcome, arrival: Instant) {
        let (name, reason) = (outcome.as_str(), outcome.reason());
        metrics::record_delivery(name, reason, arrival.elapsed());
        match outcome {
            Outcome::Stored | Outcome::Filtered(_) => {}
            Outcome::DeadLetter(_) => {
                if let Some(suppressed) = self.dead_letter_throttle.pass() {
                    tracing::warn!(outcome = name, reason, suppressed, "message stored in the dead-letter table");
                }
            }
            Outcome::Retry(_) | Outcome::Saturated(_) | Outcome::InvalidRequest(_) | Outcome::Unauthorized(_) => {
                if let Some(suppressed) = self.retry_throttle.pass() {
                    tracing::warn!(outcome = name, reason, suppressed, "message returned to Pub/Sub");
                }
            }
        }
    }
}

impl Status for Processor {
    fn is_ready(&self) -> bool {
        self.pipeline.is_ready()
    }

    /// The worker sets the others whenever they change.
    fn set_gauges(&self) {
        metrics::set_tables(self.pipeline.tables());
    }
}
