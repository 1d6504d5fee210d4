//! The registry of jobs: starts, finds, lists and deletes them.
//!
//! The registry owns the tasks of running jobs and cancels them when it closes. It limits the number of jobs and the bytes
//! of their results. When it drops a result, the job remains, and a request for the rows is an error.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::job::{Job, JobResult};
use super::name::JobName;
use crate::error::ApiError;
use crate::error::JobError;
use crate::query_runner::QueryRunner;

const RETENTION_LIMITS: RetentionLimits = RetentionLimits { jobs: 1_000, bytes: 256 * 1024 * 1024 };
/// Maximum number of running queries; others are PENDING. Each query can use all cores.
const MAX_RUNNING_QUERIES: usize = 8;
const CLOSING_REASON: &str = "the server is closing";
/// A request with the `requestId` of an earlier jobs.query returns its job for this time.
const REQUEST_ID_TTL_MS: i64 = 15 * 60 * 1_000;

/// The limits of the registry.
struct RetentionLimits {
    /// Maximum number of jobs. Running jobs are not dropped.
    jobs: usize,
    /// Maximum bytes of all results. The newest result is not dropped.
    bytes: usize,
}

/// The jobs of a server.
pub(crate) struct JobRegistry {
    jobs: Arc<Mutex<VecDeque<Arc<Job>>>>,
    tasks: Mutex<JoinSet<()>>,
    permits: Arc<Semaphore>,
}

impl Default for JobRegistry {
    fn default() -> JobRegistry {
        JobRegistry { jobs: Arc::default(), tasks: Mutex::default(), permits: Arc::new(Semaphore::new(MAX_RUNNING_QUERIES)) }
    }
}

impl JobRegistry {
    /// Starts a job. Its name must be new. If the request is a retry of an earlier one, this returns the earlier job.
    pub(crate) fn start(&self, job: Job, queries: &Arc<QueryRunner>) -> Result<Arc<Job>, ApiError> {
        let job = Arc::new(job);
        {
            let mut jobs = lock(&self.jobs);
            if let Some(first) = jobs.iter().rev().find(|first| is_repetition(&job, first)) {
                return Ok(Arc::clone(first));
            }
            if jobs.iter().any(|other| other.name == job.name) {
                return Err(ApiError::Duplicate(format!("Job {}", job.name)));
            }
            jobs.push_back(Arc::clone(&job));
        }
        let mut tasks = lock(&self.tasks);
        // Remove completed tasks from the set.
        while tasks.try_join_next().is_some() {}
        let task = tasks.spawn(run(Arc::clone(&job), Arc::clone(queries), Arc::clone(&self.permits), Arc::clone(&self.jobs)));
        job.set_task(task);
        Ok(job)
    }

    pub(crate) fn find(&self, name: &JobName) -> Result<Arc<Job>, ApiError> {
        let found = lock(&self.jobs).iter().find(|job| job.name == *name).cloned();
        found.ok_or_else(|| ApiError::NotFound(format!("Job {name}")))
    }

    /// All jobs, newest first.
    pub(crate) fn newest_first(&self) -> Vec<Arc<Job>> {
        lock(&self.jobs).iter().rev().cloned().collect()
    }

    pub(crate) fn remove(&self, job: &Arc<Job>) {
        lock(&self.jobs).retain(|other| !Arc::ptr_eq(other, job));
    }

    /// Cancels all running jobs, and waits until their tasks have dropped the store.
    pub(crate) async fn close(&self) {
        // Pending jobs do not start.
        self.permits.close();
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.shutdown().await;
    }
}

/// Whether `job` is a retry of `first`: the same request id, project and configuration. A reused request id with another
/// configuration starts a new job.
fn is_repetition(job: &Job, first: &Job) -> bool {
    job.request_id.is_some()
        && job.request_id == first.request_id
        && job.name.project == first.name.project
        && job.configuration == first.configuration
        && job.created.saturating_sub(first.created) < REQUEST_ID_TTL_MS
}

async fn run(job: Arc<Job>, queries: Arc<QueryRunner>, permits: Arc<Semaphore>, jobs: Arc<Mutex<VecDeque<Arc<Job>>>>) {
    let finish_on_drop = FinishOnDrop(&job);
    let outcome = match job.configuration.timeout {
        None => execute(&job, &queries, &permits).await,
        Some(limit) => {
            let late = |_| Err(JobError::stopped(&format!("Job timed out after {}", seconds_text(limit))));
            timeout(limit, execute(&job, &queries, &permits)).await.unwrap_or_else(late)
        }
    };
    job.finish(outcome);
    drop(finish_on_drop);
    apply_limits(&mut lock(&jobs), &RETENTION_LIMITS);
}

async fn execute(job: &Job, queries: &QueryRunner, permits: &Semaphore) -> Result<JobResult, JobError> {
    let _permit = permits.acquire().await.map_err(|_| JobError::stopped(CLOSING_REASON))?;
    job.start();
    Ok(queries.run(job.configuration.query()).await?.into())
}

/// Completes a job when its task is dropped, because the server closes or the query panicked. It has no effect on a
/// completed job.
struct FinishOnDrop<'a>(&'a Job);

impl Drop for FinishOnDrop<'_> {
    fn drop(&mut self) {
        self.0.finish(Err(if std::thread::panicking() { JobError::internal() } else { JobError::stopped(CLOSING_REASON) }));
    }
}

/// Drops the oldest results and the oldest jobs until the limits are met.
fn apply_limits(jobs: &mut VecDeque<Arc<Job>>, limits: &RetentionLimits) {
    let mut bytes: usize = jobs.iter().map(|job| job.result_bytes()).sum();
    // Without results there is nothing to drop.
    let newest = jobs.iter().rposition(|job| job.result_bytes() > 0).unwrap_or(0);
    for job in jobs.iter().take(newest) {
        if bytes <= limits.bytes {
            break;
        }
        bytes -= job.result_bytes();
        job.drop_rows();
    }
    let mut surplus = jobs.len().saturating_sub(limits.jobs);
    jobs.retain(|job| {
        let goes = surplus > 0 && !job.is_running();
        surplus -= usize::from(goes);
        !goes
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn seconds_text(limit: Duration) -> String {
    format!("{}s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::configuration::JobConfiguration;
    use super::*;

    /// A completed job with a result of this size, or a running job.
    fn job(id: &str, result: Option<usize>) -> Arc<Job> {
        let sent = json!({"query": {"query": "SELECT 1"}});
        let configuration = JobConfiguration::parse("p", sent.as_object().unwrap().clone()).unwrap();
        let job = Job::new(JobName { project: "p".to_owned(), id: id.to_owned() }, configuration, None, 0);
        if let Some(bytes) = result {
            let rows = Some(Arc::default());
            job.finish(Ok(JobResult {
                statement: "SELECT",
                schema: None,
                total_rows: 1,
                bytes_processed: 0,
                affected_rows: None,
                bytes,
                rows,
            }));
        }
        Arc::new(job)
    }

    fn remaining(jobs: &[(&str, Option<usize>)], limits: &RetentionLimits) -> Vec<(String, usize)> {
        let mut jobs = jobs.iter().map(|&(id, result)| job(id, result)).collect();
        apply_limits(&mut jobs, limits);
        jobs.iter().map(|job| (job.name.id.clone(), job.result_bytes())).collect()
    }

    fn expected(jobs: &[(&str, usize)]) -> Vec<(String, usize)> {
        jobs.iter().map(|&(id, size)| (id.to_owned(), size)).collect()
    }

    #[test]
    fn the_oldest_results_are_dropped_and_their_jobs_remain() {
        let limits = RetentionLimits { jobs: 10, bytes: 100 };
        let jobs = [("a", Some(60)), ("b", Some(60)), ("c", None), ("d", Some(40))];
        assert_eq!(remaining(&jobs, &limits), expected(&[("a", 0), ("b", 60), ("c", 0), ("d", 40)]));
    }

    #[test]
    fn the_newest_result_is_kept_whatever_its_size() {
        let limits = RetentionLimits { jobs: 10, bytes: 100 };
        assert_eq!(remaining(&[("a", Some(1)), ("b", Some(500))], &limits), expected(&[("a", 0), ("b", 500)]));
    }

    #[test]
    fn the_oldest_completed_jobs_are_dropped() {
        let limits = RetentionLimits { jobs: 2, bytes: 100 };
        let jobs = [("a", None), ("b", Some(1)), ("c", Some(1)), ("d", Some(1))];
        assert_eq!(remaining(&jobs, &limits), expected(&[("a", 0), ("d", 1)]));
    }
}
