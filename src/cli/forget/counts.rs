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
    /// Rows of the user.
    pub(crate) matching: u64,
    /// Rows of other users.
    pub(crate) others: u64,
    /// Rows with another spelling of the id.
    pub(crate) similar: u64,
    /// Rows that contain the id in another column.
    pub(crate) mentions: u64,
    pub(crate) all: u64,
}

impl Counts {
    /// The counts of a table; absent if the table is.
    pub(crate) async fn read(google: &Client, config: &Config, table: &str, condition: &Condition) -> ApiResult<Lookup<Self>> {
        let Condition { matches, others, similar, mentions, all_parameters, .. } = condition;
        let sql = format!(
            "SELECT COUNTIF({matches}), COUNTIF({others}), COUNTIF({similar}), COUNTIF({mentions}), COUNT(*) FROM {}",
            table_in_sql(config, table)
        );
        let statement = Statement { sql, parameters: all_parameters.clone() };
        let Lookup::Found(mut answer) = statement::query(google, &config.location.project, &statement).await? else {
            return Ok(Lookup::Absent);
        };
        match answer.counts()?[..] {
            // The user's rows are none of the other three.
            [matching, others, similar, mentions, all]
                if [others, similar, mentions].iter().all(|count| matching.checked_add(*count).is_some_and(|sum| sum <= all)) =>
            {
                Ok(Lookup::Found(Self { matching, others, similar, mentions, all }))
            }
            [_, _, _, _, _] => Err(ApiError::unreadable(Api::BigQuery, "a part of the rows is more than all rows")),
            _ => Err(ApiError::unreadable(Api::BigQuery, "a row without five counts")),
        }
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
