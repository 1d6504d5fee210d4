//! The writer thread: runs all writes, and commits waiting jobs together (group commit).
//!
//! A durable commit waits about one millisecond for the disk, with one row or with a thousand. So the thread takes all
//! waiting jobs, runs each in a savepoint of one transaction, commits, and then sends the replies. Under load, many requests
//! share one disk write. A single request does not wait for others. A job is a closure over the open transaction.
//!
//! There is one thread and no pool, because SQLite allows one writer at a time. Also, the data that a job reads (the table,
//! its schema, the insertIds) cannot change before the job writes.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Savepoint, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::error::ApiError;

/// Maximum number of jobs of one transaction, and of jobs in the queue. Senders wait while the queue is full.
const MAX_BATCH_JOBS: usize = 256;

type Committed = Result<(), Arc<rusqlite::Error>>;
/// Sends the outcome to the waiting request. It is called after the commit.
type Reply = Box<dyn FnOnce(Committed) + Send>;
type WriteJob = Box<dyn FnOnce(&mut Transaction<'_>) -> Reply + Send>;

/// A handle to the thread. Dropping it waits until the thread finished its queue.
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<WriteJob>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection) -> io::Result<Writer> {
        let (jobs, queue) = mpsc::channel(MAX_BATCH_JOBS);
        let thread = thread::Builder::new().name("bigquery-writer".to_owned()).spawn(move || write(connection, queue))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Runs `job` in a savepoint and waits for the commit. If `job` fails, its changes are rolled back. The other jobs
    /// of the transaction are not affected.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Savepoint<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (reply, waiting) = oneshot::channel();
        let job: WriteJob = Box::new(move |transaction| {
            let outcome = in_savepoint(transaction, job);
            Box::new(move |committed| {
                // The request may have been dropped. Its rows are stored anyway.
                let _ = reply.send(committed.map_err(ApiError::Commit).and(outcome));
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
            tracing::error!("writer thread panicked");
        }
    }
}

fn in_savepoint<T>(transaction: &mut Transaction<'_>, job: impl FnOnce(&Savepoint<'_>) -> Result<T, ApiError>) -> Result<T, ApiError> {
    let savepoint = transaction.savepoint()?;
    // On an error, dropping the savepoint rolls it back.
    let outcome = job(&savepoint)?;
    savepoint.commit()?;
    Ok(outcome)
}

fn write(mut connection: Connection, mut queue: mpsc::Receiver<WriteJob>) {
    let mut batch = Vec::with_capacity(MAX_BATCH_JOBS);
    while queue.blocking_recv_many(&mut batch, MAX_BATCH_JOBS) > 0 {
        let mut replies = Vec::with_capacity(batch.len());
        let committed = commit(&mut connection, batch.drain(..), &mut replies).map_err(Arc::new);
        for reply in replies {
            reply(committed.clone());
        }
    }
}

/// Runs the jobs in one transaction and commits. If the transaction cannot begin, the jobs and the senders of their
/// replies are dropped.
fn commit(connection: &mut Connection, jobs: impl Iterator<Item = WriteJob>, replies: &mut Vec<Reply>) -> rusqlite::Result<()> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    replies.extend(jobs.map(|job| job(&mut transaction)));
    transaction.commit()
}
