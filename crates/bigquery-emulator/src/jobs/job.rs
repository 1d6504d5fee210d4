//! One query job: its name, its state, and its one end.
//!
//! Several may try to end a job: the query itself, `jobs.cancel`, a time limit, the server's close.
//! The first one counts, and everybody who waits is woken.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use googlesql::{QueryResult, Rows};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::configuration::Configuration;
use super::name::{JobName, LOCATION};
use crate::error::JobError;

/// A query job.
pub(crate) struct Job {
    pub name: JobName,
    pub configuration: Configuration,
    /// jobs.query's, by which a repeated request is known.
    pub request_id: Option<String>,
    /// Milliseconds since 1970; later times are counted from here by a clock that never jumps.
    pub created: i64,
    clock: Instant,
    started: OnceLock<i64>,
    end: watch::Sender<Option<Ended>>,
    task: OnceLock<AbortHandle>,
}

/// How and when a job ended.
#[derive(Clone)]
pub(crate) struct Ended {
    pub at: i64,
    pub outcome: Result<Success, JobError>,
}

/// What a job found or did.
#[derive(Clone)]
pub(crate) struct Success {
    pub statement: &'static str,
    /// None for a statement without rows.
    pub schema: Option<Value>,
    pub total_rows: usize,
    pub bytes_processed: u64,
    pub affected_rows: Option<u64>,
    /// Bytes of memory that the rows take, or took.
    pub bytes: usize,
    /// None once they had to make room for younger results.
    pub rows: Option<Arc<Rows>>,
}

impl Job {
    pub(crate) fn new(name: JobName, configuration: Configuration, request_id: Option<String>, now: i64) -> Job {
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

    /// When it ran: milliseconds since 1970, none while it waits for its turn.
    pub(crate) fn started(&self) -> Option<i64> {
        self.started.get().copied()
    }

    pub(crate) fn start(&self) {
        self.started.get_or_init(|| self.now());
    }

    pub(crate) fn ended(&self) -> Option<Ended> {
        self.end.borrow().clone()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.end.borrow().is_none()
    }

    /// How it ended, if it does within that time.
    pub(crate) async fn wait(&self, patience: Duration) -> Option<Ended> {
        let mut end = self.end.subscribe();
        let ended = timeout(patience, end.wait_for(Option::is_some)).await;
        ended.ok()?.ok()?.clone()
    }

    /// Ends it, unless it has ended.
    pub(crate) fn finish(&self, outcome: Result<Success, JobError>) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(Ended { at: self.now(), outcome });
            }
            first
        });
    }

    /// The task to end with it.
    pub(crate) fn runs_in(&self, task: AbortHandle) {
        self.task.get_or_init(|| task);
    }

    pub(crate) fn cancel(&self) {
        self.finish(Err(JobError::stopped("User requested cancellation")));
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }

    /// Bytes of memory that the result takes.
    pub(crate) fn size(&self) -> usize {
        match &*self.end.borrow() {
            Some(Ended { outcome: Ok(Success { bytes, rows: Some(_), .. }), .. }) => *bytes,
            Some(_) | None => 0,
        }
    }

    /// Gives up the rows, and keeps what is known of them.
    pub(crate) fn drop_rows(&self) {
        self.end.send_if_modified(|end| {
            if let Some(Ended { outcome: Ok(success), .. }) = end {
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

impl From<QueryResult> for Success {
    fn from(answer: QueryResult) -> Success {
        Success {
            statement: answer.statement,
            schema: answer.schema,
            total_rows: answer.rows.len(),
            bytes_processed: answer.bytes_processed,
            affected_rows: answer.affected_rows,
            bytes: answer.rows.bytes(),
            rows: Some(Arc::new(answer.rows)),
        }
    }
}
