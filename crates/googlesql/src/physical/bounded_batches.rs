//! An optimizer rule that bounds the memory of joins, UNNEST and window functions.
//!
//! DataFusion does not count the rows that a window node keeps, and it does not limit the bytes of a batch of a join or
//! of an UNNEST.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::WindowAggExec;

use super::batch_adapter::{BatchAdapterExec, Purpose};
use super::yield_in_joins::ROW_MULTIPLYING_NODES;

/// Plan nodes whose batches are too small, or parts of large arrays.
const UNEVEN_NODES: [&str; 2] = ["CrossJoinExec", "UnnestExec"];

#[derive(Debug)]
pub(crate) struct BoundedBatches;

impl PhysicalOptimizerRule for BoundedBatches {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let bounded = plan.transform_up(|node| {
            let node = match input_purpose(&node) {
                Some(purpose) => node.map_children(|child| Ok(Transformed::yes(adapt(child, purpose))))?.data,
                None => node,
            };
            let is_uneven = UNEVEN_NODES.contains(&node.name());
            let node = match ROW_MULTIPLYING_NODES.contains(&node.name()) {
                true => adapt(node, Purpose::MultipliedRows),
                false => node,
            };
            Ok(Transformed::yes(if is_uneven { adapt(node, Purpose::EvenBatches) } else { node }))
        });
        Ok(bounded?.data)
    }

    fn name(&self) -> &str {
        "bounded_batches"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What the node needs of its inputs.
fn input_purpose(node: &Arc<dyn ExecutionPlan>) -> Option<Purpose> {
    if let Some(window) = node.downcast_ref::<WindowAggExec>() {
        return Some(Purpose::WindowInput { results: window.window_expr().len() });
    }
    if let Some(unnest) = node.downcast_ref::<UnnestExec>() {
        return unnest.list_column_indices().first().map(|list| Purpose::UnnestInput { array: list.index_in_input_schema });
    }
    ROW_MULTIPLYING_NODES.contains(&node.name()).then_some(Purpose::JoinInput)
}

fn adapt(input: Arc<dyn ExecutionPlan>, purpose: Purpose) -> Arc<dyn ExecutionPlan> {
    Arc::new(BatchAdapterExec::new(input, purpose))
}
