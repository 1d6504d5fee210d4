//! Group commit: rows for one table that arrive during an insert form the next batch.
//!
//! A row whose table has no insert in flight is sent at once, so an idle service adds no latency, and under load the
//! batches grow by themselves. Behind a slow insert, rows wait for a part of their deadline only. One task owns all rows. The caller of [`Batcher::store`] waits at the other end of a
//! oneshot channel for the outcome of its row. The number of rows here is bounded by MAX_IN_FLIGHT, which `source`
//! enforces.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::{Destination, ErrorClass, InsertRow, Refusal, RowResult};
use crate::config::Values;
use crate::config::settings::{BATCH_MAX_BYTES, BATCH_MAX_INSERTS, BATCH_MAX_ROWS};
use crate::telemetry::metrics::{self, PendingRow};

/// Pauses after attempts that stored nothing: at least half of 100 ms, doubled with each failure up to 2 s. The other
/// half is random, so that instances which failed together do not retry together.
const BACKOFF: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(50))
    .with_max_delay(Duration::from_secs(1))
    .with_jitter()
    .without_max_times();
const NO_MAX_TIMES: &str = "BACKOFF has no maximum number of attempts";

/// The destination of batches.
pub trait Sink: Send + Sync + 'static {
    /// Tries once to store `rows`, until `deadline`. Returns one result for each row, in order.
    fn store(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> impl Future<Output = Vec<RowResult>> + Send;
}

/// Maximum size of a batch, and number of inserts in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// BATCH_MAX_ROWS.
    pub rows: usize,
    /// BATCH_MAX_BYTES. A single row may exceed it.
    pub bytes: usize,
    /// BATCH_MAX_INSERTS.
    pub inserts: usize,
    /// An insert that takes longer no longer keeps the next batch of its table waiting: with the time of its own insert,
    /// a row that waits for a slow one would miss its deadline each time.
    pub slow: Duration,
}

impl Limits {
    /// Limits for rows with this deadline.
    pub fn new(values: &Values, deadline: Duration) -> Self {
        Self {
            rows: values.number(&BATCH_MAX_ROWS),
            bytes: values.number(&BATCH_MAX_BYTES),
            inserts: values.number(&BATCH_MAX_INSERTS),
            slow: deadline.mul_f64(0.1),
        }
    }
}

/// The outcome of a row, after all attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// BigQuery stored it.
    Stored,
    /// Permanent: BigQuery will never take it.
    Refused(Refusal),
    /// Probably not stored, and the deadline is too near for another attempt.
    NotStored(ErrorClass),
    /// A bug ended the attempt: the row may or may not be stored.
    Unknown,
}

/// Submits rows. The task ends when the last of these is dropped and every row has its outcome.
#[derive(Debug, Clone)]
pub struct Batcher {
    submissions: mpsc::UnboundedSender<(Destination, Pending)>,
}

impl Batcher {
    /// The two ends: one to submit rows to, one to [`run`](BatcherTask::run).
    pub fn new<S: Sink>(sink: Arc<S>, limits: Limits) -> (Self, BatcherTask<S>) {
        // Unbounded: every submitter waits for the outcome of its row, and the number of submitters is bounded.
        let (submissions, incoming) = mpsc::unbounded_channel();
        let (tables, ready, paused, prompt) = (HashMap::new(), VecDeque::new(), BinaryHeap::new(), BTreeMap::new());
        let task = BatcherTask { sink, limits, incoming, tables, ready, paused, prompt, next_insert: 0 };
        (Self { submissions }, task)
    }

    /// Stores one row. `None` if there is no outcome by `deadline`.
    pub async fn store(&self, destination: Destination, row: InsertRow, deadline: Instant) -> Option<RowOutcome> {
        let (reply, outcome) = oneshot::channel();
        if self.submissions.send((destination, Pending { row, deadline, reply, not_attempted: false, gauge: None })).is_err() {
            return Some(RowOutcome::Unknown);
        }
        let outcome = tokio::time::timeout_at(deadline, outcome).await.ok()?;
        Some(outcome.unwrap_or(RowOutcome::Unknown))
    }
}

/// A row, and the channel to its submitter.
#[derive(Debug)]
struct Pending {
    row: InsertRow,
    deadline: Instant,
    reply: oneshot::Sender<RowOutcome>,
    /// BigQuery left it out of an earlier request because of a refused row ([`RowResult::NotAttempted`]). It is sent again
    /// only with such rows: among new rows there may be the next one that BigQuery refuses.
    not_attempted: bool,
    /// Present once the task owns the row.
    gauge: Option<PendingRow>,
}

impl Pending {
    fn resolve(self, outcome: RowOutcome) {
        // Fails if the submitter has stopped waiting.
        let _ = self.reply.send(outcome);
    }
}

/// The rows of one table.
#[derive(Debug, Default)]
struct Table {
    waiting: VecDeque<Pending>,
    state: TableState,
    /// Present after an attempt that stored nothing.
    backoff: Option<ExponentialBackoff>,
}

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
enum TableState {
    #[default]
    Idle,
    /// In the queue for a free insert.
    Ready,
    /// Until this insert ends or is slow.
    InFlight { insert: u64 },
    /// Until the end of a backoff or of BigQuery's Retry-After, also without rows.
    Paused { until: Instant, class: ErrorClass },
}

/// The task that owns the rows.
#[derive(Debug)]
pub struct BatcherTask<S> {
    sink: Arc<S>,
    limits: Limits,
    incoming: mpsc::UnboundedReceiver<(Destination, Pending)>,
    tables: HashMap<Destination, Table>,
    /// Tables that can send now, in the order in which they became ready.
    ready: VecDeque<Destination>,
    paused: BinaryHeap<Reverse<(Instant, ByTime)>>,
    /// The inserts in flight that are not slow yet, by number and with the time at which they will be.
    prompt: BTreeMap<u64, (Instant, Destination)>,
    next_insert: u64,
}

/// A destination in a heap that is ordered by time alone.
#[derive(Debug, PartialEq, Eq)]
struct ByTime(Destination);

impl Ord for ByTime {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl PartialOrd for ByTime {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

type Finished = (Vec<Pending>, Vec<RowResult>);

impl<S: Sink> BatcherTask<S> {
    /// Runs until the last [`Batcher`] is dropped and every submitted row has its outcome.
    pub async fn run(mut self) {
        let mut inserts: JoinSet<Finished> = JoinSet::new();
        let mut destinations: HashMap<Id, (Destination, u64)> = HashMap::new();
        let mut arrived = Vec::new();
        let mut open = true;
        while open || !self.tables.is_empty() || !inserts.is_empty() {
            let paused_until = self.paused.peek().map(|Reverse((at, _))| *at);
            let slow_at = self.prompt.first_key_value().map(|(_, (at, _))| *at);
            let wake = paused_until.into_iter().chain(slow_at).min();
            tokio::select! {
                count = self.incoming.recv_many(&mut arrived, 256), if open => {
                    open = count > 0;
                    for (destination, pending) in arrived.drain(..) {
                        self.enqueue(destination, pending);
                    }
                }
                Some(joined) = inserts.join_next_with_id(), if !inserts.is_empty() => {
                    let (id, finished) = match joined {
                        Ok((id, finished)) => (id, finished),
                        // The reply channels were dropped with it, so each submitter gets `RowOutcome::Unknown`.
                        Err(panicked) => (panicked.id(), Finished::default()),
                    };
                    if let Some((destination, insert)) = destinations.remove(&id) {
                        self.finish(destination, insert, finished);
                    }
                }
                () = tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.wake(),
            }
            if !open {
                self.close();
            }
            while inserts.len() < self.limits.inserts
                && let Some((destination, insert, batch)) = self.next_batch()
            {
                let task = inserts.spawn(store(Arc::clone(&self.sink), destination.clone(), batch)).id();
                self.prompt.insert(insert, (Instant::now() + self.limits.slow, destination.clone()));
                destinations.insert(task, (destination, insert));
            }
        }
    }

    fn enqueue(&mut self, destination: Destination, mut pending: Pending) {
        pending.gauge = Some(PendingRow::new());
        let table = self.tables.entry(destination.clone()).or_default();
        if let TableState::Paused { until, class } = table.state
            && pending.deadline <= until
        {
            return pending.resolve(RowOutcome::NotStored(class));
        }
        table.waiting.push_back(pending);
        if table.state == TableState::Idle {
            table.state = TableState::Ready;
            self.ready.push_back(destination);
        }
    }

    fn wake(&mut self) {
        let now = Instant::now();
        while self.paused.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, ByTime(destination)))) = self.paused.pop() else { break };
            if let Some(table) = self.tables.get_mut(&destination)
                && matches!(table.state, TableState::Paused { until, .. } if until <= now)
            {
                table.state = TableState::Ready;
                self.ready.push_back(destination);
            }
        }
        while let Some(first) = self.prompt.first_entry().filter(|first| first.get().0 <= now) {
            let (insert, (_, destination)) = first.remove_entry();
            self.release(destination, insert);
        }
    }

    /// Lets the table send again, if it is this insert that keeps it from sending.
    fn release(&mut self, destination: Destination, insert: u64) {
        let Some(table) = self.tables.get_mut(&destination).filter(|table| table.state == TableState::InFlight { insert }) else { return };
        table.state = if table.waiting.is_empty() { TableState::Idle } else { TableState::Ready };
        if table.state == TableState::Ready {
            self.ready.push_back(destination);
        }
    }

    /// Takes the next batch that can be sent. Rows whose submitter has stopped waiting are dropped:
    /// Pub/Sub delivers them again.
    fn next_batch(&mut self) -> Option<(Destination, u64, Vec<Pending>)> {
        while let Some(destination) = self.ready.pop_front() {
            // A slow insert may have paused it since.
            let Some(table) = self.tables.get_mut(&destination).filter(|table| table.state == TableState::Ready) else { continue };
            let (mut batch, mut bytes): (Vec<Pending>, usize) = (Vec::new(), 0);
            while batch.len() < self.limits.rows
                && let Some(pending) = table.waiting.pop_front()
            {
                if pending.reply.is_closed() {
                    continue;
                }
                let is_separate = batch.first().is_some_and(|first| first.not_attempted != pending.not_attempted);
                if is_separate || !batch.is_empty() && bytes + pending.row.json.len() > self.limits.bytes {
                    table.waiting.push_front(pending);
                    break;
                }
                bytes += pending.row.json.len();
                batch.push(pending);
            }
            if batch.is_empty() {
                self.tables.remove(&destination);
            } else {
                let insert = self.next_insert;
                self.next_insert += 1;
                table.state = TableState::InFlight { insert };
                return Some((destination, insert, batch));
            }
        }
        None
    }

    /// Resolves the rows of one request or puts them back, and decides when the table may send again.
    fn finish(&mut self, destination: Destination, insert: u64, (batch, results): Finished) {
        self.prompt.remove(&insert);
        // It may have no table any more: a slow insert does not keep one.
        let table = self.tables.entry(destination.clone()).or_default();
        let now = Instant::now();
        let has_progress = results.iter().any(|result| matches!(result, RowResult::Stored | RowResult::Refused(_)));
        let backoff = table.next_backoff(has_progress);
        let mut pause = None;
        let mut retries = Vec::new();
        for (pending, result) in batch.into_iter().zip(results) {
            let not_attempted = result == RowResult::NotAttempted;
            let (wait, retry_after, class) = match result {
                RowResult::Stored => {
                    pending.resolve(RowOutcome::Stored);
                    continue;
                }
                RowResult::Refused(refusal) => {
                    pending.resolve(RowOutcome::Refused(refusal));
                    continue;
                }
                RowResult::Unavailable(class) => {
                    pending.resolve(RowOutcome::NotStored(class));
                    continue;
                }
                // No row was refused, so the next request may end the same way: pause to avoid a busy loop.
                RowResult::NotAttempted if !has_progress => (backoff, Duration::ZERO, ErrorClass::Unavailable),
                RowResult::NotAttempted => (Duration::ZERO, Duration::ZERO, ErrorClass::Unavailable),
                RowResult::Retry { class, after } => (backoff.max(after), after, class),
            };
            // Waiting beyond the deadline would only keep Pub/Sub from trying another instance.
            let is_late = now + wait >= pending.deadline;
            // BigQuery's Retry-After applies to the table also if this row cannot wait that long.
            let wait = if is_late { retry_after } else { wait };
            if !wait.is_zero() {
                pause = pause.max(Some((now + wait, class)));
            }
            if is_late {
                pending.resolve(RowOutcome::NotStored(class));
            } else {
                retries.push(Pending { not_attempted, ..pending });
            }
        }
        for pending in retries.into_iter().rev() {
            table.waiting.push_front(pending);
        }
        if let Some((until, class)) = pause {
            let (late, waiting) = table.waiting.drain(..).partition(|pending: &Pending| pending.deadline <= until);
            table.waiting = waiting;
            for pending in late {
                pending.resolve(RowOutcome::NotStored(class));
            }
            table.state = TableState::Paused { until, class };
            self.paused.push(Reverse((until, ByTime(destination))));
        } else if table.state == TableState::Idle || (table.state == TableState::InFlight { insert }) {
            if table.waiting.is_empty() {
                self.tables.remove(&destination);
            } else {
                table.state = TableState::Ready;
                self.ready.push_back(destination);
            }
        }
    }

    /// Forgets tables without rows: no row will be submitted any more.
    fn close(&mut self) {
        self.tables.retain(|_, table| matches!(table.state, TableState::InFlight { .. }) || !table.waiting.is_empty());
    }
}

impl Table {
    /// The pause before a retry. Pauses grow from one attempt without progress to the next.
    fn next_backoff(&mut self, has_progress: bool) -> Duration {
        if has_progress {
            self.backoff = None;
            return BACKOFF.build().next().expect(NO_MAX_TIMES);
        }
        self.backoff.get_or_insert_with(|| BACKOFF.build()).next().expect(NO_MAX_TIMES)
    }
}

async fn store<S: Sink>(sink: Arc<S>, destination: Destination, batch: Vec<Pending>) -> Finished {
    let started = Instant::now();
    let deadline = batch.iter().map(|pending| pending.deadline).max().unwrap_or(started);
    // Cheap to clone: shared bytes, and an id of fixed length.
    let rows: Vec<InsertRow> = batch.iter().map(|pending| pending.row.clone()).collect();
    let results = sink.store(&destination, &rows, deadline).await;
    metrics::record_insert(rows.len(), started.elapsed());
    (batch, results)
}

#[cfg(test)]
mod tests;
