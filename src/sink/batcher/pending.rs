//! A row, and the channel to its submitter.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::RowOutcome;
use crate::sink::InsertRow;
use crate::telemetry::metrics::PendingRow;

/// A row without an outcome. If it is dropped, its submitter gets [`RowOutcome::Unknown`].
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) row: InsertRow,
    pub(super) submitter: Submitter,
}

#[derive(Debug)]
pub(super) struct Submitter {
    pub(super) deadline: Instant,
    /// BigQuery left the row out of an earlier request because of a refused row
    /// ([`RowResult::NotAttempted`](crate::sink::RowResult)). It is sent again only with such rows: among new rows there may
    /// be the next one that BigQuery refuses.
    pub(super) is_not_attempted: bool,
    /// Inserts of the row that failed.
    pub(super) failures: u32,
    reply: oneshot::Sender<RowOutcome>,
    _gauge: PendingRow,
}

impl Pending {
    pub(super) fn new(row: InsertRow, deadline: Instant, reply: oneshot::Sender<RowOutcome>) -> Self {
        Self { row, submitter: Submitter { deadline, is_not_attempted: false, failures: 0, reply, _gauge: PendingRow::new() } }
    }

    pub(super) fn bytes(&self) -> usize {
        self.row.json.len()
    }

    pub(super) fn resolve(self, outcome: RowOutcome) {
        self.submitter.resolve(outcome);
    }
}

impl Submitter {
    /// Whether the submitter has stopped waiting.
    pub(super) fn is_gone(&self) -> bool {
        self.reply.is_closed()
    }

    pub(super) fn resolve(self, outcome: RowOutcome) {
        // Fails if the submitter has stopped waiting.
        let _ = self.reply.send(outcome);
    }
}
