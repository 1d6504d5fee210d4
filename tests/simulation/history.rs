//! What happened in a run: the trace, and the first violation of an invariant.

use tokio::time::Instant;

/// The record of one run.
#[derive(Debug)]
pub struct History {
    began: Instant,
    /// `None` unless it is wanted: 2,000 runs would spend most of their time on it.
    trace: Option<Vec<String>>,
    violation: Option<String>,
    pub counts: Counts,
}

/// Numbers of events, which show that a run tests something.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    pub deliveries: u64,
    pub inserts: u64,
    pub stored: u64,
    pub dead_letters: u64,
    pub filtered: u64,
    pub nacks: u64,
    pub kills: u64,
    pub duplicates: u64,
    pub faults: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        let Self { deliveries, inserts, stored, dead_letters, filtered, nacks, kills, duplicates, faults } = other;
        self.deliveries += deliveries;
        self.inserts += inserts;
        self.stored += stored;
        self.dead_letters += dead_letters;
        self.filtered += filtered;
        self.nacks += nacks;
        self.kills += kills;
        self.duplicates += duplicates;
        self.faults += faults;
    }
}

impl History {
    pub fn new(is_traced: bool) -> Self {
        Self { began: Instant::now(), trace: is_traced.then(Vec::new), violation: None, counts: Counts::default() }
    }

    /// Adds a line to the trace.
    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>9.3} {}", self.began.elapsed().as_secs_f64(), line()));
        }
    }

    /// Records that an invariant does not hold. The first violation counts.
    pub fn violate(&mut self, text: String) {
        self.note(|| format!("VIOLATION {text}"));
        self.violation.get_or_insert(text);
    }

    pub fn is_violated(&self) -> bool {
        self.violation.is_some()
    }

    /// The end of the run.
    pub fn finish(&mut self) -> (Option<String>, Vec<String>, Counts) {
        (self.violation.take(), self.trace.take().unwrap_or_default(), self.counts)
    }
}
