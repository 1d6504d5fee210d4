//! The template table: its schema, kept current, and the decoder for that schema.
//!
//! The live table's schema wins over the schema file. It is read while the port is being bound, and the first push waits
//! for it. It is read again every ten minutes, when BigQuery refuses a row because of a column that the table does not
//! have, and when BigQuery answers that the table does not exist. One task ([`TemplateWatcher::run`]) sends these requests;
//! everything else reads the last result from a [`Template`].

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::bigquery::BigQuery;
use super::dead_letter;
use crate::decode::{Decoder, Schema, SchemaProblem};
use crate::google::{ApiError, RetryPolicy};
use crate::telemetry::Throttle;

pub use crate::config::TemplateSettings;

/// Maximum age of a schema.
const REFRESH_INTERVAL: Duration = Duration::from_secs(600);
/// Minimum time between two reads: requests about tables have a small quota.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_secs(1);
/// The same after a 404, which BigQuery returns for minutes for a new generated table.
const MIN_MISSING_INTERVAL: Duration = Duration::from_secs(10);
const NO_MAX_TIMES: &str = "the backoff has no maximum number of attempts";

/// The decoder for the schema that was read last.
#[derive(Debug, Clone)]
struct Current {
    decoder: Arc<Decoder>,
    /// When the request for the schema was sent.
    requested_at: Instant,
}

/// The schema that the watcher read last, as a decoder.
#[derive(Debug, Clone)]
pub struct Template {
    current: watch::Receiver<Option<Current>>,
    refresh: Arc<Notify>,
}

impl Template {
    /// The decoder. Waits for the first read of the schema until `deadline`.
    pub async fn decoder(&self, deadline: Instant) -> Option<Arc<Decoder>> {
        if let Some(current) = &*self.current.borrow() {
            return Some(Arc::clone(&current.decoder));
        }
        self.wait_until(deadline, |_| true).await
    }

    /// A decoder for a schema that was read after `since`. Requests a refresh and waits for it until `deadline`.
    pub async fn decoder_after(&self, since: Instant, deadline: Instant) -> Option<Arc<Decoder>> {
        self.refresh.notify_one();
        self.wait_until(deadline, |current| current.requested_at > since).await
    }

    /// Whether the schema was read.
    pub fn is_ready(&self) -> bool {
        self.current.borrow().is_some()
    }

    /// Waits until the schema was read; returns without it if the watcher has ended.
    #[cfg(feature = "local")]
    pub async fn until_ready(&self) {
        // The only error is that the watcher has ended.
        let _ = self.current.clone().wait_for(Option::is_some).await;
    }

    async fn wait_until(&self, deadline: Instant, is_enough: impl Fn(&Current) -> bool) -> Option<Arc<Decoder>> {
        let mut current = self.current.clone();
        let found = current.wait_for(|current| current.as_ref().is_some_and(&is_enough));
        let current = tokio::time::timeout_at(deadline, found).await.ok()?.ok()?;
        current.as_ref().map(|current| Arc::clone(&current.decoder))
    }
}

/// The settings do not fit the live schema.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mismatch(pub Vec<SchemaProblem>);

/// Why the schema cannot be read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Mismatch(Mismatch),
}

/// The task that reads the schema.
#[derive(Debug)]
pub struct TemplateWatcher {
    bigquery: Arc<BigQuery>,
    settings: TemplateSettings,
    current: watch::Sender<Option<Current>>,
    refresh: Arc<Notify>,
    throttle: Throttle,
}

impl TemplateWatcher {
    /// The watcher, and the handle through which others read its result.
    pub fn new(bigquery: Arc<BigQuery>, settings: TemplateSettings) -> (Self, Template) {
        let (current, receiver) = watch::channel(None);
        let refresh = Arc::new(Notify::new());
        let template = Template { current: receiver, refresh: Arc::clone(&refresh) };
        (Self { bigquery, settings, current, refresh, throttle: Throttle::new(Duration::from_secs(60)) }, template)
    }

    /// Runs until it is dropped. Returns only if the settings do not fit the schema at the first read.
    pub async fn run(self) -> Mismatch {
        if let Err(mismatch) = self.read_first().await {
            return mismatch;
        }
        self.ensure_dead_letter_table().await;
        self.keep_current().await
    }

    async fn read_first(&self) -> Result<(), Mismatch> {
        let mut delays = RetryPolicy::UNTIL_SUCCESS.delays();
        loop {
            let requested_at = Instant::now();
            match self.read_or_create().await {
                Ok(Some(schema)) => {
                    if let Some(mismatch) = self.mismatch(&schema) {
                        return Err(mismatch);
                    }
                    self.publish(&schema, requested_at);
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
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(due) => {}
                () = self.refresh.notified() => {
                    due = due.min(earliest);
                    continue;
                }
                () = self.bigquery.table_missing() => {
                    // An insert that fails again signals again.
                    if requested_at.elapsed() >= MIN_MISSING_INTERVAL {
                        is_missing = true;
                        due = due.min(earliest);
                    }
                    continue;
                }
            }
            requested_at = Instant::now();
            match self.read_or_create().await {
                Ok(Some(schema)) => {
                    self.publish(&schema, requested_at);
                    delays = RetryPolicy::REFRESH.delays();
                    (earliest, due) = (requested_at + MIN_REFRESH_INTERVAL, requested_at + REFRESH_INTERVAL);
                }
                failed => {
                    self.log_throttled(&failed);
                    earliest = requested_at + delays.next().expect(NO_MAX_TIMES);
                    due = earliest;
                }
            }
            if std::mem::take(&mut is_missing) {
                self.ensure_dead_letter_table().await;
            }
        }
    }

    /// Reads the schema once. Creates the table if it does not exist and AUTO_CREATE is set.
    async fn read_or_create(&self) -> Result<Option<Schema>, ReadError> {
        let TemplateSettings { table, schema, auto_create, .. } = &self.settings;
        match self.bigquery.schema_of(table).await? {
            Some(schema) => Ok(Some(schema)),
            None if *auto_create => {
                // Before creating a table that no row fits into.
                if let Some(mismatch) = self.mismatch(schema) {
                    return Err(ReadError::Mismatch(mismatch));
                }
                self.bigquery.create_table(table, schema).await?;
                tracing::info!(table = &**table, "created the template table");
                Ok(self.bigquery.schema_of(table).await?)
            }
            None => Ok(None),
        }
    }

    fn mismatch(&self, schema: &Schema) -> Option<Mismatch> {
        let problems = self.settings.decode.problems_with(schema);
        (!problems.is_empty()).then_some(Mismatch(problems))
    }

    /// Before the first dead letter: after an insert into a table that does not exist, BigQuery returns 404 for minutes
    /// even if the table is created.
    async fn ensure_dead_letter_table(&self) {
        let table = &*self.settings.dead_letter_table;
        let result = match self.bigquery.schema_of(table).await {
            Ok(None) if self.settings.auto_create => self.bigquery.create_table(table, &dead_letter::schema()).await,
            Ok(None) => {
                tracing::error!(
                    table,
                    "the dead-letter table does not exist: create it from schema/dead_letters.json, or set AUTO_CREATE=true"
                );
                Ok(())
            }
            Ok(Some(schema)) => {
                let missing = dead_letter::columns_missing_in(&schema);
                if !missing.is_empty() {
                    let missing = missing.join(", ");
                    tracing::error!(table, missing, "cannot store dead letters: the dead-letter table lacks columns; add them");
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(table, %error, "cannot check or create the dead-letter table");
        }
    }

    fn publish(&self, schema: &Schema, requested_at: Instant) {
        let decode = &self.settings.decode;
        // A column that is removed from a running service's table must not stop the other columns: its attribute is
        // listed in invalid_attributes.
        if self.current.borrow().is_some()
            && let Some(mismatch) = self.mismatch(schema)
        {
            tracing::error!(%mismatch, "the template table has changed and does not fit the settings");
        }
        let decoder = Arc::new(Decoder::new(decode.clone(), schema));
        self.current.send_replace(Some(Current { decoder, requested_at }));
    }

    fn log_throttled(&self, result: &Result<Option<Schema>, ReadError>) {
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
