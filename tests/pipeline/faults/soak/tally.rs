//! What every message was answered, in a few bytes each, and what every process answered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::messages::{Kind, Message};
use crate::support::ledger::Witness;

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// 204
    Acked,
    /// 503
    Retry,
    /// 429
    Saturated,
    /// Any other status.
    Other(u16),
    /// There was no connection.
    NotReached,
    /// The connection ended before the answer.
    CutOff,
    /// None within the ack deadline.
    TooLate,
}

impl Answer {
    pub fn of_status(status: u16) -> Self {
        match status {
            204 => Self::Acked,
            503 => Self::Retry,
            429 => Self::Saturated,
            other => Self::Other(other),
        }
    }
}

/// How many deliveries of which kind of message ended in which way.
pub type Answers = BTreeMap<(Kind, Answer), u64>;

/// One message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Entry {
    pub deliveries: u16,
    pub acks: u16,
    /// When its first delivery began and its last one ended, in milliseconds by BigQuery's clock.
    pub first: u32,
    pub last: u32,
}

pub struct Tally {
    witness: Witness,
    began: Instant,
    /// Milliseconds by which BigQuery's clock is ahead.
    ahead: AtomicU64,
    acked: AtomicU64,
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    entries: Vec<Entry>,
    /// By process, in the order of their lives.
    lives: Vec<Answers>,
    /// Acked, and not where they belong.
    early: Vec<String>,
}

impl Tally {
    /// Of so many messages, with somebody who can tell what is stored.
    pub fn new(count: u32, witness: Witness) -> Self {
        let books = Books { entries: vec![Entry::default(); count as usize], ..Books::default() };
        Self { witness, began: Instant::now(), ahead: AtomicU64::new(0), acked: AtomicU64::new(0), books: Mutex::new(books) }
    }

    /// Messages that were acked at least once.
    pub fn acked(&self) -> u64 {
        self.acked.load(Ordering::Relaxed)
    }

    pub fn advance_clock(&self, by: Duration) {
        self.ahead.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }

    /// A delivery of that message begins.
    pub fn begins(&self, message: &Message) {
        let now = self.now();
        let entry = &mut self.books().entries[message.number as usize];
        if entry.deliveries == 0 {
            entry.first = now;
        }
        entry.deliveries = entry.deliveries.saturating_add(1);
    }

    /// It was answered by the process of that life. How often the message is acked by now.
    pub fn answered(&self, life: usize, message: &Message, answer: Answer) -> u16 {
        // At the moment of the ack, and before anything else.
        let event_id = message.event_id();
        let early = answer == Answer::Acked && message.table().is_some_and(|table| !(self.witness)(&table, event_id.as_str()));
        let now = self.now();
        let mut books = self.books();
        if early {
            books.early.push(message.to_string());
        }
        if books.lives.len() <= life {
            books.lives.resize_with(life + 1, Answers::default);
        }
        *books.lives[life].entry((message.kind, answer)).or_default() += 1;
        let entry = &mut books.entries[message.number as usize];
        entry.last = now;
        if answer == Answer::Acked {
            entry.acks = entry.acks.saturating_add(1);
            if entry.acks == 1 {
                self.acked.fetch_add(1, Ordering::Relaxed);
            }
        }
        entry.acks
    }

    /// What the process of that life answered so far.
    pub fn answers_of(&self, life: usize) -> Answers {
        self.books().lives.get(life).cloned().unwrap_or_default()
    }

    /// What all of them answered.
    pub fn answers(&self) -> Answers {
        let mut all = Answers::new();
        for (answered, count) in self.books().lives.iter().flatten() {
            *all.entry(*answered).or_default() += count;
        }
        all
    }

    /// Nothing was acked before it was where it belongs.
    pub fn check_acks(&self) {
        let early = self.books().early.clone();
        assert!(early.is_empty(), "{} were acked before they were stored: {:?}", early.len(), early.first());
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.books().entries.clone()
    }

    fn now(&self) -> u32 {
        (self.began.elapsed().as_millis() as u64 + self.ahead.load(Ordering::Relaxed)) as u32
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap()
    }
}
