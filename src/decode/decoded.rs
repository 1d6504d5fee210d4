//! The results of decoding a message, and their reasons under the names that metrics and tables use.

use super::event_id::EventId;
use super::row::Row;

/// The result of decoding a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A row to store.
    Row(Row),
    /// Not an event of the pixel. It is counted and acknowledged.
    Filtered(FilterReason),
    /// Can never become a row. It is stored as a dead letter.
    Rejected(Rejected),
}

/// Why an entry is filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterReason {
    /// Cloud CDN made the request, to validate or to fill its cache.
    CdnRequest,
    /// A health check or an uptime check of Google Cloud made the request.
    HealthCheck,
    /// The path is not in PIXEL_PATH.
    Path,
    /// The method is not in PIXEL_METHODS.
    Method,
    /// The status is not in STATUS.
    Status,
    /// An attribute of TABLE_SUFFIX is missing.
    MissingAttribute,
    /// The URL has an opt-out parameter (`dnt`, `gpc`).
    OptedOut,
    /// The URL has no signature, and SIGNATURE_MODE is `require`.
    Unsigned,
    /// The signature is invalid, and SIGNATURE_MODE is `require`.
    BadSignature,
}

/// A message that can never become a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The id of the entry, or of the message if there is no entry.
    pub event_id: EventId,
    pub reason: RejectReason,
    /// A description for people. Contains no value of the URL.
    pub detail: String,
    /// The column that could not be filled.
    pub column: Option<String>,
}

/// Why a message can never become a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The message has no data.
    NoData,
    /// The data is not base64.
    BadBase64,
    /// The data is not the JSON of a log entry.
    BadJson,
    /// The entry has no `httpRequest.requestUrl`.
    NoRequestUrl,
    /// The event's time is out of range: see [`super::time_bounds`].
    TimestampOutOfRange,
    /// A REQUIRED column cannot be filled.
    RequiredColumn,
    /// BigQuery rejected the row with reason `invalid`, or the row is too large for any request.
    Invalid,
}

impl FilterReason {
    /// The label of metrics and of `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CdnRequest => "cdn_request",
            Self::HealthCheck => "health_check",
            Self::Path => "path",
            Self::Method => "method",
            Self::Status => "status",
            Self::MissingAttribute => "missing_attribute",
            Self::OptedOut => "opted_out",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad_signature",
        }
    }
}

impl RejectReason {
    /// All reasons.
    pub const ALL: [Self; 7] =
        [Self::NoData, Self::BadBase64, Self::BadJson, Self::NoRequestUrl, Self::TimestampOutOfRange, Self::RequiredColumn, Self::Invalid];

    /// The label of metrics and of the column `reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoData => "no_data",
            Self::BadBase64 => "bad_base64",
            Self::BadJson => "bad_json",
            Self::NoRequestUrl => "no_request_url",
            Self::TimestampOutOfRange => "timestamp_out_of_range",
            Self::RequiredColumn => "required_column",
            Self::Invalid => "invalid",
        }
    }
}
