//! The rows of a table: append them once, read them in order.
//!
//! SQL only; the rows were checked by `row` and are turned into BigQuery's encoding by
//! `tabledata`.

use rusqlite::{Connection, params};

use crate::error::ApiError;
use crate::storage::catalog::Table;

/// How long an insertId is remembered. BigQuery promises about a minute, best effort.
const INSERT_ID_LIFE_MS: i64 = 60_000;

/// A row on its way into a table.
pub(crate) struct NewRow {
    pub insert_id: Option<String>,
    /// The stored form, see `row`.
    pub json: String,
}

/// Appends the rows whose insertId was not seen within the last minute, in this request or an
/// earlier one.
pub(crate) fn append(db: &Connection, table: &Table, rows: &[NewRow], now: i64) -> Result<(), ApiError> {
    // Expired ids go first, of all tables: then an id that is still there is a duplicate, and the
    // table of ids never holds more than a minute.
    db.prepare_cached("DELETE FROM insert_ids WHERE at <= ?1")?.execute([now - INSERT_ID_LIFE_MS])?;
    let mut remember = db.prepare_cached("INSERT OR IGNORE INTO insert_ids (tbl, insert_id, at) VALUES (?1, ?2, ?3)")?;
    let mut insert = db.prepare_cached("INSERT INTO rows (tbl, seq, json) VALUES (?1, ?2, ?3)")?;

    let mut count = table.rows;
    let mut bytes = table.bytes;
    for row in rows {
        if let Some(insert_id) = &row.insert_id
            && remember.execute(params![table.id, insert_id, now])? == 0
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

/// Stored rows from index `from` on: `limit` of them, or fewer once `budget` bytes are reached
/// (but never none while there are any).
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
