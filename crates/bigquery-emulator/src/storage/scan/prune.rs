//! Prunes the tables of a wildcard by the filters on `_TABLE_SUFFIX`.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/querying-wildcard-tables#filter_selected_tables_using_table_suffix>.

use std::sync::Arc;

use googlesql::TABLE_SUFFIX;
use googlesql::datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use googlesql::datafusion::arrow::datatypes::{DataType, Field, Schema};
use googlesql::datafusion::catalog::Session;
use googlesql::datafusion::common::tree_node::{Transformed, TreeNode};
use googlesql::datafusion::common::{Column, DFSchema, Result};
use googlesql::datafusion::logical_expr::Expr;

use super::StoredRows;

/// Whether the filter depends only on `_TABLE_SUFFIX`.
pub(crate) fn is_suffix_filter(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty() && columns.iter().all(|column| column.name == TABLE_SUFFIX) && !filter.is_volatile() && !filter.contains_outer()
}

/// The tables for which all filters are true.
pub(crate) fn filter_by_suffix(session: &dyn Session, tables: &[StoredRows], filters: &[Expr]) -> Result<Vec<StoredRows>> {
    let mut tables = tables.to_vec();
    let schema = Arc::new(Schema::new(vec![Field::new(TABLE_SUFFIX, DataType::Utf8, true)]));
    let named = DFSchema::try_from(Arc::clone(&schema))?;
    for filter in filters.iter().filter(|filter| is_suffix_filter(filter)) {
        let filter = filter.clone().transform(|expr| match expr {
            Expr::Column(column) => Ok(Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))),
            other => Ok(Transformed::no(other)),
        })?;
        let suffixes = StringArray::from_iter(tables.iter().map(|table| table.suffix.as_deref()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(suffixes)])?;
        let matches = session.create_physical_expr(filter.data, &named)?.evaluate(&batch)?.into_array(tables.len())?;
        let mut matches = matches.as_boolean().iter();
        tables.retain(|_| matches.next().flatten().unwrap_or(false));
    }
    Ok(tables)
}
