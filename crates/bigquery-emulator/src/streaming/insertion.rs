//! One insertAll within one transaction: find the table, check the rows, store them.
//!
//! It runs on the writer thread, so nothing can change the table, its template or the insertIds
//! between the look at them and the write. It knows neither HTTP nor faults.

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Map, Value};

use super::row::{self, RowError, Rules, Unknown};
use crate::error::ApiError;
use crate::names::TableRef;
use crate::resource;
use crate::storage::catalog::{self, Table};
use crate::storage::rows::{self, NewRow};
use crate::storage::schema::Schema;

/// Rows for one table, parsed and not yet checked.
pub(crate) struct Insertion {
    /// Where the rows go.
    pub table: TableRef,
    /// The template table that `table` is made after, when it does not exist yet.
    pub template: Option<TableRef>,
    pub rows: Vec<SentRow>,
    pub skip_invalid_rows: bool,
    pub unknown: Unknown,
    /// What shall be refused although it fits.
    #[cfg(feature = "faults")]
    pub refuse: Option<Refuse>,
}

/// Rows that a fault refuses.
#[cfg(feature = "faults")]
pub(crate) enum Refuse {
    /// The one at this position.
    Index(usize),
    /// Those whose JSON contains this text.
    Containing(String),
}

#[cfg(feature = "faults")]
impl Refuse {
    fn applies_to(&self, index: usize, row: &SentRow) -> bool {
        match self {
            Refuse::Index(refused) => *refused == index,
            Refuse::Containing(text) => Value::Object(row.json.clone()).to_string().contains(text),
        }
    }
}

#[cfg(feature = "faults")]
impl Insertion {
    /// The insertIds of the rows that have no error.
    pub(crate) fn ids_without<'a>(&'a self, errors: &'a [InsertError]) -> impl Iterator<Item = &'a str> + Clone {
        let mut errors = errors.iter().peekable();
        let rows = self.rows.iter().enumerate();
        rows.filter(move |(index, _)| errors.next_if(|error| error.index == *index).is_none())
            .filter_map(|(_, row)| row.insert_id.as_deref())
    }
}

/// A row as it was sent.
pub(crate) struct SentRow {
    pub insert_id: Option<String>,
    pub json: Map<String, Value>,
}

/// The errors of one row of the request.
#[derive(Debug, Serialize)]
pub(crate) struct InsertError {
    index: usize,
    errors: Vec<RowError>,
}

impl InsertError {
    fn new(index: usize, error: RowError) -> InsertError {
        InsertError { index, errors: vec![error] }
    }

    /// Whether the row has no fault of its own.
    #[cfg(feature = "faults")]
    pub(crate) fn is_stopped(&self) -> bool {
        self.errors.iter().all(RowError::is_stopped)
    }
}

const MAX_INSERT_ID_LENGTH: usize = 128;

/// The table the rows go to.
enum Target {
    Existing(Table),
    /// Not there yet; it will be made after this template, with its first row.
    After(Table),
}

/// Stores the rows and returns the errors of those that were not stored.
///
/// Without `skip_invalid_rows` one bad row keeps all others out: they are reported as `stopped`.
pub(crate) fn store(db: &Connection, insertion: &Insertion, now: i64) -> Result<Vec<InsertError>, ApiError> {
    let target = find_target(db, insertion, now)?;
    let (Target::Existing(like) | Target::After(like)) = &target;
    if like.is_view()? {
        return Err(ApiError::Invalid("Cannot add rows to a table of type VIEW.".to_owned()));
    }
    let schema = Schema::of(like)?;
    if schema.fields.is_empty() {
        let message = "The destination table has no schema.".to_owned();
        return Err(ApiError::Invalid(message));
    }

    let (good, bad) = check(&schema, insertion, now)?;
    if !insertion.skip_invalid_rows && !bad.is_empty() {
        return Ok(with_stopped(bad, insertion.rows.len()));
    }
    if good.is_empty() {
        return Ok(bad);
    }
    let table = match target {
        Target::Existing(table) => table,
        Target::After(template) => generate(db, &insertion.table, &template, now)?,
    };
    rows::append(db, &table, &good, now)?;
    Ok(bad)
}

fn find_target(db: &Connection, insertion: &Insertion, now: i64) -> Result<Target, ApiError> {
    let Some(template) = &insertion.template else {
        return catalog::table(db, &insertion.table).map(Target::Existing);
    };
    let template = catalog::table(db, template)?;
    Ok(match catalog::find_table(db, &insertion.table)? {
        Some(table) => Target::Existing(follow(db, table, &template, now)?),
        None => Target::After(template),
    })
}

/// Makes the table with what it inherits from its template.
fn generate(db: &Connection, name: &TableRef, template: &Table, now: i64) -> Result<Table, ApiError> {
    const INHERITED: [&str; 3] = ["description", "expirationTime", "labels"];
    let members = resource::only(template.members()?, &INHERITED);
    catalog::create_table(db, name, &members, template.schema()?.as_ref(), now)?;
    catalog::table(db, name)
}

/// A generated table follows a compatible change of its template's schema; otherwise it stays as
/// it is, and rows with new columns are refused.
fn follow(db: &Connection, table: Table, template: &Table, now: i64) -> Result<Table, ApiError> {
    if table.has_same_schema(template) || Schema::of(&table)?.check_change(&Schema::of(template)?, &table.name.table).is_err() {
        return Ok(table);
    }
    let (members, schema) = (table.members()?, template.schema()?);
    catalog::change_table(db, &table, &members, schema.as_ref(), now)?;
    catalog::table(db, &table.name)
}

/// The rows in their stored form, and the errors of those that do not fit.
fn check(schema: &Schema, insertion: &Insertion, now: i64) -> Result<(Vec<NewRow>, Vec<InsertError>), ApiError> {
    let rules = Rules { unknown: insertion.unknown, now };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (index, row) in insertion.rows.iter().enumerate() {
        #[cfg(feature = "faults")]
        if insertion.refuse.as_ref().is_some_and(|refuse| refuse.applies_to(index, row)) {
            bad.push(InsertError::new(index, RowError::invalid("", "Refused by a fault.".to_owned())));
            continue;
        }
        let checked = check_insert_id(row).and_then(|()| row::check(schema, &row.json, rules));
        match checked {
            Ok(stored) => good.push(NewRow { insert_id: row.insert_id.clone(), json: serde_json::to_string(&stored)? }),
            Err(error) => bad.push(InsertError::new(index, error)),
        }
    }
    Ok((good, bad))
}

fn check_insert_id(row: &SentRow) -> Result<(), RowError> {
    if row.insert_id.as_ref().is_none_or(|id| id.chars().count() <= MAX_INSERT_ID_LENGTH) {
        return Ok(());
    }
    let message = format!("insertId must be at most {MAX_INSERT_ID_LENGTH} characters long.");
    Err(RowError::invalid("insertId", message))
}

/// Every row of the request, in its order: the bad with their errors, the others stopped.
fn with_stopped(bad: Vec<InsertError>, rows: usize) -> Vec<InsertError> {
    let mut bad = bad.into_iter().peekable();
    (0..rows)
        .map(|index| bad.next_if(|error| error.index == index).unwrap_or_else(|| InsertError::new(index, RowError::stopped())))
        .collect()
}
