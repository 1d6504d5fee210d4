//! The context of a nested query: the enclosing query and, for a correlated subquery, its rows.

use datafusion::common::Column as PlanColumn;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, SortExpr};

use super::scope::{CapturedColumn, OuterQuery, Scope};
use crate::error::QueryError;

/// The context of a nested query.
#[derive(Clone, Copy, Default)]
pub(crate) struct Nesting<'e> {
    pub outer: Option<OuterQuery<'e>>,
    /// The rows of the enclosing query, if the query runs for many of them at once.
    pub rows: Option<&'e OuterRows>,
}

/// The rows of the enclosing query that a correlated subquery runs for.
pub(crate) struct OuterRows {
    /// The id of the column that numbers the rows.
    pub row: String,
    pub plan: LogicalPlan,
    /// The columns of the enclosing query that the subquery uses.
    pub captured: Vec<CapturedColumn>,
}

impl OuterRows {
    pub(crate) fn scope(&self) -> Scope {
        Scope { plan: self.plan.clone(), ranges: Vec::new(), using: Vec::new() }
    }

    pub(crate) fn row_number(&self) -> Expr {
        Expr::Column(PlanColumn::new_unqualified(&self.row))
    }

    /// Partitions the window functions of an expression by the row number.
    pub(crate) fn partition_windows(&self, expr: Expr) -> Result<Expr, QueryError> {
        let rewritten = expr.transform_down(|expr| match expr {
            Expr::WindowFunction(mut function) => {
                function.params.partition_by.push(self.row_number());
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

/// Sorts the plan, if `order` is not empty.
pub(crate) fn sort_plan(plan: LogicalPlan, order: &[SortExpr]) -> Result<LogicalPlan, QueryError> {
    if order.is_empty() {
        return Ok(plan);
    }
    LogicalPlanBuilder::new(plan).sort(order.to_vec()).and_then(LogicalPlanBuilder::build).map_err(QueryError::from)
}
