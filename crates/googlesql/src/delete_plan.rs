//! The plan of a DELETE: the condition that selects the rows to delete.
//!
//! `resolve::delete` resolves the statement, and the engine builds this plan. The owner of the tables evaluates it and
//! deletes the rows. Reference: <https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#delete_statement>.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};

use crate::catalog::TableName;
use crate::error::QueryError;
use crate::physical::block_on::block_on_thread;
use crate::physical::execution;
use crate::physical::limited_planning::check_before_optimization;
use crate::resolve::Deletion;

/// A DELETE. It removes the rows for which the condition is true.
pub struct DeletePlan {
    /// The table.
    pub name: TableName,
    /// The columns that the condition needs, by their names in the table.
    pub columns: Arc<Schema>,
    /// The condition over a batch of these columns. Its value is a boolean array.
    condition: Arc<dyn PhysicalExpr>,
}

impl DeletePlan {
    /// Returns for each row of the batch whether to delete it.
    ///
    /// # Errors
    ///
    /// [`QueryError::Invalid`] if the condition fails for a row, for example with a division by zero.
    pub fn matches(&self, batch: &RecordBatch) -> Result<Vec<bool>, QueryError> {
        let mask = self.condition.evaluate(batch)?.into_array(batch.num_rows())?;
        let mask = mask.as_boolean_opt().ok_or_else(|| QueryError::Invalid("WHERE is not a condition".to_owned()))?;
        Ok(mask.iter().map(|holds| holds == Some(true)).collect())
    }
}

/// A DELETE whose subqueries are planned. Each has the same value for all rows.
pub(crate) struct PlannedDelete {
    deletion: Deletion,
    /// Each subquery of the condition, and its plan.
    subqueries: Vec<(Arc<LogicalPlan>, Arc<dyn ExecutionPlan>)>,
}

impl PlannedDelete {
    pub(crate) fn new(deletion: Deletion, session: &SessionState) -> Result<PlannedDelete, QueryError> {
        let mut plans = Vec::new();
        deletion.condition.apply(|expr| {
            if let Expr::ScalarSubquery(subquery) = expr {
                plans.push(Arc::clone(&subquery.subquery));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        let plan = |logical: Arc<LogicalPlan>| -> Result<_, QueryError> {
            check_before_optimization(&logical)?;
            let physical = block_on_thread(session.create_physical_plan(&logical)).map_err(execution::planning_error)?;
            Ok((logical, physical))
        };
        let subqueries = plans.into_iter().map(plan).collect::<Result<Vec<_>, _>>()?;
        Ok(PlannedDelete { deletion, subqueries })
    }

    /// Returns the values of the subqueries.
    pub(crate) async fn run_subqueries(&self, session: &SessionState) -> Result<Vec<ScalarValue>, QueryError> {
        let mut values = Vec::new();
        for (_, plan) in &self.subqueries {
            values.push(run_scalar_subquery(plan, session).await?);
        }
        Ok(values)
    }

    /// Replaces the subqueries by their values.
    pub(crate) fn finish(self, values: &[ScalarValue], session: &SessionState) -> Result<DeletePlan, QueryError> {
        let Deletion { name, columns, condition, .. } = self.deletion;
        let valued = condition.transform(|expr| {
            let Expr::ScalarSubquery(subquery) = &expr else { return Ok(Transformed::no(expr)) };
            match self.subqueries.iter().position(|(plan, _)| Arc::ptr_eq(plan, &subquery.subquery)) {
                Some(index) => Ok(Transformed::yes(lit(values[index].clone()))),
                None => Ok(Transformed::no(expr)),
            }
        });
        let schema = Arc::new(DFSchema::try_from(Arc::clone(&columns))?);
        // The optimizer must replace some functions, such as CURRENT_DATE, by a constant. A SELECT does that when it is
        // planned.
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(&schema))
            .with_config_options(Arc::clone(session.config_options()))
            .with_query_execution_start_time(session.execution_props().query_execution_start_time)
            .build();
        let condition = ExprSimplifier::new(context).simplify(valued?.data);
        let condition = condition.and_then(|condition| session.create_physical_expr(condition, &schema))?;
        Ok(DeletePlan { name, columns, condition })
    }
}

/// Runs a scalar subquery. Its value is NULL if it has no rows.
async fn run_scalar_subquery(plan: &Arc<dyn ExecutionPlan>, session: &SessionState) -> Result<ScalarValue, QueryError> {
    let schema = plan.schema();
    let batches = execution::collect(Arc::clone(plan), session).await?;
    let mut filled = batches.iter().filter(|batch| batch.num_rows() > 0);
    match (filled.next(), filled.next()) {
        (None, _) => ScalarValue::try_from(schema.field(0).data_type()).map_err(QueryError::from),
        (Some(batch), None) if batch.num_rows() == 1 => ScalarValue::try_from_array(batch.column(0), 0).map_err(QueryError::from),
        _ => Err(QueryError::Invalid("Scalar subquery produced more than one element".to_owned())),
    }
}
