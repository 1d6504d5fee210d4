//! A pulled message, and its lease.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use google_cloud_pubsub::error::AckError;
use google_cloud_pubsub::model::Message;
use jiff::Timestamp;

use super::client::LeaseHandler;
use crate::decode::PubsubMessage;
use crate::decode::message::MessageData;

/// The attribute with the time when the message was published to its first topic. The message of a dead-letter topic has it.
const FIRST_PUBLISHED: &str = "CloudPubSubDeadLetterSourceTopicPublishTime";

/// A message that Pub/Sub has leased to this process. It is returned if it is dropped.
#[derive(Debug)]
pub struct PulledMessage {
    data: Bytes,
    id: String,
    publish_time: Option<String>,
    /// A JSON object.
    attributes: String,
    delivery_attempt: Option<i64>,
    lease: Lease,
}

/// The lease of a message. The client extends it. Dropped, it returns the message to Pub/Sub (nack).
#[derive(Debug)]
pub struct Lease(Box<dyn LeaseHandler>);

impl PulledMessage {
    /// `delivery_attempt` is known if the subscription has a dead-letter topic.
    pub fn new(message: Message, delivery_attempt: Option<i32>, handler: impl LeaseHandler + 'static) -> Self {
        let published = || {
            let time = message.publish_time?;
            Timestamp::new(time.seconds(), time.nanos()).ok().map(|time| time.to_string())
        };
        Self {
            publish_time: message.attributes.get(FIRST_PUBLISHED).cloned().or_else(published),
            attributes: serde_json::to_string(&message.attributes).expect("a map of strings has a JSON form"),
            delivery_attempt: delivery_attempt.map(i64::from),
            id: message.message_id,
            data: message.data,
            lease: Lease(Box::new(handler)),
        }
    }

    /// The message as the decoder takes it.
    pub fn message(&self) -> PubsubMessage<'_> {
        PubsubMessage {
            data: MessageData::Raw((&*self.data).into()),
            message_id: Some(Cow::Borrowed(self.id())).filter(|id| !id.is_empty()),
            publish_time: self.publish_time.as_deref().map(Cow::Borrowed),
            attributes: Some(Cow::Borrowed(&self.attributes)),
            delivery_attempt: self.delivery_attempt,
        }
    }

    /// Pub/Sub's id of the message.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bytes that it takes.
    pub fn size(&self) -> usize {
        self.message().size()
    }

    /// The lease alone.
    pub fn into_lease(self) -> Lease {
        self.lease
    }
}

impl fmt::Display for PulledMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {}", self.id)
    }
}

impl Lease {
    /// Acknowledges the message; see [`LeaseHandler::ack`].
    pub async fn ack(self) -> Result<(), AckError> {
        self.0.ack().await
    }

    /// Returns the message to Pub/Sub.
    pub fn nack(self) {
        self.0.nack();
    }
}
