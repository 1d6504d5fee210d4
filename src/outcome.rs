//! What became of a delivery, and what Pub/Sub is told: the ack policy, written once.
//!
//! | outcome | when | answer |
//! |---|---|---|
//! | stored | BigQuery took the row | 204, ack |
//! | filtered | path, method, a missing suffix attribute, an opt-out, or no valid signature | 204, ack, counted by reason |
//! | dead letter | can never become a row, and is kept in the dead-letter table | 204, ack |
//! | retry | transient, or the dead letter could not be stored | 503, nack |
//! | saturated | too much in flight, or shutting down | 429, nack |
//! | not a delivery | no Pub/Sub message in the body | 400, nack |
//!
//! (A body of more than 16 MiB is no delivery either, and answered 413, as HTTP has it.)
//!
//! There is no further case: an acknowledged message is stored, deliberately filtered, or in the
//! dead-letter table. Pub/Sub takes 102, 200, 201, 202 and 204 for an ack and every other status
//! for a nack; 204 is the one that Google's emulator agrees on
//! (<https://cloud.google.com/pubsub/docs/push#receive_push>).

use axum::http::StatusCode;

use crate::decode::{FilterReason, UnfitReason};
use crate::sink::Trouble;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// BigQuery took the row.
    Stored,
    /// No event of ours.
    Filtered(FilterReason),
    /// In the dead-letter table.
    DeadLetter(UnfitReason),
    /// To be delivered again.
    Retry(RetryReason),
    /// To be delivered again, and sent away before any work was done.
    Saturated(SaturatedReason),
    /// Nothing that Pub/Sub sends.
    NotADelivery,
}

/// Why a delivery is to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryReason {
    /// BigQuery did not take the row for as long as there was time.
    BigQuery(Trouble),
    /// The template table was not seen yet, or is not there.
    NoTemplate,
    /// The message can never become a row, and the dead-letter table did not take it.
    DeadLetterNotStored,
    /// No answer in time.
    Deadline,
}

/// Why a delivery was sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaturatedReason {
    /// MAX_IN_FLIGHT messages are waiting.
    InFlight,
    /// SIGTERM came.
    ShuttingDown,
}

impl Outcome {
    /// What the push request is answered.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Stored | Self::Filtered(_) | Self::DeadLetter(_) => StatusCode::NO_CONTENT,
            Self::Retry(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Saturated(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotADelivery => StatusCode::BAD_REQUEST,
        }
    }

    /// The label `outcome` of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Filtered(_) => "filtered",
            Self::DeadLetter(_) => "dead_letter",
            Self::Retry(_) => "retry",
            Self::Saturated(_) => "saturated",
            Self::NotADelivery => "not_a_delivery",
        }
    }

    /// The label `reason`; empty where there is only one.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Stored | Self::NotADelivery => "",
            Self::Filtered(reason) => reason.as_str(),
            Self::DeadLetter(reason) => reason.as_str(),
            Self::Retry(reason) => reason.as_str(),
            Self::Saturated(SaturatedReason::InFlight) => "in_flight",
            Self::Saturated(SaturatedReason::ShuttingDown) => "shutting_down",
        }
    }
}

impl RetryReason {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BigQuery(trouble) => trouble.as_str(),
            Self::NoTemplate => "no_template",
            Self::DeadLetterNotStored => "dead_letter_not_stored",
            Self::Deadline => "deadline",
        }
    }
}
