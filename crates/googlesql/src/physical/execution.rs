//! Plans and executes a logical plan, and converts the errors to BigQuery's messages.
//!
//! `session` configures cores, memory and optimizer rules. `engine` provides the threads.

use std::future::poll_fn;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};

use super::batch_adapter::batch_bytes;
use super::block_on::block_on_thread;
use super::limited_planning::check_before_optimization;
use super::row_multiplication::smaller_batch_size;
use super::session;
use crate::catalog::BytesProcessed;
use crate::error::QueryError;
use crate::query_limits::QueryLimits;

/// Maximum size of a result in memory. BigQuery's limit is 10 GB, which is more than the memory of many laptops.
/// <https://cloud.google.com/bigquery/quotas#query_jobs>
const MAX_RESULT_BYTES: usize = 256 * 1024 * 1024;

/// A query that reads at most this many stored bytes runs on one core, so that the order of its rows is stable.
const SMALL_INPUT_BYTES: u64 = 4 * 1024 * 1024;

/// Plans a query for one core, or for all cores if it reads more than [`SMALL_INPUT_BYTES`]. `bytes` counts the bytes
/// that the plan reads.
pub(crate) fn plan_query(
    meaning: &LogicalPlan,
    session: &SessionState,
    bytes: &BytesProcessed,
) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
    check_before_optimization(meaning)?;
    let before = bytes.get();
    let optimized = session.optimize(meaning).map_err(planning_error)?;
    let plan = |session: &SessionState| block_on_thread(session.query_planner().create_physical_plan(&optimized, session));
    let small = plan(&session::single_core_state(session)).map_err(planning_error)?;
    if bytes.get() - before <= SMALL_INPUT_BYTES {
        return Ok(small);
    }
    // The second planning counts the bytes again.
    bytes.set(before);
    plan(session).map_err(planning_error)
}

/// Executes a plan and collects its rows. If rows are too wide for the size of the batches, it executes the plan again
/// with smaller ones.
pub(crate) async fn collect(mut plan: Arc<dyn ExecutionPlan>, session: &SessionState) -> Result<Vec<RecordBatch>, QueryError> {
    if let Some(limits) = QueryLimits::of(session.config_options()) {
        limits.finish_planning();
    }
    let mut config = session.config().clone();
    loop {
        let context = TaskContext::from(session).with_session_config(config.clone());
        let error = match collect_batches(Arc::clone(&plan), context).await {
            Ok(batches) => return Ok(batches),
            Err(error) => error,
        };
        match smaller_batch_size(&error).filter(|smaller| *smaller < config.batch_size()) {
            Some(smaller) => config = config.with_batch_size(smaller),
            None => return Err(execution_error(error)),
        }
        plan = reset_plan_states(plan).map_err(execution_error)?;
    }
}

async fn collect_batches(plan: Arc<dyn ExecutionPlan>, context: TaskContext) -> Result<Vec<RecordBatch>, DataFusionError> {
    let reservation = MemoryConsumer::new("result").register(context.memory_pool());
    let mut stream = execute_stream(plan, Arc::new(context))?;
    let mut batches = Vec::new();
    while let Some(batch) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let batch = batch?;
        reservation.try_grow(batch_bytes(&batch))?;
        if reservation.size() > MAX_RESULT_BYTES {
            return Err(QueryError::Invalid("Response too large to return".to_owned()).into());
        }
        batches.push(batch);
    }
    Ok(batches)
}

/// Converts an execution error. It is the query's own error, unless a task panicked.
fn execution_error(error: DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::ExecutionJoin(_) => QueryError::Panicked,
        _ => QueryError::from(error),
    }
}

/// Converts a planning error to BigQuery's message, if BigQuery has one.
pub(crate) fn planning_error(error: DataFusionError) -> QueryError {
    let message = match QueryError::from(error) {
        QueryError::Invalid(message) => message,
        other => return other,
    };
    if ["OuterReferenceColumn", "outer_ref", "Subquery", "subquery", "correlated"].iter().any(|word| message.contains(word)) {
        return QueryError::Invalid(
            "Correlated subqueries that reference other tables are not supported unless they can be de-correlated, such as by transforming \
             them into an efficient JOIN."
                .to_owned(),
        );
    }
    QueryError::Invalid(message)
}
