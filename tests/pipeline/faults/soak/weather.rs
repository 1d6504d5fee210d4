//! What goes wrong with insertAll requests, and when: spells of one fault each, dealt from a shuffled deck of all.
//!
//! A spell begins when so many more messages are acked, whether or not the one before is over: it lasts until it has
//! struck so often. So faults keep step with the messages, and do not depend on how fast the machine is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bigquery_emulator::{Fault, Status};
use fastrand::Rng;

use super::messages::POISON;
use super::tally::Tally;

const HTML: &str = "<html><body><h1>503 Service Unavailable</h1></body></html>";

/// A spell's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weather {
    InternalError,
    Html503,
    TooManyRequests,
    RateLimit,
    Quota,
    ResetBefore,
    ResetAfter,
    SlowRequest,
    SlowAnswer,
    StoredThen500,
    TruncatedJson,
    StoppedNeighbours,
    NoDeadLetters,
}

impl Weather {
    pub const ALL: [Self; 13] = [
        Self::InternalError,
        Self::Html503,
        Self::TooManyRequests,
        Self::RateLimit,
        Self::Quota,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::SlowRequest,
        Self::SlowAnswer,
        Self::StoredThen500,
        Self::TruncatedJson,
        Self::StoppedNeighbours,
        Self::NoDeadLetters,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::InternalError => "500",
            Self::Html503 => "503 with HTML",
            Self::TooManyRequests => "429 with Retry-After",
            Self::RateLimit => "403 rateLimitExceeded",
            Self::Quota => "403 quotaExceeded",
            Self::ResetBefore => "reset before storing",
            Self::ResetAfter => "reset after storing",
            Self::SlowRequest => "slow to begin",
            Self::SlowAnswer => "slow to answer",
            Self::StoredThen500 => "stored, then 500",
            Self::TruncatedJson => "truncated JSON",
            Self::StoppedNeighbours => "poison stops neighbours",
            Self::NoDeadLetters => "503 of dead_letters",
        }
    }

    /// Whether it strikes that table at all.
    fn reaches(self, table: &str) -> bool {
        self != Self::NoDeadLetters || table == "dead_letters"
    }

    /// How often a spell of it strikes.
    fn strikes(self, random: &mut Rng) -> u32 {
        match self {
            // Only where there is poison does it do anything.
            Self::StoppedNeighbours => random.u32(40..80),
            Self::NoDeadLetters => random.u32(3..8),
            _ => random.u32(6..25),
        }
    }

    fn fault(self, random: &mut Rng) -> Fault {
        let while_slow = Duration::from_millis(random.u64(20..1000));
        match self {
            Self::InternalError => Fault::Status(Status::new(500, "internalError")),
            Self::Html503 => Fault::Status(Status::new(503, "backendError").body(HTML)),
            Self::TooManyRequests => Fault::Status(Status::new(429, "rateLimitExceeded").retry_after(1)),
            Self::RateLimit => Fault::Status(Status::new(403, "rateLimitExceeded")),
            Self::Quota => Fault::Status(Status::new(403, "quotaExceeded")),
            Self::ResetBefore => Fault::ResetBefore,
            Self::ResetAfter => Fault::ResetAfter,
            Self::SlowRequest => Fault::Delay(while_slow),
            Self::SlowAnswer => Fault::SlowAnswer(while_slow),
            Self::StoredThen500 => Fault::StoredThen(Status::new(500, "internalError")),
            Self::TruncatedJson => Fault::TruncatedBody,
            Self::StoppedNeighbours => Fault::RowsInvalid { containing: POISON.to_owned(), stops_others: true },
            Self::NoDeadLetters => Fault::Status(Status::new(503, "backendError")),
        }
    }
}

/// A spell that is not over.
struct Spell {
    weather: Weather,
    /// Of a hundred requests that it reaches.
    share: u32,
    left: u32,
}

/// Decides for each request.
#[derive(Clone)]
pub struct Sky {
    state: Arc<Mutex<State>>,
}

struct State {
    random: Rng,
    tally: Arc<Tally>,
    /// Acks between the beginnings of spells.
    step: u64,
    next_at: u64,
    deck: Vec<Weather>,
    spells: Vec<Spell>,
    struck: BTreeMap<Weather, u64>,
    clear: bool,
}

impl Sky {
    pub fn new(seed: u64, step: u64, tally: Arc<Tally>) -> Self {
        let state = State {
            random: Rng::with_seed(seed),
            tally,
            step,
            next_at: 0,
            deck: Vec::new(),
            spells: Vec::new(),
            struck: BTreeMap::new(),
            clear: false,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// What happens to an insertAll to that table.
    pub fn fault(&self, table: &str) -> Option<Fault> {
        self.state().fault(table)
    }

    /// No more faults.
    pub fn clear(&self) {
        self.state().clear = true;
    }

    /// How often each struck.
    pub fn struck(&self) -> BTreeMap<Weather, u64> {
        self.state().struck.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn fault(&mut self, table: &str) -> Option<Fault> {
        if self.clear {
            return None;
        }
        if self.tally.acked() >= self.next_at {
            self.next_at += self.step;
            self.deal();
        }
        let random = &mut self.random;
        let spell = self.spells.iter_mut().find(|spell| spell.weather.reaches(table) && random.u32(..100) < spell.share)?;
        spell.left -= 1;
        let weather = spell.weather;
        self.spells.retain(|spell| spell.left > 0);
        *self.struck.entry(weather).or_default() += 1;
        Some(weather.fault(&mut self.random))
    }

    fn deal(&mut self) {
        if self.deck.is_empty() {
            self.deck = Weather::ALL.to_vec();
            self.random.shuffle(&mut self.deck);
        }
        if let Some(weather) = self.deck.pop() {
            let left = weather.strikes(&mut self.random);
            self.spells.push(Spell { weather, share: self.random.u32(30..=100), left });
        }
    }
}
