//! Which table sends next, and when.
//!
//! Tables that can send take turns, one batch each. A table may have as many inserts in flight as are free for others:
//! alone it has half of BATCH_MAX_INSERTS, and one of three tables that do not answer has a quarter. So a table that has
//! none in flight always finds one.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::Limits;
use super::pending::Pending;
use super::table::{Batch, Next, Table};
use crate::sink::{Destination, RowResult};

/// All tables with rows, inserts or a pause.
#[derive(Debug)]
pub(super) struct Schedule {
    limits: Limits,
    tables: HashMap<Arc<Destination>, Entry>,
    /// Tables that wait for a free insert, in the order in which they take turns.
    ready: VecDeque<Arc<Destination>>,
    /// Times at which to look at tables again. Some are obsolete.
    timers: BinaryHeap<Reverse<(Instant, ByTime)>>,
    in_flight: usize,
}

#[derive(Debug)]
struct Entry {
    table: Table,
    is_ready: bool,
    /// Its next time in `timers`.
    timer: Option<Instant>,
}

/// A destination in a heap that is ordered by time alone.
#[derive(Debug, PartialEq, Eq)]
struct ByTime(Arc<Destination>);

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

impl Schedule {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, tables: HashMap::new(), ready: VecDeque::new(), timers: BinaryHeap::new(), in_flight: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The next time at which to call [`wake`](Self::wake).
    pub(super) fn next_time(&self) -> Option<Instant> {
        self.timers.peek().map(|Reverse((at, _))| *at)
    }

    /// Adds a row that has come.
    pub(super) fn add(&mut self, destination: Destination, pending: Pending, now: Instant) {
        let destination = match self.tables.get_key_value(&destination) {
            Some((known, _)) => Arc::clone(known),
            None => {
                let destination = Arc::new(destination);
                self.tables.insert(Arc::clone(&destination), Entry { table: Table::new(now), is_ready: false, timer: None });
                destination
            }
        };
        if let Some(entry) = self.tables.get_mut(&destination) {
            entry.table.add(pending, now);
        }
        self.update(&destination, now);
    }

    /// Looks at the tables whose time has come.
    pub(super) fn wake(&mut self, now: Instant) {
        while self.next_time().is_some_and(|at| at <= now) {
            let Some(Reverse((at, ByTime(destination)))) = self.timers.pop() else { break };
            if let Some(entry) = self.tables.get_mut(&destination)
                && entry.timer == Some(at)
            {
                entry.timer = None;
                self.update(&destination, now);
            }
        }
    }

    /// Takes the next batch, and counts its insert as in flight.
    pub(super) fn next_batch(&mut self, now: Instant) -> Option<(Arc<Destination>, Batch)> {
        let free = self.limits.inserts.saturating_sub(self.in_flight);
        if free == 0 {
            return None;
        }
        let mut without_share = Vec::new();
        let mut next = None;
        while next.is_none()
            && let Some(destination) = self.ready.pop_front()
        {
            let Some(entry) = self.tables.get_mut(&destination).filter(|entry| entry.is_ready) else { continue };
            if entry.table.next(now, &self.limits) == Next::Insert {
                if entry.table.in_flight() >= free {
                    without_share.push(destination);
                    continue;
                }
                if let Some(batch) = entry.table.take_batch(now, &self.limits) {
                    self.in_flight += 1;
                    next = Some((Arc::clone(&destination), batch));
                }
            }
            entry.is_ready = false;
            self.update(&destination, now);
        }
        for destination in without_share.into_iter().rev() {
            self.ready.push_front(destination);
        }
        next
    }

    /// Records the answer to an insert. There are no results if it ended without one.
    pub(super) fn finish(&mut self, destination: &Arc<Destination>, batch: Batch, results: Vec<RowResult>, now: Instant) {
        self.in_flight -= 1;
        if let Some(entry) = self.tables.get_mut(destination) {
            entry.table.finish(batch, results, now);
        }
        self.update(destination, now);
    }

    /// Forgets tables without rows and inserts: no row will be added any more.
    pub(super) fn close(&mut self, now: Instant) {
        for entry in self.tables.values_mut() {
            entry.table.close();
        }
        let limits = self.limits;
        self.tables.retain(|_, entry| entry.table.next(now, &limits) != Next::Nothing);
    }

    /// Does what the table waits for.
    fn update(&mut self, destination: &Arc<Destination>, now: Instant) {
        let Some(entry) = self.tables.get_mut(destination) else { return };
        match entry.table.next(now, &self.limits) {
            Next::Insert => {
                if !entry.is_ready {
                    entry.is_ready = true;
                    self.ready.push_back(Arc::clone(destination));
                }
            }
            Next::Time(at) => {
                if entry.timer.is_none_or(|timer| at < timer) {
                    entry.timer = Some(at);
                    self.timers.push(Reverse((at, ByTime(Arc::clone(destination)))));
                }
            }
            Next::Event => {}
            Next::Nothing => drop(self.tables.remove(destination)),
        }
    }
}

#[cfg(test)]
mod tests;
