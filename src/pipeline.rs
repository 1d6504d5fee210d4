//! Processes one message: from its arrival to its outcome.
//!
//! It decodes the message, chooses the table, submits the row to the batcher, and stores a message that
//! cannot become a row as a dead letter. It knows nothing of HTTP: `source` calls it, `ack` turns the outcome into a response.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::ack::{Outcome, RetryReason, SaturatedReason};
use crate::admission::{Admitted, BytesExhausted};
use crate::decode::{Decoded, FilterReason, Notes, PubsubMessage, RejectReason, Rejected, Row, TableSuffix};
use crate::missing_columns::MissingColumns;
use crate::sink::batcher::{Batcher, RowOutcome};
use crate::sink::template::{Template, TemplateError};
use crate::sink::{Destination, ErrorClass, InsertRow, Refusal, dead_letter};
use crate::table_limit::{OverflowCause, Route, TableLimiter};
use crate::telemetry::Throttle;
use crate::telemetry::metrics;

/// Minimum time between two log lines of one kind.
const THROTTLE_INTERVAL: Duration = Duration::from_secs(60);

/// Decodes messages and stores their rows.
#[derive(Debug)]
pub struct Pipeline {
    template: Template,
    batcher: Batcher,
    table_limiter: Mutex<TableLimiter>,
    table: Arc<str>,
    dead_letter_table: Arc<str>,
    missing_columns: Mutex<MissingColumns>,
    overflow_throttle: Throttle,
    missing_column_throttle: Throttle,
    stores_dead_letters: bool,
}

impl Pipeline {
    /// `table` and `dead_letter_table` are TABLE_NAME and DEAD_LETTER_TABLE.
    pub fn new(template: Template, batcher: Batcher, table_limiter: TableLimiter, table: Arc<str>, dead_letter_table: Arc<str>) -> Self {
        let table_limiter = Mutex::new(table_limiter);
        Self {
            template,
            batcher,
            table_limiter,
            table,
            dead_letter_table,
            missing_columns: Mutex::default(),
            overflow_throttle: Throttle::new(THROTTLE_INTERVAL),
            missing_column_throttle: Throttle::new(THROTTLE_INTERVAL),
            stores_dead_letters: true,
        }
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

    /// Processes one message that arrived at `now`, and returns by `deadline`. Reserves memory for it and its row.
    pub async fn process(&self, message: &PubsubMessage<'_>, now: Timestamp, deadline: Instant, memory: &mut Admitted) -> Outcome {
        match self.store_event(message, now, deadline, memory).await {
            Ok(()) => Outcome::Stored,
            Err(NotStored::Filtered(reason)) => Outcome::Filtered(reason),
            Err(NotStored::Rejected(rejected)) => self.dead_letter(message, &rejected, now, deadline, memory).await,
            Err(NotStored::Retry(reason)) => Outcome::Retry(reason),
            Err(NotStored::BytesExhausted) => Outcome::Saturated(SaturatedReason::InFlightBytes),
        }
    }

    async fn store_event(
        &self,
        message: &PubsubMessage<'_>,
        now: Timestamp,
        deadline: Instant,
        memory: &mut Admitted,
    ) -> Result<(), NotStored> {
        let mut decoder = self.template.decoder(deadline).await?;
        let mut notes = Notes::default();
        let decoded = decoder.decode_with_notes(message, now, &mut notes);
        record(&notes);
        let mut row = row_of(decoded)?;
        let Route { suffix, overflow } = self.table_limiter().route(&row.suffix, row.event_time, Instant::now());
        let destination = Destination { table: Arc::clone(&self.table), suffix };
        let mut left_out = self.missing_columns().of(&destination.suffix, Instant::now());
        if !left_out.is_empty() {
            row = row_of(decoder.decode_without(&left_out, message, now))?;
        }
        loop {
            memory.reserve_row(message.size() + row.json.len())?;
            let Some(refusal) = self.insert(&row, &destination, deadline).await? else {
                self.record_stored(&row, overflow);
                return Ok(());
            };
            // A row fits the schema that it was made for, so the table has probably changed. It may change again while the
            // next row is inserted.
            decoder = self.template.decoder_after(Instant::now(), deadline).await?;
            let newer = row_of(decoder.decode_without(&left_out, message, now))?;
            if newer.json != row.json {
                row = newer;
                continue;
            }
            match refusal.missing_column().and_then(|name| decoder.filled_column(name)) {
                // The template table has the column. The generated table, which is older, does not.
                Some(column) if !left_out.iter().any(|known| known == column) => {
                    self.add_missing_column(&destination.suffix, column);
                    left_out.push(column.to_owned());
                    row = row_of(decoder.decode_without(&left_out, message, now))?;
                }
                _ => return Err(NotStored::Rejected(rejected_by_bigquery(&row, refusal))),
            }
        }
    }

    /// Inserts a row. Returns BigQuery's refusal, if it refuses the row for good.
    async fn insert(&self, row: &Row, destination: &Destination, deadline: Instant) -> Result<Option<Refusal>, RetryReason> {
        let insert = InsertRow { event_id: row.event_id, json: row.json.clone() };
        match self.batcher.store(destination.clone(), insert, deadline).await {
            Some(RowOutcome::Stored) => Ok(None),
            Some(RowOutcome::Refused(refusal)) => Ok(Some(refusal)),
            Some(RowOutcome::NotStored(class)) => {
                if class == ErrorClass::TableRefused {
                    self.template.request_read();
                }
                Err(RetryReason::BigQuery(class))
            }
            Some(RowOutcome::Unknown) => Err(RetryReason::Panic),
            None => Err(RetryReason::Deadline),
        }
    }

    fn record_stored(&self, row: &Row, overflow: Option<OverflowCause>) {
        metrics::record_stored(Timestamp::now().duration_since(row.event_time).as_secs_f64());
        if row.lacks_value {
            metrics::record_row_without_column();
        }
        if let Some(cause) = overflow {
            self.record_overflow(cause);
        }
    }

    fn add_missing_column(&self, suffix: &TableSuffix, column: &str) {
        self.missing_columns().add(suffix, column, Instant::now());
        if let Some(suppressed) = self.missing_column_throttle.pass() {
            tracing::warn!(
                column,
                suppressed,
                "a table lacks a column of the template table, and its rows are stored without it: add the column to the table with ALTER TABLE"
            );
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

    fn missing_columns(&self) -> MutexGuard<'_, MissingColumns> {
        self.missing_columns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a message that can never become a row in the dead-letter table, and acknowledges it only then.
    async fn dead_letter(
        &self,
        message: &PubsubMessage<'_>,
        rejected: &Rejected,
        now: Timestamp,
        deadline: Instant,
        memory: &mut Admitted,
    ) -> Outcome {
        if !self.stores_dead_letters {
            return Outcome::DeadLetter(rejected.reason);
        }
        let destination = Destination { table: Arc::clone(&self.dead_letter_table), suffix: TableSuffix::none() };
        let Some(row) = dead_letter::row(message, rejected, now) else {
            return Outcome::Retry(RetryReason::DeadLetterNotStored);
        };
        if memory.reserve_row(message.size() + row.json.len()) == Err(BytesExhausted) {
            return Outcome::Saturated(SaturatedReason::InFlightBytes);
        }
        match self.batcher.store(destination, row, deadline).await {
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

/// Why an event has no row.
enum NotStored {
    Filtered(FilterReason),
    Rejected(Rejected),
    Retry(RetryReason),
    BytesExhausted,
}

impl From<BytesExhausted> for NotStored {
    fn from(BytesExhausted: BytesExhausted) -> Self {
        Self::BytesExhausted
    }
}

impl From<RetryReason> for NotStored {
    fn from(reason: RetryReason) -> Self {
        Self::Retry(reason)
    }
}

impl From<TemplateError> for NotStored {
    fn from(error: TemplateError) -> Self {
        Self::Retry(match error {
            TemplateError::NotRead => RetryReason::NoTemplate,
            TemplateError::Mismatch => RetryReason::TemplateMismatch,
        })
    }
}

fn row_of(decoded: Decoded) -> Result<Row, NotStored> {
    match decoded {
        Decoded::Row(row) => Ok(row),
        Decoded::Filtered(reason) => Err(NotStored::Filtered(reason)),
        Decoded::Rejected(rejected) => Err(NotStored::Rejected(rejected)),
    }
}

fn rejected_by_bigquery(row: &Row, refusal: Refusal) -> Rejected {
    Rejected { event_id: row.event_id, reason: RejectReason::Invalid, detail: refusal.detail, column: refusal.column }
}

#[cfg(test)]
pub(crate) mod tests;
