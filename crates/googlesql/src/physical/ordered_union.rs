//! A plan node for UNION ALL that returns the rows in the order of the query's inputs.
//!
//! DataFusion's union returns the rows of its inputs in any order. GoogleSQL does not define an order, but BigQuery
//! returns 1 before 2 for `SELECT 1 UNION ALL SELECT 2`, and a stable order makes results repeatable.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};

/// Replaces every union by [`OrderedUnionExec`]. It runs before all other rules, because their assumptions about the
/// order and constants of a union do not hold for this node.
#[derive(Debug)]
pub(crate) struct PreserveUnionOrder;

impl PhysicalOptimizerRule for PreserveUnionOrder {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| match plan.downcast_ref::<UnionExec>() {
            Some(union) => {
                Ok(Transformed::yes(Arc::new(OrderedUnionExec::new(union.schema(), union.inputs().clone())) as Arc<dyn ExecutionPlan>))
            }
            None => Ok(Transformed::no(plan)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "PreserveUnionOrder"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The rows of the first input, then those of the second, and so on.
#[derive(Debug)]
struct OrderedUnionExec {
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    properties: Arc<PlanProperties>,
}

impl OrderedUnionExec {
    fn new(schema: datafusion::arrow::datatypes::SchemaRef, inputs: Vec<Arc<dyn ExecutionPlan>>) -> OrderedUnionExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        OrderedUnionExec { inputs, properties: Arc::new(properties) }
    }
}

impl DisplayAs for OrderedUnionExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrderedUnionExec")
    }
}

impl ExecutionPlan for OrderedUnionExec {
    fn name(&self) -> &str {
        "OrderedUnionExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::SinglePartition; self.inputs.len()]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.inputs.len()]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.inputs.iter().collect()
    }

    fn apply_expressions(&self, _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, inputs: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(OrderedUnionExec::new(self.schema(), inputs)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("OrderedUnionExec has one partition, not {partition}");
        }
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema(), 2);
        let (sender, inputs) = (builder.tx(), self.inputs.clone());
        builder.spawn(async move {
            for input in inputs {
                let mut rows = input.execute(0, Arc::clone(&context))?;
                while let Some(batch) = poll_fn(|waiting| rows.as_mut().poll_next(waiting)).await {
                    if sender.send(batch).await.is_err() {
                        // The receiver was dropped.
                        return Ok(());
                    }
                }
            }
            Ok(())
        });
        Ok(builder.build())
    }
}
