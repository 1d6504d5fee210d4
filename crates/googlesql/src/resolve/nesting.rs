//! What is around a query, and the rows that a correlated subquery is run for.

use datafusion::common::Column as PlanColumn;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};

use super::scope::{Captured, Outer, Scope};
use crate::error::QueryError;

/// What is around a query.
#[derive(Clone, Copy, Default)]
pub(crate) struct Nesting<'e> {
    pub outer: Option<Outer<'e>>,
    /// The query is run for many rows of the outer one at once.
    pub rows: Option<&'e OuterRows>,
}

/// The rows that a subquery is run for.
pub(crate) struct OuterRows {
    /// The id of the column with a row's number.
    pub row: String,
    pub plan: LogicalPlan,
    /// The columns of the outer query.
    pub captured: Vec<Captured>,
}

impl OuterRows {
    pub(crate) fn scope(&self) -> Scope {
        Scope { plan: self.plan.clone(), ranges: Vec::new(), using: Vec::new() }
    }

    pub(crate) fn column(&self) -> Expr {
        Expr::Column(PlanColumn::new_unqualified(&self.row))
    }

    /// The expression with windows that end where the row does.
    pub(crate) fn partitioned(&self, expr: Expr) -> Result<Expr, QueryError> {
        let rewritten = expr.transform_down(|expr| match expr {
            Expr::WindowFunction(mut function) => {
                function.params.partition_by.push(self.column());
                Ok(Transformed::new(Expr::WindowFunction(function), true, TreeNodeRecursion::Jump))
            }
            other => Ok(Transformed::no(other)),
        });
        Ok(rewritten?.data)
    }

    pub(crate) fn is_captured(&self, id: &str) -> bool {
        self.captured.iter().any(|captured| captured.id == id)
    }
}

/// The rows in their order, where they have one.
pub(crate) fn sorted(plan: LogicalPlan, order: &[SortExpr]) -> Result<LogicalPlan, QueryError> {
    if order.is_empty() {
        return Ok(plan);
    }
    LogicalPlanBuilder::new(plan).sort(order.to_vec()).and_then(LogicalPlanBuilder::build).map_err(QueryError::from)
}
