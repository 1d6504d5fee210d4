//! The template table: its schema, kept fresh, and the decoder that follows from it.
//!
//! The live table's schema wins over the file's. It is fetched while the port is being bound, the
//! first push waits for it, and it is read again every ten minutes, when BigQuery says that a
//! row has a column the table has not, and when it says that the table is not there. One task
//! ([`TemplateWatcher::run`]) asks BigQuery; everyone else looks at what it last saw.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::bigquery::BigQuery;
use super::dead_letter;
use crate::decode::{Decoder, Schema, SchemaProblem, Settings};
use crate::google::{ApiError, RetryPolicy};
use crate::telemetry::Throttle;

/// How old a schema may become.
const REFRESH: Duration = Duration::from_secs(600);
/// Shortest time between two looks, whoever asks: metadata calls have a small quota.
const COOL_DOWN: Duration = Duration::from_secs(1);
/// The same after a 404, which a new generated table answers for minutes.
const MISSING_COOL_DOWN: Duration = Duration::from_secs(10);

/// What the watcher needs to know.
#[derive(Debug, Clone)]
pub struct TemplateSettings {
    /// TABLE_NAME.
    pub table: Arc<str>,
    /// DEAD_LETTER_TABLE.
    pub dead_letter_table: Arc<str>,
    /// SCHEMA_FILE, or the shipped schema: what the table is created with.
    pub schema: Schema,
    /// AUTO_CREATE.
    pub auto_create: bool,
    /// What is made of a schema.
    pub decode: Settings,
}

/// The decoder for the schema that was seen last.
#[derive(Debug, Clone)]
struct Seen {
    decoder: Arc<Decoder>,
    /// When BigQuery was asked for the schema.
    at: Instant,
}

/// What the watcher last saw, for everyone who decodes.
#[derive(Debug, Clone)]
pub struct Template {
    seen: watch::Receiver<Option<Seen>>,
    look_again: Arc<Notify>,
}

impl Template {
    /// The decoder, waiting for the first look until `deadline`.
    pub async fn decoder(&self, deadline: Instant) -> Option<Arc<Decoder>> {
        if let Some(seen) = &*self.seen.borrow() {
            return Some(Arc::clone(&seen.decoder));
        }
        self.wait_until(deadline, |_| true).await
    }

    /// A decoder for what the table is like after `since`.
    pub async fn decoder_after(&self, since: Instant, deadline: Instant) -> Option<Arc<Decoder>> {
        self.look_again.notify_one();
        self.wait_until(deadline, |seen| seen.at > since).await
    }

    /// Whether the table has been seen.
    pub fn is_ready(&self) -> bool {
        self.seen.borrow().is_some()
    }

    /// Waits until it has; ends without, if nobody looks any more.
    #[cfg(feature = "local")]
    pub async fn until_ready(&self) {
        // The only error is that the watcher has ended.
        let _ = self.seen.clone().wait_for(Option::is_some).await;
    }

    async fn wait_until(&self, deadline: Instant, enough: impl Fn(&Seen) -> bool) -> Option<Arc<Decoder>> {
        let mut seen = self.seen.clone();
        let found = seen.wait_for(|seen| seen.as_ref().is_some_and(&enough));
        let seen = tokio::time::timeout_at(deadline, found).await.ok()?.ok()?;
        seen.as_ref().map(|seen| Arc::clone(&seen.decoder))
    }
}

/// The settings do not go with the table as it is in BigQuery.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Mismatch(pub Vec<SchemaProblem>);

/// Why a look at the table showed nothing.
#[derive(Debug, thiserror::Error)]
enum LookError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Mismatch(Mismatch),
}

/// The task that asks BigQuery.
#[derive(Debug)]
pub struct TemplateWatcher {
    bigquery: Arc<BigQuery>,
    settings: TemplateSettings,
    seen: watch::Sender<Option<Seen>>,
    look_again: Arc<Notify>,
    throttle: Throttle,
}

impl TemplateWatcher {
    /// The watcher, and the window through which others see what it sees.
    pub fn new(bigquery: Arc<BigQuery>, settings: TemplateSettings) -> (Self, Template) {
        let (seen, window) = watch::channel(None);
        let look_again = Arc::new(Notify::new());
        let template = Template { seen: window, look_again: Arc::clone(&look_again) };
        (Self { bigquery, settings, seen, look_again, throttle: Throttle::new(Duration::from_secs(60)) }, template)
    }

    /// Looks until it is dropped. Ends only if the first look shows that the settings cannot work.
    pub async fn run(self) -> Mismatch {
        let mut delays = RetryPolicy::UNTIL_SUCCESS.delays();
        while self.seen.borrow().is_none() {
            let asked = Instant::now();
            match self.look().await {
                Ok(Some(schema)) => match self.mismatch(&schema) {
                    Some(mismatch) => return mismatch,
                    None => self.publish(&schema, asked),
                },
                Err(LookError::Mismatch(mismatch)) => return mismatch,
                result => {
                    self.complain(&result);
                    tokio::time::sleep(delays.next().expect("this policy has no last retry")).await;
                }
            }
        }
        self.provide_dead_letter_table().await;
        let mut asked = Instant::now();
        loop {
            let (missing, wanted) = tokio::select! {
                () = tokio::time::sleep_until(asked + REFRESH) => (false, false),
                () = self.look_again.notified() => (false, true),
                () = self.bigquery.table_missing() => (true, false),
            };
            // Whoever was told so tries again, and is told so again.
            if missing && asked.elapsed() < MISSING_COOL_DOWN {
                continue;
            }
            tokio::time::sleep_until(asked + COOL_DOWN).await;
            asked = Instant::now();
            match self.look().await {
                Ok(Some(schema)) => self.publish(&schema, asked),
                result => {
                    self.complain(&result);
                    // Someone waits for what could not be seen.
                    if wanted {
                        self.look_again.notify_one();
                    }
                }
            }
            if missing {
                self.provide_dead_letter_table().await;
            }
        }
    }

    /// One look, which makes the table if it is missing and may be made.
    async fn look(&self) -> Result<Option<Schema>, LookError> {
        let TemplateSettings { table, schema, auto_create, .. } = &self.settings;
        match self.bigquery.schema_of(table).await? {
            Some(schema) => Ok(Some(schema)),
            None if *auto_create => {
                // Before there is a table that nothing fits into.
                if let Some(mismatch) = self.mismatch(schema) {
                    return Err(LookError::Mismatch(mismatch));
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

    /// Before the first dead letter needs it: BigQuery remembers for minutes that a table which
    /// it was asked for was not there.
    async fn provide_dead_letter_table(&self) {
        let table = &self.settings.dead_letter_table;
        let result = match self.bigquery.schema_of(table).await {
            Ok(None) if self.settings.auto_create => self.bigquery.create_table(table, &dead_letter::schema()).await,
            Ok(None) => {
                tracing::error!(
                    table = &**table,
                    "the dead-letter table is missing: create it from schema/dead_letters.json, or set AUTO_CREATE=true"
                );
                Ok(())
            }
            Ok(Some(schema)) => {
                let missing = dead_letter::columns_missing_in(&schema);
                if !missing.is_empty() {
                    let missing = missing.join(", ");
                    tracing::error!(
                        table = &**table,
                        missing,
                        "the dead-letter table takes no dead letters: add the columns that it lacks"
                    );
                }
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            tracing::warn!(table = &**table, %error, "cannot check or create the dead-letter table");
        }
    }

    fn publish(&self, schema: &Schema, asked: Instant) {
        let decode = &self.settings.decode;
        // Once running, a column that goes must not stop the rest: its attribute is listed in
        // invalid_attributes, and someone is told.
        if self.seen.borrow().is_some()
            && let Some(mismatch) = self.mismatch(schema)
        {
            tracing::error!("the template table has changed:\n{mismatch}");
        }
        let decoder = Arc::new(Decoder::new(decode.clone(), schema));
        self.seen.send_replace(Some(Seen { decoder, at: asked }));
    }

    fn complain(&self, result: &Result<Option<Schema>, LookError>) {
        if self.throttle.pass().is_none() {
            return;
        }
        let table = &*self.settings.table;
        match result {
            Ok(Some(_)) => {}
            Ok(None) if self.settings.auto_create => tracing::warn!(table, "the template table was created and cannot be seen yet"),
            Ok(None) => tracing::error!(
                table,
                "the template table is missing and AUTO_CREATE is off, so every message is sent back to Pub/Sub: create it with `bq mk --table DATASET.TABLE schema/pixel.json`"
            ),
            Err(error) => tracing::error!(table, %error, "cannot read the template table"),
        }
    }
}
