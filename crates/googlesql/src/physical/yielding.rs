//! Lets a query be stopped in the midst of a join.
//!
//! A task ends where it gives way, and the engine's own plans give way where they read. A join or an
//! UNNEST makes millions of rows of one batch that was read, and between them nothing would ever see
//! that nobody waits any more. So each of their batches is such a place, too.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;

/// What can give more rows than it takes.
const MULTIPLYING: [&str; 6] =
    ["CrossJoinExec", "HashJoinExec", "NestedLoopJoinExec", "PiecewiseMergeJoinExec", "SortMergeJoinExec", "UnnestExec"];

#[derive(Debug)]
pub(crate) struct Yielding;

impl PhysicalOptimizerRule for Yielding {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let wrapped = plan.transform_up(|node| {
            Ok(match MULTIPLYING.contains(&node.name()) {
                true => Transformed::yes(Arc::new(CooperativeExec::new(node)) as Arc<dyn ExecutionPlan>),
                false => Transformed::no(node),
            })
        })?;
        Ok(wrapped.data)
    }

    fn name(&self) -> &str {
        "yielding"
    }

    fn schema_check(&self) -> bool {
        true
    }
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

    /// Longer than anything here takes on the busiest machine.
    const TIMEOUT: Duration = Duration::from_secs(60);

    /// One row, which tells when it is read.
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

    async fn until(condition: impl Fn() -> bool) {
        let met = async {
            while !condition() {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(TIMEOUT, met).await.expect("the condition is met in time");
    }

    #[tokio::test]
    async fn a_join_ends_when_nobody_waits_for_it() {
        let mut test = TestEngine::start();
        let schema = Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, true)]));
        let read = Arc::new(AtomicBool::new(false));
        let signal = Signal { schema: Arc::clone(&schema), read: Arc::clone(&read) };
        test.provider("signal", Arc::new(StreamingTable::try_new(schema, vec![Arc::new(signal)]).expect("a table")));

        let million = "UNNEST(GENERATE_ARRAY(1, 1000000))";
        // It would run for hours.
        let sql = format!("SELECT COUNT(*) FROM signal, {million} AS a, {million} AS b");
        tokio::select! {
            _ = test.prepare(query(&sql)) => panic!("the join has ended"),
            () = until(|| read.load(Ordering::Relaxed)) => {}
        }
        until(|| test.engine().tasks() == 0).await;
    }
}
