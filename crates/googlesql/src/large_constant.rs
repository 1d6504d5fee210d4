//! Refuses a plan that would write a large constant beside each row.
//!
//! The engine turns a constant of a SELECT list into a column of a whole batch, thousands of copies
//! of `REPEAT('x', 1000000)`, before it asks whether there is room.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// Bytes that the copies of one batch may take.
const MOST: usize = 1024 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct LargeConstant;

impl PhysicalOptimizerRule for LargeConstant {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.apply(|node| {
            let Some(projection) = node.downcast_ref::<ProjectionExec>() else { return Ok(TreeNodeRecursion::Continue) };
            let literals = projection.expr().iter().filter_map(|column| column.expr.downcast_ref::<Literal>());
            let bytes: usize = literals.map(|literal| literal.value().size()).sum();
            let rows = match StatisticsContext::new().compute(projection.input().as_ref(), &StatisticsArgs::new())?.num_rows {
                Precision::Exact(rows) => rows.min(config.execution.batch_size.get()),
                Precision::Inexact(_) | Precision::Absent => config.execution.batch_size.get(),
            };
            match bytes.saturating_mul(rows) > MOST {
                true => Err(DataFusionError::ResourcesExhausted("a large constant beside many rows".to_owned())),
                false => Ok(TreeNodeRecursion::Continue),
            }
        })?;
        Ok(plan)
    }

    fn name(&self) -> &str {
        "large_constant"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::googlesql::QueryError;
    use crate::googlesql::tests::{Warehouse, columns};

    #[tokio::test]
    async fn a_large_constant_may_stand_beside_one_row_but_not_beside_many() {
        let house = Warehouse::open();
        let rows = (0..3_000).map(|number| json!({"number": number})).collect();
        house.table("pixels", "t", columns(&[("number", "INTEGER")]), rows).await;

        let (_, rows) = house.ask("SELECT COUNT(*), REPEAT('x', 1000000) FROM t", vec![]).await.expect("rows");
        assert_eq!(rows, [json!(["3000", "x".repeat(1_000_000)])]);
        let (_, rows) = house.ask("SELECT REPEAT('x', 1000000)", vec![]).await.expect("rows");
        assert_eq!(rows, [json!(["x".repeat(1_000_000)])]);
        let refused = house.ask("SELECT number, REPEAT('x', 1000000) AS text FROM t", vec![]).await;
        assert!(matches!(refused, Err(QueryError::ResourcesExceeded)), "{refused:?}");
    }

    #[tokio::test]
    async fn a_large_array_is_taken_apart_once_for_all_rows() {
        let house = Warehouse::open();
        let rows = (0..100).map(|number| json!({"number": number})).collect();
        house.table("pixels", "t", columns(&[("number", "INTEGER")]), rows).await;

        let sql = "SELECT COUNT(*), MAX(number + place) FROM t, UNNEST(GENERATE_ARRAY(1, 50000)) AS element WITH OFFSET AS place";
        let (_, rows) = house.ask(sql, vec![]).await.expect("rows");
        assert_eq!(rows, [json!(["5000000", "50098"])]);
    }
}
