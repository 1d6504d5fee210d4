//! The SQL that appends and reads the rows of a table.
//!
//! `streaming::row` checks the rows before, and `rest::tabledata` encodes them for responses.

use rusqlite::{Connection, params};

use crate::error::ApiError;
use crate::storage::catalog::Table;

/// Time to live of an insertId. BigQuery deduplicates for about one minute, best effort.
/// <https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#dataconsistency>
const INSERT_ID_TTL_MS: i64 = 60_000;

/// A row to append.
pub(crate) struct NewRow {
    pub insert_id: Option<String>,
    /// The stored form, see `streaming::row`.
    pub json: String,
}

/// Appends the rows, except those whose insertId was used in the last minute by this request or an earlier one.
pub(crate) fn append(db: &Connection, table: &Table, rows: &[NewRow], now: i64) -> Result<(), ApiError> {
    // Delete the expired insertIds of all tables first. Then any insertId in the table marks a duplicate.
    db.prepare_cached("DELETE FROM insert_ids WHERE at <= ?1")?.execute([now - INSERT_ID_TTL_MS])?;
    let mut add_insert_id = db.prepare_cached("INSERT OR IGNORE INTO insert_ids (tbl, insert_id, at) VALUES (?1, ?2, ?3)")?;
    let mut insert = db.prepare_cached("INSERT INTO rows (tbl, seq, json) VALUES (?1, ?2, ?3)")?;

    let mut count = table.rows;
    let mut bytes = table.bytes;
    for row in rows {
        if let Some(insert_id) = &row.insert_id
            && add_insert_id.execute(params![table.id, insert_id, now])? == 0
        {
            continue;
        }
        insert.execute(params![table.id, count, row.json])?;
        count += 1;
        bytes += row.json.len() as i64;
    }
    db.prepare_cached("UPDATE tables SET rows = ?2, bytes = ?3, modified = ?4 WHERE id = ?1")?
        .execute(params![table.id, count, bytes, now])?;
    Ok(())
}

/// Reads at most `limit` rows from index `from`. The page ends early when it reaches `budget` bytes, but it has at least
/// one row if there is one.
pub(crate) fn page(db: &Connection, table: &Table, from: i64, limit: usize, budget: usize) -> Result<Vec<String>, ApiError> {
    let mut statement = db.prepare_cached("SELECT json FROM rows WHERE tbl = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3")?;
    let mut found = statement.query(params![table.id, from, limit as i64])?;
    let mut page = Vec::new();
    let mut bytes = 0;
    while bytes < budget
        && let Some(row) = found.next()?
    {
        let json: String = row.get(0)?;
        bytes += json.len();
        page.push(json);
    }
    Ok(page)
}
