//! Runs the planning of a query on a thread of its own, for a limited time.
//!
//! DataFusion's rules do not yield, and one rule can run for a long time. The query fails when its time is over. The
//! thread ends later, where it checks the limits of the query. Until then it counts, so that the number of such threads
//! is limited.

use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::sql::sqlparser::tokenizer::Location;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout_at;

use crate::error::QueryError;
use crate::query_limits::QueryLimits;

/// Time limit for planning. The limits of a query's size keep almost all queries far below it.
const PLANNING_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of queries that are planned at the same time, including those whose time is over.
const MAX_THREADS: usize = 32;

pub(crate) struct PlanningThreads {
    permits: Arc<Semaphore>,
    timeout: Duration,
}

impl Default for PlanningThreads {
    fn default() -> PlanningThreads {
        PlanningThreads::new(MAX_THREADS, PLANNING_TIMEOUT)
    }
}

impl PlanningThreads {
    pub(crate) fn new(threads: usize, timeout: Duration) -> PlanningThreads {
        PlanningThreads { permits: Arc::new(Semaphore::new(threads)), timeout }
    }

    /// Number of threads that are free.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.permits.available_permits()
    }

    /// Runs the function on a thread that may block. Fails if no thread is free or the function does not return in time.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        limits: &QueryLimits,
        plan: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let end = Instant::now() + self.timeout;
        limits.begin_planning(end);
        let Ok(permit) = timeout_at(end.into(), Arc::clone(&self.permits).acquire_owned()).await else {
            return Err(QueryError::TooComplex("too many queries are planned at the same time".to_owned()));
        };
        let permit = permit.map_err(|_| QueryError::Closing)?;
        let thread = spawn_blocking(move || {
            let _permit = permit;
            plan()
        });
        match timeout_at(end.into(), thread).await {
            Ok(planned) => planned?,
            Err(_) => {
                limits.cancel();
                Err(QueryError::too_complex(Location { line: 0, column: 0 }))
            }
        }
    }
}
