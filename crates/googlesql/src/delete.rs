//! Carrying out a DELETE, within the writer's transaction.
//!
//! The rows that stay are copied to a new table id, numbered anew: so `rows.seq` stays without
//! gaps, and a query that reads the table meanwhile finds its rows gone rather than moved, and says
//! so, instead of reading some twice.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::common::DataFusionError;
use rusqlite::{Connection, params};

use super::doomed::Doomed;
use super::scan::Decoder;
use super::{QueryError, place};
use crate::catalog::{self, Table};
use crate::errors::ApiError;
use crate::streaming_buffer::StreamingBuffer;

/// Rows that are looked at together.
const BATCH: i64 = 8_192;

/// Deletes the rows; gives the bytes that were looked at, and how many rows it were.
pub(crate) fn delete(db: &Connection, deletion: &Doomed, buffer: &StreamingBuffer, now: i64) -> Result<(u64, u64), QueryError> {
    // The table as it is now: rows may have come since the condition was read.
    let table = catalog::table(db, &deletion.name)?;
    let mut doomed = Vec::new();
    let mut from = 0;
    while from < table.rows {
        let to = table.rows.min(from + BATCH);
        doomed.extend(doomed_rows(db, &table, deletion, from, to)?);
        from = to;
    }
    if doomed.iter().rev().take(buffer.rows_of(&deletion.name)).any(|doomed| *doomed) {
        let place = deletion.name.to_string().replace(':', ".");
        return Err(QueryError::Invalid(format!(
            "UPDATE or DELETE statement over table {place} would affect rows in the streaming buffer, which is not supported"
        )));
    }
    let count = doomed.iter().filter(|doomed| **doomed).count() as u64;
    if count > 0 {
        keep(db, table.id, &doomed, now).map_err(ApiError::from)?;
    }
    Ok((table.bytes.unsigned_abs(), count))
}

/// Which of the rows `from..to` are to go.
fn doomed_rows(db: &Connection, table: &Table, deletion: &Doomed, from: i64, to: i64) -> Result<Vec<bool>, QueryError> {
    let rows = (to - from) as usize;
    let mut decoder = Decoder::new(Arc::clone(&deletion.columns), rows);
    if decoder.needs_rows() {
        let mut statement =
            db.prepare_cached("SELECT json FROM rows WHERE tbl = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq").map_err(ApiError::from)?;
        let mut found = statement.query((table.id, from, to)).map_err(ApiError::from)?;
        while let Some(row) = found.next().map_err(ApiError::from)? {
            let json = row.get_ref(0).and_then(|json| Ok(json.as_str()?)).map_err(ApiError::from)?;
            decoder.row(json).map_err(place::plain)?;
        }
    }
    decoder.finish_range(rows, None);
    let mask = decoder.finish().and_then(|batch| deletion.condition.evaluate(&batch)?.into_array(rows)).map_err(place::plain)?;
    let mask = mask.as_boolean_opt().ok_or_else(|| place::plain(DataFusionError::Plan("WHERE is not a condition".to_owned())))?;
    Ok(mask.iter().map(|holds| holds == Some(true)).collect())
}

/// Gives the table a new id, and the rows that stay with it.
fn keep(db: &Connection, old: i64, doomed: &[bool], now: i64) -> rusqlite::Result<()> {
    db.execute("UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'tables'", [])?;
    let new: i64 = db.query_row("SELECT seq FROM sqlite_sequence WHERE name = 'tables'", [], |row| row.get(0))?;
    let mut copy = db.prepare("INSERT INTO rows (tbl, seq, json) SELECT ?1, ?2, json FROM rows WHERE tbl = ?3 AND seq = ?4")?;
    let staying = doomed.iter().enumerate().filter(|(_, doomed)| !**doomed);
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
