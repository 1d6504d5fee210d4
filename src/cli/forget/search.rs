//! Searches one table: what its columns and its rows say about the user.

use serde_json::Value;

use super::condition::{Condition, Incomparable};
use super::counts::{Counts, is_generated};
use super::found::{Content, SearchedRows};
use super::ownership::Ownership;
use super::similar;
use super::subject::Subject;
use super::table_label::TableLabel;
use crate::config::Config;
use crate::decode::Schema;
use crate::decode::schema::ColumnType;
use crate::google::{ApiError, Client, Lookup, bigquery};

/// A table with these columns holds dead letters.
const DEAD_LETTER_COLUMNS: [&str; 4] = ["event_id", "received_timestamp", "reason", "data"];

/// Why a table could not be searched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Column(#[from] Incomparable),
    #[error("column {0} is nested, and nested columns are not searched")]
    Nested(String),
    #[error("BigQuery tells no columns, and not that it has no rows")]
    NoColumns,
    #[error("its type {0} is unknown")]
    UnknownType(String),
    #[error("BigQuery lists it, and does not find it")]
    NotFound,
}

impl SearchError {
    /// The failed request.
    pub(crate) fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Api(error) => Some(error),
            Self::Column(_) | Self::Nested(_) | Self::NoColumns | Self::UnknownType(_) | Self::NotFound => None,
        }
    }
}

/// The search of one table.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) google: &'a Client,
    pub(crate) config: &'a Config,
    pub(crate) subject: &'a Subject,
    pub(crate) table: &'a TableLabel,
    pub(crate) ownership: Ownership,
    /// Reads the similar ids as well.
    pub(crate) with_ids: bool,
}

impl Search<'_> {
    /// Absent is the table, or the dataset where the query runs.
    pub(crate) async fn run(&self) -> Result<Lookup<Content>, SearchError> {
        let Self { google, config, subject, table, ownership, .. } = *self;
        let (project, dataset) = (&config.location.project, &config.location.dataset);
        let Lookup::Found(resource) = bigquery::table(google, project, dataset, table.name()).await? else {
            return Ok(Lookup::Absent);
        };
        let Some(schema) = resource.schema else {
            return if resource.is_empty { Ok(Lookup::Found(Content::Irrelevant)) } else { Err(SearchError::NoColumns) };
        };
        let is_dead_letters = *table.name() == *config.template.dead_letter_table;
        if is_dead_letters || DEAD_LETTER_COLUMNS.iter().all(|name| schema.column(name).is_some()) {
            return Ok(Lookup::Found(Content::DeadLetters));
        }
        let has_column = |name: &str| schema.column(name).is_some();
        let names_ids = subject.attributes().iter().any(|attribute| has_column(&attribute.name));
        let is_generated = is_generated(&schema, subject.schema());
        let has_text = schema.columns().iter().any(|column| column.kind == ColumnType::String);
        let may_hold_rows = names_ids || has_text || ownership != Ownership::Shared;
        if let Some(nested) = subject.attributes().iter().find_map(|attribute| nested_column(&schema, &attribute.name)) {
            return Err(SearchError::Nested(nested));
        }
        if !may_hold_rows {
            return Ok(Lookup::Found(Content::Irrelevant));
        }
        let condition = Condition::new(subject, &schema)?;
        let Lookup::Found(counts) = Counts::read(google, config, table.name(), &condition).await? else {
            return Ok(Lookup::Absent);
        };
        let has_ids = subject.attributes().iter().all(|attribute| has_column(&attribute.name));
        let is_own = has_ids && is_generated && counts.is_own(ownership);
        let is_theirs_by_name = is_generated || ownership != Ownership::Former;
        let unproven = if is_theirs_by_name { counts.unproven(ownership) } else { 0 };
        let similar_ids = if self.with_ids && counts.similar > 0 {
            similar::ids(google, config, subject, table.name(), &schema, &condition).await?
        } else {
            Vec::new()
        };
        Ok(Lookup::Found(Content::Rows(Box::new(SearchedRows { condition, ownership, counts, unproven, is_own, similar_ids }))))
    }
}

/// The path of a nested column of that name.
fn nested_column(schema: &Schema, name: &str) -> Option<String> {
    fn find(fields: &Value, path: &str, name: &str) -> Option<String> {
        fields.as_array()?.iter().find_map(|field| {
            let own = field["name"].as_str()?;
            let path = if path.is_empty() { own.to_owned() } else { format!("{path}.{own}") };
            let is_named = path.contains('.') && own.eq_ignore_ascii_case(name);
            if is_named { Some(path) } else { find(&field["fields"], &path, name) }
        })
    }
    find(schema.fields(), "", name)
}
