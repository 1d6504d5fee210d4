//! A DELETE that can be carried out: its condition as something to evaluate row by row.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_plan::PhysicalExpr;

use super::resolve::Deletion;
use super::{QueryError, execution, place};
use crate::names::TableRef;

pub(crate) struct Doomed {
    pub name: TableRef,
    /// The columns that the condition needs, by their names in the table.
    pub columns: Arc<Schema>,
    /// Of those columns; rows for which it is true go.
    pub condition: Arc<dyn PhysicalExpr>,
}

impl Doomed {
    /// Runs the subqueries, whose values are for all rows the same.
    pub(crate) async fn of(deletion: Deletion, session: &SessionState) -> Result<Doomed, QueryError> {
        let condition = with_values(deletion.condition, session).await?;
        let schema = Arc::new(DFSchema::try_from(Arc::clone(&deletion.columns)).map_err(place::plain)?);
        // Some functions are there only to be replaced, CURRENT_DATE by the day for instance. In a SELECT
        // the optimizer sees to that.
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(&schema))
            .with_config_options(Arc::clone(session.config_options()))
            .with_query_execution_start_time(session.execution_props().query_execution_start_time)
            .build();
        let condition = ExprSimplifier::new(context).simplify(condition);
        let condition = condition.and_then(|condition| session.create_physical_expr(condition, &schema)).map_err(place::plain)?;
        Ok(Doomed { name: deletion.table.name, columns: deletion.columns, condition })
    }
}

/// The condition with values in place of its subqueries.
async fn with_values(condition: Expr, session: &SessionState) -> Result<Expr, QueryError> {
    let mut subqueries = Vec::new();
    condition
        .apply(|expr| {
            if let Expr::ScalarSubquery(subquery) = expr {
                subqueries.push(Arc::clone(&subquery.subquery));
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .map_err(place::plain)?;
    let mut values = Vec::new();
    for plan in subqueries {
        let value = single_value(&plan, session).await?;
        values.push((plan, value));
    }
    let valued = condition.transform(|expr| match &expr {
        Expr::ScalarSubquery(subquery) => match values.iter().find(|(plan, _)| Arc::ptr_eq(plan, &subquery.subquery)) {
            Some((_, value)) => Ok(Transformed::yes(lit(value.clone()))),
            None => Ok(Transformed::no(expr)),
        },
        _ => Ok(Transformed::no(expr)),
    });
    Ok(valued.map_err(place::plain)?.data)
}

/// What a scalar subquery gives: NULL if it gives nothing.
async fn single_value(plan: &LogicalPlan, session: &SessionState) -> Result<ScalarValue, QueryError> {
    let plan = session.create_physical_plan(plan).await.map_err(execution::refused)?;
    let schema = plan.schema();
    let batches = execution::collect(plan, session).await?;
    let mut filled = batches.iter().filter(|batch| batch.num_rows() > 0);
    match (filled.next(), filled.next()) {
        (None, _) => ScalarValue::try_from(schema.field(0).data_type()).map_err(place::plain),
        (Some(batch), None) if batch.num_rows() == 1 => ScalarValue::try_from_array(batch.column(0), 0).map_err(place::plain),
        _ => Err(QueryError::Invalid("Scalar subquery produced more than one element".to_owned())),
    }
}
