//! The invariants. The simulated parts report what happens, and the first violation ends the run.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use pixel_pipeline::config::settings::MAX_IN_FLIGHT_BYTES;

use crate::bigquery::{Answer, DEDUPLICATION, InsertRow};
use crate::history::History;
use crate::message::{Kind, Message, Poison, id_of};
use crate::settings::Settings;

/// Timers have a resolution of a millisecond.
const TIMER: Duration = Duration::from_millis(2);
/// Requests to a table that fails. Without pauses that grow, there would be 130 of them, and thousands without pauses.
const MAX_FAILURES: usize = 80;
const FAILURE_WINDOW: Duration = Duration::from_secs(10);
/// A pull worker does not return a message earlier.
const MIN_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// What is known so far.
#[derive(Debug)]
pub struct Checker {
    pub history: History,
    settings: &'static Settings,
    messages: Vec<Known>,
    /// The time before which an instance must not send rows to a table.
    not_before: HashMap<(usize, String), Duration>,
    /// The requests of an instance for a table since the last one that was answered.
    failing: HashMap<(usize, String), VecDeque<Duration>>,
    inserts: HashMap<usize, usize>,
}

/// A message and what has become of it.
#[derive(Debug)]
struct Known {
    kind: Kind,
    user: usize,
    /// Tables and times.
    stored: Vec<(String, Duration)>,
    dead_letters: Vec<Duration>,
    event_id: Option<String>,
    is_acked: bool,
}

/// A delivery of a message to an instance.
#[derive(Debug, Clone, Copy)]
pub struct Delivery {
    pub message: usize,
    pub instance: usize,
    pub sent: Duration,
    /// The instance was shutting down before.
    pub is_after_shutdown: bool,
    /// The number of other deliveries that the instance had not answered.
    pub others: usize,
    /// The body has been cut.
    pub is_cut: bool,
}

/// A message that a pull worker took from its stream.
#[derive(Debug, Clone, Copy)]
pub struct Pulled {
    pub message: usize,
    pub instance: usize,
    pub taken: Duration,
    /// Whether the instance was shutting down when it answered.
    pub is_shutting_down: bool,
}

impl Checker {
    pub fn new(history: History, settings: &'static Settings, messages: &[Message]) -> Self {
        let known = |message: &Message| Known {
            kind: message.kind,
            user: message.user,
            stored: Vec::new(),
            dead_letters: Vec::new(),
            event_id: None,
            is_acked: false,
        };
        let messages = messages.iter().map(known).collect();
        Self { history, settings, messages, not_before: HashMap::new(), failing: HashMap::new(), inserts: HashMap::new() }
    }

    /// An instance sends an insertAll.
    pub fn insert_begins(&mut self, instance: usize, table: &str, rows: &[InsertRow<'_>], timeout: Duration, now: Duration) {
        self.history.counts.inserts += 1;
        let ids: Vec<&str> = rows.iter().map(name).collect();
        self.history.note(|| format!("i{instance} insertAll {table} {ids:?}"));
        let key = (instance, table.to_owned());
        if let Some(until) = self.not_before.get(&key)
            && now + TIMER < *until
        {
            let text = format!("i{instance} sends rows to {table} {:?} before the end of its Retry-After", *until - now);
            self.history.violate(text);
        }
        let bytes: usize =
            rows.iter().map(|row| row.json.iter().map(|(name, value)| name.len() + value.get().len() + 4).sum::<usize>() + 1).sum();
        if rows.is_empty() || rows.len() > self.settings.rows || (rows.len() > 1 && bytes > self.settings.bytes + rows.len()) {
            self.history.violate(format!("i{instance} sends {} rows of {bytes} bytes to {table}", rows.len()));
        }
        if timeout > self.settings.config.push_deadline {
            self.history.violate(format!("an insertAll may take {timeout:?}"));
        }
        let inserts = self.inserts.entry(instance).or_default();
        *inserts += 1;
        // Each may be sent a second time.
        if *inserts > 2 * self.settings.inserts {
            let text = format!("i{instance} has {inserts} inserts in flight");
            self.history.violate(text);
        }
        let failing = self.failing.entry(key).or_default();
        while failing.front().is_some_and(|at| *at + FAILURE_WINDOW < now) {
            failing.pop_front();
        }
        failing.push_back(now);
        if failing.len() > MAX_FAILURES {
            self.history.violate(format!("i{instance} sends too many requests to {table}, which fails"));
        }
    }

    /// It has its answer, or the connection is lost.
    pub fn insert_ends(&mut self, instance: usize) {
        *self.inserts.get_mut(&instance).expect("it began") -= 1;
    }

    /// The answer has arrived.
    pub fn insert_answered(&mut self, instance: usize, table: &str, answer: &Answer, now: Duration) {
        self.history.note(|| {
            let body: String = answer.body.chars().take(160).collect();
            format!("i{instance} answer of {table}: {} retry-after {:?} {body}", answer.status, answer.retry_after)
        });
        let key = (instance, table.to_owned());
        // Requests that are refused as a whole are split at once. Other failures end the delivery, and Pub/Sub pauses.
        let is_retried = match answer.status {
            404 => answer.body.contains("notFound"),
            403 => answer.body.contains("rateLimitExceeded"),
            status => matches!(status, 429 | 500..=504),
        };
        if !is_retried {
            self.failing.remove(&key);
        }
        if let Some(seconds) = answer.retry_after {
            let until = self.not_before.entry(key).or_default();
            *until = (*until).max(now + Duration::from_secs(seconds));
        }
    }

    /// BigQuery has stored a row in a table that was created then.
    pub fn stored(&mut self, table: &str, created: Duration, row: &InsertRow<'_>, now: Duration) {
        self.history.counts.stored += 1;
        let Some(id) = id_of(row.text("order_id")).filter(|id| *id < self.messages.len()) else {
            return self.history.violate(format!("a row of no message is stored: {row:?}"));
        };
        self.history.note(|| format!("m{id} stored in {table}"));
        self.check_event_id(id, row);
        let (own, overflow) = (self.own_table(id), format!("pixel{}", "_overflow_20260102"));
        let known = &mut self.messages[id];
        if known.kind != Kind::Valid {
            self.history.violate(format!("m{id} is {:?} and is stored", known.kind));
        }
        let is_overflow = table == overflow;
        let may_overflow = self.settings.config.table_limits.per_hour < 100;
        if table != own && !(is_overflow && may_overflow) {
            self.history.violate(format!("m{id} is stored in {table} in place of {own}"));
        }
        let near = known.stored.iter().find(|(other, at)| other == table && *at >= created && now < *at + DEDUPLICATION);
        if let Some((_, at)) = near {
            self.history.violate(format!("m{id} is stored in {table} twice, after {:?}", now - *at));
        }
        if !known.stored.is_empty() {
            self.history.counts.duplicates += 1;
        }
        if !known.dead_letters.is_empty() {
            self.history.violate(format!("m{id} is a dead letter and is stored"));
        }
        known.stored.push((table.to_owned(), now));
    }

    /// BigQuery has stored a dead letter.
    pub fn dead_lettered(&mut self, row: &InsertRow<'_>, now: Duration) {
        self.history.counts.dead_letters += 1;
        let Some(id) = id_of(row.text("message_id")).filter(|id| *id < self.messages.len()) else {
            return self.history.violate(format!("a dead letter of no message is stored: {row:?}"));
        };
        self.history.note(|| format!("m{id} stored as a dead letter: {}", row.text("detail")));
        self.check_event_id(id, row);
        let known = &mut self.messages[id];
        match known.kind {
            Kind::Bad | Kind::Poison(_) => known.dead_letters.push(now),
            kind => {
                let text = format!("m{id} is {kind:?} and becomes a dead letter: {}", row.text("detail"));
                self.history.violate(text);
            }
        }
    }

    /// An instance has answered a delivery.
    pub fn answered(&mut self, delivery: Delivery, status: u16, is_shutting_down: bool, now: Duration) {
        let Delivery { message: id, instance, sent, .. } = delivery;
        self.history.note(|| format!("i{instance} answers m{id} {status}"));
        let deadline = self.settings.config.push_deadline;
        if now > sent + deadline + TIMER {
            self.history.violate(format!("i{instance} answers m{id} after {:?}", now - sent));
        }
        if delivery.is_after_shutdown && status != 429 {
            self.history.violate(format!("i{instance} answers m{id} {status} after its shutdown began"));
        }
        let is_full = delivery.others >= self.settings.in_flight || !self.settings.config.values.text(&MAX_IN_FLIGHT_BYTES).is_empty();
        match status {
            204 => {
                self.check_ack(id, now);
                self.received_ack(id);
            }
            503 => self.history.counts.nacks += 1,
            429 if is_shutting_down || is_full => self.history.counts.nacks += 1,
            400 if delivery.is_cut => self.history.counts.nacks += 1,
            _ => self.history.violate(format!("i{instance} answers m{id} {status}, with {} others", delivery.others)),
        }
    }

    /// A pull worker has acknowledged a message or returned it.
    pub fn pulled_answered(&mut self, pulled: Pulled, is_ack: bool, now: Duration) {
        let Pulled { message: id, instance, taken, is_shutting_down } = pulled;
        self.history.note(|| format!("i{instance} answers m{id}: {}", if is_ack { "ack" } else { "nack" }));
        let (config, took) = (&self.settings.config, now - taken);
        // A message may wait until its bytes fit.
        let waits = if config.values.text(&MAX_IN_FLIGHT_BYTES).is_empty() { 1 } else { 2 };
        if took > waits * config.push_deadline + TIMER {
            self.history.violate(format!("i{instance} answers m{id} after {took:?}"));
        }
        if is_ack {
            self.check_ack(id, now);
        } else {
            self.history.counts.nacks += 1;
            if took < MIN_RETRY_INTERVAL && !is_shutting_down {
                self.history.violate(format!("i{instance} returns m{id} after {took:?}"));
            }
        }
    }

    /// Pub/Sub has the acknowledgement of a message.
    pub fn received_ack(&mut self, id: usize) {
        self.messages[id].is_acked = true;
    }

    /// What is acknowledged is stored, filtered or dead-lettered at that moment.
    fn check_ack(&mut self, id: usize, now: Duration) {
        let known = &self.messages[id];
        let is_right = match known.kind {
            Kind::Valid => !known.stored.is_empty(),
            Kind::Filtered => {
                self.history.counts.filtered += 1;
                known.stored.is_empty()
            }
            Kind::Bad | Kind::Poison(_) => !known.dead_letters.is_empty(),
        };
        if !is_right {
            self.history.violate(format!("{known:?} m{id} is acknowledged at {now:?}"));
        }
    }

    /// A delivery that nothing may hinder has not been acknowledged.
    pub fn hindered(&mut self, id: usize, is_acked: bool, took: Duration) {
        let answer = if is_acked { "acknowledged" } else { "returned" };
        self.history.violate(format!("m{id} is {answer} after {took:?} although its table is healthy"));
    }

    pub fn is_acked(&self, id: usize) -> bool {
        self.messages[id].is_acked
    }

    /// After the end of all faults, and enough time. A row that BigQuery refuses without naming it becomes a dead letter only
    /// next to another row of its table, and else goes to the dead-letter topic of Pub/Sub.
    pub fn finish(&mut self) {
        let waiting: Vec<String> = self
            .messages
            .iter()
            .enumerate()
            .filter(|(_, known)| !known.is_acked && known.kind != Kind::Poison(Poison::Request))
            .map(|(id, known)| format!("m{id} {:?}", known.kind))
            .collect();
        if !waiting.is_empty() {
            self.history.violate(format!("{} messages are not acknowledged: {}", waiting.len(), waiting.join(", ")));
        }
    }

    /// After the end of the instances.
    pub fn finish_inserts(&mut self) {
        if self.inserts.values().any(|inserts| *inserts > 0) {
            self.history.violate("an insert is still in flight".to_owned());
        }
    }

    /// One message has one event_id, in each of its rows and as the insertId.
    fn check_event_id(&mut self, id: usize, row: &InsertRow<'_>) {
        let event_id = row.text("event_id");
        let known = &mut self.messages[id];
        let first = known.event_id.get_or_insert_with(|| event_id.to_owned());
        if event_id != row.insert_id || event_id != first {
            let text = format!("m{id} has the event_id {event_id} and the insertId {}; before: {first}", row.insert_id);
            self.history.violate(text);
        }
    }

    fn own_table(&self, id: usize) -> String {
        table_of(self.settings, self.messages[id].user)
    }
}

/// The table of a user.
pub fn table_of(settings: &Settings, user: usize) -> String {
    match settings.config.values.text(&pixel_pipeline::config::settings::TABLE_SUFFIX) {
        "" => "pixel".to_owned(),
        "_{date}" => "pixel_20260102".to_owned(),
        _ => format!("pixel_u{user}_20260102"),
    }
}

/// The message of a row, for the trace.
fn name<'a>(row: &'a InsertRow<'_>) -> &'a str {
    let order = row.text("order_id");
    if order.is_empty() { row.text("message_id") } else { order }
}
