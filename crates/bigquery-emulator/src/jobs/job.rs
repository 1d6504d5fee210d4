//! A query job and its state.
//!
//! The query, `jobs.cancel`, a timeout and the server's shutdown can complete a job. Only the first one has an effect. It
//! wakes all waiting requests.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use googlesql::{QueryResult, Rows};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::configuration::JobConfiguration;
use super::name::{JobName, LOCATION};
use crate::error::JobError;

/// A query job.
pub(crate) struct Job {
    pub name: JobName,
    pub configuration: JobConfiguration,
    /// The `requestId` of jobs.query, which identifies a retry.
    pub request_id: Option<String>,
    /// Milliseconds since 1970. The other times are this plus the elapsed time of a monotonic clock.
    pub created: i64,
    clock: Instant,
    started: OnceLock<i64>,
    end: watch::Sender<Option<Completion>>,
    task: OnceLock<AbortHandle>,
}

/// The time and outcome of a completed job.
#[derive(Clone)]
pub(crate) struct Completion {
    pub at: i64,
    pub outcome: Result<JobResult, JobError>,
}

/// The result of a successful job.
#[derive(Clone)]
pub(crate) struct JobResult {
    pub statement: &'static str,
    /// `None` for a statement without rows.
    pub schema: Option<Value>,
    pub total_rows: usize,
    pub bytes_processed: u64,
    pub affected_rows: Option<u64>,
    /// Bytes of memory of the rows, also after they were dropped.
    pub bytes: usize,
    /// `None` after the registry dropped them because of its limit.
    pub rows: Option<Arc<Rows>>,
}

impl Job {
    pub(crate) fn new(name: JobName, configuration: JobConfiguration, request_id: Option<String>, now: i64) -> Job {
        Job {
            name,
            configuration,
            request_id,
            created: now,
            clock: Instant::now(),
            started: OnceLock::new(),
            end: watch::Sender::new(None),
            task: OnceLock::new(),
        }
    }

    /// `{"projectId": …, "jobId": …, "location": …}`
    pub(crate) fn reference(&self) -> Value {
        json!({"projectId": self.name.project, "jobId": self.name.id, "location": LOCATION})
    }

    /// Start time in milliseconds since 1970; `None` while the job is pending.
    pub(crate) fn started(&self) -> Option<i64> {
        self.started.get().copied()
    }

    pub(crate) fn start(&self) {
        self.started.get_or_init(|| self.now());
    }

    pub(crate) fn completion(&self) -> Option<Completion> {
        self.end.borrow().clone()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.end.borrow().is_none()
    }

    /// Waits for the completion. Returns `None` after the time limit.
    pub(crate) async fn wait(&self, limit: Duration) -> Option<Completion> {
        let mut end = self.end.subscribe();
        let ended = timeout(limit, end.wait_for(Option::is_some)).await;
        ended.ok()?.ok()?.clone()
    }

    /// Completes the job, unless it is complete.
    pub(crate) fn finish(&self, outcome: Result<JobResult, JobError>) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(Completion { at: self.now(), outcome });
            }
            first
        });
    }

    /// Sets the task that `cancel` aborts.
    pub(crate) fn set_task(&self, task: AbortHandle) {
        self.task.get_or_init(|| task);
    }

    pub(crate) fn cancel(&self) {
        self.finish(Err(JobError::stopped("User requested cancellation")));
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    /// Bytes of memory that the result occupies.
    pub(crate) fn result_bytes(&self) -> usize {
        match &*self.end.borrow() {
            Some(Completion { outcome: Ok(JobResult { bytes, rows: Some(_), .. }), .. }) => *bytes,
            Some(_) | None => 0,
        }
    }

    /// Drops the rows and keeps the other data of the result.
    pub(crate) fn drop_rows(&self) {
        self.end.send_if_modified(|end| {
            if let Some(Completion { outcome: Ok(success), .. }) = end {
                success.rows = None;
            }
            false
        });
    }

    fn now(&self) -> i64 {
        let passed = i64::try_from(self.clock.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.created.saturating_add(passed)
    }
}

impl From<QueryResult> for JobResult {
    fn from(result: QueryResult) -> JobResult {
        JobResult {
            statement: result.statement,
            schema: result.schema,
            total_rows: result.rows.len(),
            bytes_processed: result.bytes_processed,
            affected_rows: result.affected_rows,
            bytes: result.rows.bytes(),
            rows: Some(Arc::new(result.rows)),
        }
    }
}
