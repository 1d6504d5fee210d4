//! One partition of a scan: ranges of rows, which blocking threads read batch by batch.

use std::sync::Arc;

use googlesql::datafusion::arrow::array::RecordBatch;
use googlesql::datafusion::arrow::datatypes::SchemaRef;
use googlesql::datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use googlesql::datafusion::execution::{SendableRecordBatchStream, TaskContext};
use googlesql::datafusion::physical_plan::stream::RecordBatchReceiverStream;
use googlesql::datafusion::physical_plan::streaming::PartitionStream;
use rusqlite::Connection;

use super::RowRange;
use super::decode::{Decoder, needs_rows};
use crate::error::ApiError;
use crate::storage::store::Reader;

/// Number of rows of one batch.
const BATCH_ROWS: i64 = 8_192;

#[derive(Debug)]
pub(crate) struct RowsPartition {
    schema: SchemaRef,
    ranges: Arc<Vec<RowRange>>,
    reader: Reader,
}

/// The position of the next row.
#[derive(Clone, Copy)]
struct Position {
    range: usize,
    /// The index of the next row in that range.
    row: i64,
}

impl RowsPartition {
    pub(crate) fn new(schema: SchemaRef, ranges: Vec<RowRange>, reader: Reader) -> RowsPartition {
        RowsPartition { schema, ranges: Arc::new(ranges), reader }
    }
}

impl PartitionStream for RowsPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder = RecordBatchReceiverStream::builder(Arc::clone(&self.schema), 1);
        let batches = builder.tx();
        let (schema, ranges, reader) = (Arc::clone(&self.schema), Arc::clone(&self.ranges), self.reader.clone());
        builder.spawn(async move {
            let mut position = Position { range: 0, row: ranges.first().map_or(0, |range| range.from) };
            while position.range < ranges.len() {
                let (schema, ranges) = (Arc::clone(&schema), Arc::clone(&ranges));
                let (batch, next) = if needs_rows(&schema) {
                    let read = reader.read(move |db| Ok(batch(Some(db), schema, &ranges, position))).await;
                    read.map_err(|error| DataFusionError::External(Box::new(error)))??
                } else {
                    batch(None, schema, &ranges, position)?
                };
                position = next;
                // The receiver is dropped when the query is cancelled or needs no more rows.
                if batches.send(Ok(batch)).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
        builder.build()
    }
}

/// Reads the next batch. Returns it and the position after it. Without `db`, it only counts rows.
fn batch(db: Option<&Connection>, schema: SchemaRef, ranges: &[RowRange], from: Position) -> Result<(RecordBatch, Position)> {
    let mut decoder = Decoder::new(schema, BATCH_ROWS as usize);
    let mut position = from;
    let mut room = BATCH_ROWS;
    while room > 0
        && let Some(range) = ranges.get(position.range)
    {
        let to = range.to.min(position.row + room);
        let wanted = to - position.row;
        let read = db.map_or(Ok(wanted), |db| rows(db, range, position.row, to, &mut decoder))?;
        if read != wanted {
            // Rows are missing only if a DELETE rewrote the table, or the table was deleted.
            return Err(exec_datafusion_err!("A table was changed while the query read it; please run the query again"));
        }
        decoder.finish_range(wanted as usize, range.suffix.as_deref());
        room -= wanted;
        position.row = to;
        if to == range.to {
            position.range += 1;
            position.row = ranges.get(position.range).map_or(0, |next| next.from);
        }
    }
    Ok((decoder.finish()?, position))
}

/// Decodes the rows `from..to` of the range's table. Returns the number of rows that were found.
fn rows(db: &Connection, range: &RowRange, from: i64, to: i64, decoder: &mut Decoder) -> Result<i64> {
    let failed = |error: rusqlite::Error| DataFusionError::External(Box::new(ApiError::from(error)));
    let mut statement =
        db.prepare_cached("SELECT json FROM rows WHERE tbl = ?1 AND seq >= ?2 AND seq < ?3 ORDER BY seq").map_err(failed)?;
    let mut found = statement.query((range.table, from, to)).map_err(failed)?;
    let mut count = 0;
    while let Some(row) = found.next().map_err(failed)? {
        let json = row.get_ref(0).map_err(failed)?.as_str().map_err(|error| failed(error.into()))?;
        decoder.append_row(json)?;
        count += 1;
    }
    Ok(count)
}
