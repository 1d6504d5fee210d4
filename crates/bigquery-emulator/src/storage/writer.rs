//! The one thread that writes, and the commit its waiting requests share.
//!
//! A durable commit waits for the disk, about a millisecond, whether it holds one row or a
//! thousand. So the thread takes every job that is waiting, runs each in a savepoint of one
//! transaction, commits, and only then answers: under load many requests share one disk write,
//! and a lone request does not wait for others. The thread knows nothing of BigQuery: a job is a
//! closure over the open transaction.
//!
//! One thread and not a pool of connections, because SQLite has one writer at a time anyway, and
//! because what a job looks up (the table, its schema, the insertIds) then cannot change before
//! it writes.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::error::ApiError;

/// Jobs in one transaction at most, and as many may queue behind it; beyond, senders wait.
const MAX_BATCH_JOBS: usize = 256;

type Committed = Result<(), Arc<rusqlite::Error>>;
/// Tells the waiting request its outcome; called after the commit.
type Reply = Box<dyn FnOnce(Committed) + Send>;
type Job = Box<dyn FnOnce(&mut Transaction<'_>) -> Reply + Send>;

/// Owns the thread: dropping it lets the thread finish its queue, and waits for it.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> io::Result<Writer> {
        let (jobs, queue) = mpsc::channel(MAX_BATCH_JOBS);
        let thread = thread::Builder::new().name("bigquery-writer".to_owned()).spawn(move || write(connection, queue))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `job` in a savepoint and waits for the commit. When `job` fails, what it wrote is
    /// rolled back, and the jobs beside it are not touched.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Savepoint<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (answer, waiting) = oneshot::channel();
        let job: Job = Box::new(move |transaction| {
            let outcome = in_savepoint(transaction, job);
            Box::new(move |committed| {
                // The request may be gone; its rows are stored all the same.
                let _ = answer.send(committed.map_err(ApiError::Commit).and(outcome));
            })
        });
        let jobs = self.jobs.as_ref().ok_or(ApiError::Closing)?;
        jobs.send(job).await.map_err(|_| ApiError::Closing)?;
        waiting.await.map_err(|_| ApiError::Closing)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread of the local BigQuery had panicked");
        }
    }
}

fn in_savepoint<T>(transaction: &mut Transaction<'_>, job: impl FnOnce(&Savepoint<'_>) -> Result<T, ApiError>) -> Result<T, ApiError> {
    let savepoint = transaction.savepoint()?;
    // On the way out of an error, dropping the savepoint rolls it back.
    let outcome = job(&savepoint)?;
    savepoint.commit()?;
    Ok(outcome)
}

fn write(mut connection: Connection, mut queue: mpsc::Receiver<Job>) {
    let mut batch = Vec::with_capacity(MAX_BATCH_JOBS);
    while queue.blocking_recv_many(&mut batch, MAX_BATCH_JOBS) > 0 {
        let mut replies = Vec::with_capacity(batch.len());
        let committed = commit(&mut connection, batch.drain(..), &mut replies).map_err(Arc::new);
        for reply in replies {
            reply(committed.clone());
        }
    }
}

/// If the transaction cannot even begin, the jobs are dropped unrun, and with them the senders
/// of their answers.
fn commit(connection: &mut Connection, jobs: impl Iterator<Item = Job>, replies: &mut Vec<Reply>) -> rusqlite::Result<()> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    replies.extend(jobs.map(|job| job(&mut transaction)));
    transaction.commit()
}
