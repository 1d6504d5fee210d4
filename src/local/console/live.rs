//! The event stream of the overview: server-sent events of type `state`.
//!
//! Sent at most four times a second, and only after a change. Each event contains the complete state and the deliveries
//! since the previous event, so that a page that connects late or again misses nothing. axum's [`Sse`] does the framing
//! and the keep-alive comments.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event as Message, KeepAlive};
use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior};

use super::Console;
use super::journal::DeliveryEvent;
use super::series::quantile;
use crate::local::stats::Counts;
use crate::telemetry;

const UPDATE_INTERVAL: Duration = Duration::from_millis(250);
/// Maximum number of deliveries in one server-sent event.
const MAX_EVENTS: usize = 50;
/// The rate is the mean of this many seconds.
const RATE_WINDOW_SECS: i64 = 10;

/// The content of the overview, without charts and deliveries.
#[derive(Debug, PartialEq, Serialize)]
struct OverviewState {
    counts: Counts,
    outcomes: Vec<OutcomeCount>,
    /// Deliveries per second, over the last ten seconds.
    rate: f64,
    /// Milliseconds from request to row, over the last five minutes.
    p50: Option<u32>,
    p95: Option<u32>,
}

/// Number of deliveries with the same outcome and reason.
#[derive(Debug, PartialEq, Serialize)]
struct OutcomeCount {
    outcome: &'static str,
    /// Empty if the outcome has no reasons.
    reason: &'static str,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Update<'a> {
    #[serde(flatten)]
    state: &'a OverviewState,
    events: Vec<Arc<DeliveryEvent>>,
}

struct StateStream {
    console: Arc<Console>,
    tick: Interval,
    sent: Option<OverviewState>,
    /// Number of the last delivery that was sent.
    last: u64,
}

/// `GET /console/live`
pub(crate) async fn live(State(console): State<Arc<Console>>) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let mut tick = tokio::time::interval(UPDATE_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader = StateStream { console, tick, sent: None, last: 0 };
    let messages = stream::unfold(reader, async |mut reader| reader.next().await.map(|message| (Ok(message), reader)));
    Sse::new(messages).keep_alive(KeepAlive::default())
}

impl StateStream {
    /// Waits for a change and returns it. Returns `None` when the server shuts down.
    async fn next(&mut self) -> Option<Message> {
        let mut open = self.console.open.clone();
        loop {
            tokio::select! {
                _ = open.changed() => return None,
                _ = self.tick.tick() => {}
            }
            let state = self.console.state(Timestamp::now().as_second());
            let events = self.console.journal.events_after(self.last, MAX_EVENTS);
            if events.is_empty() && self.sent.as_ref() == Some(&state) {
                continue;
            }
            self.last = events.last().map_or(self.last, |event| event.number);
            let message = Message::default().event("state").json_data(Update { state: &state, events });
            self.sent = Some(state);
            match message {
                Ok(message) => return Some(message),
                // Cannot happen: the state consists of strings and numbers.
                Err(error) => tracing::error!(%error, "the console's state cannot be written as JSON"),
            }
        }
    }
}

impl Console {
    fn state(&self, now: i64) -> OverviewState {
        let seconds = self.journal.seconds(now);
        let recent = seconds.iter().filter(|second| second.at >= now - RATE_WINDOW_SECS && second.at < now);
        let deliveries: u32 = recent.map(|second| second.stored + second.filtered + second.dead_letters + second.nacked).sum();
        let mut latencies: Vec<u32> = seconds.into_iter().flat_map(|second| second.latencies).collect();
        let outcomes = telemetry::stats().deliveries.into_iter();
        OverviewState {
            counts: self.handles.stats.counts(),
            outcomes: outcomes.map(|((outcome, reason), count)| OutcomeCount { outcome, reason, count }).collect(),
            rate: f64::from(deliveries) / RATE_WINDOW_SECS as f64,
            p50: quantile(&mut latencies, 0.5),
            p95: quantile(&mut latencies, 0.95),
        }
    }
}
