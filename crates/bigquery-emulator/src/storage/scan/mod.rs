//! Stored rows as a table of the engine.
//!
//! A [`RowsTable`] is one stored table, or many that a wildcard matches. A scan reads the columns
//! that are asked for (`decode`), in batches, and splits the rows between the processor's cores by
//! ranges of their index. A reader of the store is held for one batch at a time, so that any number
//! of scans can run beside each other.

mod builder;
mod decode;
mod members;
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

/// Fewer rows than these are not worth a second core.
const ROWS_FOR_A_CORE: i64 = 8_192;

/// A stored table.
#[derive(Clone, Debug)]
pub(crate) struct StoredRows {
    pub id: i64,
    pub rows: i64,
    pub bytes: i64,
    /// What the wildcard stands for in its name.
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
    parts: Vec<StoredRows>,
    reader: Reader,
}

impl RowsTable {
    pub(crate) fn new(fields: Vec<Field>, parts: Vec<StoredRows>, reader: Reader) -> RowsTable {
        RowsTable { schema: Arc::new(Schema::new(fields)), parts, reader }
    }
}

impl std::fmt::Debug for RowsTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowsTable").field("schema", &self.schema).field("parts", &self.parts.len()).finish_non_exhaustive()
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

    /// Only what can be asked of the tables' names is answered here.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let of_suffix = |filter: &&Expr| match prune::is_of_suffix(filter) {
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
        let parts = prune::matching(session, &self.parts, filters)?;
        let bytes: i64 = parts.iter().map(|part| part.bytes).sum();
        BytesProcessed::add(session, bytes.unsigned_abs());

        let schema = match projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => self.schema(),
        };
        let cores = session.config().target_partitions();
        let partitions: Vec<Arc<dyn PartitionStream>> = split(&parts, cores)
            .into_iter()
            .map(|ranges| Arc::new(RowsPartition::new(Arc::clone(&schema), ranges, self.reader.clone())) as Arc<dyn PartitionStream>)
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(schema, partitions, None, None, false, limit)?))
    }
}

/// The rows of all parts, in as many equal shares as there are cores.
fn split(parts: &[StoredRows], cores: usize) -> Vec<Vec<RowRange>> {
    let rows: i64 = parts.iter().map(|part| part.rows).sum();
    let share = (rows / cores.max(1) as i64 + 1).max(ROWS_FOR_A_CORE);
    let mut shares = vec![Vec::new()];
    let mut room = share;
    for part in parts {
        let mut from = 0;
        while from < part.rows {
            if room == 0 {
                shares.push(Vec::new());
                room = share;
            }
            let to = part.rows.min(from + room);
            if let Some(last) = shares.last_mut() {
                last.push(RowRange { table: part.id, from, to, suffix: part.suffix.clone() });
            }
            room -= to - from;
            from = to;
        }
    }
    shares
}

/// The column that holds no stored value.
fn is_suffix(field: &Field) -> bool {
    field.name() == TABLE_SUFFIX
}
