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
use datafusion::physical_plan::PhysicalExpr;

use crate::catalog::TableName;
use crate::error::QueryError;
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
    /// Runs the subqueries. Each has the same value for all rows.
    pub(crate) async fn new(deletion: Deletion, session: &SessionState) -> Result<DeletePlan, QueryError> {
        let condition = evaluate_subqueries(deletion.condition, session).await?;
        let schema = Arc::new(DFSchema::try_from(Arc::clone(&deletion.columns))?);
        // The optimizer must replace some functions, such as CURRENT_DATE, by a constant. A SELECT does that when it is
        // planned.
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(&schema))
            .with_config_options(Arc::clone(session.config_options()))
            .with_query_execution_start_time(session.execution_props().query_execution_start_time)
            .build();
        let condition = ExprSimplifier::new(context).simplify(condition);
        let condition = condition.and_then(|condition| session.create_physical_expr(condition, &schema))?;
        Ok(DeletePlan { name: deletion.name, columns: deletion.columns, condition })
    }
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

/// Replaces the subqueries of the condition by their values.
async fn evaluate_subqueries(condition: Expr, session: &SessionState) -> Result<Expr, QueryError> {
    let mut subqueries = Vec::new();
    condition.apply(|expr| {
        if let Expr::ScalarSubquery(subquery) = expr {
            subqueries.push(Arc::clone(&subquery.subquery));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let mut values = Vec::new();
    for plan in subqueries {
        let value = evaluate_scalar_subquery(&plan, session).await?;
        values.push((plan, value));
    }
    let valued = condition.transform(|expr| match &expr {
        Expr::ScalarSubquery(subquery) => match values.iter().find(|(plan, _)| Arc::ptr_eq(plan, &subquery.subquery)) {
            Some((_, value)) => Ok(Transformed::yes(lit(value.clone()))),
            None => Ok(Transformed::no(expr)),
        },
        _ => Ok(Transformed::no(expr)),
    });
    Ok(valued?.data)
}

/// Runs a scalar subquery. Its value is NULL if it has no rows.
async fn evaluate_scalar_subquery(plan: &LogicalPlan, session: &SessionState) -> Result<ScalarValue, QueryError> {
    check_before_optimization(plan)?;
    let plan = session.create_physical_plan(plan).await.map_err(execution::planning_error)?;
    let schema = plan.schema();
    let batches = execution::collect(plan, session).await?;
    let mut filled = batches.iter().filter(|batch| batch.num_rows() > 0);
    match (filled.next(), filled.next()) {
        (None, _) => ScalarValue::try_from(schema.field(0).data_type()).map_err(QueryError::from),
        (Some(batch), None) if batch.num_rows() == 1 => ScalarValue::try_from_array(batch.column(0), 0).map_err(QueryError::from),
        _ => Err(QueryError::Invalid("Scalar subquery produced more than one element".to_owned())),
    }
}
