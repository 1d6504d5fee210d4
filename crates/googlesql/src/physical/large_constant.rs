//! An optimizer rule that rejects plans with a large constant in many rows.
//!
//! DataFusion expands a constant of a SELECT list, such as `REPEAT('x', 1000000)`, to a column of a whole batch before
//! it checks the memory limit.

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

/// Maximum bytes of a batch's copies of its constants.
const MAX_CONSTANT_BYTES: usize = 1024 * 1024 * 1024;

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
            match bytes.saturating_mul(rows) > MAX_CONSTANT_BYTES {
                true => Err(DataFusionError::ResourcesExhausted("a large constant in many rows".to_owned())),
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

    use crate::QueryError;
    use crate::tests::TestEngine;

    #[tokio::test]
    async fn a_large_constant_is_allowed_in_one_row_only() {
        let mut engine = TestEngine::start();
        engine.table("t", "number", (0..3_000).collect());

        let rows = engine.rows("SELECT COUNT(*), REPEAT('x', 1000000) FROM t").await.expect("rows");
        assert_eq!(rows, [json!(["3000", "x".repeat(1_000_000)])]);
        let rows = engine.rows("SELECT REPEAT('x', 1000000)").await.expect("rows");
        assert_eq!(rows, [json!(["x".repeat(1_000_000)])]);
        let error = engine.rows("SELECT number, REPEAT('x', 1000000) AS text FROM t").await;
        assert!(matches!(error, Err(QueryError::ResourcesExceeded)), "{error:?}");
    }

    #[tokio::test]
    async fn a_large_array_is_unnested_once_for_all_rows() {
        let mut engine = TestEngine::start();
        engine.table("t", "number", (0..100).collect());

        let sql = "SELECT COUNT(*), MAX(number + position) FROM t, UNNEST(GENERATE_ARRAY(1, 50000)) AS element WITH OFFSET AS position";
        let rows = engine.rows(sql).await.expect("rows");
        assert_eq!(rows, [json!(["5000000", "50098"])]);
    }
}
