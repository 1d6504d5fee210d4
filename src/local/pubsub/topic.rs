//! The topic: gives each message its id and time, and hands it to whoever delivers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::message::{Attributes, Message};
use crate::local::stats::Stats;

/// Where log entries are published. Clones are the same topic.
#[derive(Debug, Clone)]
pub struct Topic {
    messages: mpsc::UnboundedSender<Message>,
    next_id: Arc<AtomicU64>,
    stats: Stats,
}

/// The messages of a topic in the order in which they were published.
#[derive(Debug)]
pub struct PublishedMessages(pub(crate) mpsc::UnboundedReceiver<Message>);

impl Topic {
    /// A topic and its one subscription's end of it. What is published before anybody subscribes
    /// waits.
    pub fn new(stats: Stats) -> (Self, PublishedMessages) {
        let (messages, published) = mpsc::unbounded_channel();
        // Unlike the emulator's, ids that do not begin anew with each process.
        let first = u64::try_from(Timestamp::now().as_microsecond()).unwrap_or_default();
        (Self { messages, next_id: Arc::new(AtomicU64::new(first)), stats }, PublishedMessages(published))
    }

    /// Publishes one message and returns its id; `None` once the subscription takes no more,
    /// because the process is about to end.
    pub fn publish(&self, data: Bytes, attributes: Attributes) -> Option<String> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).to_string();
        let message = Message { id: id.clone(), data, attributes, publish_time: Timestamp::now() };
        self.messages.send(message).ok()?;
        self.stats.record_published();
        Some(id)
    }
}
