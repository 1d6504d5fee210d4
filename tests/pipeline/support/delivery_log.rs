//! The responses to all deliveries of each message. At each ack, the log checks that the message is stored; at the end, it
//! compares all stored rows with the messages.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::bigquery::{StoredLookup, TestBigQuery};
use super::wait::wait_until;

/// Where a message has to be stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Destination {
    /// In this generated table.
    Table(String),
    /// In the dead-letter table.
    DeadLetters,
    /// Not stored, but counted.
    Filtered,
}

impl Destination {
    fn table(&self) -> Option<&str> {
        match self {
            Self::Table(table) => Some(table),
            Self::DeadLetters => Some("dead_letters"),
            Self::Filtered => None,
        }
    }
}

/// The messages that were sent, with the responses.
pub struct DeliveryLog {
    stored_lookup: StoredLookup,
    messages: Mutex<HashMap<String, MessageRecord>>,
    filtered: Mutex<Filtered>,
    /// Percentiles are of messages sent since then.
    timed_from: Mutex<Instant>,
}

/// Acks of filtered messages.
#[derive(Default)]
struct Filtered {
    /// Number of acks by the endpoint of the process.
    acked: HashMap<String, f64>,
    /// Acks that the process had not counted.
    early: Vec<String>,
}

/// One message.
#[derive(Debug, Clone)]
pub struct MessageRecord {
    /// Messages of one kind are counted together.
    pub kind: &'static str,
    pub event_id: String,
    pub destination: Destination,
    sent: Instant,
    /// The status of each delivery; `None` if the connection closed without a response.
    responses: Vec<Option<u16>>,
    /// From the first delivery to the first ack.
    acked_after: Option<Duration>,
    /// It was acked before it was stored.
    acked_early: bool,
    /// A delivery stored it and got no response.
    aborted_stored: bool,
}

impl DeliveryLog {
    /// An empty log. `stored_lookup` is asked at each ack.
    pub fn new(stored_lookup: StoredLookup) -> Arc<Self> {
        Arc::new(Self { stored_lookup, messages: Mutex::default(), filtered: Mutex::default(), timed_from: Mutex::new(Instant::now()) })
    }

    /// Records the first delivery of a message.
    pub fn record_sent(&self, key: &str, kind: &'static str, event_id: &str, destination: Destination) {
        let (sent, event_id) = (Instant::now(), event_id.to_owned());
        let message = MessageRecord {
            kind,
            event_id,
            destination,
            sent,
            responses: Vec::new(),
            acked_after: None,
            acked_early: false,
            aborted_stored: false,
        };
        assert!(self.messages().insert(key.to_owned(), message).is_none(), "{key} is sent twice");
    }

    /// Records the end of a delivery: its status, or `None` without a response. Returns whether it is an ack.
    pub fn record_response(&self, key: &str, status: Option<u16>) -> bool {
        let mut messages = self.messages();
        let message = messages.get_mut(key).expect("a response to a recorded message");
        message.responses.push(status);
        let acked = status == Some(204);
        if status.is_none() && message.acked_after.is_none() {
            message.aborted_stored |= self.is_stored(message);
        }
        if acked {
            message.acked_after.get_or_insert(message.sent.elapsed());
            message.acked_early |= message.destination != Destination::Filtered && !self.is_stored(message);
        }
        acked
    }

    /// Records the ack of a filtered message, and how many filtered messages the process has counted since its start.
    pub fn record_filtered(&self, endpoint: &str, counted: Option<f64>) {
        let mut filtered = self.filtered.lock().unwrap();
        let acked = filtered.acked.entry(endpoint.to_owned()).or_default();
        *acked += 1.0;
        let acked = *acked;
        if counted.is_some_and(|counted| counted < acked) {
            filtered.early.push(format!("{acked} acked, {counted:?} counted"));
        }
    }

    /// Number of messages of a kind that were acked.
    pub fn acked(&self, kind: &str) -> usize {
        self.messages().values().filter(|message| message.kind == kind && message.acked_after.is_some()).count()
    }

    /// Number of deliveries of a kind that were nacked.
    pub fn nacked(&self, kind: &str) -> usize {
        self.count(kind, |response| response.is_some_and(|status| status != 204))
    }

    /// Number of deliveries of a kind that got no response.
    pub fn aborted(&self, kind: &str) -> usize {
        self.count(kind, |response| response.is_none())
    }

    /// Number of messages of a kind that are stored and not acked.
    pub fn stored_unacked(&self, kind: &str) -> usize {
        let messages = self.messages();
        messages.values().filter(|message| message.kind == kind && message.acked_after.is_none() && self.is_stored(message)).count()
    }

    /// Number of messages of a kind that were stored by a delivery without a response.
    pub fn aborted_stored(&self, kind: &str) -> usize {
        self.messages().values().filter(|message| message.kind == kind && message.aborted_stored).count()
    }

    fn is_stored(&self, message: &MessageRecord) -> bool {
        message.destination.table().is_some_and(|table| (self.stored_lookup)(table, &message.event_id))
    }

    fn count(&self, kind: &str, matches: impl Fn(Option<u16>) -> bool) -> usize {
        let messages = self.messages();
        messages
            .values()
            .filter(|message| message.kind == kind)
            .flat_map(|message| &message.responses)
            .filter(|response| matches(**response))
            .count()
    }

    /// Computes percentiles of messages that are sent from now on.
    pub fn reset_percentiles(&self) {
        *self.timed_from.lock().unwrap() = Instant::now();
    }

    /// The 99th percentile of the time from the first delivery to the ack. Needs 100 messages.
    pub fn p99(&self, kind: &str) -> Duration {
        let from = *self.timed_from.lock().unwrap();
        let messages = self.messages();
        let timed = messages.values().filter(|message| message.kind == kind && message.sent >= from);
        let mut times: Vec<Duration> = timed.filter_map(|message| message.acked_after).collect();
        times.sort_unstable();
        assert!(times.len() >= 100, "{} messages: a percentile needs 100", times.len());
        times[(times.len() * 99).div_ceil(100) - 1]
    }

    /// Waits until the condition is true. Panics when a message is acked before it is stored.
    pub async fn wait_until(&self, what: &str, mut condition: impl AsyncFnMut() -> bool) {
        let checked = async || {
            self.assert_no_early_acks();
            condition().await
        };
        wait_until(what, checked).await;
    }

    /// No message was acked before it was stored or counted.
    pub fn assert_no_early_acks(&self) {
        let messages = self.messages();
        let early: Vec<_> = messages.iter().filter(|(_, message)| message.acked_early).collect();
        assert!(
            early.is_empty(),
            "{} of {} messages were acked before they were stored: {:#?}",
            early.len(),
            messages.len(),
            early.first()
        );
        let filtered = self.filtered.lock().unwrap();
        assert!(filtered.early.is_empty(), "filtered messages were acked before they were counted: {:?}", filtered.early);
    }

    /// Every acked message is among the stored rows, given by event id and destination.
    pub fn assert_acked_are_stored(&self, stored: &[(String, Destination)]) {
        for (key, message) in
            self.messages().iter().filter(|(_, message)| message.acked_after.is_some() && message.destination != Destination::Filtered)
        {
            let is_stored =
                stored.iter().any(|(event_id, destination)| *event_id == message.event_id && *destination == message.destination);
            assert!(is_stored, "message {key} was acked and is not stored: {message:#?}");
        }
    }

    /// Every message is acked and stored exactly once in its destination. No other rows exist.
    pub async fn reconcile(&self, bigquery: &TestBigQuery) {
        let mut stored: Vec<_> = Vec::new();
        for (table, row) in bigquery.events().await {
            stored.push((row["event_id"].as_str().unwrap().to_owned(), Destination::Table(table)));
        }
        for row in bigquery.rows("dead_letters").await {
            stored.push((row["event_id"].as_str().unwrap().to_owned(), Destination::DeadLetters));
        }
        self.reconcile_with(stored);
    }

    /// Reconciles with rows that the caller has read: event ids and destinations.
    pub fn reconcile_with(&self, stored: impl IntoIterator<Item = (String, Destination)>) {
        let mut stored_in: BTreeMap<String, Vec<Destination>> = BTreeMap::new();
        for (event_id, destination) in stored {
            stored_in.entry(event_id).or_default().push(destination);
        }
        let messages = self.messages();
        for (key, message) in messages.iter() {
            assert!(message.acked_after.is_some(), "message {key} was never acked: {message:#?}");
            let found = stored_in.remove(&message.event_id).unwrap_or_default();
            let expected = Vec::from_iter(Some(message.destination.clone()).filter(|destination| *destination != Destination::Filtered));
            assert_eq!(found, expected, "destinations of message {key}, found and expected: {message:#?}");
        }
        assert!(stored_in.is_empty(), "rows of messages that were not sent: {stored_in:#?}");
    }

    fn messages(&self) -> MutexGuard<'_, HashMap<String, MessageRecord>> {
        self.messages.lock().unwrap()
    }
}
