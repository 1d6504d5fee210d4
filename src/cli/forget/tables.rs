//! The tables of the pipeline, and how many rows of each are the user's.

use serde_json::Value;

use super::ForgetError;
use super::condition::Condition;
use super::subject::Subject;
use super::table_label::TableLabel;
use crate::config::Config;
use crate::decode::table_suffix::Match;
use crate::google::list;
use crate::google::statement::{self, Statement};
use crate::google::{Api, ApiError, Client, Lookup, bigquery};

/// A table with rows of the user.
#[derive(Debug)]
pub(crate) struct UserTable {
    pub(crate) table: TableLabel,
    /// Selects the user's rows.
    pub(crate) condition: Condition,
    /// Number of the user's rows.
    pub(crate) rows: u64,
    /// The table has and will have rows of this user only, and is deleted as a whole.
    pub(crate) is_own: bool,
}

/// Whose rows a table may have, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ownership {
    /// Those of any user.
    Shared,
    /// The name may be made of this user's values or of another's.
    Possible,
    /// The name is made of this user's values.
    Certain,
}

/// Searches every table that may have rows of the user.
pub(crate) async fn find(google: &Client, config: &Config, subject: &Subject) -> Result<Vec<UserTable>, ForgetError> {
    let ownership_of = |table: &String| ownership(table.strip_prefix(&*config.template.table)?, config, subject);
    let tables = list(google, config).await?.into_iter();
    let candidates: Vec<_> = tables.filter_map(|table| Some((ownership_of(&table)?, table))).collect();
    let count = candidates.len();
    let mut found = Vec::new();
    for (index, ((ownership, names_user), table)) in candidates.into_iter().enumerate() {
        let table = if names_user { TableLabel::hidden(table, index + 1, count) } else { TableLabel::public(table) };
        found.extend(search(google, config, subject, table, ownership).await?);
    }
    Ok(found)
}

/// The ownership of a table that may have rows of the user, and whether its name identifies the user.
fn ownership(suffix: &str, config: &Config, subject: &Subject) -> Option<(Ownership, bool)> {
    // A user id may be `overflow`: a table with such a name is always shared.
    if suffix.is_empty() || config.table_limits.overflow.matches(suffix) || is_default_overflow(suffix) {
        return Some((Ownership::Shared, false));
    }
    let resemblance = subject.matches_suffix(suffix);
    if resemblance == Match::None {
        return subject.may_be_in_any_table().then_some((Ownership::Shared, false));
    }
    let named = subject.attributes_in_suffix();
    let ownership = match resemblance {
        // Rows that differ in the other attributes may arrive at any time.
        _ if named < subject.attributes().len() => Ownership::Shared,
        Match::Certain => Ownership::Certain,
        Match::Possible | Match::None => Ownership::Possible,
    };
    Some((ownership, named > 0))
}

/// The default OVERFLOW_SUFFIX, which may have been in use before. `__` encodes a character of an id: `_overflow__2d2`
/// is `overflow-2`.
fn is_default_overflow(suffix: &str) -> bool {
    suffix.strip_prefix("_overflow").is_some_and(|rest| rest.is_empty() || rest.starts_with('_') && !rest.starts_with("__"))
}

async fn search(
    google: &Client,
    config: &Config,
    subject: &Subject,
    table: TableLabel,
    ownership: Ownership,
) -> Result<Option<UserTable>, ForgetError> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let failed = |error| ForgetError::google(format!("search {}", table.label()), table.redact(&error));
    let schema = match bigquery::schema(google, project, dataset, table.name()).await.map_err(failed)? {
        Lookup::Found(schema) => schema,
        Lookup::Absent => return Ok(None),
    };
    let condition =
        Condition::new(subject, &schema).map_err(|error| ForgetError::Usage(format!("cannot search {}: {error}", table.label())))?;
    let Condition { matches, others, parameters } = &condition;
    let sql = format!("SELECT COUNTIF({matches}), COUNTIF({others}), COUNT(*) FROM `{project}.{dataset}.{}`", table.name());
    let statement = Statement { sql, parameters: parameters.clone() };
    let counts = match statement::run(google, project, &statement).await.map_err(failed)? {
        Lookup::Found(mut answer) => answer.counts().map_err(failed)?,
        Lookup::Absent => return Ok(None),
    };
    let [matching, of_others, all] = counts[..] else {
        return Err(failed(ApiError::unreadable(Api::BigQuery, "a row without three counts")));
    };
    let is_own = match ownership {
        Ownership::Shared => false,
        Ownership::Possible => matching > 0 && matching == all,
        Ownership::Certain => of_others == 0,
    };
    let rows = if is_own { all } else { matching };
    Ok((is_own || rows > 0).then_some(UserTable { table, condition, rows, is_own }))
}

async fn list(google: &Client, config: &Config) -> Result<Vec<String>, ForgetError> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let failed = |error| ForgetError::google(format!("list the tables of {dataset}"), error);
    let path = format!("{}/tables?maxResults=1000", bigquery::dataset_path(project, dataset));
    let tables = google.list(&list::TABLES, &path).await.and_then(|tables| tables.require(format!("dataset {dataset}")));
    let name = |table: &Value| {
        let id = table["tableReference"]["tableId"].as_str().map(str::to_owned);
        id.ok_or_else(|| failed(ApiError::unreadable(Api::BigQuery, "a table without tableId")))
    };
    tables.map_err(failed)?.iter().filter(|table| table["type"] == "TABLE").map(name).collect()
}
