//! Configures DataFusion: cores, threads, memory limit and optimizer rules.
//!
//! `engine` builds one session state and clones it for each query.

use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::optimizer::{Analyzer, Optimizer};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;

use super::bounded_batches::BoundedBatches;
use super::large_constant::LargeConstant;
use super::limited_planning::{LimitedAnalyzerRule, LimitedOptimizerRule, LimitedPhysicalRule};
use super::ordered_union::PreserveUnionOrder;
use super::query_pool::QueryPool;
use super::yield_in_joins::YieldInJoins;

/// Memory limit of all running queries together.
const MAX_MEMORY_BYTES: usize = 2 * 1024 * 1024 * 1024;

/// Minimum number of threads. One query uses as many threads as there are cores, and several queries run at the same
/// time.
const MIN_THREADS: usize = 16;

/// Builds the session state. It has no catalogs, file formats or table factories, so that a plan can read only the
/// tables that the resolver put into it.
pub(crate) fn build_state() -> datafusion::common::Result<SessionState> {
    let config = SessionConfig::new()
        .with_target_partitions(core_count())
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .set_bool("datafusion.optimizer.prefer_existing_sort", true)
        .set_str("datafusion.sql_parser.default_null_ordering", "nulls_min");
    let builder = SessionStateBuilder::new().with_config(config).with_runtime_env(build_runtime()?);
    Ok(builder
        .with_analyzer_rules(Analyzer::new().rules.into_iter().map(|rule| Arc::new(LimitedAnalyzerRule(rule)) as _).collect())
        .with_optimizer_rules(Optimizer::new().rules.into_iter().map(|rule| Arc::new(LimitedOptimizerRule(rule)) as _).collect())
        .with_physical_optimizer_rules(physical_rules().into_iter().map(|rule| Arc::new(LimitedPhysicalRule(rule)) as _).collect())
        .build())
}

fn physical_rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = vec![Arc::new(PreserveUnionOrder)];
    rules.extend(PhysicalOptimizer::new().rules);
    rules.push(Arc::new(LargeConstant));
    rules.push(Arc::new(BoundedBatches));
    rules.push(Arc::new(YieldInJoins));
    rules
}

/// The session state of one query, with its own memory limit.
pub(crate) fn query_state(state: &SessionState) -> datafusion::common::Result<SessionState> {
    let shared = state.runtime_env();
    let pool = Arc::new(QueryPool::new(Arc::clone(&shared.memory_pool)));
    let runtime = RuntimeEnvBuilder::from_runtime_env(shared).with_memory_pool(pool).build_arc()?;
    Ok(SessionStateBuilder::new_from_existing(state.clone()).with_runtime_env(runtime).build())
}

/// The same session state with one core, for small queries. Without ORDER BY, their rows keep the stored order.
pub(crate) fn single_core_state(state: &SessionState) -> SessionState {
    let mut state = state.clone();
    let config = state.config().clone().with_target_partitions(1);
    *state.config_mut() = config;
    state
}

/// Queries do not spill to disk. A query above the memory limit fails.
fn build_runtime() -> datafusion::common::Result<Arc<RuntimeEnv>> {
    RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(GreedyMemoryPool::new(MAX_MEMORY_BYTES)))
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
        .build_arc()
}

/// More threads than cores, so that the operating system schedules short queries beside a long one.
pub(crate) fn thread_count() -> usize {
    core_count().max(MIN_THREADS)
}

fn core_count() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
