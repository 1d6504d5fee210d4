//! The results of a row and of an `insertAll` request.
//!
//! It imports nothing of the sink but [`Refusal`], so that `ack` and `telemetry` can be read without the sink.

use std::time::Duration;

use super::refusal::Refusal;

/// The result of one attempt for one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowResult {
    /// BigQuery stored it.
    Stored,
    /// Permanent: BigQuery will never take this row.
    Refused(Refusal),
    /// Transient: another attempt may succeed, no sooner than `after`.
    Retry { class: ErrorClass, after: Duration },
    /// BigQuery left the row out because another row of the request was refused. It can be sent again at once.
    NotAttempted,
    /// A failure that outlasts every delivery: do not try again within this one.
    Unavailable(ErrorClass),
}

/// The failure of a whole `insertAll` request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// Transient: the same rows can be sent again, no sooner than `after`.
    Retry { class: ErrorClass, after: Duration },
    /// The access token was not accepted.
    Unauthorized,
    /// The table or its template does not exist (yet).
    NotFound,
    /// A failure that outlasts every delivery.
    Unavailable(ErrorClass),
    /// The status of a success, and not BigQuery's answer to an insertAll. The rows may or may not be stored.
    Unreadable(&'static str),
    /// BigQuery refuses the whole request because of one of its rows, or because of the table. The text is its message.
    BadRequest(String),
    /// The request is too large. The text is BigQuery's message; without it, a proxy may have refused the request.
    TooLarge(Option<String>),
}

impl RequestError {
    /// It is unknown whether the rows were stored, or BigQuery is unavailable for a moment.
    pub const TRANSIENT: Self = Self::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO };

    /// The label `failure` of metrics and logs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Retry { class, .. } | Self::Unavailable(class) => class.as_str(),
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::Unreadable(_) => ErrorClass::Unreadable.as_str(),
            Self::BadRequest(_) => "bad_request",
            Self::TooLarge(_) => "too_large",
        }
    }
}

/// Why BigQuery does not take rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// Transient failures: 5xx, connection resets, timeouts, a table that is being created.
    Unavailable,
    /// Rate limits and quotas.
    Quota,
    /// The service itself is refused: credentials, permissions, billing.
    Denied,
    /// BigQuery refuses every request for the table: its type, its schema or a setting is wrong.
    TableRefused,
    /// An answer with the status of a success that is not BigQuery's.
    Unreadable,
}

impl ErrorClass {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Quota => "quota",
            Self::Denied => "denied",
            Self::TableRefused => "table_refused",
            Self::Unreadable => "unreadable",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Alerts and dashboards use them.
    #[test]
    fn each_failure_has_its_own_label() {
        let after = Duration::ZERO;
        let classes = [ErrorClass::Unavailable, ErrorClass::Quota, ErrorClass::Denied, ErrorClass::TableRefused, ErrorClass::Unreadable];
        let labels = classes.map(ErrorClass::as_str);
        assert_eq!(labels, ["unavailable", "quota", "denied", "table_refused", "unreadable"]);
        for class in classes {
            assert_eq!(RequestError::Retry { class, after }.as_str(), class.as_str());
            assert_eq!(RequestError::Unavailable(class).as_str(), class.as_str());
        }
        let others = [
            RequestError::Unauthorized,
            RequestError::NotFound,
            RequestError::BadRequest(String::new()),
            RequestError::TooLarge(None),
            RequestError::Unreadable(""),
        ];
        let others: BTreeSet<&str> = others.iter().map(RequestError::as_str).collect();
        assert_eq!(others, BTreeSet::from(["unauthorized", "not_found", "bad_request", "too_large", "unreadable"]));
    }
}
