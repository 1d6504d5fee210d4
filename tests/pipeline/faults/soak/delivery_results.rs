//! The results of all deliveries: a few bytes for each message, and counts for each process.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::messages::{Kind, Message};
use crate::support::bigquery::StoredLookup;

/// The end of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryResult {
    /// 204
    Acked,
    /// 503
    Retry,
    /// 429
    Saturated,
    /// Any other status.
    Other(u16),
    /// The connection failed.
    Unreachable,
    /// The connection closed before the response.
    Aborted,
    /// No response within the ack deadline.
    TimedOut,
}

impl DeliveryResult {
    pub fn of_status(status: u16) -> Self {
        match status {
            204 => Self::Acked,
            503 => Self::Retry,
            429 => Self::Saturated,
            other => Self::Other(other),
        }
    }
}

/// Number of deliveries by kind of message and result.
pub type ResultCounts = BTreeMap<(Kind, DeliveryResult), u64>;

/// The deliveries of one message.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessageState {
    pub deliveries: u16,
    pub acks: u16,
    /// Start of the first delivery and end of the last one, in milliseconds by BigQuery's clock.
    pub first: u32,
    pub last: u32,
}

pub struct DeliveryResults {
    stored_lookup: StoredLookup,
    began: Instant,
    /// BigQuery's clock minus the real one, in milliseconds.
    clock_offset: AtomicU64,
    acked: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: Vec<MessageState>,
    /// By process, in order of their start.
    processes: Vec<ResultCounts>,
    /// Messages that were acked before they were stored.
    early: Vec<String>,
}

impl DeliveryResults {
    /// Results for `count` messages. `stored_lookup` is asked at each ack.
    pub fn new(count: u32, stored_lookup: StoredLookup) -> Self {
        let state = State { messages: vec![MessageState::default(); count as usize], ..State::default() };
        Self { stored_lookup, began: Instant::now(), clock_offset: AtomicU64::new(0), acked: AtomicU64::new(0), state: Mutex::new(state) }
    }

    /// Number of messages.
    pub fn count(&self) -> u64 {
        self.state().messages.len() as u64
    }

    /// Number of messages that were acked at least once.
    pub fn acked(&self) -> u64 {
        self.acked.load(Ordering::Relaxed)
    }

    pub fn advance_clock(&self, by: Duration) {
        self.clock_offset.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }

    /// Records the start of a delivery.
    pub fn record_start(&self, message: &Message) {
        let now = self.now();
        let message_state = &mut self.state().messages[message.number as usize];
        if message_state.deliveries == 0 {
            message_state.first = now;
        }
        message_state.deliveries = message_state.deliveries.saturating_add(1);
    }

    /// Records the end of a delivery to a process. Returns the number of acks of the message.
    pub fn record_end(&self, process: usize, message: &Message, result: DeliveryResult) -> u16 {
        // First, because the row must be stored at the ack.
        let event_id = message.event_id();
        let early =
            result == DeliveryResult::Acked && message.table().is_some_and(|table| !(self.stored_lookup)(&table, event_id.as_str()));
        let now = self.now();
        let mut state = self.state();
        if early {
            state.early.push(message.to_string());
        }
        if state.processes.len() <= process {
            state.processes.resize_with(process + 1, ResultCounts::default);
        }
        *state.processes[process].entry((message.kind, result)).or_default() += 1;
        let message_state = &mut state.messages[message.number as usize];
        message_state.last = now;
        if result == DeliveryResult::Acked {
            message_state.acks = message_state.acks.saturating_add(1);
            if message_state.acks == 1 {
                self.acked.fetch_add(1, Ordering::Relaxed);
            }
        }
        message_state.acks
    }

    /// Results of one process.
    pub fn of_process(&self, process: usize) -> ResultCounts {
        self.state().processes.get(process).cloned().unwrap_or_default()
    }

    /// Results of all processes.
    pub fn counts(&self) -> ResultCounts {
        let mut all = ResultCounts::new();
        for (result, count) in self.state().processes.iter().flatten() {
            *all.entry(*result).or_default() += count;
        }
        all
    }

    /// No message was acked before it was stored.
    pub fn assert_no_early_acks(&self) {
        let early = self.state().early.clone();
        assert!(early.is_empty(), "{} messages were acked before they were stored: {:?}", early.len(), early.first());
    }

    pub fn messages(&self) -> Vec<MessageState> {
        self.state().messages.clone()
    }

    fn now(&self) -> u32 {
        (self.began.elapsed().as_millis() as u64 + self.clock_offset.load(Ordering::Relaxed)) as u32
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}
