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
    use std::time::Duration;

    use tokio::time::timeout;

    use crate::googlesql::{Engine, Query};
    use crate::store::Store;

    #[tokio::test]
    async fn a_join_that_nobody_waits_for_ends() {
        let dir = std::env::temp_dir().join(format!("yielding-{}-{:x}", std::process::id(), fastrand::u64(..)));
        let (engine, store) = (Engine::start().expect("an engine"), Store::open(&dir).expect("a store"));
        let million = "UNNEST(GENERATE_ARRAY(1, 1000000))";
        let query = Query {
            project: "p".to_owned(),
            default_dataset: None,
            sql: format!("SELECT COUNT(*) FROM {million} AS a, {million} AS b"),
            parameters: vec![],
            dry_run: false,
        };
        // Long enough for it to have begun; it would run for hours.
        assert!(timeout(Duration::from_secs(2), engine.run(&store, query)).await.is_err());
        let ended = async {
            while engine.tasks() > 0 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(60), ended).await.expect("no task of it is left");
        drop(std::fs::remove_dir_all(dir));
    }
}
