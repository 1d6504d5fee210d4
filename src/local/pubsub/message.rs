//! A message of the topic, and the push request that delivers it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Attributes of a message.
pub type Attributes = BTreeMap<String, String>;

/// One message of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Unique within the topic.
    pub id: String,
    /// The published data, here a log entry.
    pub data: Bytes,
    pub attributes: Attributes,
    pub publish_time: Timestamp,
}

impl Message {
    /// The body of a push request. It has id and time in both spellings, and omits empty members
    /// (<https://cloud.google.com/pubsub/docs/push#receive_push>). `delivery_attempt` is present only with a dead-letter
    /// policy.
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
