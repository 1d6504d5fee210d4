//! Which tables of a wildcard are left by what WHERE says of `_TABLE_SUFFIX`.

use std::sync::Arc;

use googlesql::TABLE_SUFFIX;
use googlesql::datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use googlesql::datafusion::arrow::datatypes::{DataType, Field, Schema};
use googlesql::datafusion::catalog::Session;
use googlesql::datafusion::common::tree_node::{Transformed, TreeNode};
use googlesql::datafusion::common::{Column, DFSchema, Result};
use googlesql::datafusion::logical_expr::Expr;

use super::StoredRows;

/// Whether the filter can be answered for a table as a whole.
pub(crate) fn is_of_suffix(filter: &Expr) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty() && columns.iter().all(|column| column.name == TABLE_SUFFIX) && !filter.is_volatile() && !filter.contains_outer()
}

/// The parts for which all filters hold.
pub(crate) fn matching(session: &dyn Session, parts: &[StoredRows], filters: &[Expr]) -> Result<Vec<StoredRows>> {
    let mut parts = parts.to_vec();
    let schema = Arc::new(Schema::new(vec![Field::new(TABLE_SUFFIX, DataType::Utf8, true)]));
    let named = DFSchema::try_from(Arc::clone(&schema))?;
    for filter in filters.iter().filter(|filter| is_of_suffix(filter)) {
        let filter = filter.clone().transform(|expr| match expr {
            Expr::Column(column) => Ok(Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))),
            other => Ok(Transformed::no(other)),
        })?;
        let suffixes = StringArray::from_iter(parts.iter().map(|part| part.suffix.as_deref()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(suffixes)])?;
        let holds = session.create_physical_expr(filter.data, &named)?.evaluate(&batch)?.into_array(parts.len())?;
        let mut holds = holds.as_boolean().iter();
        parts.retain(|_| holds.next().flatten().unwrap_or(false));
    }
    Ok(parts)
}
