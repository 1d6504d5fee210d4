//! What became of a delivery, and what Pub/Sub is told: the ack policy, written once.
//!
//! | outcome | when | answer |
//! |---|---|---|
//! | stored | BigQuery took the row | 204, ack |
//! | filtered | path, method, a missing suffix attribute, an opt-out, or no valid signature | 204, ack, counted by reason |
//! | dead letter | can never become a row, and is kept in the dead-letter table | 204, ack |
//! | retry | transient, the dead letter could not be stored, or nothing to check its token with | 503, nack |
//! | saturated | too much in flight, or shutting down | 429, nack |
//! | not a delivery | no Pub/Sub message in the body | 400, nack |
//! | unauthorized | no token, or one that is no good | 401, nack |
//! | unauthorized | a good token of another account | 403, nack |
//!
//! (A body of more than 16 MiB is no delivery either, and answered 413, as HTTP has it.)
//!
//! There is no further case: an acknowledged message is stored, deliberately filtered, or in the
//! dead-letter table. Pub/Sub takes 102, 200, 201, 202 and 204 for an ack and every other status
//! for a nack; 204 is the one that Google's emulator agrees on
//! (<https://cloud.google.com/pubsub/docs/push#receive_push>).

use axum::http::StatusCode;

use crate::decode::{FilterReason, RejectReason};
use crate::sink::ErrorClass;

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// BigQuery took the row.
    Stored,
    /// No event of ours.
    Filtered(FilterReason),
    /// In the dead-letter table.
    DeadLetter(RejectReason),
    /// To be delivered again.
    Retry(RetryReason),
    /// To be delivered again, and sent away before any work was done.
    Saturated(SaturatedReason),
    /// Nothing that Pub/Sub sends.
    NotADelivery,
    /// Nobody who may push, by PUSH_AUTH. The body was not read.
    Unauthorized(UnauthorizedReason),
}

/// Why a delivery is to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryReason {
    /// BigQuery did not take the row for as long as there was time.
    BigQuery(ErrorClass),
    /// The template table was not seen yet, or is not there.
    NoTemplate,
    /// The message can never become a row, and the dead-letter table did not take it.
    DeadLetterNotStored,
    /// No answer in time.
    Deadline,
    /// Google's public keys were never to be had, or not for a day; or they are not to be had now, and the token's is
    /// not among those that are held. It may well be good.
    NoKeys,
    /// A bug. Whatever had been done by then, nothing was acknowledged.
    Panic,
}

/// Why a delivery was sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaturatedReason {
    /// MAX_IN_FLIGHT messages are waiting.
    InFlight,
    /// SIGTERM came.
    ShuttingDown,
}

/// What is wrong with a token. Whoever sent it is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnauthorizedReason {
    /// There is none.
    NoToken,
    /// It is no token, or too long for one, or one of two.
    Malformed,
    /// Its signature is not RS256.
    Algorithm,
    /// Its key is none of Google's.
    UnknownKey,
    /// Its signature is not of that key.
    Signature,
    /// A claim is missing, or of the wrong type.
    Claims,
    Expired,
    NotYetValid,
    Issuer,
    Audience,
    /// It is good, and another account's.
    Account,
}

impl Outcome {
    /// What the push request is answered.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Stored | Self::Filtered(_) | Self::DeadLetter(_) => StatusCode::NO_CONTENT,
            Self::Retry(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Saturated(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotADelivery => StatusCode::BAD_REQUEST,
            Self::Unauthorized(UnauthorizedReason::Account) => StatusCode::FORBIDDEN,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
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
            Self::Unauthorized(_) => "unauthorized",
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
            Self::Unauthorized(reason) => reason.as_str(),
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
            Self::NoKeys => "no_keys",
            Self::Panic => "panic",
        }
    }
}

impl UnauthorizedReason {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Account => "account",
        }
    }
}
