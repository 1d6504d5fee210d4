//! Resolves DELETE: its table and its condition. The engine makes a `DeletePlan` of them.
//!
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#delete_statement>.

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Column as PlanColumn;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::{self, FromTable, TableFactor};
use std::sync::Arc;

use super::nesting::Nesting;
use super::{Resolver, TablePath, tables};
use crate::QueryError;
use crate::catalog::TableName;
use crate::error_location::{error_at, error_at_span, unsupported};
use crate::resolve::scope::{Clause, name_from_id};

/// A resolved DELETE.
pub(crate) struct Deletion {
    pub name: TableName,
    /// Stored bytes of the table.
    pub bytes: u64,
    /// The columns that the condition needs, by their names in the table.
    pub columns: Arc<Schema>,
    /// The condition over `columns`. The rows for which it is true are deleted. Its subqueries are scalar and
    /// uncorrelated, so each has one value for the whole statement.
    pub condition: Expr,
}

impl Resolver<'_> {
    pub(crate) fn resolve_delete(&self, delete: &ast::Delete) -> Result<Deletion, QueryError> {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let [table] = tables.as_slice() else {
            return Err(error_at("Syntax error: DELETE must have exactly one table", delete));
        };
        let TableFactor::Table { name, .. } = &table.relation else {
            return Err(error_at("Syntax error: DELETE must name a table", delete));
        };
        let is_foreign = !delete.tables.is_empty()
            || delete.using.is_some()
            || delete.returning.is_some()
            || delete.output.is_some()
            || !delete.order_by.is_empty()
            || delete.limit.is_some()
            || !table.joins.is_empty();
        if is_foreign {
            return Err(error_at("Syntax error: DELETE supports only a table and a WHERE clause", delete));
        }
        let Some(selection) = &delete.selection else {
            return Err(error_at_span("DELETE must have a WHERE clause", delete.delete_token.0.span));
        };
        let path = TablePath::parse(name)?;
        let name = path.table_name(self.query)?;
        let bytes = tables::bytes_of_table(self.catalog, &path, &name)?;

        let scope = self.resolve_from_item(&table.relation, Nesting::default())?;
        let env = self.build_env(&scope, Nesting::default(), Clause::Delete);
        let condition = self.resolve_condition(&env, selection, "WHERE clause")?;
        let depends_on_row = |expr: &Expr| matches!(expr, Expr::ScalarSubquery(subquery) if !subquery.outer_ref_columns.is_empty());
        if condition.exists(|expr| Ok(depends_on_row(expr)))? {
            return Err(unsupported("correlated subqueries over tables in a DELETE", selection));
        }
        let mut fields = Vec::new();
        for range in &scope.ranges {
            for column in &range.columns {
                if let Expr::Column(id) = &column.value.expr
                    && condition.column_refs().iter().any(|used| used.name == id.name)
                {
                    fields.push(column.value.field.as_ref().clone().with_name(&column.name));
                }
            }
        }
        let columns = Arc::new(Schema::new(fields));
        let named = condition.transform(|expr| match expr {
            Expr::Column(column) => Ok(Transformed::yes(Expr::Column(PlanColumn::new_unqualified(name_from_id(&column.name))))),
            other => Ok(Transformed::no(other)),
        });
        let condition = named?.data;
        Ok(Deletion { name, bytes, columns, condition })
    }
}
