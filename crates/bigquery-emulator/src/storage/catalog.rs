//! The SQL that finds, lists, creates, changes and deletes datasets and tables.
//!
//! `rest::datasets` and `rest::tables` check changes and build the resources of responses.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use crate::error::ApiError;
use crate::names::{DatasetRef, TableRef};
use crate::resource::Members;

/// A dataset. Times are milliseconds since 1970.
pub(crate) struct Dataset {
    pub id: i64,
    pub name: DatasetRef,
    resource: String,
    pub created: i64,
    pub modified: i64,
    pub version: i64,
}

/// A table. Times are milliseconds since 1970. `bytes` is the length of the stored rows.
pub(crate) struct Table {
    pub id: i64,
    pub name: TableRef,
    resource: String,
    schema: Option<String>,
    pub created: i64,
    pub modified: i64,
    pub version: i64,
    pub rows: i64,
    pub bytes: i64,
}

impl Dataset {
    /// The members that the client sent, without the computed members.
    pub(crate) fn members(&self) -> Result<Members, ApiError> {
        Ok(serde_json::from_str(&self.resource)?)
    }
}

impl Table {
    /// The members that the client sent, without the schema and the computed members.
    pub(crate) fn members(&self) -> Result<Members, ApiError> {
        Ok(serde_json::from_str(&self.resource)?)
    }

    /// The schema that the client sent.
    pub(crate) fn schema(&self) -> Result<Option<Value>, ApiError> {
        Ok(self.schema.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// The query text of a view; `None` for a table.
    pub(crate) fn view_query(&self) -> Result<Option<String>, ApiError> {
        let members = self.members()?;
        Ok(members.get("view").and_then(|view| view.get("query")).and_then(|query| query.as_str()).map(str::to_owned))
    }

    /// Whether the table is a view.
    pub(crate) fn is_view(&self) -> Result<bool, ApiError> {
        Ok(self.members()?.contains_key("view"))
    }

    /// Whether the table is partitioned by time or by range.
    pub(crate) fn is_partitioned(&self) -> Result<bool, ApiError> {
        let members = self.members()?;
        Ok(["timePartitioning", "rangePartitioning"].iter().any(|member| members.get(*member).is_some_and(|value| !value.is_null())))
    }

    pub(crate) fn has_same_schema(&self, other: &Table) -> bool {
        self.schema == other.schema
    }
}

const SELECT_DATASET: &str = "SELECT id, project, name, resource, created, modified, version FROM datasets";

fn read_dataset(row: &Row<'_>) -> rusqlite::Result<Dataset> {
    Ok(Dataset {
        id: row.get(0)?,
        name: DatasetRef { project: row.get(1)?, dataset: row.get(2)? },
        resource: row.get(3)?,
        created: row.get(4)?,
        modified: row.get(5)?,
        version: row.get(6)?,
    })
}

pub(crate) fn find_dataset(db: &Connection, name: &DatasetRef) -> Result<Option<Dataset>, ApiError> {
    Ok(db
        .prepare_cached(&format!("{SELECT_DATASET} WHERE project = ?1 AND name = ?2"))?
        .query_row(params![name.project, name.dataset], read_dataset)
        .optional()?)
}

/// Finds the dataset, or fails with [`ApiError::NotFound`].
pub(crate) fn dataset(db: &Connection, name: &DatasetRef) -> Result<Dataset, ApiError> {
    find_dataset(db, name)?.ok_or_else(|| ApiError::NotFound(format!("Dataset {name}")))
}

/// Lists the datasets of a project after the name `after`, sorted by name.
pub(crate) fn datasets(db: &Connection, project: &str, after: &str, limit: usize) -> Result<Vec<Dataset>, ApiError> {
    let sql = format!("{SELECT_DATASET} WHERE project = ?1 AND name > ?2 ORDER BY name LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map(params![project, after, limit as i64], read_dataset)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Lists the projects with datasets.
pub(crate) fn projects(db: &Connection) -> Result<Vec<String>, ApiError> {
    let mut statement = db.prepare("SELECT DISTINCT project FROM datasets ORDER BY project")?;
    let found = statement.query_map([], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

pub(crate) fn create_dataset(db: &Connection, name: &DatasetRef, members: &Members, now: i64) -> Result<(), ApiError> {
    db.execute(
        "INSERT INTO datasets (project, name, resource, created, modified)
         VALUES (?1, ?2, ?3, ?4, ?4)",
        params![name.project, name.dataset, serde_json::to_string(members)?, now],
    )?;
    Ok(())
}

pub(crate) fn change_dataset(db: &Connection, dataset: &Dataset, members: &Members, now: i64) -> Result<(), ApiError> {
    db.execute(
        "UPDATE datasets SET resource = ?2, modified = ?3, version = version + 1 WHERE id = ?1",
        params![dataset.id, serde_json::to_string(members)?, now],
    )?;
    Ok(())
}

/// Deletes the dataset with its tables.
pub(crate) fn delete_dataset(db: &Connection, dataset: &Dataset) -> Result<(), ApiError> {
    const TABLES: &str = "(SELECT id FROM tables WHERE dataset = ?1)";
    for sql in [
        format!("DELETE FROM rows WHERE tbl IN {TABLES}"),
        format!("DELETE FROM insert_ids WHERE tbl IN {TABLES}"),
        "DELETE FROM tables WHERE dataset = ?1".to_owned(),
        "DELETE FROM datasets WHERE id = ?1".to_owned(),
    ] {
        db.execute(&sql, [dataset.id])?;
    }
    Ok(())
}

const SELECT_TABLE: &str = "SELECT id, name, resource, schema, created, modified, version, rows, bytes
                     FROM tables";

fn read_table(dataset: &DatasetRef, row: &Row<'_>) -> rusqlite::Result<Table> {
    Ok(Table {
        id: row.get(0)?,
        name: TableRef { dataset: dataset.clone(), table: row.get(1)? },
        resource: row.get(2)?,
        schema: row.get(3)?,
        created: row.get(4)?,
        modified: row.get(5)?,
        version: row.get(6)?,
        rows: row.get(7)?,
        bytes: row.get(8)?,
    })
}

/// Finds the table. Returns `None` if the dataset has no such table, and [`ApiError::NotFound`] if the dataset does not
/// exist.
pub(crate) fn find_table(db: &Connection, name: &TableRef) -> Result<Option<Table>, ApiError> {
    let dataset = dataset(db, &name.dataset)?;
    Ok(db
        .prepare_cached(&format!("{SELECT_TABLE} WHERE dataset = ?1 AND name = ?2"))?
        .query_row(params![dataset.id, name.table], |row| read_table(&dataset.name, row))
        .optional()?)
}

/// Finds the table, or fails with [`ApiError::NotFound`].
pub(crate) fn table(db: &Connection, name: &TableRef) -> Result<Table, ApiError> {
    find_table(db, name)?.ok_or_else(|| ApiError::NotFound(format!("Table {name}")))
}

/// Lists the tables of a dataset after the name `after`, sorted by name.
pub(crate) fn tables(db: &Connection, dataset: &Dataset, after: &str, limit: usize) -> Result<Vec<Table>, ApiError> {
    let sql = format!("{SELECT_TABLE} WHERE dataset = ?1 AND name > ?2 ORDER BY name LIMIT ?3");
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map(params![dataset.id, after, limit as i64], |row| read_table(&dataset.name, row))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// A table or view of a wildcard table.
pub(crate) struct Shard {
    pub id: i64,
    pub name: String,
    pub created: i64,
    pub rows: i64,
    pub bytes: i64,
    pub is_view: bool,
}

/// Selects the tables whose names are in the range of a prefix.
const FROM_SHARDS: &str = "FROM tables WHERE dataset = ?1 AND name >= ?2 AND name < ?3";

/// An upper bound of all names that begin with `prefix`.
fn after_prefix(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}

/// Lists the tables whose names begin with `prefix`, sorted by name.
pub(crate) fn shards(db: &Connection, dataset: &Dataset, prefix: &str) -> Result<Vec<Shard>, ApiError> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT id, name, created, rows, bytes, json_extract(resource, '$.view') IS NOT NULL {FROM_SHARDS} ORDER BY name"
    ))?;
    let found = statement.query_map(params![dataset.id, prefix, after_prefix(prefix)], |row| {
        Ok(Shard { id: row.get(0)?, name: row.get(1)?, created: row.get(2)?, rows: row.get(3)?, bytes: row.get(4)?, is_view: row.get(5)? })
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The distinct schemas of those tables.
pub(crate) fn shard_schemas(db: &Connection, dataset: &Dataset, prefix: &str) -> Result<Vec<Option<String>>, ApiError> {
    let mut statement = db.prepare_cached(&format!("SELECT DISTINCT schema {FROM_SHARDS}"))?;
    let found = statement.query_map(params![dataset.id, prefix, after_prefix(prefix)], |row| row.get(0))?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The schema text of one table.
pub(crate) fn schema_text(db: &Connection, table: i64) -> Result<Option<String>, ApiError> {
    Ok(db.prepare_cached("SELECT schema FROM tables WHERE id = ?1")?.query_row([table], |row| row.get(0)).optional()?.flatten())
}

pub(crate) fn count_tables(db: &Connection, dataset: &Dataset) -> Result<i64, ApiError> {
    let sql = "SELECT count(*) FROM tables WHERE dataset = ?1";
    Ok(db.query_row(sql, [dataset.id], |row| row.get(0))?)
}

pub(crate) fn create_table(db: &Connection, name: &TableRef, members: &Members, schema: Option<&Value>, now: i64) -> Result<(), ApiError> {
    let dataset = dataset(db, &name.dataset)?;
    db.prepare_cached(
        "INSERT INTO tables (dataset, name, resource, schema, created, modified)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute(params![dataset.id, name.table, serde_json::to_string(members)?, schema.map(serde_json::to_string).transpose()?, now])?;
    Ok(())
}

pub(crate) fn change_table(db: &Connection, table: &Table, members: &Members, schema: Option<&Value>, now: i64) -> Result<(), ApiError> {
    db.execute(
        "UPDATE tables SET resource = ?2, schema = ?3, modified = ?4, version = version + 1
         WHERE id = ?1",
        params![table.id, serde_json::to_string(members)?, schema.map(serde_json::to_string).transpose()?, now],
    )?;
    Ok(())
}

pub(crate) fn delete_table(db: &Connection, table: &Table) -> Result<(), ApiError> {
    for sql in ["DELETE FROM rows WHERE tbl = ?1", "DELETE FROM insert_ids WHERE tbl = ?1", "DELETE FROM tables WHERE id = ?1"] {
        db.execute(sql, [table.id])?;
    }
    Ok(())
}
