//! The latest events, and the time series of the charts.
//!
//! The [`JournalWriter`] task receives each finished delivery and decodes its message, as `explain` does. A row that BigQuery
//! rejected as `invalid` is shown as stored, because the push request is acknowledged in both cases. The outcome counts
//! are exact.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

use super::series::{ChartOutcome, EventSeries, Second};
use crate::decode::{Decoded, Decoder, Explanation, Notes, PubsubMessage};
use crate::local::stats::{DeliveryRecord, TopologyStats};

/// Number of events that are kept.
const MAX_EVENTS: usize = 200;
/// Longer log entries are not kept.
const MAX_ENTRY_BYTES: usize = 16 << 10;

/// One delivery, as the page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct DeliveryEvent {
    /// Starts at 1.
    pub number: u64,
    /// End of the delivery, in milliseconds of Unix time.
    pub time_ms: i64,
    pub message_id: String,
    pub attempt: u32,
    pub status: Option<u16>,
    pub acked: bool,
    pub duration_ms: u64,
    pub method: Option<String>,
    pub url: Option<String>,
    pub explanation: Explanation,
    /// The log entry as text, unless it is too long.
    pub entry: Option<String>,
}

/// Shared by the writer and the HTTP handlers.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    last: u64,
    events: VecDeque<Arc<DeliveryEvent>>,
    series: EventSeries,
}

/// Writes the journal.
#[derive(Debug)]
pub struct JournalWriter {
    deliveries: broadcast::Receiver<Arc<DeliveryRecord>>,
    journal: Arc<Journal>,
    decoder: Arc<Decoder>,
    table: String,
    _open: watch::Sender<()>,
}

/// Creates a journal of all deliveries from now on, its writer, and a receiver that is closed when the writer has
/// ended. `table` is TABLE_NAME.
pub(crate) fn new(stats: &TopologyStats, decoder: Arc<Decoder>, table: String) -> (Arc<Journal>, JournalWriter, watch::Receiver<()>) {
    let journal = Arc::<Journal>::default();
    let (sender, open) = watch::channel(());
    let journal_writer = JournalWriter { deliveries: stats.subscribe(), journal: Arc::clone(&journal), decoder, table, _open: sender };
    (journal, journal_writer, open)
}

impl JournalWriter {
    /// Records until `end` completes, or until the last sender is dropped.
    pub async fn run(mut self, end: impl Future<Output = ()>) {
        tokio::pin!(end);
        loop {
            let delivery = tokio::select! {
                delivery = self.deliveries.recv() => delivery,
                () = &mut end => return,
            };
            match delivery {
                Ok(delivery) => self.record(&delivery, Timestamp::now()),
                // At thousands of deliveries per second some are skipped. The totals of `TopologyStats` are exact.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn record(&self, delivery: &DeliveryRecord, now: Timestamp) {
        // A message that is not JSON has no method and no URL.
        let entry: Value = serde_json::from_slice(&delivery.data).unwrap_or(Value::Null);
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let message = PubsubMessage { message_id: Some(delivery.message_id.as_str().into()), ..PubsubMessage::raw(&delivery.data) };
        let mut notes = Notes::default();
        let decoded = self.decoder.decode_with_notes(&message, now, &mut notes);
        let outcome = match &decoded {
            _ if !delivery.acked => ChartOutcome::Nacked,
            Decoded::Row(_) => ChartOutcome::Stored,
            Decoded::Filtered(_) => ChartOutcome::Filtered,
            Decoded::Rejected(_) => ChartOutcome::DeadLetter,
        };
        let requested = text("/timestamp").and_then(|time| time.parse::<Timestamp>().ok());
        let latency = requested.filter(|_| outcome == ChartOutcome::Stored).map(|requested| now.duration_since(requested).as_millis());
        let event = DeliveryEvent {
            number: 0,
            time_ms: now.as_millisecond(),
            message_id: delivery.message_id.clone(),
            attempt: delivery.attempt,
            status: delivery.status,
            acked: delivery.acked,
            duration_ms: u64::try_from(delivery.took.as_millis()).unwrap_or(u64::MAX),
            method: text("/httpRequest/requestMethod"),
            url: text("/httpRequest/requestUrl"),
            explanation: Explanation::of(decoded, &notes, &self.table),
            entry: (delivery.data.len() <= MAX_ENTRY_BYTES).then(|| String::from_utf8_lossy(&delivery.data).into_owned()),
        };
        // Clocks differ, so that the difference may be negative.
        let latency = latency.map(|ms| u32::try_from(ms.max(0)).unwrap_or(u32::MAX));
        self.journal.add(event, outcome, latency);
    }
}

impl Journal {
    fn add(&self, event: DeliveryEvent, outcome: ChartOutcome, latency: Option<u32>) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.last += 1;
        let number = records.last;
        records.series.count(event.time_ms / 1000, outcome, latency);
        records.events.push_back(Arc::new(DeliveryEvent { number, ..event }));
        while records.events.len() > MAX_EVENTS {
            records.events.pop_front();
        }
    }

    /// The events after this number, oldest first. Of more than `most`, the latest.
    pub(crate) fn events_after(&self, number: u64, most: usize) -> Vec<Arc<DeliveryEvent>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut events: Vec<_> = records.events.iter().rev().take_while(|event| event.number > number).take(most).cloned().collect();
        events.reverse();
        events
    }

    /// The seconds of the last five minutes with at least one delivery.
    pub(crate) fn seconds(&self, now: i64) -> Vec<Second> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).series.since(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::config::RawSettings;
    use crate::config::command::Command;

    fn journal_writer() -> (TopologyStats, Arc<Journal>, JournalWriter) {
        let config = RawSettings::defaults(Command::Local).load_decode().unwrap();
        let stats = TopologyStats::default();
        let (journal, journal_writer, _) = new(&stats, Arc::new(Decoder::new(config.settings, &config.schema)), config.table_name);
        (stats, journal, journal_writer)
    }

    fn delivery(data: &str, acked: bool) -> DeliveryRecord {
        DeliveryRecord {
            message_id: "1".to_owned(),
            data: Bytes::copy_from_slice(data.as_bytes()),
            publish_time: Timestamp::UNIX_EPOCH,
            attempt: 1,
            status: Some(if acked { 204 } else { 503 }),
            acked,
            took: Duration::from_millis(12),
        }
    }

    #[tokio::test]
    async fn each_delivery_becomes_an_event_with_its_outcome() {
        let (stats, journal, journal_writer) = journal_writer();
        let entry = |query: &str| {
            format!(
                r#"{{"timestamp":"2026-01-02T03:04:05Z","httpRequest":{{"requestMethod":"GET","requestUrl":"http://h/pixel.png?{query}"}}}}"#
            )
        };
        stats.record_delivery(delivery(&entry("user_id=u"), true));
        stats.record_delivery(delivery(&entry("type=open"), true));
        stats.record_delivery(delivery("no JSON", true));
        stats.record_delivery(delivery(&entry("user_id=u"), false));
        drop(stats);
        journal_writer.run(std::future::pending()).await;
        let events = journal.events_after(0, 10);
        let outcomes: Vec<_> = events.iter().map(|event| (event.number, event.explanation.outcome, event.acked)).collect();
        assert_eq!(outcomes, [(1, "stored", true), (2, "filtered", true), (3, "dead_letter", true), (4, "stored", false)]);
        assert_eq!(events[0].explanation.table.as_deref(), Some("pixel_u_20260102"));
        assert_eq!(events[0].url.as_deref(), Some("http://h/pixel.png?user_id=u"));
        assert_eq!((events[2].url.as_deref(), events[2].entry.as_deref()), (None, Some("no JSON")));
        let seconds = journal.seconds(events[3].time_ms / 1000);
        let sum = |count: fn(&Second) -> u32| seconds.iter().map(count).sum::<u32>();
        assert_eq!((sum(|s| s.stored), sum(|s| s.filtered), sum(|s| s.dead_letters), sum(|s| s.nacked)), (1, 1, 1, 1));
    }

    #[tokio::test]
    async fn the_latest_events_are_kept_and_returned_once() {
        let (stats, journal, mut journal_writer) = journal_writer();
        for _ in 0..MAX_EVENTS + 10 {
            stats.record_delivery(delivery("{}", true));
            let delivery = journal_writer.deliveries.recv().await.unwrap();
            journal_writer.record(&delivery, Timestamp::now());
        }
        let numbers = |after, most| journal.events_after(after, most).iter().map(|event| event.number).collect::<Vec<_>>();
        assert_eq!(numbers(0, 1000).first(), Some(&11));
        assert_eq!(numbers(0, 2), [209, 210]);
        assert_eq!(numbers(208, 1000), [209, 210]);
        assert_eq!(numbers(210, 1000), Vec::<u64>::new());
    }
}
