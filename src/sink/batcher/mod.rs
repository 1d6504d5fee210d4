//! Collects rows into batches, one table at a time, and sends these to a [`Sink`].
//!
//! A row whose table has no insert in flight is sent at once, so an idle service adds no latency. A row that finds inserts
//! of its table in flight lingers: it waits for a short time and is sent with the rows that came meanwhile. The wait grows
//! with the number of inserts in flight, so batches grow under load, and no row waits for a whole insert.
//!
//! One task owns all rows. The caller of [`Batcher::store`] waits at the other end of a oneshot channel for the outcome of
//! its row. The number of rows here is bounded by MAX_IN_FLIGHT, which `source` enforces.
//!
//! | file | contents |
//! |---|---|
//! | `table` | the rows and the state of one table |
//! | `linger` | how long a row waits for others |
//! | `schedule` | which table sends next, and when |
//! | `pending` | a row and its submitter |
//! | `task` | runs the schedule: the clock, the channels and the inserts |
//!
//! `table`, `linger` and `schedule` have no clock and no I/O: they are told what happened and when.

mod linger;
mod pending;
mod schedule;
mod table;
mod task;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use self::pending::Pending;
use super::{Destination, ErrorClass, InsertRow, Refusal, RowResult};
use crate::config::Values;
use crate::config::settings::{BATCH_MAX_BYTES, BATCH_MAX_INSERTS, BATCH_MAX_LINGER, BATCH_MAX_ROWS};

pub use self::task::BatcherTask;

/// The destination of batches.
pub trait Sink: Send + Sync + 'static {
    /// Tries once to store `rows`, until `deadline`. Returns one result for each row, in order.
    fn store(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> impl Future<Output = Vec<RowResult>> + Send;
}

/// Maximum size of a batch, number of inserts in flight, and wait of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// BATCH_MAX_ROWS.
    pub rows: usize,
    /// BATCH_MAX_BYTES. A single row may exceed it.
    pub bytes: usize,
    /// BATCH_MAX_INSERTS.
    pub inserts: usize,
    /// BATCH_MAX_LINGER.
    pub linger: Duration,
}

impl Limits {
    pub fn new(values: &Values) -> Self {
        Self {
            rows: values.number(&BATCH_MAX_ROWS),
            bytes: values.number(&BATCH_MAX_BYTES),
            inserts: values.number(&BATCH_MAX_INSERTS),
            linger: values.duration(&BATCH_MAX_LINGER),
        }
    }
}

/// The outcome of a row, after all attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// BigQuery stored it.
    Stored,
    /// Permanent: BigQuery will never take it.
    Refused(Refusal),
    /// Probably not stored, and the deadline is too near for another attempt.
    NotStored(ErrorClass),
    /// A bug ended the attempt: the row may or may not be stored.
    Unknown,
}

/// Submits rows. The task ends when the last of these is dropped and every row has its outcome.
#[derive(Debug, Clone)]
pub struct Batcher {
    submissions: mpsc::UnboundedSender<(Destination, Pending)>,
}

impl Batcher {
    /// The two ends: one to submit rows to, one to [`run`](BatcherTask::run).
    pub fn new<S: Sink>(sink: Arc<S>, limits: Limits) -> (Self, BatcherTask<S>) {
        // Unbounded: every submitter waits for the outcome of its row, and the number of submitters is bounded.
        let (submissions, incoming) = mpsc::unbounded_channel();
        (Self { submissions }, BatcherTask::new(sink, limits, incoming))
    }

    /// Stores one row. `None` if the outcome is not known at `deadline`.
    pub async fn store(&self, destination: Destination, row: InsertRow, deadline: Instant) -> Option<RowOutcome> {
        let (reply, outcome) = oneshot::channel();
        if self.submissions.send((destination, Pending::new(row, deadline, reply))).is_err() {
            return Some(RowOutcome::Unknown);
        }
        let outcome = tokio::time::timeout_at(deadline, outcome).await.ok()?;
        Some(outcome.unwrap_or(RowOutcome::Unknown))
    }
}

#[cfg(test)]
mod tests;
