//! How many rows of one table are the user's.

use super::condition::{Condition, quoted};
use super::ownership::Ownership;
use crate::config::Config;
use crate::decode::Schema;
use crate::google::statement::{self, Statement};
use crate::google::{Api, ApiError, ApiResult, Client, Lookup};

/// Numbers of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rows of the user alone.
    pub(crate) matching: u64,
    /// Rows that name other users.
    pub(crate) others: u64,
    /// Rows that name the user and others.
    pub(crate) joint: u64,
    /// Rows with the id where it may not be the user's.
    pub(crate) doubtful: u64,
    /// Rows with another spelling of the id.
    pub(crate) similar: u64,
    /// Rows that contain the id in another column.
    pub(crate) mentions: u64,
    pub(crate) all: u64,
}

impl Counts {
    /// The counts of a table; absent if the table is.
    pub(crate) async fn read(google: &Client, config: &Config, table: &str, condition: &Condition) -> ApiResult<Lookup<Self>> {
        let Condition { matches, others, joint, doubtful, similar, mentions, all_parameters, .. } = condition;
        let conditions = [matches, others, joint, doubtful, similar, mentions];
        let columns = conditions.map(|condition| format!("COUNTIF({condition})")).join(", ");
        let sql = format!("SELECT {columns}, COUNT(*) FROM {}", table_in_sql(config, table));
        let statement = Statement { sql, parameters: all_parameters.clone() };
        let Lookup::Found(mut answer) = statement::query(google, &config.location.project, &statement).await? else {
            return Ok(Lookup::Absent);
        };
        let unreadable = |problem| Err(ApiError::unreadable(Api::BigQuery, problem));
        let [matching, others, joint, doubtful, similar, mentions, all] = answer.counts()?[..] else {
            return unreadable("a row without seven counts");
        };
        // No row of the user alone is among the other parts.
        let is_part = |count: &u64| matching.checked_add(*count).is_some_and(|sum| sum <= all);
        if ![others, joint, doubtful, similar, mentions].iter().all(is_part) {
            return unreadable("a part of the rows is more than all rows");
        }
        Ok(Lookup::Found(Self { matching, others, joint, doubtful, similar, mentions, all }))
    }

    /// Whether the whole table is the user's: every row is, and rows of others will not arrive.
    pub(crate) fn is_own(&self, ownership: Ownership) -> bool {
        let is_alone = self.matching == self.all;
        match ownership {
            Ownership::Shared => false,
            Ownership::Former | Ownership::Possible => is_alone && self.matching > 0,
            Ownership::Certain => is_alone,
        }
    }

    /// The rows of a table that is named after the user which have no id, so that nothing shows whose they are.
    pub(crate) fn unproven(&self, ownership: Ownership) -> u64 {
        let may_be_theirs = ownership != Ownership::Shared && self.others == 0;
        if may_be_theirs { self.all.saturating_sub(self.matching) } else { 0 }
    }
}

/// Whether the service may have made a table with these columns: it has those that the service fills in the template.
pub(crate) fn is_generated(schema: &Schema, template: &Schema) -> bool {
    ["event_id", "event_timestamp"].iter().all(|name| template.column(name).is_none() || schema.column(name).is_some())
}

/// A table's name in a statement.
pub(crate) fn table_in_sql(config: &Config, table: &str) -> String {
    quoted(&format!("{}.{}.{table}", config.location.project, config.location.dataset))
}
