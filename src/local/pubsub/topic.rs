//! The topic: gives each message an id and a time, and passes it to the subscription.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::message::{Attributes, Message};
use crate::local::stats::TopologyStats;

/// Where log entries are published. Clones share the same topic.
#[derive(Debug, Clone)]
pub struct Topic {
    messages: mpsc::UnboundedSender<Message>,
    next_id: Arc<AtomicU64>,
    stats: TopologyStats,
}

/// The receiving end of a topic: messages in the order of publishing.
#[derive(Debug)]
pub struct PublishedMessages(pub(crate) mpsc::UnboundedReceiver<Message>);

impl Topic {
    /// Creates a topic and its only subscription's receiver. Messages wait until they are received.
    pub fn new(stats: TopologyStats) -> (Self, PublishedMessages) {
        let (messages, published) = mpsc::unbounded_channel();
        // Unlike the emulator's, these ids do not repeat after a restart.
        let first = Timestamp::now().as_microsecond().unsigned_abs();
        (Self { messages, next_id: Arc::new(AtomicU64::new(first)), stats }, PublishedMessages(published))
    }

    /// Publishes a message and returns its id. Returns `None` after the subscription was closed, at shutdown.
    pub fn publish(&self, data: Bytes, attributes: Attributes) -> Option<String> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).to_string();
        let message = Message { id: id.clone(), data, attributes, publish_time: Timestamp::now() };
        self.messages.send(message).ok()?;
        self.stats.record_published();
        Some(id)
    }
}
