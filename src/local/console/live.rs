//! The stream that keeps the overview alive: server-sent events of one kind, `state`.
//!
//! Four times a second at most, and only when something has happened: the state is sent whole,
//! with the events since the last one, so that a page that comes late or again lacks nothing.

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
use super::journal::Event;
use super::series::quantile;
use crate::local::activity::Counts;
use crate::telemetry;

const PACE: Duration = Duration::from_millis(250);
/// Events in one message at most. More than a person can read.
const MOST_EVENTS: usize = 50;
/// Seconds over which a rate is taken.
const RATE_OVER: i64 = 10;

/// All that the overview shows beside the charts.
#[derive(Debug, PartialEq, Serialize)]
struct Figures {
    counts: Counts,
    outcomes: Vec<Outcome>,
    /// Deliveries a second, over the last ten.
    rate: f64,
    /// Milliseconds from request to row, over the last five minutes.
    p50: Option<u32>,
    p95: Option<u32>,
}

/// Deliveries that ended alike.
#[derive(Debug, PartialEq, Serialize)]
struct Outcome {
    outcome: &'static str,
    /// Empty where there is only one.
    reason: &'static str,
    count: u64,
}

#[derive(Debug, Serialize)]
struct Update<'a> {
    #[serde(flatten)]
    figures: &'a Figures,
    events: Vec<Arc<Event>>,
}

struct Reader {
    console: Arc<Console>,
    tick: Interval,
    sent: Option<Figures>,
    /// The number of the last event that was sent.
    last: u64,
}

/// `GET /console/live`
pub(crate) async fn live(State(console): State<Arc<Console>>) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let mut tick = tokio::time::interval(PACE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let reader = Reader { console, tick, sent: None, last: 0 };
    let messages = stream::unfold(reader, async |mut reader| reader.next().await.map(|message| (Ok(message), reader)));
    Sse::new(messages).keep_alive(KeepAlive::default())
}

impl Reader {
    /// The next message, once there is something new; none when the server is closing.
    async fn next(&mut self) -> Option<Message> {
        let mut open = self.console.open.clone();
        loop {
            tokio::select! {
                _ = open.changed() => return None,
                _ = self.tick.tick() => {}
            }
            let figures = self.console.figures(Timestamp::now().as_second());
            let events = self.console.journal.events_after(self.last, MOST_EVENTS);
            if events.is_empty() && self.sent.as_ref() == Some(&figures) {
                continue;
            }
            self.last = events.last().map_or(self.last, |event| event.number);
            let message = Message::default().event("state").json_data(Update { figures: &figures, events });
            self.sent = Some(figures);
            match message {
                Ok(message) => return Some(message),
                // Of strings and numbers: there is no such case.
                Err(error) => tracing::error!(%error, "the console's state cannot be written as JSON"),
            }
        }
    }
}

impl Console {
    fn figures(&self, now: i64) -> Figures {
        let seconds = self.journal.seconds(now);
        let recent = seconds.iter().filter(|second| second.at >= now - RATE_OVER && second.at < now);
        let deliveries: u32 = recent.map(|second| second.stored + second.filtered + second.dead_letters + second.sent_back).sum();
        let mut latencies: Vec<u32> = seconds.into_iter().flat_map(|second| second.latencies).collect();
        let outcomes = telemetry::stats().deliveries.into_iter();
        Figures {
            counts: self.handles.activity.counts(),
            outcomes: outcomes.map(|((outcome, reason), count)| Outcome { outcome, reason, count }).collect(),
            rate: f64::from(deliveries) / RATE_OVER as f64,
            p50: quantile(&mut latencies, 0.5),
            p95: quantile(&mut latencies, 0.95),
        }
    }
}
