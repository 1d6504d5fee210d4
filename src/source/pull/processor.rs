//! One pulled message: through the pipeline, and then its ack or nack.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

use super::message::PulledMessage;
use crate::ack::{Answer, Outcome, RetryReason, SaturatedReason};
use crate::admission::Admitted;
use crate::pipeline::Pipeline;
use crate::source::http::panic::{self, Panicked};
use crate::source::outcome_log::{LOG_INTERVAL, OutcomeLog};
use crate::source::status::Status;
use crate::telemetry::{Throttle, metrics, with_causes};

/// Minimum time from the arrival of a message to its nack. Without a retry policy, Pub/Sub delivers it again at once.
const MIN_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What all messages in progress share.
#[derive(Debug)]
pub struct Processor {
    pipeline: Pipeline,
    deadline: Duration,
    shutdown: CancellationToken,
    outcome_log: OutcomeLog,
    unconfirmed_throttle: Throttle,
}

/// A message that is answered.
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    /// A hash of its id.
    pub(super) id: u64,
    pub(super) is_confirmed: bool,
}

impl Processor {
    /// `deadline` is the maximum time from the arrival of a message to its outcome. Once `shutdown` is cancelled, the worker
    /// drains.
    pub fn new(pipeline: Pipeline, deadline: Duration, shutdown: CancellationToken) -> Self {
        Self { pipeline, deadline, shutdown, outcome_log: OutcomeLog::new(), unconfirmed_throttle: Throttle::new(LOG_INTERVAL) }
    }

    /// Cancelled when the worker shuts down.
    pub(super) fn shutdown(&self) -> &CancellationToken {
        &self.shutdown
    }

    /// Sends the message through the pipeline, and answers it. `id` is a hash of its id. `admitted` ends with its answer.
    pub(super) async fn process(self: Arc<Self>, message: PulledMessage, id: u64, mut admitted: Admitted) -> Answered {
        let arrival = Instant::now();
        let outcome = match panic::catch(self.outcome(&message, arrival + self.deadline, &mut admitted)).await {
            Ok(outcome) => outcome,
            Err(Panicked) => Outcome::Retry(RetryReason::Panic),
        };
        self.outcome_log.record(outcome, arrival.elapsed(), None);
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
        Answered { outcome, id, is_confirmed }
    }

    /// A row without memory is made again when there is some: a nack would count as a delivery attempt.
    async fn outcome(&self, message: &PulledMessage, deadline: Instant, admitted: &mut Admitted) -> Outcome {
        loop {
            let outcome = self.pipeline.process(&message.message(), Timestamp::now(), deadline, admitted).await;
            let is_full = outcome == Outcome::Saturated(SaturatedReason::InFlightBytes);
            if !is_full || timeout_at(deadline, admitted.wait_for_row()).await.is_err() {
                return outcome;
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
