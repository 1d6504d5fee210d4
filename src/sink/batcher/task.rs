//! The task that owns the rows: it runs the schedule.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::pending::Pending;
use super::schedule::Schedule;
use super::table::Batch;
use super::{Limits, Sink};
use crate::sink::{Destination, RowResult};
use crate::telemetry::metrics;

/// Rows that are taken from the channel at once.
const MAX_SUBMISSIONS: usize = 256;

/// Owns all rows without an outcome.
#[derive(Debug)]
pub struct BatcherTask<S> {
    sink: Arc<S>,
    schedule: Schedule,
    incoming: mpsc::UnboundedReceiver<(Destination, Pending)>,
}

/// An insert that has ended.
type Finished = (Arc<Destination>, Batch, Vec<RowResult>);

impl<S: Sink> BatcherTask<S> {
    pub(super) fn new(sink: Arc<S>, limits: Limits, incoming: mpsc::UnboundedReceiver<(Destination, Pending)>) -> Self {
        Self { sink, schedule: Schedule::new(limits), incoming }
    }

    /// Runs until the last [`Batcher`](super::Batcher) is dropped and every submitted row has its outcome.
    pub async fn run(self) {
        let Self { sink, mut schedule, mut incoming } = self;
        let mut inserts: JoinSet<Finished> = JoinSet::new();
        let mut submissions = Vec::new();
        let mut is_open = true;
        let timer = tokio::time::sleep_until(Instant::now());
        tokio::pin!(timer);
        while is_open || !schedule.is_empty() {
            let time = schedule.next_time();
            if let Some(time) = time
                && time != timer.deadline()
            {
                timer.as_mut().reset(time);
            }
            tokio::select! {
                biased;
                Some(finished) = inserts.join_next(), if !inserts.is_empty() => {
                    record(&mut schedule, finished);
                    while let Some(finished) = inserts.try_join_next() {
                        record(&mut schedule, finished);
                    }
                }
                count = incoming.recv_many(&mut submissions, MAX_SUBMISSIONS), if is_open => {
                    let now = Instant::now();
                    for (destination, pending) in submissions.drain(..) {
                        schedule.add(destination, pending, now);
                    }
                    if count == 0 {
                        is_open = false;
                        schedule.close(now);
                    }
                }
                () = &mut timer, if time.is_some() => {}
            }
            let now = Instant::now();
            schedule.wake(now);
            while let Some((destination, batch)) = schedule.next_batch(now) {
                inserts.spawn(insert(Arc::clone(&sink), destination, batch));
            }
        }
    }
}

fn record(schedule: &mut Schedule, finished: Result<Finished, JoinError>) {
    // The only error is that the runtime shuts down.
    if let Ok((destination, batch, results)) = finished {
        schedule.finish(&destination, batch, results, Instant::now());
    }
}

/// Sends one batch. A panic of the sink is an insert without results.
async fn insert<S: Sink>(sink: Arc<S>, destination: Arc<Destination>, batch: Batch) -> Finished {
    let started = Instant::now();
    let deadline = batch.submitters.iter().map(|submitter| submitter.deadline).max().unwrap_or(started);
    let store = AssertUnwindSafe(sink.store(&destination, &batch.rows, deadline)).catch_unwind();
    let results = store.await.unwrap_or_default();
    metrics::record_insert(batch.rows.len(), started.elapsed());
    (destination, batch, results)
}
