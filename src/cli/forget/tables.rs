//! Searches the tables of the dataset, whatever their names are: a former TABLE_SUFFIX, TABLE_NAME or DEAD_LETTER_TABLE
//! made other names than the present one.

use std::fmt::Display;

use futures_util::{StreamExt as _, stream};
use serde_json::Value;

use super::ForgetError;
use super::condition::{Condition, Incomparable, quoted};
use super::counts::{Counts, is_generated, table_in_sql};
use super::ownership::{Ownership, ownership};
use super::subject::Subject;
use super::table_label::TableLabel;
use crate::config::Config;
use crate::decode::Schema;
use crate::google::list;
use crate::google::statement::{self, Statement};
use crate::google::{Api, ApiError, ApiResult, Client, Lookup, bigquery};

/// Maximum number of tables that are searched at the same time.
const MAX_CONCURRENT_SEARCHES: usize = 8;
/// Maximum number of similar ids that are listed of a table.
const MAX_SIMILAR_IDS: usize = 20;
/// A table with these columns holds dead letters.
const DEAD_LETTER_COLUMNS: [&str; 4] = ["event_id", "received_timestamp", "reason", "data"];

/// What the search has found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) tables: Vec<UserTable>,
    pub(crate) kept: Vec<KeptData>,
    /// Rows with another spelling of the id, and these ids.
    pub(crate) similar: Vec<(TableLabel, u64, Vec<String>)>,
    /// Rows of others that contain the id.
    pub(crate) mentions: Vec<(TableLabel, u64)>,
    /// The tables of dead letters.
    pub(crate) dead_letters: Vec<(TableLabel, TableKind)>,
    /// Number of views, which hold no rows.
    pub(crate) views: u64,
}

/// A table with rows of the user.
#[derive(Debug)]
pub(crate) struct UserTable {
    pub(crate) table: TableLabel,
    pub(crate) condition: Condition,
    pub(crate) ownership: Ownership,
    /// Number of the user's rows.
    pub(crate) rows: u64,
    /// The table is deleted as a whole.
    pub(crate) is_own: bool,
}

/// Data that may be the user's and is not deleted.
#[derive(Debug)]
pub(crate) struct KeptData {
    pub(crate) table: TableLabel,
    /// `None` if the table could not be searched.
    pub(crate) rows: Option<u64>,
    pub(crate) reason: String,
    /// The command that deletes it, if there is one. It contains the table's name.
    pub(crate) command: Option<String>,
}

/// The types of tables that hold rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableKind {
    Table,
    Snapshot,
    MaterializedView,
    External,
}

/// A table in the list of the dataset.
struct Listed {
    name: String,
    kind: ListedKind,
}

enum ListedKind {
    Rows(TableKind),
    View,
    Unknown(String),
}

/// Why a table could not be searched.
#[derive(Debug, thiserror::Error)]
enum SearchError {
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
}

/// The result for one table.
enum Content {
    Irrelevant,
    DeadLetters,
    Rows(Box<SearchedRows>),
}

/// What the search counted in a table of rows.
struct SearchedRows {
    condition: Condition,
    counts: Counts,
    /// Number of rows that do not show whose they are, in a table that is named after the user.
    unproven: u64,
    /// All rows are the user's.
    is_own: bool,
    similar_ids: Vec<String>,
}

impl TableKind {
    /// Why its rows cannot be deleted, and the command that removes them.
    fn protection(self, config: &Config, table: &str) -> Option<(&'static str, Option<String>)> {
        let location = &config.location;
        let name = shell(&format!("{}:{}.{table}", location.project, location.dataset));
        match self {
            Self::Table => None,
            Self::Snapshot => Some(("a snapshot cannot be changed: delete it as a whole", Some(format!("bq rm -f -t {name}")))),
            Self::MaterializedView => {
                let refresh = format!("CALL BQ.REFRESH_MATERIALIZED_VIEW('{}.{}.{table}')", location.project, location.dataset);
                let command = format!("bq query --use_legacy_sql=false {}", shell(&refresh));
                Some(("a materialized view changes with its tables: refresh it after their rows are deleted", Some(command)))
            }
            Self::External => Some(("the rows of an external table are in its source: delete them there", None)),
        }
    }
}

/// Searches all tables. `with_ids` reads the similar ids as well.
pub(crate) async fn find(google: &Client, config: &Config, subject: &Subject, with_ids: bool) -> Result<Found, ForgetError> {
    let listed = list(google, config).await?;
    let (views, tables): (Vec<Listed>, Vec<Listed>) = listed.into_iter().partition(|listed| matches!(listed.kind, ListedKind::View));
    let count = tables.len();
    let searches = tables.into_iter().enumerate().map(|(index, Listed { name, kind })| async move {
        let (ownership, names_user) = ownership(&name, config, subject);
        let table = if names_user { TableLabel::hidden(name, index + 1, count) } else { TableLabel::public(name) };
        let search = Search { google, config, subject, table: &table, ownership, with_ids };
        let result = match kind {
            ListedKind::Rows(kind) => search.run().await.map(|content| (kind, content)),
            ListedKind::View => Ok((TableKind::Table, Lookup::Found(Content::Irrelevant))),
            ListedKind::Unknown(kind) => Err(SearchError::UnknownType(kind)),
        };
        (table, ownership, result)
    });
    let mut searches = stream::iter(searches).buffered(MAX_CONCURRENT_SEARCHES);
    let mut found = Found { views: views.len() as u64, ..Found::default() };
    let mut absent = Vec::new();
    while let Some((table, ownership, result)) = searches.next().await {
        match result {
            Ok((_, Lookup::Absent)) => absent.push(table),
            Ok((kind, Lookup::Found(content))) => found.add(config, table, ownership, kind, content),
            // No other table can be read, either.
            Err(SearchError::Api(error)) if is_unavailable(&error) => {
                return Err(ForgetError::google(format!("search {}", table.label()), table.redact(&error)));
            }
            Err(error) => found.keep_unread(table, &error),
        }
    }
    found.keep_listed(google, config, absent).await?;
    Ok(found)
}

impl Found {
    fn add(&mut self, config: &Config, table: TableLabel, ownership: Ownership, kind: TableKind, content: Content) {
        let SearchedRows { condition, counts, unproven, is_own, similar_ids } = match content {
            Content::Irrelevant => return,
            Content::DeadLetters => return self.dead_letters.push((table, kind)),
            Content::Rows(rows) => *rows,
        };
        if counts.similar > 0 {
            self.similar.push((table.clone(), counts.similar, similar_ids));
        }
        if counts.mentions > 0 {
            self.mentions.push((table.clone(), counts.mentions));
        }
        let rows = counts.matching;
        if let Some((reason, command)) = kind.protection(config, table.name()) {
            if rows + unproven > 0 {
                self.kept.push(KeptData { table, rows: Some(rows + unproven), reason: reason.to_owned(), command });
            }
            return;
        }
        if unproven > 0 {
            let reason = "the table is named after the user, and these rows do not show whose they are: check and delete it".to_owned();
            let name = shell(&format!("{}:{}.{}", config.location.project, config.location.dataset, table.name()));
            let command = Some(format!("bq rm -f -t {name}"));
            self.kept.push(KeptData { table: table.clone(), rows: Some(unproven), reason, command });
        }
        if is_own || rows > 0 {
            self.tables.push(UserTable { table, condition, ownership, rows, is_own });
        }
    }

    /// Adds the absent tables that a second list still has: only the others were deleted since the first one.
    async fn keep_listed(&mut self, google: &Client, config: &Config, absent: Vec<TableLabel>) -> Result<(), ForgetError> {
        if absent.is_empty() {
            return Ok(());
        }
        let listed = list(google, config).await?;
        for table in absent.into_iter().filter(|table| listed.iter().any(|listed| listed.name == table.name())) {
            self.keep_unread(table, &"BigQuery lists it, and does not find it");
        }
        Ok(())
    }

    /// Adds a table of dead letters that cannot be changed.
    pub(crate) fn keep_letters(&mut self, config: &Config, table: TableLabel, kind: TableKind, letters: u64) {
        if let Some((reason, command)) = kind.protection(config, table.name())
            && letters > 0
        {
            self.kept.push(KeptData { table, rows: Some(letters), reason: reason.to_owned(), command });
        }
    }

    /// Adds a table that could not be searched.
    pub(crate) fn keep_unread(&mut self, table: TableLabel, error: &impl Display) {
        let reason = format!("cannot search it: {}", table.redact(error));
        self.kept.push(KeptData { table, rows: None, reason, command: None });
    }
}

struct Search<'a> {
    google: &'a Client,
    config: &'a Config,
    subject: &'a Subject,
    table: &'a TableLabel,
    ownership: Ownership,
    with_ids: bool,
}

impl Search<'_> {
    /// Absent is the table, or the dataset where the query runs.
    async fn run(&self) -> Result<Lookup<Content>, SearchError> {
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
        let may_hold_rows = names_ids || has_column("request_url") || has_column("referer") || ownership != Ownership::Shared;
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
        let similar_ids = if self.with_ids && counts.similar > 0 { self.similar_ids(&schema, &condition).await? } else { Vec::new() };
        Ok(Lookup::Found(Content::Rows(Box::new(SearchedRows { condition, counts, unproven, is_own, similar_ids }))))
    }

    /// The similar ids of a table, unhashed where the spelling is known.
    async fn similar_ids(&self, schema: &Schema, condition: &Condition) -> ApiResult<Vec<String>> {
        let [attribute] = self.subject.attributes() else { return Ok(Vec::new()) };
        let Some(column) = schema.column(&attribute.name) else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT DISTINCT TO_JSON_STRING({}) FROM {} WHERE {} LIMIT {MAX_SIMILAR_IDS}",
            quoted(&column.name),
            table_in_sql(self.config, self.table.name()),
            condition.similar
        );
        let statement = Statement { sql, parameters: condition.all_parameters.clone() };
        let Lookup::Found(mut rows) = statement::run(self.google, &self.config.location.project, &statement).await? else {
            return Ok(Vec::new());
        };
        let forms = self.subject.other_forms(attribute);
        let mut ids: Vec<String> = Vec::new();
        for row in rows.take()? {
            let [Value::String(cell)] = &row[..] else {
                return Err(ApiError::unreadable(Api::BigQuery, "a row has not one column"));
            };
            let values = match serde_json::from_str(cell) {
                Ok(Value::Array(values)) => values,
                Ok(value) => vec![value],
                Err(error) => return Err(ApiError::unreadable(Api::BigQuery, error.to_string())),
            };
            for stored in values.iter().filter_map(Value::as_str) {
                let spelling = forms.iter().find(|form| form.stored == stored).map_or(stored, |form| &form.spelling);
                if spelling != attribute.value && !ids.iter().any(|id| id == spelling) {
                    ids.push(spelling.to_owned());
                }
            }
        }
        Ok(ids)
    }
}

/// Whether the error concerns every table.
pub(crate) fn is_unavailable(error: &ApiError) -> bool {
    matches!(error, ApiError::Disabled { .. } | ApiError::Unauthenticated { .. } | ApiError::Token(_) | ApiError::Unreachable { .. })
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

/// Text as one word of a shell.
pub(crate) fn shell(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Into::into)
}

async fn list(google: &Client, config: &Config) -> Result<Vec<Listed>, ForgetError> {
    let (project, dataset) = (&config.location.project, &config.location.dataset);
    let failed = |error| ForgetError::google(format!("list the tables of {dataset}"), error);
    let path = format!("{}/tables?maxResults=1000", bigquery::dataset_path(project, dataset));
    let tables = google.list(&list::TABLES, &path).await.and_then(|tables| tables.require(format!("dataset {dataset}")));
    let listed = |table: &Value| {
        let id = table["tableReference"]["tableId"].as_str();
        let name = id.ok_or_else(|| failed(ApiError::unreadable(Api::BigQuery, "a table without tableId")))?.to_owned();
        let kind = match table["type"].as_str() {
            Some("TABLE") => ListedKind::Rows(TableKind::Table),
            Some("SNAPSHOT") => ListedKind::Rows(TableKind::Snapshot),
            Some("MATERIALIZED_VIEW") => ListedKind::Rows(TableKind::MaterializedView),
            Some("EXTERNAL") => ListedKind::Rows(TableKind::External),
            Some("VIEW") => ListedKind::View,
            other => ListedKind::Unknown(other.unwrap_or("none").to_owned()),
        };
        Ok(Listed { name, kind })
    };
    tables.map_err(failed)?.iter().map(listed).collect()
}
