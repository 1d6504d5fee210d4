//! What Pub/Sub was answered for each message, checked at the moment of the answer and once more in the end.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::TestBigQuery;

/// How long anything may take, on a busy machine as well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Where a message has to end up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In that generated table.
    Table(String),
    /// In the dead-letter table.
    DeadLetters,
    /// Nowhere: it is counted.
    Filtered,
}

impl Place {
    fn table(&self) -> Option<&str> {
        match self {
            Self::Table(table) => Some(table),
            Self::DeadLetters => Some("dead_letters"),
            Self::Filtered => None,
        }
    }
}

/// Says whether a table has the row of this event, at once and certainly.
pub type Witness = Arc<dyn Fn(&str, &str) -> bool + Send + Sync>;

/// Everything that was sent and answered.
pub struct Ledger {
    witness: Witness,
    entries: Mutex<HashMap<String, Entry>>,
    filtered: Mutex<Filtered>,
    timed_from: Mutex<Instant>,
}

/// Acks of messages that belong nowhere.
#[derive(Default)]
struct Filtered {
    /// By the process that acked.
    acked: HashMap<String, f64>,
    /// What was acked and had not been counted.
    early: Vec<String>,
}

/// One message.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What kind of message it is: entries of one kind are counted together.
    pub kind: &'static str,
    pub event_id: String,
    pub place: Place,
    sent: Instant,
    /// One for each delivery that ended: the status, or nothing if the connection ended.
    pub answers: Vec<Option<u16>>,
    /// From the first delivery to the first ack.
    pub acked_after: Option<Duration>,
    /// It was acked, and was not where it belongs.
    acked_early: bool,
    /// A delivery was cut off that had put it where it belongs, and was not answered.
    cut_off_stored: bool,
}

impl Ledger {
    /// With a function that knows what is stored.
    pub fn new(witness: Witness) -> Arc<Self> {
        Arc::new(Self { witness, entries: Mutex::default(), filtered: Mutex::default(), timed_from: Mutex::new(Instant::now()) })
    }

    /// A message is sent for the first time.
    pub fn sends(&self, key: &str, kind: &'static str, event_id: &str, place: Place) {
        let (sent, event_id) = (Instant::now(), event_id.to_owned());
        let entry =
            Entry { kind, event_id, place, sent, answers: Vec::new(), acked_after: None, acked_early: false, cut_off_stored: false };
        assert!(self.entries().insert(key.to_owned(), entry).is_none(), "{key} is sent twice");
    }

    /// A delivery has been answered. Whether it was acked.
    pub fn answered(&self, key: &str, status: Option<u16>) -> bool {
        let mut entries = self.entries();
        let entry = entries.get_mut(key).expect("it was sent");
        entry.answers.push(status);
        let acked = status == Some(204);
        if status.is_none() && entry.acked_after.is_none() {
            entry.cut_off_stored |= self.is_stored(entry);
        }
        if acked {
            entry.acked_after.get_or_insert(entry.sent.elapsed());
            entry.acked_early |= entry.place != Place::Filtered && !self.is_stored(entry);
        }
        acked
    }

    /// A filtered message was acked by the process there, which then said that it had filtered so many.
    pub fn counts_filtered(&self, endpoint: &str, counted: Option<f64>) {
        let mut filtered = self.filtered.lock().unwrap();
        let acked = filtered.acked.entry(endpoint.to_owned()).or_default();
        *acked += 1.0;
        let acked = *acked;
        if counted.is_some_and(|counted| counted < acked) {
            filtered.early.push(format!("{acked} were acked and {counted:?} counted"));
        }
    }

    /// How many messages of that kind were acked.
    pub fn acked(&self, kind: &str) -> usize {
        self.entries().values().filter(|entry| entry.kind == kind && entry.acked_after.is_some()).count()
    }

    /// How many deliveries of that kind were nacked.
    pub fn nacked(&self, kind: &str) -> usize {
        self.count(kind, |answer| answer.is_some_and(|status| status != 204))
    }

    /// How many deliveries of that kind were cut off.
    pub fn cut_off(&self, kind: &str) -> usize {
        self.count(kind, |answer| answer.is_none())
    }

    /// How many messages of that kind are stored, and not acked yet.
    pub fn in_doubt(&self, kind: &str) -> usize {
        let entries = self.entries();
        entries.values().filter(|entry| entry.kind == kind && entry.acked_after.is_none() && self.is_stored(entry)).count()
    }

    /// How many messages of that kind were stored by a delivery that was cut off before it was answered.
    pub fn cut_off_stored(&self, kind: &str) -> usize {
        self.entries().values().filter(|entry| entry.kind == kind && entry.cut_off_stored).count()
    }

    fn is_stored(&self, entry: &Entry) -> bool {
        entry.place.table().is_some_and(|table| (self.witness)(table, &entry.event_id))
    }

    fn count(&self, kind: &str, is_it: impl Fn(Option<u16>) -> bool) -> usize {
        let entries = self.entries();
        entries.values().filter(|entry| entry.kind == kind).flat_map(|entry| &entry.answers).filter(|answer| is_it(**answer)).count()
    }

    /// Percentiles are of messages that are sent from now on.
    pub fn times_from_now(&self) {
        *self.timed_from.lock().unwrap() = Instant::now();
    }

    /// The 99th percentile of the time from first delivery to ack, of at least a hundred messages.
    pub fn p99(&self, kind: &str) -> Duration {
        let from = *self.timed_from.lock().unwrap();
        let entries = self.entries();
        let timed = entries.values().filter(|entry| entry.kind == kind && entry.sent >= from);
        let mut times: Vec<Duration> = timed.filter_map(|entry| entry.acked_after).collect();
        times.sort_unstable();
        assert!(times.len() >= 100, "{} messages are too few for a percentile", times.len());
        times[(times.len() * 99).div_ceil(100) - 1]
    }

    /// Waits until something is so, and fails at once if a message is acked early.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let wait = async {
            while !is_so().await {
                self.check_acks();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}, within {PATIENCE:?}");
    }

    /// Nothing was acked before it was where it belongs.
    pub fn check_acks(&self) {
        let entries = self.entries();
        let early: Vec<_> = entries.iter().filter(|(_, entry)| entry.acked_early).collect();
        assert!(early.is_empty(), "{} of {} were acked before they were stored: {:#?}", early.len(), entries.len(), early.first());
        let filtered = self.filtered.lock().unwrap();
        assert!(filtered.early.is_empty(), "filtered messages: {:?}", filtered.early);
    }

    /// Everything that was acked until now is among what is stored: event ids and places.
    pub fn check_stored(&self, stored: &[(String, Place)]) {
        for (key, entry) in self.entries().iter().filter(|(_, entry)| entry.acked_after.is_some() && entry.place != Place::Filtered) {
            let is_stored = stored.iter().any(|(event_id, place)| *event_id == entry.event_id && *place == entry.place);
            assert!(is_stored, "{key} was acked and is not stored: {entry:#?}");
        }
    }

    /// Everything is acked, and stored once where it belongs and nowhere else, and there is nothing besides.
    pub async fn reconcile(&self, bigquery: &TestBigQuery) {
        let mut stored: Vec<_> = Vec::new();
        for (table, row) in bigquery.events().await {
            stored.push((row["event_id"].as_str().unwrap().to_owned(), Place::Table(table)));
        }
        for row in bigquery.rows("dead_letters").await {
            stored.push((row["event_id"].as_str().unwrap().to_owned(), Place::DeadLetters));
        }
        self.reconcile_with(stored);
    }

    /// The same with what was read elsewhere: event ids and places.
    pub fn reconcile_with(&self, stored: impl IntoIterator<Item = (String, Place)>) {
        let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for (event_id, place) in stored {
            places.entry(event_id).or_default().push(place);
        }
        let entries = self.entries();
        for (key, entry) in entries.iter() {
            assert!(entry.acked_after.is_some(), "{key} was never acked: {entry:#?}");
            let found = places.remove(&entry.event_id).unwrap_or_default();
            let expected = Vec::from_iter(Some(entry.place.clone()).filter(|place| *place != Place::Filtered));
            assert_eq!(found, expected, "where {key} is, and where it belongs: {entry:#?}");
        }
        assert!(places.is_empty(), "there are rows of messages that were not sent: {places:#?}");
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.entries.lock().unwrap()
    }
}
