//! An optimizer rule for joins and UNNEST: they yield, so that a query can be cancelled during them.
//!
//! Tokio cancels a task only where it yields. DataFusion's plans yield when they read input. A join or an UNNEST can
//! make millions of rows of one input batch without yielding. This rule makes them yield after each output batch.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// Plan nodes that can return more rows than they read.
pub(super) const ROW_MULTIPLYING_NODES: [&str; 6] =
    ["CrossJoinExec", "HashJoinExec", "NestedLoopJoinExec", "PiecewiseMergeJoinExec", "SortMergeJoinExec", "UnnestExec"];

#[derive(Debug)]
pub(crate) struct YieldInJoins;

/// Maximum number of yielding nodes on a path of the plan. Tokio makes every node of a task yield after 128 steps. A plan
/// with more such nodes above each other never gets to the lowest one.
const MAX_YIELDING_NODES: usize = 32;

impl PhysicalOptimizerRule for YieldInJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        wrap(plan, MAX_YIELDING_NODES)
    }

    fn name(&self) -> &str {
        "yield_in_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Makes at most `remaining` nodes of each path yield, from the top.
fn wrap(plan: Arc<dyn ExecutionPlan>, remaining: usize) -> Result<Arc<dyn ExecutionPlan>> {
    if remaining == 0 {
        return Ok(plan);
    }
    let multiplies = ROW_MULTIPLYING_NODES.contains(&plan.name());
    let remaining = remaining - usize::from(multiplies);
    let wrapped = plan.map_children(|child| wrap(child, remaining).map(Transformed::yes))?.data;
    Ok(if multiplies { Arc::new(CooperativeExec::new(wrapped)) } else { wrapped })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use datafusion::arrow::array::{Int64Array, RecordBatch};
    use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
    use datafusion::catalog::streaming::StreamingTable;
    use datafusion::execution::{SendableRecordBatchStream, TaskContext};
    use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
    use datafusion::physical_plan::streaming::PartitionStream;
    use tokio::time::{sleep, timeout};

    use crate::tests::{TestEngine, query};

    /// A failing test ends after this time.
    const TIMEOUT: Duration = Duration::from_secs(60);

    /// A partition with one row. It records that the row was read.
    #[derive(Debug)]
    struct Signal {
        schema: SchemaRef,
        read: Arc<AtomicBool>,
    }

    impl PartitionStream for Signal {
        fn schema(&self) -> &SchemaRef {
            &self.schema
        }

        fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
            let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 1);
            let (batches, read) = (builder.tx(), Arc::clone(&self.read));
            let batch = RecordBatch::try_new(Arc::clone(&self.schema), vec![Arc::new(Int64Array::from(vec![1]))]);
            builder.spawn(async move {
                drop(batches.send(Ok(batch?)).await);
                read.store(true, Ordering::Relaxed);
                Ok(())
            });
            builder.build()
        }
    }

    async fn wait_until(condition: impl Fn() -> bool) {
        let poll = async {
            while !condition() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(TIMEOUT, poll).await.expect("the condition is not true after the timeout");
    }

    #[tokio::test]
    async fn dropping_the_future_of_a_query_cancels_its_join() {
        let mut test = TestEngine::start();
        let schema = Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, true)]));
        let read = Arc::new(AtomicBool::new(false));
        let signal = Signal { schema: Arc::clone(&schema), read: Arc::clone(&read) };
        test.provider("signal", Arc::new(StreamingTable::try_new(schema, vec![Arc::new(signal)]).expect("a table")));

        let million = "UNNEST(GENERATE_ARRAY(1, 1000000))";
        // Without cancellation, the query runs for hours.
        let sql = format!("SELECT COUNT(*) FROM signal, {million} AS a, {million} AS b");
        tokio::select! {
            _ = test.prepare(query(&sql)) => panic!("the join has ended"),
            () = wait_until(|| read.load(Ordering::Relaxed)) => {}
        }
        wait_until(|| test.engine().task_count() == 0).await;
    }
}
