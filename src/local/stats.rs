//! What the parts of the local topology tell of themselves: counts, and each delivery as it ends.
//!
//! The parts write, the console and the closing summary read; nobody waits for a reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast;

/// Deliveries that a slow reader may lag behind before it misses some.
const CHANNEL_CAPACITY: usize = 1_000;

/// Shared by all parts; clones are the same.
#[derive(Clone, Debug)]
pub struct Stats {
    counters: Arc<Counters>,
    deliveries: broadcast::Sender<Arc<Delivery>>,
}

#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    cache_hits: AtomicU64,
    excluded: AtomicU64,
    published: AtomicU64,
    acked: AtomicU64,
    nacked: AtomicU64,
    dead_lettered: AtomicU64,
}

/// How much went over each arrow of the topology since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests that the load balancer answered and logged.
    pub requests: u64,
    /// Of these, answered from the cache.
    pub cache_hits: u64,
    /// Log entries that the sink's filter kept back.
    pub excluded: u64,
    /// Messages published to the topic.
    pub published: u64,
    /// Deliveries that the service acknowledged.
    pub acked: u64,
    /// Deliveries that it did not.
    pub nacked: u64,
    /// Messages that went to the dead-letter topic after too many attempts.
    pub dead_lettered: u64,
}

/// One delivery attempt, once it was answered or had timed out.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub message_id: String,
    /// The message's data: a log entry.
    pub data: Bytes,
    pub publish_time: Timestamp,
    /// 1 for the first.
    pub attempt: u32,
    /// The answer's status; `None` when there was none within the ack deadline.
    pub status: Option<u16>,
    pub acked: bool,
    pub took: Duration,
}

impl Default for Stats {
    fn default() -> Self {
        Self { counters: Arc::default(), deliveries: broadcast::Sender::new(CHANNEL_CAPACITY) }
    }
}

impl Stats {
    /// The load balancer answered a request.
    pub fn record_request(&self, cache_hit: bool) {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        if cache_hit {
            self.counters.cache_hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The sink's filter kept a log entry back.
    pub fn record_excluded(&self) {
        self.counters.excluded.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was published.
    pub fn record_published(&self) {
        self.counters.published.fetch_add(1, Ordering::Relaxed);
    }

    /// A delivery ended.
    pub fn record_delivery(&self, delivery: Delivery) {
        let counter = if delivery.acked { &self.counters.acked } else { &self.counters.nacked };
        counter.fetch_add(1, Ordering::Relaxed);
        // Nobody may be watching.
        let _ = self.deliveries.send(Arc::new(delivery));
    }

    /// A message was given up and went to the dead-letter topic.
    pub fn record_dead_letter(&self) {
        self.counters.dead_lettered.fetch_add(1, Ordering::Relaxed);
    }

    /// All counts now.
    pub fn counts(&self) -> Counts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Counters { requests, cache_hits, excluded, published, acked, nacked, dead_lettered } = &*self.counters;
        Counts {
            requests: load(requests),
            cache_hits: load(cache_hits),
            excluded: load(excluded),
            published: load(published),
            acked: load(acked),
            nacked: load(nacked),
            dead_lettered: load(dead_lettered),
        }
    }

    /// Deliveries from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Delivery>> {
        self.deliveries.subscribe()
    }
}
