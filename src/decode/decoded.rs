//! What can become of a message, and the reasons, by the names that metrics and tables give them.

use super::event_id::EventId;
use super::row::Row;

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// To be stored.
    Row(Row),
    /// No event of ours. To be counted and forgotten.
    Filtered(FilterReason),
    /// Can never become a row. To be kept as a dead letter.
    Rejected(Rejected),
}

/// Why an entry is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterReason {
    /// Not one of PIXEL_PATH.
    Path,
    /// Not a GET.
    Method,
    /// It lacks an attribute that TABLE_SUFFIX names.
    MissingAttribute,
    /// Its visitor does not want to be tracked.
    OptedOut,
    /// It has no signature and would need one.
    Unsigned,
    /// It has one that does not hold.
    BadSignature,
}

/// A message that can never become a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Of the entry where there is one, else of the message.
    pub event_id: EventId,
    pub reason: RejectReason,
    /// For a person. Holds no value of the URL.
    pub detail: String,
    /// The column at fault, where there is one.
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
    /// The entry is not one of a request.
    NoRequestUrl,
    /// The event's time is too far away.
    TimestampOutOfRange,
    /// A REQUIRED column cannot be filled.
    RequiredColumn,
    /// BigQuery says that the row is `invalid`.
    Invalid,
}

impl FilterReason {
    /// The label of metrics and of `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Method => "method",
            Self::MissingAttribute => "missing_attribute",
            Self::OptedOut => "opted_out",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad_signature",
        }
    }
}

impl RejectReason {
    /// Each of them.
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
