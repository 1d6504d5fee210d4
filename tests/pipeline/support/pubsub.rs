//! Pub/Sub's side of a steady stream: senders that deliver each message again until it is acked.

use std::sync::Arc;
use std::time::Duration;

use pixel_pipeline::decode::EventId;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::entry::{Entry, wrapped};
use super::ledger::{Ledger, Place};

/// Between a nack and the next delivery: the shortest push backoff of Pub/Sub.
const BACKOFF: Duration = Duration::from_millis(100);
/// The minimum of a subscription. Without a response by then, the message is delivered again.
const ACK_DEADLINE: Duration = Duration::from_secs(10);
/// Messages of one sender, whatever else happens.
const MAX_MESSAGES: usize = 5_000;
/// One in this many messages is delivered once more after its ack, as Pub/Sub may.
const TWICE: usize = 10;

/// A message that can be sent.
#[derive(Debug, Clone)]
pub struct Message {
    /// The body of the push.
    pub body: String,
    pub message_id: String,
    pub event_id: String,
    pub place: Place,
}

impl Message {
    /// An event of that user, with an `order_id`.
    pub fn event(user: &str, order: &str) -> Self {
        Self::of_entry(&Entry::of_query(&format!("user_id={user}&order_id={order}")), Place::Table(format!("pixel_{user}_20260102")))
    }

    /// Of a log entry that has an identity.
    pub fn of_entry(entry: &Entry, place: Place) -> Self {
        let text = |name: &str| entry.0[name].as_str().unwrap();
        let event_id = EventId::of_entry(text("logName"), text("timestamp"), text("timestamp").parse().ok(), text("insertId"));
        let message_id = fastrand::u64(..).to_string();
        let body = wrapped(entry.json().as_bytes(), &message_id);
        Self { body, message_id, event_id: event_id.as_str().to_owned(), place }
    }

    /// One that can never become a row.
    pub fn rejected() -> Self {
        let message_id = fastrand::u64(..).to_string();
        let event_id = EventId::of_message(&message_id).as_str().to_owned();
        Self { body: wrapped(b"{\"httpRequest\":", &message_id), message_id, event_id, place: Place::DeadLetters }
    }

    /// One of another path.
    pub fn filtered() -> Self {
        Self::of_entry(&Entry::of_url("https://track.example.com/favicon.ico?user_id=u"), Place::Filtered)
    }

    /// The same message, expected elsewhere.
    pub fn to(self, place: Place) -> Self {
        Self { place, ..self }
    }
}

/// Several senders that go on until they are told to stop.
pub struct Player {
    pub ledger: Arc<Ledger>,
    endpoint: watch::Sender<String>,
    stop: watch::Sender<bool>,
    senders: JoinSet<()>,
    http: reqwest::Client,
}

impl Player {
    /// Without senders.
    pub fn new(endpoint: &str, ledger: Arc<Ledger>) -> Self {
        // A redirect is a nack as well.
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let http = http.timeout(ACK_DEADLINE).build().unwrap();
        let (endpoint, stop) = (watch::Sender::new(endpoint.to_owned()), watch::Sender::new(false));
        Self { ledger, endpoint, stop, senders: JoinSet::new(), http }
    }

    /// More senders, each with a message every `pace` at most, and only one at a time.
    pub fn send(&mut self, kind: &'static str, senders: usize, pace: Duration, make: impl Fn() -> Message + Clone + Send + 'static) {
        for _ in 0..senders {
            let sender = Sender { ledger: Arc::clone(&self.ledger), endpoint: self.endpoint.subscribe(), http: self.http.clone() };
            self.senders.spawn(sender.run(kind, pace, make.clone(), self.stop.subscribe()));
        }
    }

    /// From now on delivers there.
    pub fn redirect(&self, endpoint: &str) {
        self.endpoint.send_replace(endpoint.to_owned());
    }

    /// Lets no new message begin, and waits until all that did are acked.
    pub async fn drain(&mut self, longest: Duration) {
        self.stop.send_replace(true);
        let all = async {
            while let Some(sender) = self.senders.join_next().await {
                sender.expect("a sender ends well");
            }
        };
        // What was not acked is named by the ledger.
        let _ = tokio::time::timeout(longest, all).await;
    }
}

struct Sender {
    ledger: Arc<Ledger>,
    endpoint: watch::Receiver<String>,
    http: reqwest::Client,
}

impl Sender {
    async fn run(self, kind: &'static str, pace: Duration, make: impl Fn() -> Message, mut stop: watch::Receiver<bool>) {
        let mut pace = interval(pace);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0..MAX_MESSAGES {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                _ = pace.tick() => {}
            }
            let message = make();
            self.ledger.sends(&message.message_id, kind, &message.event_id, message.place.clone());
            self.deliver(&message).await;
            if number % TWICE == 0 {
                self.deliver(&message).await;
            }
        }
        panic!("{kind}: more than {MAX_MESSAGES} messages");
    }

    /// Until it is acked.
    async fn deliver(&self, message: &Message) {
        loop {
            let endpoint = self.endpoint.borrow().clone();
            let request = self.http.post(&endpoint).header("content-type", "application/json").body(message.body.clone());
            let status = request.send().await.ok().map(|response| response.status().as_u16());
            if self.ledger.answered(&message.message_id, status) {
                if message.place == Place::Filtered {
                    self.ledger.counts_filtered(&endpoint, self.filtered(&endpoint).await);
                }
                return;
            }
            tokio::time::sleep_until(Instant::now() + BACKOFF).await;
        }
    }

    /// How many the service says that it filtered; nothing if it is gone.
    async fn filtered(&self, endpoint: &str) -> Option<f64> {
        let metrics = self.http.get(format!("{}/metrics", endpoint.trim_end_matches('/'))).send().await.ok()?.text().await.ok()?;
        let counts = metrics.lines().filter(|line| line.starts_with("pixel_pipeline_deliveries_total{outcome=\"filtered\""));
        Some(counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum())
    }
}
