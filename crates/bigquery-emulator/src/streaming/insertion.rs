//! Runs one insertAll request in a transaction: finds the table, checks the rows and stores them.
//!
//! It runs on the writer thread, so no other request changes the table, its template or the insertIds between the check
//! and the write.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tabledata/insertAll>.

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Map, Value};

use super::row::{self, RowError, RowOptions, UnknownFields};
use crate::error::ApiError;
use crate::names::TableRef;
use crate::resource;
use crate::storage::catalog::{self, Table};
use crate::storage::rows::{self, NewRow};
use crate::storage::schema::Schema;

/// A parsed insertAll request.
pub(crate) struct Insertion {
    /// The table of the rows.
    pub table: TableRef,
    /// The template from which `table` is created if it does not exist.
    pub template: Option<TableRef>,
    pub rows: Vec<InsertRow>,
    pub skip_invalid_rows: bool,
    pub unknown: UnknownFields,
    /// The rows that a fault rejects.
    #[cfg(feature = "faults")]
    pub rejected: Option<RejectedRows>,
}

/// Selects the rows that a fault rejects.
#[cfg(feature = "faults")]
pub(crate) enum RejectedRows {
    /// The row at this position.
    Index(usize),
    /// Rows with a value whose JSON contains this text.
    Containing(String),
}

#[cfg(feature = "faults")]
impl RejectedRows {
    /// The column whose value is at fault, if the fault applies to the row.
    fn column_of(&self, index: usize, row: &InsertRow) -> Option<String> {
        let mut columns = row.json.iter();
        let column = match self {
            RejectedRows::Index(refused) => columns.next().filter(|_| *refused == index),
            RejectedRows::Containing(text) => columns.find(|(_, value)| value.to_string().contains(text)),
        };
        column.map(|(name, _)| name.clone())
    }
}

#[cfg(feature = "faults")]
impl Insertion {
    /// The insertIds of the rows without errors.
    pub(crate) fn accepted_insert_ids<'a>(&'a self, errors: &'a [InsertError]) -> impl Iterator<Item = &'a str> + Clone {
        let mut errors = errors.iter().peekable();
        let rows = self.rows.iter().enumerate();
        rows.filter(move |(index, _)| errors.next_if(|error| error.index == *index).is_none())
            .filter_map(|(_, row)| row.insert_id.as_deref())
    }
}

/// A row of the request.
pub(crate) struct InsertRow {
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

    /// Whether the row is valid, and was not stored because of an invalid row.
    #[cfg(feature = "faults")]
    pub(crate) fn is_stopped(&self) -> bool {
        self.errors.iter().all(RowError::is_stopped)
    }
}

const MAX_INSERT_ID_LENGTH: usize = 128;

/// The table of the rows.
enum InsertTarget {
    Existing(Table),
    /// The table does not exist. The first valid row creates it from this template.
    NewFromTemplate(Table),
}

/// Stores the rows and returns the errors of those that were not stored.
///
/// Without `skip_invalid_rows`, one invalid row prevents that any row is stored. The valid rows are reported as `stopped`.
pub(crate) fn store(db: &Connection, insertion: &Insertion, now: i64) -> Result<Vec<InsertError>, ApiError> {
    let target = find_target(db, insertion)?;
    let (InsertTarget::Existing(like) | InsertTarget::NewFromTemplate(like)) = &target;
    let schema = accepting_schema(like)?;

    let (good, bad) = check_rows(&schema, insertion, now)?;
    if !insertion.skip_invalid_rows && !bad.is_empty() {
        return Ok(add_stopped_errors(bad, insertion.rows.len()));
    }
    if good.is_empty() {
        return Ok(bad);
    }
    let table = match target {
        InsertTarget::Existing(table) => table,
        InsertTarget::NewFromTemplate(template) => create_from_template(db, &insertion.table, &template, now)?,
    };
    rows::append(db, &table, &good, now)?;
    Ok(bad)
}

/// An existing generated table keeps its schema when its template changes, and rows with new columns are invalid. BigQuery
/// adds the columns only while the table has a streaming buffer, after some minutes.
fn find_target(db: &Connection, insertion: &Insertion) -> Result<InsertTarget, ApiError> {
    let Some(template) = &insertion.template else {
        return catalog::table(db, &insertion.table).map(InsertTarget::Existing);
    };
    let template = catalog::table(db, template)?;
    accepting_schema(&template)?;
    if template.is_partitioned()? {
        // BigQuery's message for a partitioned template.
        let message = "For time based partitioning, only the partition expiration time and require partition filter can be changed.";
        return Err(ApiError::Invalid(message.to_owned()));
    }
    Ok(match catalog::find_table(db, &insertion.table)? {
        Some(table) => InsertTarget::Existing(table),
        None => InsertTarget::NewFromTemplate(template),
    })
}

/// The schema of a table that rows can be stored in.
fn accepting_schema(table: &Table) -> Result<Schema, ApiError> {
    if table.is_view()? {
        return Err(ApiError::Invalid("Cannot add rows to a table of type VIEW.".to_owned()));
    }
    let schema = Schema::from_table(table)?;
    if schema.fields.is_empty() {
        return Err(ApiError::Invalid("The destination table has no schema.".to_owned()));
    }
    Ok(schema)
}

/// Creates the table with the members that it inherits from its template.
fn create_from_template(db: &Connection, name: &TableRef, template: &Table, now: i64) -> Result<Table, ApiError> {
    const INHERITED: [&str; 3] = ["description", "expirationTime", "labels"];
    let members = resource::keep_members(template.members()?, &INHERITED);
    catalog::create_table(db, name, &members, template.schema()?.as_ref(), now)?;
    catalog::table(db, name)
}

/// Returns the valid rows in their stored form, and the errors of the invalid rows.
fn check_rows(schema: &Schema, insertion: &Insertion, now: i64) -> Result<(Vec<NewRow>, Vec<InsertError>), ApiError> {
    let options = RowOptions { unknown: insertion.unknown, now };
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for (index, row) in insertion.rows.iter().enumerate() {
        #[cfg(feature = "faults")]
        if let Some(column) = insertion.rejected.as_ref().and_then(|rejected| rejected.column_of(index, row)) {
            bad.push(InsertError::new(index, RowError::invalid(&column, "Rejected by an injected fault.".to_owned())));
            continue;
        }
        let checked = check_insert_id(row).and_then(|()| row::check_row(schema, &row.json, options));
        match checked {
            Ok(stored) => good.push(NewRow { insert_id: row.insert_id.clone(), json: serde_json::to_string(&stored)? }),
            Err(error) => bad.push(InsertError::new(index, error)),
        }
    }
    Ok((good, bad))
}

fn check_insert_id(row: &InsertRow) -> Result<(), RowError> {
    if row.insert_id.as_ref().is_none_or(|id| id.chars().count() <= MAX_INSERT_ID_LENGTH) {
        return Ok(());
    }
    let message = format!("insertId must be at most {MAX_INSERT_ID_LENGTH} characters long.");
    Err(RowError::invalid("insertId", message))
}

/// One error per row of the request: the errors of the invalid rows, and `stopped` for the others.
fn add_stopped_errors(bad: Vec<InsertError>, rows: usize) -> Vec<InsertError> {
    let mut bad = bad.into_iter().peekable();
    (0..rows)
        .map(|index| bad.next_if(|error| error.index == index).unwrap_or_else(|| InsertError::new(index, RowError::stopped())))
        .collect()
}
