//! Applies a DELETE in the writer's transaction.
//!
//! The remaining rows are copied to a new table id and renumbered, so `rows.seq` has no gaps. A query that reads the old
//! id at the same time finds no rows and fails. It does not read a row twice.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#delete_statement>.

use std::sync::Arc;

use googlesql::{DeletePlan, QueryError};
use rusqlite::{Connection, params};

use super::catalog::{self, Table};
use super::scan::Decoder;
use crate::error::ApiError;
use crate::names::TableRef;

/// Number of rows that are evaluated together.
const BATCH_ROWS: i64 = 8_192;

/// The result of a DELETE.
pub(crate) struct DeleteResult {
    /// Bytes of the rows that were read.
    pub bytes: u64,
    /// Number of deleted rows.
    pub rows: u64,
}

/// Deletes the rows. `protected` returns the number of the table's last rows that are in the streaming buffer. If one of
/// them matches, nothing is deleted.
pub(crate) fn delete(
    db: &Connection,
    plan: &DeletePlan,
    protected: impl FnOnce(&TableRef) -> usize,
    now: i64,
) -> Result<DeleteResult, QueryError> {
    let name = TableRef::from(plan.name.clone());
    // Read the table again, because rows may have been added since the condition was resolved.
    let table = catalog::table(db, &name)?;
    let mut matches = Vec::new();
    let mut from = 0;
    while from < table.rows {
        let to = table.rows.min(from + BATCH_ROWS);
        matches.extend(matching_rows(db, &table, plan, from, to)?);
        from = to;
    }
    if matches.iter().rev().take(protected(&name)).any(|matches| *matches) {
        let name = name.to_string().replace(':', ".");
        return Err(QueryError::Invalid(format!(
            "UPDATE or DELETE statement over table {name} would affect rows in the streaming buffer, which is not supported"
        )));
    }
    let rows = matches.iter().filter(|matches| **matches).count() as u64;
    if rows > 0 {
        rewrite_remaining_rows(db, table.id, &matches, now).map_err(ApiError::from)?;
    }
    Ok(DeleteResult { bytes: table.bytes.unsigned_abs(), rows })
}

/// Returns for each of the rows `from..to` whether to delete it.
fn matching_rows(db: &Connection, table: &Table, plan: &DeletePlan, from: i64, to: i64) -> Result<Vec<bool>, QueryError> {
    let rows = (to - from) as usize;
    let mut decoder = Decoder::new(Arc::clone(&plan.columns), rows);
    if decoder.needs_rows() {
        let mut statement =
            db.prepare_cached("SELECT json FROM rows WHERE tbl = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq").map_err(ApiError::from)?;
        let mut found = statement.query((table.id, from, to)).map_err(ApiError::from)?;
        while let Some(row) = found.next().map_err(ApiError::from)? {
            let json = row.get_ref(0).and_then(|json| Ok(json.as_str()?)).map_err(ApiError::from)?;
            decoder.append_row(json)?;
        }
    }
    decoder.finish_range(rows, None);
    plan.matches(&decoder.finish()?)
}

/// Copies the remaining rows to a new table id.
fn rewrite_remaining_rows(db: &Connection, old: i64, matches: &[bool], now: i64) -> rusqlite::Result<()> {
    db.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'tables'", [])?;
    let new: i64 = db.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'tables'", [], |row| row.get(0))?;
    let mut copy = db.prepare("INSERT INTO rows (tbl, seq, json) SELECT ?1, ?2, json FROM rows WHERE tbl = ?3 AND seq = ?4")?;
    let staying = matches.iter().enumerate().filter(|(_, matches)| !**matches);
    let mut rows: i64 = 0;
    for (seq, _) in staying {
        copy.execute(params![new, rows, old, seq as i64])?;
        rows += 1;
    }
    db.execute("DELETE FROM rows WHERE tbl = ?1", [old])?;
    db.execute("UPDATE insert_ids SET tbl = ?2 WHERE tbl = ?1", [old, new])?;
    db.execute(
        "UPDATE tables SET id = ?2, rows = ?3, modified = ?4,
             bytes = (SELECT coalesce(sum(length(CAST(json AS BLOB))), 0) FROM rows WHERE tbl = ?2)
         WHERE id = ?1",
        params![old, new, rows, now],
    )?;
    Ok(())
}
