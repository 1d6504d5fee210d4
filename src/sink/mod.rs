//! How rows are stored: gathered into batches, sent with `insertAll`, answered one by one.
//!
//! A sink stores rows and decides nothing: which table a row belongs to and what becomes of one
//! that BigQuery refuses is settled elsewhere. [`batcher`] does not know BigQuery, [`bigquery`]
//! does not know who waits.

pub mod batcher;
pub mod bigquery;
pub mod dead_letter;
pub mod insert_all;
pub mod template;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::decode::{EventId, TableSuffix};

/// A table of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The table, or the template that generated tables copy.
    pub table: Arc<str>,
    /// What the generated table's name adds; empty for the table itself.
    pub suffix: TableSuffix,
}

/// One row of an `insertAll`.
#[derive(Debug, Clone)]
pub struct InsertRow {
    /// Also the `insertId`.
    pub event_id: EventId,
    /// The columns as one JSON object.
    pub json: Bytes,
}

/// What one attempt did with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowResult {
    /// It is in BigQuery.
    Stored,
    /// It never will be.
    Refused(Refusal),
    /// Not yet; another attempt may succeed, though not before that time has passed.
    Again { trouble: ErrorClass, after: Duration },
    /// BigQuery left it out because of a neighbour: it can be sent again at once.
    Stopped,
    /// Not for as long as anybody waits.
    NotNow(ErrorClass),
}

/// Why BigQuery refuses a row for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The column, where BigQuery names one.
    pub column: Option<String>,
    /// BigQuery's words.
    pub detail: String,
    /// The row has a column that the table has not: another schema may help.
    pub no_such_field: bool,
}

/// What keeps BigQuery from taking rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorClass {
    /// Failures that pass: 5xx, resets, timeouts, a table that is being created.
    Unavailable,
    /// Too much is asked of it: rate limits and quotas.
    Quota,
    /// It refuses the service itself: credentials, permissions, billing.
    Denied,
}

impl ErrorClass {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Quota => "quota",
            Self::Denied => "denied",
        }
    }
}
