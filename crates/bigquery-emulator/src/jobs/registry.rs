//! All jobs there are: started, found, listed, forgotten.
//!
//! The registry owns the tasks of running jobs and ends them with itself. It bounds what it keeps:
//! so many jobs, and so many bytes of results; a result that has to go leaves its job behind, which
//! then says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::job::{Job, Success};
use super::name::JobName;
use crate::error::ApiError;
use crate::error::JobError;
use crate::queries::Queries;

const BOUNDS: Bounds = Bounds { jobs: 1_000, bytes: 256 * 1024 * 1024 };
/// Queries that run at once; others are PENDING. Each uses all cores as it is.
const MAX_RUNNING: usize = 8;
const CLOSING: &str = "the server is closing";
/// How long jobs.query's `requestId` stands for the job it started.
const REQUEST_ID_LIFE_MS: i64 = 15 * 60 * 1_000;

/// What is kept at most.
struct Bounds {
    /// Jobs; those that run stay in any case.
    jobs: usize,
    /// Bytes of all results together; the youngest stays in any case, or nobody could read it.
    bytes: usize,
}

/// The jobs of a server.
pub(crate) struct Jobs {
    kept: Arc<Mutex<VecDeque<Arc<Job>>>>,
    tasks: Mutex<JoinSet<()>>,
    turns: Arc<Semaphore>,
}

impl Default for Jobs {
    fn default() -> Jobs {
        Jobs { kept: Arc::default(), tasks: Mutex::default(), turns: Arc::new(Semaphore::new(MAX_RUNNING)) }
    }
}

impl Jobs {
    /// Starts a job under a name that no other has. If the very same request has started one before,
    /// gives that one: the client has asked again because it got no answer.
    pub(crate) fn start(&self, job: Job, queries: &Arc<Queries>) -> Result<Arc<Job>, ApiError> {
        let job = Arc::new(job);
        {
            let mut kept = lock(&self.kept);
            if let Some(first) = kept.iter().rev().find(|first| is_repetition(&job, first)) {
                return Ok(Arc::clone(first));
            }
            if kept.iter().any(|other| other.name == job.name) {
                return Err(ApiError::Duplicate(format!("Job {}", job.name)));
            }
            kept.push_back(Arc::clone(&job));
        }
        let mut tasks = lock(&self.tasks);
        // Those that have ended; else the set would grow for ever.
        while tasks.try_join_next().is_some() {}
        let task = tasks.spawn(run(Arc::clone(&job), Arc::clone(queries), Arc::clone(&self.turns), Arc::clone(&self.kept)));
        job.runs_in(task);
        Ok(job)
    }

    pub(crate) fn find(&self, name: &JobName) -> Result<Arc<Job>, ApiError> {
        let found = lock(&self.kept).iter().find(|job| job.name == *name).cloned();
        found.ok_or_else(|| ApiError::NotFound(format!("Job {name}")))
    }

    /// All jobs, the newest first.
    pub(crate) fn newest_first(&self) -> Vec<Arc<Job>> {
        lock(&self.kept).iter().rev().cloned().collect()
    }

    pub(crate) fn forget(&self, job: &Arc<Job>) {
        lock(&self.kept).retain(|other| !Arc::ptr_eq(other, job));
    }

    /// Ends what still runs, and waits until it has let go of the store.
    pub(crate) async fn close(&self) {
        // Nobody gets a turn from here on.
        self.turns.close();
        let mut tasks = std::mem::take(&mut *lock(&self.tasks));
        tasks.shutdown().await;
    }
}

/// Whether `job` is `first` once more. A request is known by its id and by all that may change its
/// result, so that an id used twice by mistake does no harm.
fn is_repetition(job: &Job, first: &Job) -> bool {
    job.request_id.is_some()
        && job.request_id == first.request_id
        && job.name.project == first.name.project
        && job.configuration == first.configuration
        && job.created.saturating_sub(first.created) < REQUEST_ID_LIFE_MS
}

async fn run(job: Arc<Job>, queries: Arc<Queries>, turns: Arc<Semaphore>, kept: Arc<Mutex<VecDeque<Arc<Job>>>>) {
    let unfinished = Unfinished(&job);
    let outcome = match job.configuration.timeout {
        None => execute(&job, &queries, &turns).await,
        Some(limit) => {
            let late = |_| Err(JobError::stopped(&format!("Job timed out after {}", shown(limit))));
            timeout(limit, execute(&job, &queries, &turns)).await.unwrap_or_else(late)
        }
    };
    job.finish(outcome);
    drop(unfinished);
    trim(&mut lock(&kept), &BOUNDS);
}

async fn execute(job: &Job, queries: &Queries, turns: &Semaphore) -> Result<Success, JobError> {
    let _turn = turns.acquire().await.map_err(|_| JobError::stopped(CLOSING))?;
    job.start();
    Ok(queries.run(job.configuration.query()).await?.into())
}

/// Ends a job whose task was dropped: the server closes, or the query has panicked. On a job that has
/// ended it has no effect.
struct Unfinished<'a>(&'a Job);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        self.0.finish(Err(if std::thread::panicking() { JobError::internal() } else { JobError::stopped(CLOSING) }));
    }
}

/// Lets the oldest go: results until the rest fits, and whole jobs.
fn trim(kept: &mut VecDeque<Arc<Job>>, bounds: &Bounds) {
    let mut bytes: usize = kept.iter().map(|job| job.size()).sum();
    let youngest = kept.iter().rposition(|job| job.size() > 0).unwrap_or_default();
    for job in kept.iter().take(youngest) {
        if bytes <= bounds.bytes {
            break;
        }
        bytes -= job.size();
        job.drop_rows();
    }
    let mut surplus = kept.len().saturating_sub(bounds.jobs);
    kept.retain(|job| {
        let goes = surplus > 0 && !job.is_running();
        surplus -= usize::from(goes);
        !goes
    });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn shown(limit: Duration) -> String {
    format!("{}s", limit.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::configuration::Configuration;
    use super::*;

    /// A job that runs if it has no result, whose size is given.
    fn job(id: &str, result: Option<usize>) -> Arc<Job> {
        let sent = json!({"query": {"query": "SELECT 1"}});
        let configuration = Configuration::parse("p", sent.as_object().unwrap().clone()).unwrap();
        let job = Job::new(JobName { project: "p".to_owned(), id: id.to_owned() }, configuration, None, 0);
        if let Some(bytes) = result {
            let rows = Some(Arc::default());
            job.finish(Ok(Success {
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

    fn kept(jobs: &[(&str, Option<usize>)], bounds: &Bounds) -> Vec<(String, usize)> {
        let mut kept = jobs.iter().map(|&(id, result)| job(id, result)).collect();
        trim(&mut kept, bounds);
        kept.iter().map(|job| (job.name.id.clone(), job.size())).collect()
    }

    fn expected(jobs: &[(&str, usize)]) -> Vec<(String, usize)> {
        jobs.iter().map(|&(id, size)| (id.to_owned(), size)).collect()
    }

    #[test]
    fn the_oldest_results_make_room_and_their_jobs_stay() {
        let bounds = Bounds { jobs: 10, bytes: 100 };
        let jobs = [("a", Some(60)), ("b", Some(60)), ("c", None), ("d", Some(40))];
        assert_eq!(kept(&jobs, &bounds), expected(&[("a", 0), ("b", 60), ("c", 0), ("d", 40)]));
    }

    #[test]
    fn the_youngest_result_stays_however_large_it_is() {
        let bounds = Bounds { jobs: 10, bytes: 100 };
        assert_eq!(kept(&[("a", Some(1)), ("b", Some(500))], &bounds), expected(&[("a", 0), ("b", 500)]));
    }

    #[test]
    fn the_oldest_jobs_are_forgotten_unless_they_run() {
        let bounds = Bounds { jobs: 2, bytes: 100 };
        let jobs = [("a", None), ("b", Some(1)), ("c", Some(1)), ("d", Some(1))];
        assert_eq!(kept(&jobs, &bounds), expected(&[("a", 0), ("d", 1)]));
    }
}
