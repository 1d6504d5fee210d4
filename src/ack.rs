//! What became of a delivery, and what Pub/Sub is told: the ack policy, written once.
//!
//! | outcome | when | answer |
//! |---|---|---|
//! | stored | BigQuery took the row | 204, ack |
//! | filtered | path, method, a missing suffix attribute, an opt-out, or no valid signature | 204, ack, counted by reason |
//! | dead letter | can never become a row, and is kept in the dead-letter table | 204, ack |
//! | retry | transient, the dead letter could not be stored, or nothing to check its token with | 503, nack |
//! | saturated | too much in flight, or shutting down | 429, nack |
//! | not a delivery | no Pub/Sub message in the body, a malformed body, or a client that disconnects | 400, nack |
//! | not a delivery | a body of more than 16 MiB | 413, nack |
//! | unauthorized | no token, or one that is no good | 401, nack |
//! | unauthorized | a good token of another account | 403, nack |
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
    /// Not a push request of Pub/Sub.
    NotADelivery(InvalidRequestReason),
    /// The caller is not authorized to push (PUSH_AUTH). The body was not read.
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

/// Why a request is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvalidRequestReason {
    /// The body does not contain a Pub/Sub message.
    NoMessage,
    /// The body's framing is invalid, such as the length of a chunk.
    MalformedBody,
    /// The body is longer than 16 MiB.
    BodyTooLarge,
    /// The client closed the connection before the end of the body. It does not receive the answer.
    Disconnected,
}

/// Why a token is rejected. The log and the metrics contain the reason, the answer does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnauthorizedReason {
    /// The request has no bearer token.
    NoToken,
    /// The token is not a JSON web token, is longer than 4 KiB, or is one of two.
    Malformed,
    /// The token's algorithm is not RS256.
    Algorithm,
    /// Google has no key of that id.
    UnknownKey,
    /// The signature is invalid.
    Signature,
    /// A claim is missing or has the wrong type.
    Claims,
    /// `exp` has passed.
    Expired,
    /// `iat` or `nbf` is in the future.
    NotYetValid,
    /// `iss` is not Google.
    Issuer,
    /// `aud` is not PUSH_AUDIENCE.
    Audience,
    /// The token is valid, and `email` is not PUSH_SERVICE_ACCOUNT.
    Account,
}

impl Outcome {
    /// What the push request is answered.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Stored | Self::Filtered(_) | Self::DeadLetter(_) => StatusCode::NO_CONTENT,
            Self::Retry(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Saturated(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::NotADelivery(InvalidRequestReason::BodyTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotADelivery(_) => StatusCode::BAD_REQUEST,
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
            Self::NotADelivery(_) => "not_a_delivery",
            Self::Unauthorized(_) => "unauthorized",
        }
    }

    /// The label `reason`; empty where there is only one.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Stored => "",
            Self::NotADelivery(reason) => reason.as_str(),
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

impl InvalidRequestReason {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoMessage => "no_message",
            Self::MalformedBody => "malformed_body",
            Self::BodyTooLarge => "body_too_large",
            Self::Disconnected => "disconnected",
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
