//! Scans stored rows for the query engine.
//!
//! A [`RowsTable`] is a stored table, or the tables that a wildcard matches. A scan reads the projected columns (`decode`)
//! in batches, and splits the rows into one partition per core. It uses a reader of the store for one batch at a time, so
//! that any number of scans can run at the same time.

mod column_builder;
mod decode;
mod member_scanner;
mod partition;
mod prune;

use std::sync::Arc;

use async_trait::async_trait;
use googlesql::datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use googlesql::datafusion::catalog::{Session, TableProvider};
use googlesql::datafusion::common::Result;
use googlesql::datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use googlesql::datafusion::physical_plan::ExecutionPlan;
use googlesql::datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use googlesql::{BytesProcessed, TABLE_SUFFIX};

use crate::storage::store::Reader;
pub(crate) use decode::Decoder;
use partition::RowsPartition;

/// Minimum number of rows of a partition, because a small partition is not worth a core.
const MIN_ROWS_PER_PARTITION: i64 = 8_192;

/// A stored table.
#[derive(Clone, Debug)]
pub(crate) struct StoredRows {
    pub id: i64,
    pub rows: i64,
    pub bytes: i64,
    /// The part of the table's name that the wildcard matches.
    pub suffix: Option<Arc<str>>,
}

/// Rows `from..to` of a stored table.
#[derive(Clone, Debug)]
struct RowRange {
    table: i64,
    from: i64,
    to: i64,
    suffix: Option<Arc<str>>,
}

pub(crate) struct RowsTable {
    schema: SchemaRef,
    tables: Vec<StoredRows>,
    reader: Reader,
}

impl RowsTable {
    pub(crate) fn new(fields: Vec<Field>, tables: Vec<StoredRows>, reader: Reader) -> RowsTable {
        RowsTable { schema: Arc::new(Schema::new(fields)), tables, reader }
    }
}

impl std::fmt::Debug for RowsTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowsTable").field("schema", &self.schema).field("tables", &self.tables.len()).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for RowsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// The scan applies only filters on `_TABLE_SUFFIX`.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let of_suffix = |filter: &&Expr| match prune::is_suffix_filter(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(of_suffix).collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let tables = prune::filter_by_suffix(session, &self.tables, filters)?;
        let bytes: i64 = tables.iter().map(|table| table.bytes).sum();
        BytesProcessed::add(session, bytes.unsigned_abs());

        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema(),
        };
        let cores = session.config().target_partitions();
        let partitions: Vec<Arc<dyn PartitionStream>> = split_rows(&tables, cores)
            .into_iter()
            .map(|ranges| Arc::new(RowsPartition::new(Arc::clone(&schema), ranges, self.reader.clone())) as Arc<dyn PartitionStream>)
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, None, false, limit)?))
    }
}

/// Splits the rows of all tables into equal partitions, one per core.
fn split_rows(tables: &[StoredRows], cores: usize) -> Vec<Vec<RowRange>> {
    let rows: i64 = tables.iter().map(|table| table.rows).sum();
    let share = (rows / cores.max(1) as i64 + 1).max(MIN_ROWS_PER_PARTITION);
    let mut shares = vec![Vec::new()];
    let mut room = share;
    for table in tables {
        let mut from = 0;
        while from < table.rows {
            if room == 0 {
                shares.push(Vec::new());
                room = share;
            }
            let to = table.rows.min(from + room);
            if let Some(last) = shares.last_mut() {
                last.push(RowRange { table: table.id, from, to, suffix: table.suffix.clone() });
            }
            room -= to - from;
            from = to;
        }
    }
    shares
}

/// Whether the column is `_TABLE_SUFFIX`, which is not stored in rows.
fn is_suffix_field(field: &Field) -> bool {
    field.name() == TABLE_SUFFIX
}
