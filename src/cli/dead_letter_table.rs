//! The dead-letter table, for the commands that read it and delete from it.

use std::sync::Arc;

use jiff::Timestamp;

use super::google::{Google, Unseen};
use super::statement::{self, Rows, Statement};
use super::streaming_buffer::{self, TOO_YOUNG};
use crate::config::Config;

/// event_ids in one DELETE.
const AT_ONCE: usize = 1_000;

/// The table.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetterTable {
    google: Arc<Google>,
    /// Of whom the queries are.
    project: String,
    /// In backticks.
    name: String,
}

/// What became of dead letters that were to be deleted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deleted {
    pub(crate) deleted: u64,
    /// Those that BigQuery does not delete yet.
    pub(crate) held: u64,
}

impl DeadLetterTable {
    pub(crate) fn new(google: Arc<Google>, config: &Config) -> Self {
        let (location, name) = (&config.location, &config.template.dead_letter_table);
        let name = format!("`{}.{}.{name}`", location.project, location.dataset);
        Self { google, project: location.project.clone(), name }
    }

    pub(crate) fn google(&self) -> &Arc<Google> {
        &self.google
    }

    /// In backticks, as queries name it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) async fn run(&self, statement: &Statement) -> Result<Rows, Unseen> {
        statement::run(&self.google, &self.project, statement).await
    }

    /// Deletes those with these event_ids, as far as BigQuery does. What was done before an error is counted, too.
    pub(crate) async fn delete(&self, event_ids: &[String], now: Timestamp, count: &mut Deleted) -> Result<(), Unseen> {
        let youngest = now.checked_sub(TOO_YOUNG).unwrap_or(now);
        for ids in event_ids.chunks(AT_ONCE) {
            let ids = statement::strings("ids", ids);
            // One young letter would keep all others: they are not asked for. No time at all says nothing of the age.
            let condition = "event_id IN UNNEST(@ids) AND (received_timestamp IS NULL OR received_timestamp < @youngest)";
            let sql = format!("DELETE FROM {} WHERE {condition}", self.name);
            let parameters = vec![ids.clone(), statement::timestamp("youngest", youngest)];
            match self.run(&Statement { sql, parameters }).await {
                Ok(answer) => count.deleted += answer.affected(),
                Err(error) if streaming_buffer::holds(&error) => {}
                Err(error) => return Err(error),
            }
            let sql = format!("SELECT COUNT(*) FROM {} WHERE event_id IN UNNEST(@ids)", self.name);
            count.held += self.run(&Statement { sql, parameters: vec![ids] }).await?.count();
        }
        Ok(())
    }
}
