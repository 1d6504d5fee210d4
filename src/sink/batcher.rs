//! Group commit: rows for one table that arrive while an insert is under way form the next one.
//!
//! A row whose table has no insert in flight goes at once, so that a quiet service adds no
//! latency, and under load the batches grow by themselves. One task owns everything; whoever
//! submits a row holds the other end of a oneshot and learns the fate of that row and no other.
//! The number of rows waiting here is bounded by whoever admits them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinSet};
use tokio::time::Instant;

use super::{Destination, ErrorClass, InsertRow, Refusal, RowResult};
use crate::config::Values;
use crate::config::settings::{BATCH_MAX_BYTES, BATCH_MAX_INSERTS, BATCH_MAX_ROWS};
use crate::telemetry::metrics;

/// Where batches go.
pub trait Sink: Send + Sync + 'static {
    /// Tries once to store `rows`, giving up at `deadline`; one fate for each row, in order.
    fn store(&self, destination: &Destination, rows: &[InsertRow], deadline: Instant) -> impl Future<Output = Vec<RowResult>> + Send;
}

/// How large a batch may grow, and how many may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// BATCH_MAX_ROWS.
    pub rows: usize,
    /// BATCH_MAX_BYTES. A single row may exceed it.
    pub bytes: usize,
    /// BATCH_MAX_INSERTS.
    pub inserts: usize,
    /// Longest first attempt. Shorter than a row's own deadline, so that a request which got lost
    /// leaves time for another; that one may take what is left, for BigQuery may just be slow.
    pub attempt: Duration,
}

impl Limits {
    /// The limits of rows that have to be resolved within `deadline`: time for two attempts at least, and for a third.
    pub fn new(values: &Values, deadline: Duration) -> Self {
        Self {
            rows: values.number(&BATCH_MAX_ROWS),
            bytes: values.number(&BATCH_MAX_BYTES),
            inserts: values.number(&BATCH_MAX_INSERTS),
            attempt: deadline.mul_f64(0.4).min(Duration::from_secs(60)),
        }
    }
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is stored.
    Stored,
    /// It never will be.
    Refused(Refusal),
    /// It is not stored as far as we know, and its deadline is too near for another attempt.
    Unsettled(ErrorClass),
    /// A bug ended its attempt, and nobody knows.
    Lost,
}

/// Submits rows. The batcher ends when the last of these is gone and every row is settled.
#[derive(Debug, Clone)]
pub struct Batcher {
    submissions: mpsc::UnboundedSender<(Destination, Pending)>,
}

impl Batcher {
    /// The two ends: one to submit rows to, one to [`run`](BatcherTask::run).
    pub fn new<S: Sink>(sink: Arc<S>, limits: Limits) -> (Self, BatcherTask<S>) {
        // Unbounded, because every submitter waits for its row's fate and submitters are bounded.
        let (submissions, incoming) = mpsc::unbounded_channel();
        let task = BatcherTask { sink, limits, incoming, tables: HashMap::new(), ready: VecDeque::new(), resting: BinaryHeap::new() };
        (Self { submissions }, task)
    }

    /// Stores one row. `None` if that is not settled by `deadline`.
    pub async fn store(&self, destination: Destination, row: InsertRow, deadline: Instant) -> Option<Settled> {
        let (reply, fate) = oneshot::channel();
        if self.submissions.send((destination, Pending { row, deadline, reply, tried: false, stopped: false })).is_err() {
            return Some(Settled::Lost);
        }
        let fate = tokio::time::timeout_at(deadline, fate).await.ok()?;
        Some(fate.unwrap_or(Settled::Lost))
    }
}

/// A row, and who waits for it.
#[derive(Debug)]
struct Pending {
    row: InsertRow,
    deadline: Instant,
    reply: oneshot::Sender<Settled>,
    /// It was in an attempt before.
    tried: bool,
    /// That attempt left it out because of a neighbour, and told all those neighbours. It goes again without
    /// newcomers, among which there may be the next bad row.
    stopped: bool,
}

impl Pending {
    fn settle(self, settled: Settled) {
        // Whoever waited may be gone.
        let _ = self.reply.send(settled);
    }
}

/// The rows of one table.
#[derive(Debug, Default)]
struct Table {
    waiting: VecDeque<Pending>,
    state: TableState,
    /// Attempts in a row that stored nothing.
    failures: u32,
}

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
enum TableState {
    #[default]
    Idle,
    /// In the queue for a free insert.
    Ready,
    InFlight,
    /// Waiting out a backoff or BigQuery's Retry-After, also without rows.
    Resting {
        until: Instant,
        trouble: ErrorClass,
    },
}

/// The task that owns the rows.
#[derive(Debug)]
pub struct BatcherTask<S> {
    sink: Arc<S>,
    limits: Limits,
    incoming: mpsc::UnboundedReceiver<(Destination, Pending)>,
    tables: HashMap<Destination, Table>,
    /// Tables that could send now, in the order in which they became so.
    ready: VecDeque<Destination>,
    resting: BinaryHeap<Reverse<(Instant, ByTime)>>,
}

/// Keeps a destination beside its time in the heap without having an order itself.
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
    /// Runs until nobody can submit any more and everything submitted is settled.
    pub async fn run(mut self) {
        let mut inserts: JoinSet<Finished> = JoinSet::new();
        let mut destinations: HashMap<Id, Destination> = HashMap::new();
        let mut arrived = Vec::new();
        let mut open = true;
        while open || !self.tables.is_empty() {
            let wake = self.resting.peek().map(|Reverse((at, _))| *at);
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
                        // The waiters' oneshots died with it: they are told to try again.
                        Err(panicked) => (panicked.id(), Finished::default()),
                    };
                    if let Some(destination) = destinations.remove(&id) {
                        self.settle(destination, finished);
                    }
                }
                () = tokio::time::sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => self.wake(),
            }
            if !open {
                self.close();
            }
            while inserts.len() < self.limits.inserts
                && let Some((destination, batch)) = self.next_batch()
            {
                let insert = insert(Arc::clone(&self.sink), destination.clone(), batch, self.limits.attempt);
                destinations.insert(inserts.spawn(insert).id(), destination);
            }
        }
    }

    fn enqueue(&mut self, destination: Destination, pending: Pending) {
        let table = self.tables.entry(destination.clone()).or_default();
        if let TableState::Resting { until, trouble } = table.state
            && pending.deadline <= until
        {
            return pending.settle(Settled::Unsettled(trouble));
        }
        table.waiting.push_back(pending);
        if table.state == TableState::Idle {
            table.state = TableState::Ready;
            self.ready.push_back(destination);
        }
    }

    fn wake(&mut self) {
        let now = Instant::now();
        while self.resting.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, ByTime(destination)))) = self.resting.pop() else { break };
            if let Some(table) = self.tables.get_mut(&destination)
                && matches!(table.state, TableState::Resting { until, .. } if until <= now)
            {
                table.state = TableState::Ready;
                self.ready.push_back(destination);
            }
        }
    }

    /// Takes the next batch that can be sent. Rows for which nobody waits any more are left out:
    /// they will be delivered again.
    fn next_batch(&mut self) -> Option<(Destination, Vec<Pending>)> {
        while let Some(destination) = self.ready.pop_front() {
            let Some(table) = self.tables.get_mut(&destination) else { continue };
            let (mut batch, mut bytes): (Vec<Pending>, usize) = (Vec::new(), 0);
            while batch.len() < self.limits.rows
                && let Some(pending) = table.waiting.pop_front()
            {
                if pending.reply.is_closed() {
                    continue;
                }
                let is_apart = batch.first().is_some_and(|first| first.stopped != pending.stopped);
                if is_apart || !batch.is_empty() && bytes + pending.row.json.len() > self.limits.bytes {
                    table.waiting.push_front(pending);
                    break;
                }
                bytes += pending.row.json.len();
                batch.push(pending);
            }
            if batch.is_empty() {
                self.tables.remove(&destination);
            } else {
                table.state = TableState::InFlight;
                return Some((destination, batch));
            }
        }
        None
    }

    fn settle(&mut self, destination: Destination, (batch, fates): Finished) {
        let Some(table) = self.tables.get_mut(&destination) else { return };
        let now = Instant::now();
        let progress = fates.iter().any(|fate| matches!(fate, RowResult::Stored | RowResult::Refused(_)));
        table.failures = if progress { 0 } else { table.failures.saturating_add(1) };
        let backoff = backoff(table.failures.max(1));
        let mut rest = None;
        let mut again = Vec::new();
        for (pending, fate) in batch.into_iter().zip(fates) {
            let stopped = fate == RowResult::Stopped;
            let (wait, asked, trouble) = match fate {
                RowResult::Stored => {
                    pending.settle(Settled::Stored);
                    continue;
                }
                RowResult::Refused(refusal) => {
                    pending.settle(Settled::Refused(refusal));
                    continue;
                }
                RowResult::NotNow(trouble) => {
                    pending.settle(Settled::Unsettled(trouble));
                    continue;
                }
                // Nothing was at fault that is out of the way now: do not run in circles.
                RowResult::Stopped if !progress => (backoff, Duration::ZERO, ErrorClass::Unavailable),
                RowResult::Stopped => (Duration::ZERO, Duration::ZERO, ErrorClass::Unavailable),
                RowResult::Again { trouble, after } => (backoff.max(after), after, trouble),
            };
            // Waiting beyond the deadline would only keep Pub/Sub from trying elsewhere.
            let is_late = now + wait >= pending.deadline;
            // What BigQuery asked for holds also if nobody can wait that long.
            let wait = if is_late { asked } else { wait };
            if !wait.is_zero() {
                rest = rest.max(Some((now + wait, trouble)));
            }
            if is_late {
                pending.settle(Settled::Unsettled(trouble));
            } else {
                again.push(Pending { tried: true, stopped, ..pending });
            }
        }
        for pending in again.into_iter().rev() {
            table.waiting.push_front(pending);
        }
        if let Some((until, trouble)) = rest {
            let (late, waiting) = table.waiting.drain(..).partition(|pending: &Pending| pending.deadline <= until);
            table.waiting = waiting;
            for pending in late {
                pending.settle(Settled::Unsettled(trouble));
            }
            table.state = TableState::Resting { until, trouble };
            self.resting.push(Reverse((until, ByTime(destination))));
        } else if table.waiting.is_empty() {
            self.tables.remove(&destination);
        } else {
            table.state = TableState::Ready;
            self.ready.push_back(destination);
        }
    }

    /// Forgets tables that only rest: nobody will send them anything any more.
    fn close(&mut self) {
        self.tables.retain(|_, table| table.state == TableState::InFlight || !table.waiting.is_empty());
    }
}

async fn insert<S: Sink>(sink: Arc<S>, destination: Destination, batch: Vec<Pending>, longest: Duration) -> Finished {
    let started = Instant::now();
    let last_deadline = batch.iter().map(|pending| pending.deadline).max().unwrap_or(started);
    let give_up = if batch.iter().any(|pending| pending.tried) { last_deadline } else { last_deadline.min(started + longest) };
    // Both are cheap to clone: shared bytes, and digits.
    let rows: Vec<InsertRow> = batch.iter().map(|pending| pending.row.clone()).collect();
    let fates = sink.store(&destination, &rows, give_up).await;
    metrics::inserted(rows.len(), started.elapsed());
    (batch, fates)
}

/// 100 ms, doubled with each failure up to 2 s, less up to half of it at random so that instances
/// which failed together do not come back together.
fn backoff(failures: u32) -> Duration {
    let full = Duration::from_millis(100) * 2_u32.pow(failures.saturating_sub(1).min(5));
    full.min(Duration::from_secs(2)).mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests;
