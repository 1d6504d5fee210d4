//! A steady load of push deliveries, in place of Pub/Sub. Each message is delivered until it is acked.

use std::sync::Arc;
use std::time::Duration;

use pixel_pipeline::decode::EventId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::delivery_log::{DeliveryLog, Destination};
use super::entry::{Entry, wrapped};
use super::wait::TIMEOUT;

/// Delay between a nack and the next delivery: the minimum push backoff of Pub/Sub.
const BACKOFF: Duration = Duration::from_millis(100);
/// The minimum ack deadline of a subscription. Without a response by then, the message is delivered again.
pub const ACK_DEADLINE: Duration = Duration::from_secs(10);
/// Limit of one sender. A test that reaches it never stopped its load.
const MAX_MESSAGES: usize = 5_000;
/// One of this many messages is delivered again after its ack, as Pub/Sub may do.
const REDELIVERY_INTERVAL: usize = 10;

/// A message to deliver.
#[derive(Debug, Clone)]
pub struct TestMessage {
    /// The body of the push.
    pub body: String,
    pub message_id: String,
    pub event_id: String,
    pub destination: Destination,
}

impl TestMessage {
    /// An event with this `user_id` and `order_id`.
    pub fn event(user: &str, order: &str) -> Self {
        Self::of_entry(&Entry::of_query(&format!("user_id={user}&order_id={order}")), Destination::Table(format!("pixel_{user}_20260102")))
    }

    /// The message of a log entry. The entry has `logName`, `timestamp` and `insertId`.
    pub fn of_entry(entry: &Entry, destination: Destination) -> Self {
        let text = |name: &str| entry.0[name].as_str().unwrap();
        let event_id = EventId::of_entry(text("logName"), text("timestamp"), text("timestamp").parse().ok(), text("insertId"));
        let message_id = fastrand::u64(..).to_string();
        let body = wrapped(entry.json().as_bytes(), &message_id);
        Self { body, message_id, event_id: event_id.as_str().to_owned(), destination }
    }

    /// A message that is not a log entry and becomes a dead letter.
    pub fn rejected() -> Self {
        let message_id = fastrand::u64(..).to_string();
        let event_id = EventId::of_message(&message_id).as_str().to_owned();
        Self { body: wrapped(b"{\"httpRequest\":", &message_id), message_id, event_id, destination: Destination::DeadLetters }
    }

    /// A request for another path, which is filtered.
    pub fn filtered() -> Self {
        Self::of_entry(&Entry::of_url("https://track.example.com/favicon.ico?user_id=u"), Destination::Filtered)
    }

    /// Sets another destination.
    pub fn to(self, destination: Destination) -> Self {
        Self { destination, ..self }
    }
}

/// Senders that deliver messages until they are stopped.
pub struct LoadGenerator {
    pub deliveries: Arc<DeliveryLog>,
    endpoint: watch::Sender<String>,
    stop: watch::Sender<bool>,
    senders: JoinSet<()>,
    http: reqwest::Client,
}

impl LoadGenerator {
    /// A load without senders.
    pub fn new(endpoint: &str, deliveries: Arc<DeliveryLog>) -> Self {
        // A redirect is a nack.
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.timeout(ACK_DEADLINE).build().unwrap();
        let (endpoint, stop) = (watch::Sender::new(endpoint.to_owned()), watch::Sender::new(false));
        Self { deliveries, endpoint, stop, senders: JoinSet::new(), http }
    }

    /// Adds senders. Each delivers one message at a time, at most one per `pace`.
    pub fn send(&mut self, kind: &'static str, senders: usize, pace: Duration, make: impl Fn() -> TestMessage + Clone + Send + 'static) {
        for _ in 0..senders {
            let sender = Sender { deliveries: Arc::clone(&self.deliveries), endpoint: self.endpoint.subscribe(), http: self.http.clone() };
            self.senders.spawn(sender.run(kind, pace, make.clone(), self.stop.subscribe()));
        }
    }

    /// Delivers to this endpoint from now on.
    pub fn redirect(&self, endpoint: &str) {
        self.endpoint.send_replace(endpoint.to_owned());
    }

    /// Stops new messages, and waits until all others are acked. The log reports those that are not.
    pub async fn drain(&mut self) {
        self.stop.send_replace(true);
        let all = async {
            while let Some(sender) = self.senders.join_next().await {
                sender.expect("a sender does not panic");
            }
        };
        let _ = tokio::time::timeout(TIMEOUT, all).await;
    }
}

struct Sender {
    deliveries: Arc<DeliveryLog>,
    endpoint: watch::Receiver<String>,
    http: reqwest::Client,
}

impl Sender {
    async fn run(self, kind: &'static str, pace: Duration, make: impl Fn() -> TestMessage, mut stop: watch::Receiver<bool>) {
        let mut pace = interval(pace);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..MAX_MESSAGES {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                _ = pace.tick() => {}
            }
            let message = make();
            self.deliveries.record_sent(&message.message_id, kind, &message.event_id, message.destination.clone());
            self.deliver(&message).await;
            if number % REDELIVERY_INTERVAL == 0 {
                self.deliver(&message).await;
            }
        }
        panic!("{kind}: more than {MAX_MESSAGES} messages");
    }

    /// Delivers a message until it is acked.
    async fn deliver(&self, message: &TestMessage) {
        loop {
            let endpoint = self.endpoint.borrow().clone();
            let request = self.http.post(&endpoint).header("content-type", "application/json").body(message.body.clone());
            let status = request.send().await.ok().map(|response| response.status().as_u16());
            if self.deliveries.record_response(&message.message_id, status) {
                if message.destination == Destination::Filtered {
                    self.deliveries.record_filtered(&endpoint, self.filtered(&endpoint).await);
                }
                return;
            }
            tokio::time::sleep(BACKOFF).await;
        }
    }

    /// The number of filtered messages that the service has counted; `None` if it does not respond.
    async fn filtered(&self, endpoint: &str) -> Option<f64> {
        let metrics = self.http.get(format!("{}/metrics", endpoint.trim_end_matches('/'))).send().await.ok()?.text().await.ok()?;
        let counts = metrics.lines().filter(|line| line.starts_with("pixel_pipeline_deliveries_total{outcome=\"filtered\""));
        Some(counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }
}
