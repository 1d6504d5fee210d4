//! One entry through the pipeline, as often as it takes.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::entry::Payload;
use super::period::Period;
use crate::ack::Outcome;
use crate::decode::event;
use crate::decode::{Decoded, Decoder, PubsubMessage};
use crate::pipeline::Pipeline;

/// The longest that the pipeline is given at once. Nobody waits for an answer, and a new table may take BigQuery
/// minutes; but what is under way at Ctrl-C has to end.
pub(crate) const ATTEMPT: Duration = Duration::from_secs(30);
/// Between two attempts that BigQuery sent away at once.
const PAUSE: Duration = Duration::from_secs(2);

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Settled(Outcome),
    /// Its time is not asked for, or cannot be told.
    LeftOut(&'static str),
    /// Not for as long as it was tried.
    GivenUp(Outcome),
}

/// What entries go through.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) through: Through,
    pub(crate) period: Period,
    pub(crate) give_up_after: Duration,
    /// Turns true when what is under way shall end.
    pub(crate) hurry: watch::Receiver<bool>,
}

#[derive(Debug, Clone)]
pub(crate) enum Through {
    Pipeline(Arc<Pipeline>),
    /// Nothing is stored.
    Decoder(Arc<Decoder>),
}

impl Way {
    pub(crate) async fn go(mut self, payload: &Payload) -> Verdict {
        let message = payload.message();
        // The time of a dead letter is another, and was asked of BigQuery.
        if !self.period.is_all() && !matches!(payload, Payload::Letter(_)) {
            match event::time_of(&message) {
                Some(time) if self.period.contains(time) => {}
                Some(_) => return Verdict::LeftOut("other_time"),
                None => return Verdict::LeftOut("no_time"),
            }
        }
        match &self.through {
            Through::Decoder(decoder) => Verdict::Settled(would_be(decoder, &message)),
            Through::Pipeline(pipeline) => {
                let pipeline = Arc::clone(pipeline);
                self.store(&pipeline, &message).await
            }
        }
    }

    async fn store(&mut self, pipeline: &Pipeline, message: &PubsubMessage<'_>) -> Verdict {
        let give_up = Instant::now() + self.give_up_after;
        loop {
            let deadline = give_up.min(Instant::now() + ATTEMPT);
            match pipeline.settle(message, Timestamp::now(), deadline).await {
                outcome @ (Outcome::Stored | Outcome::Filtered(_) | Outcome::DeadLetter(_)) => return Verdict::Settled(outcome),
                outcome @ (Outcome::Retry(_) | Outcome::Saturated(_) | Outcome::NotADelivery(_) | Outcome::Unauthorized(_)) => {
                    let next = Instant::now() + PAUSE;
                    if next >= give_up || *self.hurry.borrow() {
                        return Verdict::GivenUp(outcome);
                    }
                    tokio::select! {
                        () = tokio::time::sleep_until(next) => {}
                        _ = self.hurry.wait_for(|hurry| *hurry) => return Verdict::GivenUp(outcome),
                    }
                }
            }
        }
    }
}

fn would_be(decoder: &Decoder, message: &PubsubMessage<'_>) -> Outcome {
    match decoder.decode(message, Timestamp::now()) {
        Decoded::Row(_) => Outcome::Stored,
        Decoded::Filtered(reason) => Outcome::Filtered(reason),
        Decoded::Rejected(unfit) => Outcome::DeadLetter(unfit.reason),
    }
}
