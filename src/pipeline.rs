//! What happens to one message between its arrival and its answer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::ack::{Outcome, RetryReason};
use crate::decode::{Decoded, PubsubMessage, RejectReason, Rejected, Row, TableSuffix};
use crate::sink::batcher::{Batcher, Settled};
use crate::sink::template::Template;
use crate::sink::{Destination, InsertRow, Refusal, dead_letter};
use crate::table_limit::{OverflowCause, Placement, TableLimiter};
use crate::telemetry::Throttle;
use crate::telemetry::metrics;

/// Decodes messages and sees them stored.
#[derive(Debug)]
pub struct Pipeline {
    template: Template,
    batcher: Batcher,
    new_tables: Mutex<TableLimiter>,
    table: Arc<str>,
    dead_letter_table: Arc<str>,
    overflow_throttle: Throttle,
    keeps_dead_letters: bool,
}

impl Pipeline {
    /// `table` and `dead_letter_table` are TABLE_NAME and DEAD_LETTER_TABLE.
    pub fn new(template: Template, batcher: Batcher, new_tables: TableLimiter, table: Arc<str>, dead_letter_table: Arc<str>) -> Self {
        let new_tables = Mutex::new(new_tables);
        let overflow_throttle = Throttle::new(Duration::from_secs(60));
        Self { template, batcher, new_tables, table, dead_letter_table, overflow_throttle, keeps_dead_letters: true }
    }

    /// Writes nothing to the dead-letter table: for messages that are kept elsewhere already.
    pub fn without_dead_letters(self) -> Self {
        Self { keeps_dead_letters: false, ..self }
    }

    /// Whether the template table has been seen.
    pub fn is_ready(&self) -> bool {
        self.template.is_ready()
    }

    /// How many tables rows were sent to, as far as that is remembered.
    pub fn tables(&self) -> usize {
        self.new_tables().count()
    }

    /// Settles one message that arrived at `now`, in any case by `deadline`.
    pub async fn settle(&self, message: &PubsubMessage<'_>, now: Timestamp, deadline: Instant) -> Outcome {
        let Some(mut decoder) = self.template.decoder(deadline).await else {
            return Outcome::Retry(RetryReason::NoTemplate);
        };
        let mut refused_before: Option<(Row, Refusal)> = None;
        loop {
            let row = match decoder.decode(message, now) {
                Decoded::Row(row) => row,
                Decoded::Filtered(reason) => return Outcome::Filtered(reason),
                Decoded::Rejected(unfit) => return self.bury(message, &unfit, now, deadline).await,
            };
            match refused_before {
                // The template has that column: the generated table is an older one that has not.
                Some((before, refusal)) if before.json == row.json => {
                    return self.bury(message, &refused(&row, refusal), now, deadline).await;
                }
                _ => {}
            }
            match self.store(&row, deadline).await {
                Ok(()) => return Outcome::Stored,
                Err(NotStored::Unsettled(reason)) => return Outcome::Retry(reason),
                // The table has changed since its schema was read: read it, and decode once more.
                Err(NotStored::Refused(refusal)) if refusal.no_such_field && refused_before.is_none() => {
                    let Some(newer) = self.template.decoder_after(Instant::now(), deadline).await else {
                        return Outcome::Retry(RetryReason::NoTemplate);
                    };
                    decoder = newer;
                    refused_before = Some((row, refusal));
                }
                Err(NotStored::Refused(refusal)) => return self.bury(message, &refused(&row, refusal), now, deadline).await,
            }
        }
    }

    async fn store(&self, row: &Row, deadline: Instant) -> Result<(), NotStored> {
        let Placement { suffix, overflow } = self.new_tables().place(&row.suffix, row.event_time, Instant::now());
        let destination = Destination { table: Arc::clone(&self.table), suffix };
        let insert = InsertRow { event_id: row.event_id, json: row.json.clone() };
        match self.batcher.store(destination, insert, deadline).await {
            Some(Settled::Stored) => {
                metrics::stored(Timestamp::now().duration_since(row.event_time));
                overflow.inspect(|cause| self.overflowed(*cause));
                Ok(())
            }
            Some(Settled::Refused(refusal)) => Err(NotStored::Refused(refusal)),
            Some(Settled::Unsettled(trouble)) => Err(NotStored::Unsettled(RetryReason::BigQuery(trouble))),
            Some(Settled::Lost) => Err(NotStored::Unsettled(RetryReason::Panic)),
            None => Err(NotStored::Unsettled(RetryReason::Deadline)),
        }
    }

    fn overflowed(&self, cause: OverflowCause) {
        metrics::overflowed(cause);
        if let Some(suppressed) = self.overflow_throttle.pass() {
            let cause = cause.as_str();
            tracing::warn!(cause, suppressed, "an event went to the overflow table (MAX_NEW_TABLES_PER_HOUR, OVERFLOW_SUFFIX)");
        }
    }

    /// Held for the time of a look into a set.
    fn new_tables(&self) -> MutexGuard<'_, TableLimiter> {
        self.new_tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message that can never become a row. Only once it is kept may it be acknowledged.
    async fn bury(&self, message: &PubsubMessage<'_>, unfit: &Rejected, now: Timestamp, deadline: Instant) -> Outcome {
        if !self.keeps_dead_letters {
            return Outcome::DeadLetter(unfit.reason);
        }
        let destination = Destination { table: Arc::clone(&self.dead_letter_table), suffix: TableSuffix::none() };
        match self.batcher.store(destination, dead_letter::row(message, unfit, now), deadline).await {
            Some(Settled::Stored) => Outcome::DeadLetter(unfit.reason),
            Some(Settled::Refused(_) | Settled::Unsettled(_) | Settled::Lost) | None => Outcome::Retry(RetryReason::DeadLetterNotStored),
        }
    }
}

enum NotStored {
    Refused(Refusal),
    Unsettled(RetryReason),
}

fn refused(row: &Row, refusal: Refusal) -> Rejected {
    Rejected { event_id: row.event_id, reason: RejectReason::Invalid, detail: refusal.detail, column: refusal.column }
}
