//! What has happened lately: the latest events, and the series that the charts show.
//!
//! One task, the [`Recorder`], listens to the deliveries and works out what each event became by
//! the decoder, as `explain` does. (A row that BigQuery refused as `invalid` is shown as an event to
//! be stored, because the answer to the push does not tell it apart; the counts of outcomes do.)

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;

use super::series::{RowResult, Second, Series};
use crate::decode::{Decoded, Decoder, Explanation, PubsubMessage};
use crate::local::activity::{Activity, Delivery};

/// Events that are kept.
const KEPT: usize = 200;
/// Longest entry that is kept whole.
const LONGEST_ENTRY: usize = 16 << 10;

/// One delivery as the page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Event {
    /// Counts up from 1.
    pub number: u64,
    /// When the delivery ended, in milliseconds of Unix time.
    pub time_ms: i64,
    pub message_id: String,
    pub attempt: u32,
    pub status: Option<u16>,
    pub acked: bool,
    pub took_ms: u64,
    pub method: Option<String>,
    pub url: Option<String>,
    pub explanation: Explanation,
    /// The log entry as text, unless it is long.
    pub entry: Option<String>,
}

/// Shared by the recorder and the handlers.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    records: Mutex<Records>,
}

#[derive(Debug, Default)]
struct Records {
    last: u64,
    events: VecDeque<Arc<Event>>,
    series: Series,
}

/// Writes the journal.
#[derive(Debug)]
pub struct Recorder {
    deliveries: broadcast::Receiver<Arc<Delivery>>,
    journal: Arc<Journal>,
    decoder: Arc<Decoder>,
    table: String,
    _open: watch::Sender<()>,
}

/// A journal of what is told to `activity` from now on, and what is closed once it is not written any
/// more. `table` is TABLE_NAME.
pub(crate) fn new(activity: &Activity, decoder: Arc<Decoder>, table: String) -> (Arc<Journal>, Recorder, watch::Receiver<()>) {
    let journal = Arc::<Journal>::default();
    let (sender, open) = watch::channel(());
    let recorder = Recorder { deliveries: activity.deliveries(), journal: Arc::clone(&journal), decoder, table, _open: sender };
    (journal, recorder, open)
}

impl Recorder {
    /// Records until `end`, or until nobody is left who delivers.
    pub async fn run(mut self, end: impl Future<Output = ()>) {
        tokio::pin!(end);
        loop {
            let delivery = tokio::select! {
                delivery = self.deliveries.recv() => delivery,
                () = &mut end => return,
            };
            match delivery {
                Ok(delivery) => self.record(&delivery, Timestamp::now()),
                // At thousands a second some are missed; the counts are exact all the same.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn record(&self, delivery: &Delivery, now: Timestamp) {
        let entry: Value = serde_json::from_slice(&delivery.data).unwrap_or_default();
        let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let message = PubsubMessage { message_id: Some(delivery.message_id.as_str().into()), ..PubsubMessage::raw(&delivery.data) };
        let decoded = self.decoder.decode(&message, now);
        let fate = match &decoded {
            _ if !delivery.acked => RowResult::SentBack,
            Decoded::Row(_) => RowResult::Stored,
            Decoded::Filtered(_) => RowResult::Filtered,
            Decoded::Rejected(_) => RowResult::DeadLetter,
        };
        let requested = text("/timestamp").and_then(|time| time.parse::<Timestamp>().ok());
        let latency = requested.filter(|_| fate == RowResult::Stored).map(|requested| now.duration_since(requested).as_millis());
        let event = Event {
            number: 0,
            time_ms: now.as_millisecond(),
            message_id: delivery.message_id.clone(),
            attempt: delivery.attempt,
            status: delivery.status,
            acked: delivery.acked,
            took_ms: u64::try_from(delivery.took.as_millis()).unwrap_or(u64::MAX),
            method: text("/httpRequest/requestMethod"),
            url: text("/httpRequest/requestUrl"),
            explanation: Explanation::of(decoded, &self.table),
            entry: (delivery.data.len() <= LONGEST_ENTRY).then(|| String::from_utf8_lossy(&delivery.data).into_owned()),
        };
        // Clocks differ: an event may seem to come from the future.
        let latency = latency.map(|ms| u32::try_from(ms.max(0)).unwrap_or(u32::MAX));
        self.journal.add(event, fate, latency);
    }
}

impl Journal {
    fn add(&self, event: Event, fate: RowResult, latency: Option<u32>) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        records.last += 1;
        let number = records.last;
        records.series.count(event.time_ms / 1000, fate, latency);
        records.events.push_back(Arc::new(Event { number, ..event }));
        while records.events.len() > KEPT {
            records.events.pop_front();
        }
    }

    /// The events after that number, the oldest first, `most` at most and the latest of them.
    pub(crate) fn events_after(&self, number: u64, most: usize) -> Vec<Arc<Event>> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let mut events: Vec<_> = records.events.iter().rev().take_while(|event| event.number > number).take(most).cloned().collect();
        events.reverse();
        events
    }

    /// The last five minutes' seconds in which anything happened.
    pub(crate) fn seconds(&self, now: i64) -> Vec<Second> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).series.since(now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::config::DecodeArgs;

    fn recorder() -> (Activity, Arc<Journal>, Recorder) {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            decode: DecodeArgs,
        }
        let config = <Line as clap::Parser>::parse_from(["test"]).decode.load().unwrap();
        let activity = Activity::default();
        let (journal, recorder, _) = new(&activity, Arc::new(Decoder::new(config.settings, &config.schema)), config.table_name);
        (activity, journal, recorder)
    }

    fn delivery(data: &str, acked: bool) -> Delivery {
        Delivery {
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
    async fn each_delivery_becomes_an_event_with_what_it_became() {
        let (activity, journal, recorder) = recorder();
        let entry = |query: &str| {
            format!(
                r#"{{"timestamp":"2026-01-02T03:04:05Z","httpRequest":{{"requestMethod":"GET","requestUrl":"http://h/pixel.png?{query}"}}}}"#
            )
        };
        activity.delivered(delivery(&entry("user_id=u"), true));
        activity.delivered(delivery(&entry("type=open"), true));
        activity.delivered(delivery("no JSON", true));
        activity.delivered(delivery(&entry("user_id=u"), false));
        drop(activity);
        recorder.run(std::future::pending()).await;
        let events = journal.events_after(0, 10);
        let outcomes: Vec<_> = events.iter().map(|event| (event.number, event.explanation.outcome, event.acked)).collect();
        assert_eq!(outcomes, [(1, "stored", true), (2, "filtered", true), (3, "dead_letter", true), (4, "stored", false)]);
        assert_eq!(events[0].explanation.table.as_deref(), Some("pixel_u_20260102"));
        assert_eq!(events[0].url.as_deref(), Some("http://h/pixel.png?user_id=u"));
        assert_eq!((events[2].url.as_deref(), events[2].entry.as_deref()), (None, Some("no JSON")));
        let seconds = journal.seconds(events[3].time_ms / 1000);
        let sum = |count: fn(&Second) -> u32| seconds.iter().map(count).sum::<u32>();
        assert_eq!((sum(|s| s.stored), sum(|s| s.filtered), sum(|s| s.dead_letters), sum(|s| s.sent_back)), (1, 1, 1, 1));
    }

    #[tokio::test]
    async fn the_latest_events_are_kept_and_told_once() {
        let (activity, journal, mut recorder) = recorder();
        for _ in 0..KEPT + 10 {
            activity.delivered(delivery("{}", true));
            let delivery = recorder.deliveries.recv().await.unwrap();
            recorder.record(&delivery, Timestamp::now());
        }
        let numbers = |after, most| journal.events_after(after, most).iter().map(|event| event.number).collect::<Vec<_>>();
        assert_eq!(numbers(0, 1000).first(), Some(&11));
        assert_eq!(numbers(0, 2), [209, 210]);
        assert_eq!(numbers(208, 1000), [209, 210]);
        assert_eq!(numbers(210, 1000), Vec::<u64>::new());
    }
}
