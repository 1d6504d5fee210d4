//! The dead-letter table, as `replay` and `forget` read it and delete from it.

use std::sync::Arc;

use jiff::Timestamp;

use super::streaming_buffer::{self, MIN_DELETE_AGE};
use crate::config::Config;
use crate::google::statement::{self, Rows, Statement};
use crate::google::{ApiResult, Client, Lookup};

/// Maximum event_ids in one DELETE.
const MAX_IDS: usize = 1_000;

/// The table.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetterTable {
    google: Arc<Client>,
    /// Runs the queries.
    project: String,
    /// In backticks.
    name: String,
}

/// The result of deleting dead letters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deleted {
    pub(crate) deleted: u64,
    /// Rows that BigQuery does not delete yet.
    pub(crate) held: u64,
}

impl DeadLetterTable {
    pub(crate) fn new(google: Arc<Client>, config: &Config) -> Self {
        Self::named(google, config, &config.template.dead_letter_table)
    }

    /// A table of that name, such as one of a former DEAD_LETTER_TABLE.
    pub(crate) fn named(google: Arc<Client>, config: &Config, name: &str) -> Self {
        let location = &config.location;
        let name = format!("`{}.{}.{name}`", location.project, location.dataset);
        Self { google, project: location.project.clone(), name }
    }

    pub(crate) fn google(&self) -> &Arc<Client> {
        &self.google
    }

    /// In backticks, as queries name it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Runs a SELECT.
    pub(crate) async fn query(&self, statement: &Statement) -> ApiResult<Lookup<Rows>> {
        statement::query(&self.google, &self.project, statement).await
    }

    /// Deletes the dead letters with these event_ids, except those that BigQuery does not delete yet. After an error,
    /// `count` has the number of those deleted before it.
    pub(crate) async fn delete(&self, event_ids: &[String], now: Timestamp, count: &mut Deleted) -> ApiResult<()> {
        let table = || format!("table {}", self.name);
        let youngest = now.checked_sub(MIN_DELETE_AGE).unwrap_or(now);
        for ids in event_ids.chunks(MAX_IDS) {
            let ids = statement::strings("ids", ids);
            // One young dead letter makes the whole statement fail. The age of a row with NULL is unknown.
            let condition = "event_id IN UNNEST(@ids) AND (received_timestamp IS NULL OR received_timestamp < @youngest)";
            let sql = format!("DELETE FROM {} WHERE {condition}", self.name);
            let parameters = vec![ids.clone(), statement::timestamp("youngest", youngest)];
            let deleted = statement::delete(&self.google, &self.project, &Statement { sql, parameters }).await;
            match deleted.and_then(|deleted| deleted.require(table())) {
                Ok(deleted) => count.deleted = count.deleted.saturating_add(deleted),
                Err(error) if streaming_buffer::holds(&error) => {}
                Err(error) => return Err(error),
            }
            let sql = format!("SELECT COUNT(*) FROM {} WHERE event_id IN UNNEST(@ids)", self.name);
            let held = self.query(&Statement { sql, parameters: vec![ids] }).await?.require(table())?.count()?;
            count.held = count.held.saturating_add(held);
        }
        Ok(())
    }
}
