//! Statistics of the local topology: counts, and a broadcast of each finished delivery.
//!
//! The parts write them. The console and the summary read them. No writer waits for a reader.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast;

/// Deliveries that are kept for a slow receiver. A receiver that falls further behind misses some.
const CHANNEL_CAPACITY: usize = 1_000;

/// Shared by all parts. Clones share the same counters.
#[derive(Clone, Debug)]
pub struct TopologyStats {
    counters: Arc<TopologyCounters>,
    deliveries: broadcast::Sender<Arc<DeliveryRecord>>,
}

#[derive(Debug, Default)]
struct TopologyCounters {
    requests: AtomicU64,
    cache_hits: AtomicU64,
    excluded: AtomicU64,
    published: AtomicU64,
    acked: AtomicU64,
    nacked: AtomicU64,
    dead_lettered: AtomicU64,
}

/// Totals since the start, one for each connection of the topology.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests that the load balancer answered and logged.
    pub requests: u64,
    /// Requests among them that were answered from the cache.
    pub cache_hits: u64,
    /// Log entries that the sink's filter excluded.
    pub excluded: u64,
    /// Messages published to the topic.
    pub published: u64,
    /// Deliveries that the service acknowledged.
    pub acked: u64,
    /// Deliveries that the service did not acknowledge.
    pub nacked: u64,
    /// Messages that were moved to the dead-letter topic after too many delivery attempts.
    pub dead_lettered: u64,
}

/// One finished delivery attempt: answered, or timed out.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    pub message_id: String,
    /// The message's data: a log entry.
    pub data: Bytes,
    pub publish_time: Timestamp,
    /// Starts at 1.
    pub attempt: u32,
    /// HTTP status of the answer; `None` without an answer within the ack deadline.
    pub status: Option<u16>,
    pub acked: bool,
    pub took: Duration,
}

impl Default for TopologyStats {
    fn default() -> Self {
        Self { counters: Arc::default(), deliveries: broadcast::Sender::new(CHANNEL_CAPACITY) }
    }
}

impl TopologyStats {
    /// Counts a request that the load balancer answered.
    pub fn record_request(&self, cache_hit: bool) {
        self.counters.requests.fetch_add(1, Ordering::Relaxed);
        if cache_hit {
            self.counters.cache_hits.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a log entry that the sink's filter excluded.
    pub fn record_excluded(&self) {
        self.counters.excluded.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a published message.
    pub fn record_published(&self) {
        self.counters.published.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a finished delivery and broadcasts it.
    pub fn record_delivery(&self, delivery: DeliveryRecord) {
        let counter = if delivery.acked { &self.counters.acked } else { &self.counters.nacked };
        counter.fetch_add(1, Ordering::Relaxed);
        // An error means that there is no receiver.
        let _ = self.deliveries.send(Arc::new(delivery));
    }

    /// Counts a message that was moved to the dead-letter topic.
    pub fn record_dead_letter(&self) {
        self.counters.dead_lettered.fetch_add(1, Ordering::Relaxed);
    }

    /// The current totals.
    pub fn counts(&self) -> Counts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let TopologyCounters { requests, cache_hits, excluded, published, acked, nacked, dead_lettered } = &*self.counters;
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

    /// A receiver of all later deliveries.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<DeliveryRecord>> {
        self.deliveries.subscribe()
    }
}
