//! How rows are stored: collected into batches, sent with `insertAll`, answered one by one.
//!
//! A sink stores rows and makes no decision: `pipeline` decides which table a row goes to and what happens to a
//! refused one. [`batcher`] does not know BigQuery, and [`bigquery`] does not know who waits for a row.

pub mod batcher;
pub mod bigquery;
pub mod dead_letter;
pub mod error;
pub mod insert_all;
pub mod template;

use std::sync::Arc;

use bytes::Bytes;

use crate::decode::{EventId, TableSuffix};

pub use error::{ErrorClass, Refusal, RequestError, RowResult};

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
