//! A message as the topic keeps it, and as a push subscription sends it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Names and values that travel with a message.
pub type Attributes = BTreeMap<String, String>;

/// One message of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Unique within the topic.
    pub id: String,
    /// What was published: here, a log entry.
    pub data: Bytes,
    pub attributes: Attributes,
    pub publish_time: Timestamp,
}

impl Message {
    /// A wrapped push body: id and time come in both spellings, what is empty does not come at
    /// all (<https://cloud.google.com/pubsub/docs/push#receive_push>). `delivery_attempt` is told
    /// only where the subscription has a dead-letter policy.
    pub(crate) fn push_body(&self, subscription: &str, delivery_attempt: Option<u32>) -> String {
        let time = self.publish_time.to_string();
        let mut message = json!({
            "messageId": self.id, "message_id": self.id,
            "publishTime": time, "publish_time": time,
        });
        if !self.attributes.is_empty() {
            message["attributes"] = json!(self.attributes);
        }
        if !self.data.is_empty() {
            message["data"] = Value::String(STANDARD.encode(&self.data));
        }
        let mut body = json!({"message": message, "subscription": subscription});
        if let Some(attempt) = delivery_attempt {
            body["deliveryAttempt"] = json!(attempt);
        }
        body.to_string()
    }
}
