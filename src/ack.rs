//! The outcome of a delivery, and the answer that Pub/Sub gets: the ack policy, written once.
//!
//! | outcome | when | response |
//! |---|---|---|
//! | `stored` | BigQuery stored the row | 204, ack |
//! | `filtered` | path, method, a missing suffix attribute, an opt-out, or no valid signature | 204, ack, counted by reason |
//! | `dead_letter` | can never become a row, and is stored in the dead-letter table | 204, ack |
//! | `retry` | a transient failure, a table that BigQuery takes no rows for, a template table that does not fit the settings, the dead letter could not be stored, or no key to verify the token with | 503, nack |
//! | `saturated` | too many messages, or bytes of messages, in flight; or shutting down | 429, nack |
//! | `invalid_request` | no Pub/Sub message in the body, a malformed body, or a client that disconnects | 400, nack |
//! | `invalid_request` | a body of more than 16 MiB | 413, nack |
//! | `invalid_request` | a push to another path than `/` | 404, nack |
//! | `unauthorized` | no token, or an invalid one | 401, nack |
//! | `unauthorized` | a valid token of another account | 403, nack |
//!
//! These are all cases: an acknowledged message is stored, deliberately filtered, or in the
//! dead-letter table. Pub/Sub takes 102, 200, 201, 202 and 204 for an ack and every other status
//! for a nack; 204 is the one that Google's emulator agrees on
//! (<https://cloud.google.com/pubsub/docs/push#receive_push>). A pulled message gets the [`Answer`] itself.
//!
//! Grammar of the table, which tests read: one row for each outcome and status; the label of the outcome in
//! backquotes, then when, then the status and `ack` or `nack`.

use axum::http::StatusCode;

use crate::decode::{FilterReason, RejectReason};
use crate::sink::error::ErrorClass;

/// The outcome of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// BigQuery stored the row.
    Stored,
    /// Deliberately not stored.
    Filtered(FilterReason),
    /// In the dead-letter table.
    DeadLetter(RejectReason),
    /// Nack: Pub/Sub delivers it again.
    Retry(RetryReason),
    /// Nack of a message that was not sent to BigQuery: the service is at its limit.
    Saturated(SaturatedReason),
    /// Not a push request of Pub/Sub.
    InvalidRequest(InvalidRequestReason),
    /// The caller is not authorized to push (PUSH_AUTH). The body was not read.
    Unauthorized(UnauthorizedReason),
}

/// What Pub/Sub is told about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Pub/Sub forgets the message.
    Ack,
    /// Pub/Sub delivers it again.
    Nack,
}

/// Why Pub/Sub is to deliver the message again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryReason {
    /// BigQuery did not store the row within the deadline.
    BigQuery(ErrorClass),
    /// The schema of the template table is not known yet, or the table does not exist.
    NoTemplate,
    /// The template table has changed and does not fit the settings.
    TemplateMismatch,
    /// The message can never become a row, and the dead letter could not be stored.
    DeadLetterNotStored,
    /// The deadline passed.
    Deadline,
    /// Google's public keys were never fetched, or not for a day; or they cannot be fetched now and the token's key is
    /// not in the cache. The token may be valid.
    NoKeys,
    /// A bug. Nothing was acknowledged.
    Panic,
}

/// Why a delivery was not processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaturatedReason {
    /// MAX_IN_FLIGHT messages are in flight.
    InFlight,
    /// The messages in flight have MAX_IN_FLIGHT_BYTES.
    InFlightBytes,
    /// The service received SIGTERM.
    ShuttingDown,
}

/// Why a request is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InvalidRequestReason {
    /// The path is not `/`.
    WrongPath,
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
    /// Whether the message is acknowledged.
    pub fn answer(self) -> Answer {
        match self {
            Self::Stored | Self::Filtered(_) | Self::DeadLetter(_) => Answer::Ack,
            Self::Retry(_) | Self::Saturated(_) | Self::InvalidRequest(_) | Self::Unauthorized(_) => Answer::Nack,
        }
    }

    /// The HTTP status of the response to the push request.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Stored | Self::Filtered(_) | Self::DeadLetter(_) => StatusCode::NO_CONTENT,
            Self::Retry(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Saturated(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::InvalidRequest(InvalidRequestReason::BodyTooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidRequest(InvalidRequestReason::WrongPath) => StatusCode::NOT_FOUND,
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
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
            Self::InvalidRequest(_) => "invalid_request",
            Self::Unauthorized(_) => "unauthorized",
        }
    }

    /// The label `reason`; empty if the outcome has no reasons.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Stored => "",
            Self::InvalidRequest(reason) => reason.as_str(),
            Self::Filtered(reason) => reason.as_str(),
            Self::DeadLetter(reason) => reason.as_str(),
            Self::Retry(reason) => reason.as_str(),
            Self::Saturated(SaturatedReason::InFlight) => "in_flight",
            Self::Saturated(SaturatedReason::InFlightBytes) => "in_flight_bytes",
            Self::Saturated(SaturatedReason::ShuttingDown) => "shutting_down",
            Self::Unauthorized(reason) => reason.as_str(),
        }
    }
}

impl RetryReason {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BigQuery(class) => class.as_str(),
            Self::NoTemplate => "no_template",
            Self::TemplateMismatch => "template_mismatch",
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
            Self::WrongPath => "wrong_path",
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the table at the top of this file: outcome, status, and whether it is an ack.
    fn documented() -> Vec<(String, u16, bool)> {
        let table = include_str!("ack.rs").lines().filter_map(|line| line.strip_prefix("//! | `")?.strip_suffix(" |"));
        let cells = table.map(|row| row.split(" | ").collect::<Vec<_>>());
        cells
            .map(|cells| {
                let response: Vec<&str> = cells[2].split(", ").collect();
                let outcome = cells[0].strip_suffix('`').unwrap_or_else(|| panic!("no closing backquote: {cells:?}"));
                let status = response[0].parse().unwrap_or_else(|_| panic!("the response of {outcome} starts with no status"));
                (outcome.to_owned(), status, response[1] == "ack")
            })
            .collect()
    }

    fn outcomes() -> Vec<Outcome> {
        vec![
            Outcome::Stored,
            Outcome::Filtered(FilterReason::Path),
            Outcome::DeadLetter(RejectReason::Invalid),
            Outcome::Retry(RetryReason::Deadline),
            Outcome::Saturated(SaturatedReason::InFlight),
            Outcome::InvalidRequest(InvalidRequestReason::NoMessage),
            Outcome::InvalidRequest(InvalidRequestReason::BodyTooLarge),
            Outcome::InvalidRequest(InvalidRequestReason::WrongPath),
            Outcome::Unauthorized(UnauthorizedReason::NoToken),
            Outcome::Unauthorized(UnauthorizedReason::Account),
        ]
    }

    #[test]
    fn the_documented_table_matches_the_policy() {
        let documented = documented();
        for outcome in outcomes() {
            let (name, status) = (outcome.as_str(), outcome.status());
            let row = documented.iter().find(|(outcome, of_row, _)| (outcome.as_str(), *of_row) == (name, status.as_u16()));
            let (_, _, is_ack) = row.unwrap_or_else(|| panic!("the table lacks `{name}` with {status}"));
            assert_eq!(status.is_success(), *is_ack, "{name}");
            assert_eq!(outcome.answer() == Answer::Ack, *is_ack, "{name}");
        }
        assert_eq!(documented.len(), outcomes().len(), "the table has a row that no outcome has: {documented:?}");
    }
}
