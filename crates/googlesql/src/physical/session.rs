//! How the engine plans and runs: what it may use, and what it must not touch.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;

use super::large_constant::LargeConstant;
use super::ordered_union::PreserveUnionOrder;
use super::yielding::Yielding;

/// What all queries that run at one time may hold in memory.
const MEMORY: usize = 2 * 1024 * 1024 * 1024;

/// Threads at the least: a query takes as many as there are cores, and some run beside each other.
const THREADS: usize = 16;

/// Everything that planning needs. There are no catalogs, no file formats and no table factories
/// in it: a plan can read what the resolver put into it and nothing else.
pub(crate) fn state() -> datafusion::common::Result<SessionState> {
    let config = SessionConfig::new()
        .with_target_partitions(cores())
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .set_bool("datafusion.optimizer.prefer_existing_sort", true)
        .set_str("datafusion.sql_parser.default_null_ordering", "nulls_min");
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(PreserveUnionOrder)];
    rules.extend(PhysicalOptimizer::new().rules);
    rules.extend([Arc::new(LargeConstant) as Arc<dyn PhysicalOptimizerRule + Send + Sync>, Arc::new(Yielding)]);
    let builder = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime()?);
    Ok(builder.with_physical_optimizer_rules(rules).build())
}

/// The same for queries that are not worth more than one core. Their rows keep the order in which
/// they are stored or written, wherever the query leaves it open.
pub(crate) fn on_one_core(state: &SessionState) -> SessionState {
    let mut state = state.clone();
    let config = state.config().clone().with_target_partitions(1);
    *state.config_mut() = config;
    state
}

/// Nothing is written to disk: a query that needs more memory than there is fails.
fn runtime() -> datafusion::common::Result<Arc<RuntimeEnv>> {
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(MEMORY)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()
}

/// More threads than cores: the system shares these out, so that a query that computes for long
/// does not hold up the others.
pub(crate) fn threads() -> usize {
    cores().max(THREADS)
}

fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
