//! Processes one message: from its arrival to its outcome.
//!
//! It decodes the message, chooses the table, submits the row to the batcher, and stores a message that
//! cannot become a row as a dead letter. It knows nothing of HTTP: `source` calls it, `ack` turns the outcome into a response.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::ack::{Outcome, RetryReason};
use crate::decode::{Decoded, Notes, PubsubMessage, RejectReason, Rejected, Row, TableSuffix};
use crate::sink::batcher::{Batcher, RowOutcome};
use crate::sink::template::Template;
use crate::sink::{Destination, InsertRow, Refusal, dead_letter};
use crate::table_limit::{OverflowCause, Route, TableLimiter};
use crate::telemetry::Throttle;
use crate::telemetry::metrics;

/// Decodes messages and stores their rows.
#[derive(Debug)]
pub struct Pipeline {
    template: Template,
    batcher: Batcher,
    table_limiter: Mutex<TableLimiter>,
    table: Arc<str>,
    dead_letter_table: Arc<str>,
    overflow_throttle: Throttle,
    stores_dead_letters: bool,
}

impl Pipeline {
    /// `table` and `dead_letter_table` are TABLE_NAME and DEAD_LETTER_TABLE.
    pub fn new(template: Template, batcher: Batcher, table_limiter: TableLimiter, table: Arc<str>, dead_letter_table: Arc<str>) -> Self {
        let table_limiter = Mutex::new(table_limiter);
        let overflow_throttle = Throttle::new(Duration::from_secs(60));
        Self { template, batcher, table_limiter, table, dead_letter_table, overflow_throttle, stores_dead_letters: true }
    }

    /// Writes nothing to the dead-letter table: for messages that are stored elsewhere already.
    pub fn without_dead_letters(self) -> Self {
        Self { stores_dead_letters: false, ..self }
    }

    /// Whether the schema of the template table is known.
    pub fn is_ready(&self) -> bool {
        self.template.is_ready()
    }

    /// How many tables rows were sent to, as far as the limiter remembers.
    pub fn tables(&self) -> usize {
        self.table_limiter().count()
    }

    /// Processes one message that arrived at `now`, and returns by `deadline`.
    pub async fn process(&self, message: &PubsubMessage<'_>, now: Timestamp, deadline: Instant) -> Outcome {
        let Some(mut decoder) = self.template.decoder(deadline).await else {
            return Outcome::Retry(RetryReason::NoTemplate);
        };
        let mut refused_before: Option<(Row, Refusal)> = None;
        loop {
            let mut notes = Notes::default();
            let decoded = decoder.decode_with_notes(message, now, &mut notes);
            if refused_before.is_none() {
                record(&notes);
            }
            let row = match decoded {
                Decoded::Row(row) => row,
                Decoded::Filtered(reason) => return Outcome::Filtered(reason),
                Decoded::Rejected(rejected) => return self.dead_letter(message, &rejected, now, deadline).await,
            };
            match refused_before {
                // The template has the column, and the generated table, an older one, does not.
                Some((before, refusal)) if before.json == row.json => {
                    return self.dead_letter(message, &rejected_by_bigquery(&row, refusal), now, deadline).await;
                }
                _ => {}
            }
            match self.store(&row, deadline).await {
                Ok(()) => return Outcome::Stored,
                Err(StoreError::Retry(reason)) => return Outcome::Retry(reason),
                // The table has changed since its schema was read: read the schema again, and decode again.
                Err(StoreError::Refused(refusal)) if refusal.no_such_field && refused_before.is_none() => {
                    let Some(newer) = self.template.decoder_after(Instant::now(), deadline).await else {
                        return Outcome::Retry(RetryReason::NoTemplate);
                    };
                    decoder = newer;
                    refused_before = Some((row, refusal));
                }
                Err(StoreError::Refused(refusal)) => {
                    return self.dead_letter(message, &rejected_by_bigquery(&row, refusal), now, deadline).await;
                }
            }
        }
    }

    async fn store(&self, row: &Row, deadline: Instant) -> Result<(), StoreError> {
        let Route { suffix, overflow } = self.table_limiter().route(&row.suffix, row.event_time, Instant::now());
        let destination = Destination { table: Arc::clone(&self.table), suffix };
        let insert = InsertRow { event_id: row.event_id, json: row.json.clone() };
        match self.batcher.store(destination, insert, deadline).await {
            Some(RowOutcome::Stored) => {
                metrics::record_stored(Timestamp::now().duration_since(row.event_time).as_secs_f64());
                if let Some(cause) = overflow {
                    self.record_overflow(cause);
                }
                Ok(())
            }
            Some(RowOutcome::Refused(refusal)) => Err(StoreError::Refused(refusal)),
            Some(RowOutcome::NotStored(class)) => Err(StoreError::Retry(RetryReason::BigQuery(class))),
            Some(RowOutcome::Unknown) => Err(StoreError::Retry(RetryReason::Panic)),
            None => Err(StoreError::Retry(RetryReason::Deadline)),
        }
    }

    fn record_overflow(&self, cause: OverflowCause) {
        metrics::record_overflow(cause.as_str());
        if let Some(suppressed) = self.overflow_throttle.pass() {
            let cause = cause.as_str();
            tracing::warn!(cause, suppressed, "event stored in the overflow table (MAX_NEW_TABLES_PER_HOUR, OVERFLOW_SUFFIX)");
        }
    }

    /// Locked for the duration of one lookup.
    fn table_limiter(&self) -> MutexGuard<'_, TableLimiter> {
        self.table_limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a message that can never become a row in the dead-letter table, and acknowledges it only then.
    async fn dead_letter(&self, message: &PubsubMessage<'_>, rejected: &Rejected, now: Timestamp, deadline: Instant) -> Outcome {
        if !self.stores_dead_letters {
            return Outcome::DeadLetter(rejected.reason);
        }
        let destination = Destination { table: Arc::clone(&self.dead_letter_table), suffix: TableSuffix::none() };
        match self.batcher.store(destination, dead_letter::row(message, rejected, now), deadline).await {
            Some(RowOutcome::Stored) => Outcome::DeadLetter(rejected.reason),
            Some(RowOutcome::Refused(_) | RowOutcome::NotStored(_) | RowOutcome::Unknown) | None => {
                Outcome::Retry(RetryReason::DeadLetterNotStored)
            }
        }
    }
}

/// Counts what the decoder noticed.
fn record(notes: &Notes) {
    notes.not_kept().for_each(metrics::record_parameter_not_kept);
    if notes.html_escaped {
        metrics::record_html_escaped();
    }
}

enum StoreError {
    Refused(Refusal),
    Retry(RetryReason),
}

fn rejected_by_bigquery(row: &Row, refusal: Refusal) -> Rejected {
    Rejected { event_id: row.event_id, reason: RejectReason::Invalid, detail: refusal.detail, column: refusal.column }
}
