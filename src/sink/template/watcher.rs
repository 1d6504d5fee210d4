//! The task that reads the template table, creates it, and publishes its schema.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::handle::{Current, Publisher, Template, channel};
use super::problems::{Mismatch, fitting_schema};
use super::{MISMATCH_INTERVAL, TemplateSettings, dead_letter_table};
use crate::decode::{Decoder, Schema};
use crate::google::bigquery::Table;
use crate::google::{ApiError, RetryPolicy};
use crate::sink::bigquery::BigQuery;
use crate::telemetry::Throttle;

/// Maximum age of a schema.
const REFRESH_INTERVAL: Duration = Duration::from_secs(600);
/// Minimum time between two reads: BigQuery accepts 100 of these requests per second from all instances. A refused row waits
/// for it.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// The same after a 404, which BigQuery returns for minutes for a new generated table.
const MIN_MISSING_INTERVAL: Duration = Duration::from_secs(10);
/// Minimum time between two log lines about the same failure.
const THROTTLE_INTERVAL: Duration = Duration::from_secs(60);
const NO_MAX_TIMES: &str = "the backoff has no maximum number of attempts";

/// Why the schema cannot be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A table that is to be created would not fit the settings.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
}

/// The task that reads the schema.
#[derive(Debug)]
pub struct TemplateWatcher {
    bigquery: Arc<BigQuery>,
    settings: TemplateSettings,
    publisher: Publisher,
    throttle: Throttle,
    mismatch_throttle: Throttle,
}

impl TemplateWatcher {
    /// The watcher, and the handle through which others read its result.
    pub fn new(bigquery: Arc<BigQuery>, settings: TemplateSettings) -> (Self, Template) {
        let (publisher, template) = channel();
        let (throttle, mismatch_throttle) = (Throttle::new(THROTTLE_INTERVAL), Throttle::new(THROTTLE_INTERVAL));
        (Self { bigquery, settings, publisher, throttle, mismatch_throttle }, template)
    }

    /// Runs until it is dropped. Returns only if the settings do not fit the schema at the first read.
    pub async fn run(self) -> Mismatch {
        if let Err(mismatch) = self.read_first().await {
            return mismatch;
        }
        dead_letter_table::ensure(&self.bigquery, &self.settings).await;
        self.keep_current().await
    }

    async fn read_first(&self) -> Result<(), Mismatch> {
        let mut delays = RetryPolicy::UNTIL_SUCCESS.delays();
        loop {
            let requested_at = Instant::now();
            match self.read_or_create().await {
                Ok(Some(table)) => {
                    let schema = fitting_schema(table, &self.settings)?;
                    self.publish(Some(&schema), requested_at);
                    return Ok(());
                }
                Err(ReadError::Mismatch(mismatch)) => return Err(mismatch),
                failed => {
                    self.log_throttled(&failed);
                    tokio::time::sleep(delays.next().expect(NO_MAX_TIMES)).await;
                }
            }
        }
    }

    async fn keep_current(&self) -> ! {
        let mut requested_at = Instant::now();
        // No sooner than `earliest`, no later than `due`.
        let (mut earliest, mut due) = (requested_at + MIN_REFRESH_INTERVAL, requested_at + REFRESH_INTERVAL);
        let mut delays = RetryPolicy::REFRESH.delays();
        let mut is_missing = false;
        // Not `requested_at`: refused rows may cause a read every few seconds.
        let mut last_missing = requested_at;
        loop {
            tokio::select! {
                // The simulation replays a seed exactly.
                biased;
                () = tokio::time::sleep_until(due) => {}
                () = self.publisher.read_requested() => {
                    due = due.min(earliest);
                    continue;
                }
                () = self.bigquery.table_missing() => {
                    // An insert that fails again signals again.
                    if last_missing.elapsed() >= MIN_MISSING_INTERVAL {
                        is_missing = true;
                        last_missing = Instant::now();
                        due = due.min(earliest);
                    }
                    continue;
                }
            }
            requested_at = Instant::now();
            match self.read_or_create().await {
                Ok(Some(table)) => {
                    let interval = self.check_and_publish(table, requested_at);
                    delays = RetryPolicy::REFRESH.delays();
                    (earliest, due) = (requested_at + MIN_REFRESH_INTERVAL, requested_at + interval);
                }
                failed => {
                    self.log_throttled(&failed);
                    earliest = requested_at + delays.next().expect(NO_MAX_TIMES);
                    due = earliest;
                }
            }
            if std::mem::take(&mut is_missing) {
                dead_letter_table::ensure(&self.bigquery, &self.settings).await;
            }
        }
    }

    /// Reads the table once. Creates it if it does not exist and AUTO_CREATE is set.
    async fn read_or_create(&self) -> Result<Option<Table>, ReadError> {
        let TemplateSettings { table, schema, auto_create, .. } = &self.settings;
        match self.bigquery.table(table).await? {
            Some(found) => Ok(Some(found)),
            None if *auto_create => {
                // Before creating a table that no row fits into.
                fitting_schema(Table::planned(schema.clone()), &self.settings)?;
                self.bigquery.create_table(table, schema).await?;
                tracing::info!(table = &**table, "created the template table");
                Ok(self.bigquery.table(table).await?)
            }
            None => Ok(None),
        }
    }

    /// Publishes a table that may have changed. Returns the maximum age of this result.
    fn check_and_publish(&self, table: Table, requested_at: Instant) -> Duration {
        match fitting_schema(table, &self.settings) {
            Ok(schema) => {
                if self.publisher.is_mismatch() {
                    tracing::info!(table = &*self.settings.table, "the template table fits the settings again");
                }
                self.publish(Some(&schema), requested_at);
                REFRESH_INTERVAL
            }
            Err(mismatch) => {
                if let Some(suppressed) = self.mismatch_throttle.pass() {
                    let table = &*self.settings.table;
                    tracing::error!(
                        table,
                        suppressed,
                        %mismatch,
                        "the template table has changed and does not fit the settings, so every message is nacked"
                    );
                }
                self.publish(None, requested_at);
                MISMATCH_INTERVAL
            }
        }
    }

    fn publish(&self, schema: Option<&Schema>, requested_at: Instant) {
        let decoder = schema.map(|schema| Arc::new(Decoder::new(self.settings.decode.clone(), schema)));
        self.publisher.publish(Current { decoder, requested_at });
    }

    fn log_throttled(&self, result: &Result<Option<Table>, ReadError>) {
        let Some(suppressed) = self.throttle.pass() else { return };
        let table = &*self.settings.table;
        match result {
            Ok(Some(_)) => {}
            Ok(None) if self.settings.auto_create => {
                tracing::warn!(table, suppressed, "the template table was created and BigQuery does not return it yet")
            }
            Ok(None) => tracing::error!(
                table,
                suppressed,
                "the template table does not exist and AUTO_CREATE is off, so every message is nacked: create it with `bq mk --table DATASET.TABLE schema/pixel.json`"
            ),
            Err(error) => tracing::error!(table, suppressed, %error, "cannot read the template table"),
        }
    }
}

#[cfg(test)]
mod tests;
