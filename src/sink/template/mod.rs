//! The template table: its schema, kept current, and the decoder for that schema.
//!
//! The live table's schema wins over the schema file. It is read while the port is being bound, and the first push waits
//! for it. It is read again every ten minutes, when BigQuery refuses a row, and when BigQuery answers that the table does
//! not exist. While the table does not fit the settings, there is no decoder, so no message is acknowledged, and the table
//! is read every ten seconds. One task ([`TemplateWatcher::run`]) sends these requests; everything else reads the last
//! result from a [`Template`].

mod problems;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::bigquery::BigQuery;
use super::dead_letter;
use crate::decode::{Decoder, Schema};
use crate::google::bigquery::Table;
use crate::google::{ApiError, RetryPolicy};
use crate::telemetry::Throttle;

pub use crate::config::TemplateSettings;
pub use problems::{Mismatch, TemplateProblem, fitting_schema, problems_with};

/// Maximum age of a schema.
const REFRESH_INTERVAL: Duration = Duration::from_secs(600);
/// The same while the table does not fit the settings.
const MISMATCH_INTERVAL: Duration = Duration::from_secs(10);
/// Minimum time between two reads: BigQuery accepts 100 of these requests per second from all instances. A refused row waits
/// for it.
const MIN_REFRESH_INTERVAL: Duration = Duration::from_millis(250);
/// The same after a 404, which BigQuery returns for minutes for a new generated table.
const MIN_MISSING_INTERVAL: Duration = Duration::from_secs(10);
/// Minimum time between two log lines about the same failure.
const THROTTLE_INTERVAL: Duration = Duration::from_secs(60);
const NO_MAX_TIMES: &str = "the backoff has no maximum number of attempts";

/// The table that was read last.
#[derive(Debug, Clone)]
struct Current {
    /// `None` if the table does not fit the settings.
    decoder: Option<Arc<Decoder>>,
    /// When the request for the table was sent.
    requested_at: Instant,
}

/// The schema that the watcher read last, as a decoder.
#[derive(Debug, Clone)]
pub struct Template {
    current: watch::Receiver<Option<Current>>,
    refresh: Arc<Notify>,
}

/// Why there is no decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateError {
    /// The table was not read by the deadline.
    NotRead,
    /// The table does not fit the settings.
    Mismatch,
}

impl Template {
    /// The decoder. Waits until `deadline` for the first read of the table, or for the next one while the table does not
    /// fit the settings.
    pub async fn decoder(&self, deadline: Instant) -> Result<Arc<Decoder>, TemplateError> {
        let read_after = match &*self.current.borrow() {
            Some(Current { decoder: Some(decoder), .. }) => return Ok(Arc::clone(decoder)),
            Some(current) if current.requested_at.elapsed() < MISMATCH_INTERVAL => return Err(TemplateError::Mismatch),
            Some(current) => Some(current.requested_at),
            None => None,
        };
        match read_after {
            // Cloud Run stops timers between requests, so the read may be due for longer.
            Some(time) => self.decoder_after(time, deadline).await,
            None => self.wait_until(deadline, |_| true).await,
        }
    }

    /// A decoder for a table that was read after `since`. Requests a read if necessary, and waits for it until `deadline`.
    pub async fn decoder_after(&self, since: Instant, deadline: Instant) -> Result<Arc<Decoder>, TemplateError> {
        let is_newer = |current: &Current| current.requested_at > since;
        if !self.current.borrow().as_ref().is_some_and(is_newer) {
            self.request_read();
        }
        self.wait_until(deadline, is_newer).await
    }

    /// Requests a read of the table, without waiting for it: BigQuery refuses all rows, so the table may be another one.
    pub fn request_read(&self) {
        self.refresh.notify_one();
    }

    /// Whether the table was read and fits the settings.
    pub fn is_ready(&self) -> bool {
        self.current.borrow().as_ref().is_some_and(|current| current.decoder.is_some())
    }

    /// Waits until the table was read; returns without it if the watcher has ended.
    #[cfg(feature = "local")]
    pub async fn until_ready(&self) {
        // The only error is that the watcher has ended.
        let _ = self.current.clone().wait_for(Option::is_some).await;
    }

    async fn wait_until(&self, deadline: Instant, is_enough: impl Fn(&Current) -> bool) -> Result<Arc<Decoder>, TemplateError> {
        let mut current = self.current.clone();
        let found = current.wait_for(|current| current.as_ref().is_some_and(&is_enough));
        match tokio::time::timeout_at(deadline, found).await {
            Ok(Ok(current)) => current.as_ref().and_then(|current| current.decoder.clone()).ok_or(TemplateError::Mismatch),
            // The deadline has passed, or the watcher has ended.
            Err(_) | Ok(Err(_)) => Err(TemplateError::NotRead),
        }
    }
}

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
    current: watch::Sender<Option<Current>>,
    refresh: Arc<Notify>,
    throttle: Throttle,
    mismatch_throttle: Throttle,
}

impl TemplateWatcher {
    /// The watcher, and the handle through which others read its result.
    pub fn new(bigquery: Arc<BigQuery>, settings: TemplateSettings) -> (Self, Template) {
        let (current, receiver) = watch::channel(None);
        let refresh = Arc::new(Notify::new());
        let template = Template { current: receiver, refresh: Arc::clone(&refresh) };
        let (throttle, mismatch_throttle) = (Throttle::new(THROTTLE_INTERVAL), Throttle::new(THROTTLE_INTERVAL));
        (Self { bigquery, settings, current, refresh, throttle, mismatch_throttle }, template)
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
        loop {
            tokio::select! {
                // The simulation replays a seed exactly.
                biased;
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
                self.ensure_dead_letter_table().await;
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
                if self.current.borrow().as_ref().is_some_and(|current| current.decoder.is_none()) {
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

    /// Before the first dead letter: after an insert into a table that does not exist, BigQuery returns 404 for minutes
    /// even if the table is created.
    async fn ensure_dead_letter_table(&self) {
        let table = &*self.settings.dead_letter_table;
        let result = match self.bigquery.table(table).await {
            Ok(None) if self.settings.auto_create => self.bigquery.create_table(table, &dead_letter::schema()).await,
            Ok(None) => {
                tracing::error!(
                    table,
                    "the dead-letter table does not exist: create it from schema/dead_letters.json, or set AUTO_CREATE=true"
                );
                Ok(())
            }
            Ok(Some(found)) if !found.accepts_rows() => {
                tracing::error!(
                    table,
                    kind = found.kind,
                    "cannot store dead letters: the dead-letter table is not a TABLE; change DEAD_LETTER_TABLE"
                );
                Ok(())
            }
            Ok(Some(Table { schema, .. })) => {
                let missing = dead_letter::columns_missing_in(schema.as_ref());
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

    fn publish(&self, schema: Option<&Schema>, requested_at: Instant) {
        let decoder = schema.map(|schema| Arc::new(Decoder::new(self.settings.decode.clone(), schema)));
        self.current.send_replace(Some(Current { decoder, requested_at }));
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
