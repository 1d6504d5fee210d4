//! A topic with one push subscription, which keeps Pub/Sub's rules of acknowledgement.
//!
//! 102, 200, 201, 202 and 204 acknowledge; every other status, and no answer within the ack
//! deadline, means that the message is delivered again, after 100 ms at first and 60 s at most
//! (<https://cloud.google.com/pubsub/docs/push>). Messages live in memory: they end with the
//! process, as they do in Google's emulator.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const ACK_DEADLINE: Duration = Duration::from_secs(10);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// Deliveries under way at once.
const WINDOW: usize = 100;

/// Where entries are published.
#[derive(Debug)]
pub struct Topic {
    messages: mpsc::UnboundedSender<Message>,
    next_id: AtomicU64,
}

/// Delivers what is published to one endpoint.
#[derive(Debug)]
pub struct PushSubscription {
    messages: mpsc::UnboundedReceiver<Message>,
    endpoint: String,
    http: reqwest::Client,
    project: String,
}

#[derive(Debug)]
struct Message {
    id: String,
    data: Vec<u8>,
    publish_time: Timestamp,
}

impl Topic {
    /// A topic, and its subscription that pushes to `endpoint`.
    pub fn with_push_to(endpoint: String, project: &str) -> Result<(Self, PushSubscription), reqwest::Error> {
        let http = reqwest::Client::builder().no_proxy().timeout(ACK_DEADLINE).build()?;
        let (sender, messages) = mpsc::unbounded_channel();
        // Unlike the emulator's, ids that do not begin anew with each process.
        let next_id = AtomicU64::new(u64::try_from(Timestamp::now().as_microsecond()).unwrap_or_default());
        let topic = Self { messages: sender, next_id };
        Ok((topic, PushSubscription { messages, endpoint, http, project: project.to_owned() }))
    }

    /// Publishes one message.
    pub fn publish(&self, data: Vec<u8>) {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).to_string();
        // Refused only once the subscription has ended, when the process is about to.
        let _ = self.messages.send(Message { id, data, publish_time: Timestamp::now() });
    }
}

impl PushSubscription {
    /// Delivers until the topic is gone and every message is acknowledged.
    pub async fn run(mut self) {
        let mut deliveries = JoinSet::new();
        loop {
            tokio::select! {
                message = self.messages.recv(), if deliveries.len() < WINDOW => match message {
                    Some(message) => {
                        let body = self.body(&message);
                        deliveries.spawn(deliver(self.http.clone(), self.endpoint.clone(), body));
                    }
                    None => break,
                },
                Some(_) = deliveries.join_next(), if !deliveries.is_empty() => {}
            }
        }
        while deliveries.join_next().await.is_some() {}
    }

    /// A wrapped push body as the service sends it, with both spellings of id and time.
    fn body(&self, message: &Message) -> String {
        let time = message.publish_time.to_string();
        json!({
            "message": {
                "attributes": {"logging.googleapis.com/timestamp": time},
                "data": STANDARD.encode(&message.data),
                "messageId": message.id,
                "message_id": message.id,
                "publishTime": time,
                "publish_time": time,
            },
            "subscription": format!("projects/{}/subscriptions/pixel-push", self.project),
        })
        .to_string()
    }
}

async fn deliver(http: reqwest::Client, endpoint: String, body: String) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let request = http.post(&endpoint).header("content-type", "application/json").body(body.clone());
        match request.send().await {
            Ok(response) if is_ack(response.status().as_u16()) => return,
            Ok(response) => tracing::warn!(status = response.status().as_u16(), "a delivery was not acknowledged"),
            Err(error) => tracing::warn!(%error, "a delivery was not answered"),
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

fn is_ack(status: u16) -> bool {
    matches!(status, 102 | 200 | 201 | 202 | 204)
}
