//! Stores rows: collects them into batches, sends these with `insertAll`, and returns the outcome of each row.
//!
//! A sink stores rows and makes no decision: `pipeline` decides which table a row goes to and what happens to a
//! refused one. [`batcher`] does not know BigQuery, and [`bigquery`] does not know the callers that wait for a row.

pub mod batcher;
pub mod bigquery;
pub mod dead_letter;
pub mod error;
pub mod insert_all;
pub mod insert_body;
pub mod refusal;
pub mod template;

use std::sync::Arc;

use bytes::Bytes;

use crate::decode::{EventId, TableSuffix};

pub use error::{ErrorClass, RequestError, RowResult};
pub use refusal::Refusal;

/// A table of the dataset.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The table, or the template that generated tables copy.
    pub table: Arc<str>,
    /// The suffix of the generated table's name; empty for the table itself.
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
