//! WITH RECURSIVE: a subquery that selects from itself.
//!
//! `base UNION ALL more`: what `more` sees under the subquery's name are the rows that the step
//! before brought, until there are none.

use std::sync::Arc;

use datafusion::arrow::datatypes::{FieldRef, Schema};
use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::{self, SetExpr, SetOperator, SetQuantifier};

use super::Resolver;
use super::nesting::{Nesting, sorted};
use crate::QueryError;
use crate::error_location::error_at;
use crate::physical::work_table::WorkTable;
use crate::resolve::scope::{Output, Relation};

impl Resolver<'_> {
    /// A subquery of a WITH RECURSIVE, which may select from itself.
    pub(crate) fn recursive(&self, name: &str, query: &ast::Query, nesting: Nesting<'_>) -> Result<Relation, QueryError> {
        let (SetExpr::SetOperation { op: SetOperator::Union, set_quantifier, left, right }, None, None) =
            (query.body.as_ref(), &query.with, &query.limit_clause)
        else {
            return self.query(query, nesting);
        };
        let is_distinct = match set_quantifier {
            SetQuantifier::All => false,
            SetQuantifier::Distinct => true,
            _ => return self.query(query, nesting),
        };
        let base = self.set_expr(left, nesting)?;
        let base = self.only_columns(self.typed_columns(base)?)?;
        let steps = self.id(name);
        let in_sight = self.with.borrow().len();
        self.with.borrow_mut().push((name.to_owned(), self.last_rows(&steps, &base.columns)?));
        let more = self.set_expr(right, nesting);
        self.with.borrow_mut().truncate(in_sight);
        let more = more?;
        if !scans(&more.plan, &steps)? {
            return self.query(query, nesting);
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

    /// The relation without what it is ordered by.
    fn only_columns(&self, relation: Relation) -> Result<Relation, QueryError> {
        let plan = sorted(relation.plan, &relation.order)?;
        let plan = self.project(plan, relation.columns.iter().map(|column| (column.value().expr, column.id.clone())))?;
        Ok(Relation { plan, order: Vec::new(), ..relation })
    }

    /// The rows of the step before.
    fn last_rows(&self, steps: &str, columns: &[Output]) -> Result<Relation, QueryError> {
        let field = |column: &Output| -> FieldRef { Arc::new(column.field.as_ref().clone().with_name(&column.id).with_nullable(true)) };
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let source = provider_as_source(Arc::new(WorkTable::new(steps, schema)));
        let scan = LogicalPlanBuilder::scan(TableReference::bare(steps), source, None).and_then(LogicalPlanBuilder::build);
        let scan = scan?;
        let exprs: Vec<_> =
            scan.schema().columns().into_iter().map(Expr::Column).zip(columns.iter().map(|column| column.id.clone())).collect();
        let columns: Vec<Output> = columns.to_vec();
        Ok(Relation { plan: self.project(scan, exprs)?, columns, order: Vec::new(), is_value: false })
    }
}

/// Whether the plan reads from this table.
fn scans(plan: &LogicalPlan, name: &str) -> Result<bool, QueryError> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= matches!(node, LogicalPlan::TableScan(scan) if scan.table_name.table() == name);
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}
