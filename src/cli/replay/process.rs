//! One entry through the pipeline, with retries.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::outcome::EntryOutcome;
use super::period::Period;
use crate::ack::Outcome;
use crate::admission::Admitted;
use crate::decode::{Decoded, Decoder, PubsubMessage};
use crate::pipeline::Pipeline;

/// Maximum time of one attempt. BigQuery may take minutes to make a new table, but a shutdown must not wait for that.
pub(crate) const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Delay between two attempts, after an error that the pipeline does not retry itself.
const RETRY_DELAY: Duration = Duration::from_secs(2);

/// How entries are processed.
#[derive(Debug)]
pub(crate) struct ReplayContext {
    pub(crate) mode: ReplayMode,
    /// Entries outside of it are skipped.
    pub(crate) period: Period,
    pub(crate) give_up_after: Duration,
    /// Once cancelled, no entry is tried again.
    pub(crate) shutdown: CancellationToken,
}

#[derive(Debug)]
pub(crate) enum ReplayMode {
    /// Store rows.
    Store(Pipeline),
    /// Decode, and store nothing.
    DryRun(Decoder),
}

impl ReplayContext {
    pub(crate) async fn process(&self, message: &PubsubMessage<'_>) -> EntryOutcome {
        if let Some(reason) = self.period.skip_reason(message) {
            return EntryOutcome::Skipped(reason);
        }
        match &self.mode {
            ReplayMode::DryRun(decoder) => EntryOutcome::Processed(decoded_outcome(decoder, message)),
            ReplayMode::Store(pipeline) => self.store(pipeline, message).await,
        }
    }

    async fn store(&self, pipeline: &Pipeline, message: &PubsubMessage<'_>) -> EntryOutcome {
        let give_up = Instant::now() + self.give_up_after;
        loop {
            let deadline = give_up.min(Instant::now() + ATTEMPT_TIMEOUT);
            match pipeline.process(message, Timestamp::now(), deadline, &mut Admitted::unlimited()).await {
                outcome @ (Outcome::Stored | Outcome::Filtered(_) | Outcome::DeadLetter(_)) => return EntryOutcome::Processed(outcome),
                outcome @ (Outcome::Retry(_) | Outcome::Saturated(_) | Outcome::InvalidRequest(_) | Outcome::Unauthorized(_)) => {
                    let next = Instant::now() + RETRY_DELAY;
                    if next >= give_up || self.shutdown.is_cancelled() {
                        return EntryOutcome::Failed(outcome);
                    }
                    tokio::select! {
                        () = tokio::time::sleep_until(next) => {}
                        () = self.shutdown.cancelled() => return EntryOutcome::Failed(outcome),
                    }
                }
            }
        }
    }
}

/// The outcome in the service, if BigQuery stores the row.
fn decoded_outcome(decoder: &Decoder, message: &PubsubMessage<'_>) -> Outcome {
    match decoder.decode(message, Timestamp::now()) {
        Decoded::Row(_) => Outcome::Stored,
        Decoded::Filtered(reason) => Outcome::Filtered(reason),
        Decoded::Rejected(rejected) => Outcome::DeadLetter(rejected.reason),
    }
}
