//! The dead-letter topic, with a subscription that keeps its messages.
//!
//! It holds messages that the service never acknowledged. It is not the dead-letter *table*: the service acknowledges
//! a message that cannot become a row, and stores it there.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::SUBSCRIPTION;
use super::backlog::ExhaustedMessage;
use super::message::Message;

/// Default message retention of a subscription.
const RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Maximum number of messages, because they are kept in memory. The log names each of them.
const CAPACITY: usize = 10_000;

/// Dead-lettered messages, oldest first.
#[derive(Debug)]
pub struct DeadLetterTopic {
    project: String,
    messages: Mutex<VecDeque<Message>>,
    next_id: AtomicU64,
}

impl DeadLetterTopic {
    /// The dead-letter topic of the subscription in this project.
    pub fn new(project: &str) -> Self {
        Self { project: project.to_owned(), messages: Mutex::default(), next_id: AtomicU64::new(1) }
    }

    /// Publishes the message as a new one, with attributes that describe its source
    /// (<https://cloud.google.com/pubsub/docs/dead-letter-topics#how_dead_letter_topics_work>).
    pub(crate) fn publish(&self, exhausted: &ExhaustedMessage, now: Timestamp) {
        let ExhaustedMessage { message, attempts } = exhausted;
        let mut attributes = message.attributes.clone();
        attributes.extend(
            [
                ("DeliveryCount", attempts.to_string()),
                ("Subscription", SUBSCRIPTION.to_owned()),
                ("SubscriptionProject", self.project.clone()),
                ("TopicPublishTime", message.publish_time.to_string()),
            ]
            .map(|(name, value)| (format!("CloudPubSubDeadLetterSource{name}"), value)),
        );
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).to_string();
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push_back(Message { id, data: message.data.clone(), attributes, publish_time: now });
        while messages.len() > CAPACITY || messages.front().is_some_and(|oldest| now.duration_since(oldest.publish_time) > RETENTION) {
            messages.pop_front();
        }
    }

    /// All messages, oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Removes and returns a message, to publish it again.
    pub fn take(&self, id: &str) -> Option<Message> {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let position = messages.iter().position(|message| message.id == id)?;
        messages.remove(position)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::super::message::Attributes;
    use super::*;

    fn exhausted(data: &'static [u8]) -> ExhaustedMessage {
        let message = Message {
            id: "42".to_owned(),
            data: Bytes::from_static(data),
            attributes: Attributes::from([("logging.googleapis.com/timestamp".to_owned(), "2026-01-02T03:04:05Z".to_owned())]),
            publish_time: "2026-01-02T03:04:06.5Z".parse().unwrap(),
        };
        ExhaustedMessage { message: Arc::new(message), attempts: 5 }
    }

    #[test]
    fn a_dead_letter_has_the_attributes_of_its_source() {
        let topic = DeadLetterTopic::new("p");
        let now: Timestamp = "2026-01-02T04:00:00Z".parse().unwrap();
        topic.publish(&exhausted(b"{}"), now);
        let [message] = &topic.messages()[..] else { panic!("expected one message") };
        assert_eq!((message.id.as_str(), message.data.as_ref(), message.publish_time), ("1", b"{}".as_slice(), now));
        let attributes: Vec<(&str, &str)> = message.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            attributes,
            [
                ("CloudPubSubDeadLetterSourceDeliveryCount", "5"),
                ("CloudPubSubDeadLetterSourceSubscription", "pixel-push"),
                ("CloudPubSubDeadLetterSourceSubscriptionProject", "p"),
                ("CloudPubSubDeadLetterSourceTopicPublishTime", "2026-01-02T03:04:06.5Z"),
                ("logging.googleapis.com/timestamp", "2026-01-02T03:04:05Z"),
            ]
        );
    }

    #[test]
    fn a_message_can_be_taken_once_and_is_kept_for_7_days() {
        let topic = DeadLetterTopic::new("p");
        let day = |day: i64| "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day);
        topic.publish(&exhausted(b"1"), day(0));
        topic.publish(&exhausted(b"2"), day(1));
        assert_eq!(topic.take("2").unwrap().data.as_ref(), b"2");
        assert_eq!(topic.take("2"), None);
        topic.publish(&exhausted(b"3"), day(7));
        assert_eq!(topic.messages().len(), 2);
        topic.publish(&exhausted(b"4"), day(8));
        let left: Vec<_> = topic.messages().into_iter().map(|message| message.data).collect();
        assert_eq!(left, [b"3".as_slice(), b"4"]);
    }
}
