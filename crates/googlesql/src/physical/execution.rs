//! Planning and running what a query means, and the words for what goes wrong there.
//!
//! How a plan may run (cores, memory, rules) is in `session`; on whose threads, in `engine`.

use std::future::poll_fn;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};

use super::session;
use crate::catalog::BytesProcessed;
use crate::error::QueryError;

/// BigQuery's limit for a result that is answered directly is 10 GB; a laptop's memory ends
/// earlier.
const MAX_RESULT_BYTES: usize = 1024 * 1024 * 1024;

/// Bytes of stored rows that are read on one core, so that their order is the same each time.
const SMALL_INPUT_BYTES: u64 = 4 * 1024 * 1024;

/// The plan for one core, unless it reads much. `bytes` counts what it reads.
pub(crate) async fn plan(
    meaning: &LogicalPlan,
    session: &SessionState,
    bytes: &BytesProcessed,
) -> Result<Arc<dyn ExecutionPlan>, QueryError> {
    let before = bytes.get();
    let optimized = session.optimize(meaning).map_err(planning_error)?;
    let one_core = session::on_one_core(session);
    let small = one_core.query_planner().create_physical_plan(&optimized, &one_core).await.map_err(planning_error)?;
    if bytes.get() - before <= SMALL_INPUT_BYTES {
        return Ok(small);
    }
    // What is planned anew is counted anew.
    bytes.set(before);
    session.query_planner().create_physical_plan(&optimized, session).await.map_err(planning_error)
}

/// All rows of a plan.
pub(crate) async fn collect(plan: Arc<dyn ExecutionPlan>, session: &SessionState) -> Result<Vec<RecordBatch>, QueryError> {
    let mut stream = execute_stream(plan, session.task_ctx()).map_err(execution_error)?;
    let mut batches = Vec::new();
    let mut size = 0;
    while let Some(batch) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let batch = batch.map_err(execution_error)?;
        size += batch.get_array_memory_size();
        if size > MAX_RESULT_BYTES {
            return Err(QueryError::Invalid("Response too large to return".to_owned()));
        }
        batches.push(batch);
    }
    Ok(batches)
}

/// Why the query could not be run to its end: its own fault, unless one of its tasks panicked.
fn execution_error(error: DataFusionError) -> QueryError {
    match error.find_root() {
        DataFusionError::ExecutionJoin(_) => QueryError::Panicked,
        _ => QueryError::from(error),
    }
}

/// What the planner cannot do, in BigQuery's words where it has them.
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
