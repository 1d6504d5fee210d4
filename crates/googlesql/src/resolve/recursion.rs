//! Resolves WITH RECURSIVE: a common table expression that refers to itself.
//!
//! Its form is `base UNION ALL recursive_term`. In the recursive term, the name refers to the rows of the previous
//! iteration. The iteration ends when it returns no rows.
//! Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#recursive_cte>.

use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{self, SetExpr, SetOperator, SetQuantifier};

use super::Resolver;
use super::nesting::{Nesting, sort_plan};
use crate::QueryError;
use crate::error_location::error_at;
use crate::physical::work_table::WorkTable;
use crate::resolve::scope::{OutputColumn, Relation};

impl Resolver<'_> {
    /// Resolves a common table expression of WITH RECURSIVE, which may refer to itself.
    pub(crate) fn resolve_recursive_cte(&self, name: &str, query: &ast::Query, nesting: Nesting<'_>) -> Result<Relation, QueryError> {
        let (SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right }, None, None) =
            (query.body.as_ref(), &query.with, &query.limit_clause)
        else {
            return self.resolve_query(query, nesting);
        };
        let is_distinct = match set_quantifier {
            SetQuantifier::All => false,
            SetQuantifier::Distinct => true,
            _ => return self.resolve_query(query, nesting),
        };
        let written_base = self.resolve_set_expr(left, nesting)?;
        let base = self.drop_sort_columns(self.replace_null_types(written_base.clone())?)?;
        let steps = self.new_id(name);
        let visible = self.with.borrow().len();
        self.with.borrow_mut().push((name.to_owned(), self.scan_work_table(&steps, &base.columns)?));
        let more = self.resolve_set_expr(right, nesting);
        self.with.borrow_mut().truncate(visible);
        let more = more?;
        if !reads_table(&more.plan, &steps)? {
            return match query.order_by {
                Some(_) => self.resolve_query(query, nesting),
                None => self.build_set_operation(SetOperator::Union, *set_quantifier, vec![written_base, more], &query.body),
            };
        }
        if more.columns.len() != base.columns.len() {
            let message = format!(
                "Recursive query {name} has terms of {} and {} columns: both must have the same",
                base.columns.len(),
                more.columns.len()
            );
            return Err(error_at(message, right.as_ref()));
        }
        let mut exprs = Vec::new();
        for (found, column) in more.columns.iter().zip(&base.columns) {
            exprs.push((self.coerce(found.value(), &column.field, right.as_ref())?.expr, column.id.clone()));
        }
        let more = self.project(more.plan, exprs)?;
        let plan = LogicalPlanBuilder::new(base.plan).to_recursive_query(steps, more, is_distinct).and_then(LogicalPlanBuilder::build)?;
        Ok(Relation { plan, columns: base.columns, order: Vec::new(), is_value: base.is_value })
    }

    /// Removes the columns that are only used for sorting.
    fn drop_sort_columns(&self, relation: Relation) -> Result<Relation, QueryError> {
        let plan = sort_plan(relation.plan, &relation.order)?;
        let plan = self.project(plan, relation.columns.iter().map(|column| (column.value().expr, column.id.clone())))?;
        Ok(Relation { plan, order: Vec::new(), ..relation })
    }

    /// Scans the rows of the previous iteration.
    fn scan_work_table(&self, steps: &str, columns: &[OutputColumn]) -> Result<Relation, QueryError> {
        let field =
            |column: &OutputColumn| -> FieldRef { Arc::new(column.field.as_ref().clone().with_name(&column.id).with_nullable(true)) };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let source = provider_as_source(Arc::new(WorkTable::new(steps, schema)));
        let scan = LogicalPlanBuilder::scan(TableReference::bare(steps), source, None).and_then(LogicalPlanBuilder::build);
        let scan = scan?;
        let exprs: Vec<_> =
            scan.schema().columns().into_iter().map(Expr::Column).zip(columns.iter().map(|column| column.id.clone())).collect();
        let columns: Vec<OutputColumn> = columns.to_vec();
        Ok(Relation { plan: self.project(scan, exprs)?, columns, order: Vec::new(), is_value: false })
    }
}

/// Whether the plan reads the table.
fn reads_table(plan: &LogicalPlan, name: &str) -> Result<bool, QueryError> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::TableScan(scan) if scan.table_name.table() == name);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
