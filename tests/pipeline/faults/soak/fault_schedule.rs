//! The faults of insertAll requests. They come in bursts of one kind each, in a shuffled order of all kinds.
//!
//! A burst begins after a number of acks and ends after a number of faults; bursts can overlap. So the schedule does not
//! depend on the speed of the machine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bigquery_emulator::{Fault, Status};
use fastrand::Rng;

use super::delivery_results::DeliveryResults;
use super::messages::INVALID_ROW;

const HTML: &str = "<html><body><h1>503 Service Unavailable</h1></body></html>";

/// The fault of a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
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
    StoppedRows,
    DeadLettersUnavailable,
}

impl FaultKind {
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
        Self::StoppedRows,
        Self::DeadLettersUnavailable,
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
            Self::SlowRequest => "slow request",
            Self::SlowAnswer => "slow response",
            Self::StoredThen500 => "stored, then 500",
            Self::TruncatedJson => "truncated JSON",
            Self::StoppedRows => "invalid row stops others",
            Self::DeadLettersUnavailable => "503 for dead_letters",
        }
    }

    /// Whether it affects requests for this table.
    fn applies_to(self, table: &str) -> bool {
        self != Self::DeadLettersUnavailable || table == "dead_letters"
    }

    /// Number of faults in a burst.
    fn burst_length(self, random: &mut Rng) -> u32 {
        match self {
            // It has an effect only on requests with an invalid row.
            Self::StoppedRows => random.u32(40..80),
            Self::DeadLettersUnavailable => random.u32(3..8),
            _ => random.u32(6..25),
        }
    }

    fn fault(self, random: &mut Rng) -> Fault {
        let delay = Duration::from_millis(random.u64(20..1000));
        match self {
            Self::InternalError => Fault::Status(Status::new(500, "internalError")),
            Self::Html503 => Fault::Status(Status::new(503, "backendError").body(HTML)),
            Self::TooManyRequests => Fault::Status(Status::new(429, "rateLimitExceeded").retry_after(1)),
            Self::RateLimit => Fault::Status(Status::new(403, "rateLimitExceeded")),
            Self::Quota => Fault::Status(Status::new(403, "quotaExceeded")),
            Self::ResetBefore => Fault::ResetBefore,
            Self::ResetAfter => Fault::ResetAfter,
            Self::SlowRequest => Fault::Delay(delay),
            Self::SlowAnswer => Fault::SlowAnswer(delay),
            Self::StoredThen500 => Fault::StoredThen(Status::new(500, "internalError")),
            Self::TruncatedJson => Fault::TruncatedBody,
            Self::StoppedRows => Fault::RowsInvalid { containing: INVALID_ROW.to_owned(), stops_others: true },
            Self::DeadLettersUnavailable => Fault::Status(Status::new(503, "backendError")),
        }
    }
}

/// A burst that has not ended.
struct Burst {
    kind: FaultKind,
    /// Percentage of the affected requests that get the fault.
    share: u32,
    left: u32,
}

/// Chooses the fault of each request.
#[derive(Clone)]
pub struct FaultSchedule {
    state: Arc<Mutex<State>>,
}

struct State {
    random: Rng,
    results: Arc<DeliveryResults>,
    /// Number of acks between the starts of two bursts.
    step: u64,
    next_at: u64,
    upcoming: Vec<FaultKind>,
    bursts: Vec<Burst>,
    injected: BTreeMap<FaultKind, u64>,
    is_stopped: bool,
}

impl FaultSchedule {
    pub fn new(seed: u64, step: u64, results: Arc<DeliveryResults>) -> Self {
        let state = State {
            random: Rng::with_seed(seed),
            results,
            step,
            next_at: 0,
            upcoming: Vec::new(),
            bursts: Vec::new(),
            injected: BTreeMap::new(),
            is_stopped: false,
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The fault of the next insertAll request for this table.
    pub fn fault(&self, table: &str) -> Option<Fault> {
        self.state().fault(table)
    }

    /// Ends all faults.
    pub fn stop(&self) {
        self.state().is_stopped = true;
    }

    /// Number of injected faults by kind.
    pub fn injected(&self) -> BTreeMap<FaultKind, u64> {
        self.state().injected.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn fault(&mut self, table: &str) -> Option<Fault> {
        if self.is_stopped {
            return None;
        }
        if self.results.acked() >= self.next_at {
            self.next_at += self.step;
            self.start_burst();
        }
        let random = &mut self.random;
        let burst = self.bursts.iter_mut().find(|burst| burst.kind.applies_to(table) && random.u32(..100) < burst.share)?;
        burst.left -= 1;
        let kind = burst.kind;
        self.bursts.retain(|burst| burst.left > 0);
        *self.injected.entry(kind).or_default() += 1;
        Some(kind.fault(&mut self.random))
    }

    fn start_burst(&mut self) {
        if self.upcoming.is_empty() {
            self.upcoming = FaultKind::ALL.to_vec();
            self.random.shuffle(&mut self.upcoming);
        }
        if let Some(kind) = self.upcoming.pop() {
            let left = kind.burst_length(&mut self.random);
            self.bursts.push(Burst { kind, share: self.random.u32(30..=100), left });
        }
    }
}
