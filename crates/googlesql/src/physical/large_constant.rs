//! An optimizer rule that rejects plans with a large constant in many rows.
//!
//! DataFusion expands a constant such as `REPEAT('x', 1000000)` to a column of a whole batch before it checks the memory
//! limit, if the constant is in a SELECT list, a CASE, an ARRAY, a STRUCT or an aggregate function. This crate's scalar
//! functions do not expand their arguments.

use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_expr::expressions::{CaseExpr, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

/// Maximum bytes of a batch's copies of its constants.
const MAX_CONSTANT_BYTES: usize = 512 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct LargeConstant;

impl PhysicalOptimizerRule for LargeConstant {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.apply(|node| {
            let bytes = copied_bytes(node)?;
            let batch_size = config.execution.batch_size.get();
            if bytes.saturating_mul(batch_size) <= MAX_CONSTANT_BYTES {
                return Ok(TreeNodeRecursion::Continue);
            }
            let mut rows = 0;
            for input in node.children() {
                rows += match StatisticsContext::new().compute(input.as_ref(), &StatisticsArgs::new())?.num_rows {
                    Precision::Exact(rows) => rows.min(batch_size),
                    Precision::Inexact(_) | Precision::Absent => batch_size,
                };
            }
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

/// Bytes of the constants that the node copies to each row: those that are a column or an argument of an aggregate
/// function, and those in CASE, ARRAY and STRUCT.
fn copied_bytes(node: &Arc<dyn ExecutionPlan>) -> Result<usize> {
    let mut bytes = 0;
    node.apply_expressions(&mut |root| {
        bytes += constant_bytes(root);
        root.apply(|expr| {
            let operands = expr.children().into_iter().map(constant_bytes);
            if expr.downcast_ref::<CaseExpr>().is_some() {
                // A row has one of the results.
                bytes += operands.max().unwrap_or(0);
            } else if expr.downcast_ref::<ScalarFunctionExpr>().is_some_and(|call| ["make_array", "named_struct"].contains(&call.name())) {
                bytes += operands.sum::<usize>();
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(bytes)
}

/// Bytes that a constant needs in each row. The Rust value and its arrays are larger, but they are not copied.
fn constant_bytes(expr: &Arc<dyn PhysicalExpr>) -> usize {
    let Some(literal) = expr.downcast_ref::<Literal>() else { return 0 };
    let bytes = literal.value().to_array().and_then(|row| Ok(row.to_data().get_slice_memory_size()?));
    bytes.unwrap_or_else(|_| literal.value().size())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::QueryError;
    use crate::tests::TestEngine;

    #[tokio::test]
    async fn large_constants_are_copied_to_few_rows_only() {
        let mut engine = TestEngine::start();
        engine.table("t", "number", (0..3_000).collect());

        let rows = engine.rows("SELECT COUNT(*), REPEAT('x', 1000000) FROM t").await.expect("rows");
        assert_eq!(rows, [json!(["3000", "x".repeat(1_000_000)])]);
        let rows = engine.rows("SELECT REPEAT('x', 1000000)").await.expect("rows");
        assert_eq!(rows, [json!(["x".repeat(1_000_000)])]);
        for column in [
            "REPEAT('x', 1000000)",
            "LENGTH(IF(number > 5, REPEAT('x', 1000000), 'y'))",
            "ARRAY_LENGTH(CASE number WHEN 1 THEN [0] ELSE GENERATE_ARRAY(1, 1000000) END)",
            "ARRAY_LENGTH([REPEAT('x', 1000000), CAST(number AS STRING)])",
            "STRUCT(REPEAT('x', 1000000) AS text, number)",
            "(SELECT STRING_AGG(REPEAT('x', 1000000)) FROM UNNEST([number, 2]))",
        ] {
            let error = engine.rows(&format!("SELECT number, {column} AS value FROM t")).await;
            assert!(matches!(error, Err(QueryError::ResourcesExceeded)), "{column}: {error:?}");
        }
        let rows = engine.rows("SELECT COUNT(IF(number > 5, REPEAT('x', 10000), NULL)) FROM t").await.expect("rows");
        assert_eq!(rows, [json!(["2994"])]);
    }

    #[tokio::test]
    async fn a_struct_of_many_small_constants_is_not_large() {
        let mut engine = TestEngine::start();
        engine.table("t", "number", (0..3_000).collect());

        let members: Vec<String> = (0..1_000).map(|index| index.to_string()).collect();
        for constant in [format!("STRUCT({})", members.join(", ")), format!("[{}]", members.join(", "))] {
            let sql = format!("SELECT COUNT(value), COUNT(*) FROM (SELECT number, {constant} AS value FROM t) WHERE number < 5");
            assert_eq!(engine.rows(&sql).await.expect("rows"), [json!(["5", "5"])], "{}", &constant[..20]);
        }
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
