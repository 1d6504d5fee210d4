//! What goes wrong in a run: a plan that a seed makes before the run begins.

use std::time::Duration;

use fastrand::Rng;

/// Everything that goes wrong.
#[derive(Debug, Default)]
pub struct Plan {
    pub faults: Vec<Fault>,
    pub events: Vec<(Duration, Event)>,
    /// The only table that faults may hit. The others must not notice.
    pub only_table: Option<usize>,
    /// Whether new tables are answered 404 for a time, and messages are lost, delivered twice, and their senders go away.
    pub is_calm: bool,
    /// Chance that a request to BigQuery ends the instance that sent it, in thousandths.
    pub kill_chance: u16,
}

/// A fault that lasts for a time.
#[derive(Debug, Clone)]
pub struct Fault {
    pub kind: FaultKind,
    pub target: Target,
    pub from: Duration,
    pub until: Duration,
    /// Share of the requests that it hits, in percent.
    pub percent: u8,
}

/// The requests that a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// insertAll into any table.
    Inserts,
    /// insertAll into the tables of this user.
    User(usize),
    /// insertAll into the dead-letter table.
    DeadLetters,
    /// Reads and creations of tables.
    Tables,
    /// Access tokens.
    Tokens,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// Google's error.
    Error { status: u16, reason: &'static str, retry_after: Option<u64> },
    /// The page of a proxy.
    Page { status: u16 },
    /// No answer.
    Hang { is_stored: bool },
    /// An answer after this time.
    Slow { millis: u64 },
    /// The connection is lost.
    Lost { is_stored: bool },
    /// The rows are stored, and the answer is an error.
    StoredThenFailed,
    /// A success that cannot be read.
    Unreadable { body: &'static str, is_stored: bool },
    /// Some rows are stored, and the others have this error.
    Rows { reason: &'static str },
    /// No row is stored, and each has the reason `stopped`.
    AllStopped,
    /// The table refuses every request: the fault is not a row's.
    BadTable,
}

/// Something that happens once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An instance is killed, and another one starts.
    Kill,
    /// An instance is told to stop, and another one starts.
    Shutdown,
    DeleteTemplate,
    /// The template table is dropped and created with other columns.
    ReplaceTemplate,
    /// A column is added to the template table, or dropped.
    ChangeSchema,
    DeleteDeadLetterTable,
    /// The template table becomes a view, until [`Event::RestoreTemplate`].
    ReplaceTemplateByView,
    RestoreTemplate,
    /// A generated table is deleted.
    DeleteTable,
    /// BigQuery accepts no token that exists.
    ExpireTokens,
}

/// No message is published after this.
pub const LAST_PUBLISH: Duration = Duration::from_secs(50);
/// Nothing goes wrong after this.
pub const END: Duration = Duration::from_secs(70);

const ERRORS: [FaultKind; 12] = [
    FaultKind::Error { status: 503, reason: "backendError", retry_after: None },
    FaultKind::Error { status: 503, reason: "backendError", retry_after: Some(5) },
    FaultKind::Error { status: 500, reason: "internalError", retry_after: None },
    FaultKind::Error { status: 429, reason: "rateLimitExceeded", retry_after: Some(2) },
    FaultKind::Error { status: 429, reason: "rateLimitExceeded", retry_after: Some(20) },
    FaultKind::Error { status: 403, reason: "rateLimitExceeded", retry_after: None },
    FaultKind::Error { status: 403, reason: "quotaExceeded", retry_after: None },
    FaultKind::Error { status: 403, reason: "accessDenied", retry_after: None },
    FaultKind::Error { status: 404, reason: "notFound", retry_after: None },
    FaultKind::Page { status: 404 },
    FaultKind::Page { status: 502 },
    FaultKind::Page { status: 413 },
];

const INSERT_FAULTS: [FaultKind; 18] = [
    FaultKind::Hang { is_stored: false },
    FaultKind::Hang { is_stored: true },
    FaultKind::Slow { millis: 1500 },
    FaultKind::Slow { millis: 5000 },
    FaultKind::Lost { is_stored: false },
    FaultKind::Lost { is_stored: true },
    FaultKind::StoredThenFailed,
    FaultKind::Unreadable { body: "", is_stored: false },
    FaultKind::Unreadable { body: "<html>login</html>", is_stored: false },
    FaultKind::Unreadable { body: "{}", is_stored: false },
    FaultKind::Unreadable { body: r#"{"kind":"bigquery#tableDataInsertAllResponse","insertErrors":null}"#, is_stored: false },
    FaultKind::Unreadable { body: r#"{"kind":"bigquery#tableDataInsertAllResp"#, is_stored: true },
    FaultKind::Rows { reason: "backendError" },
    FaultKind::Rows { reason: "stopped" },
    FaultKind::Rows { reason: "rateLimitExceeded" },
    FaultKind::Rows { reason: "quotaExceeded" },
    FaultKind::AllStopped,
    FaultKind::BadTable,
];

const EVENTS: [Event; 9] = [
    Event::Kill,
    Event::Shutdown,
    Event::DeleteTemplate,
    Event::ReplaceTemplate,
    Event::ChangeSchema,
    Event::DeleteDeadLetterTable,
    Event::ReplaceTemplateByView,
    Event::DeleteTable,
    Event::ExpireTokens,
];

impl Plan {
    /// A plan at random: nothing, faults of one table only, faults of one kind, or all at once.
    pub fn random(users: usize, rng: &mut Rng) -> Self {
        match rng.u8(..10) {
            0 => Self { is_calm: true, ..Self::default() },
            1 | 2 => {
                let user = rng.usize(..users);
                let faults = (0..rng.usize(1..4)).map(|_| Fault::random(Target::User(user), rng)).collect();
                Self { faults, only_table: Some(user), is_calm: true, ..Self::default() }
            }
            3 | 4 => {
                let target = Target::random(users, rng);
                Self { faults: vec![Fault::random(target, rng)], ..Self::default() }
            }
            5 => Self { events: random_events(1, rng), ..Self::default() },
            6 => Self { kill_chance: rng.u16(1..30), ..Self::default() },
            _ => {
                let faults = (0..rng.usize(..8)).map(|_| Fault::random(Target::random(users, rng), rng)).collect();
                let events = random_events(rng.usize(..8), rng);
                Self { faults, events, only_table: None, is_calm: false, kill_chance: if rng.u8(..4) == 0 { rng.u16(..20) } else { 0 } }
            }
        }
    }

    /// The faults that may hit a request now.
    pub fn active(&self, now: Duration, hits: impl Fn(Target) -> bool) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |fault| (fault.from..fault.until).contains(&now) && hits(fault.target))
    }
}

impl Target {
    fn random(users: usize, rng: &mut Rng) -> Self {
        match rng.u8(..10) {
            0..5 => Self::Inserts,
            5 | 6 => Self::User(rng.usize(..users)),
            7 => Self::DeadLetters,
            8 => Self::Tables,
            _ => Self::Tokens,
        }
    }
}

impl Fault {
    fn random(target: Target, rng: &mut Rng) -> Self {
        let kind = match target {
            Target::Tables => match rng.u8(..4) {
                0 => FaultKind::Hang { is_stored: rng.bool() },
                1 => FaultKind::Slow { millis: rng.u64(100..4000) },
                2 => FaultKind::Unreadable { body: ["", "{}", "<html>", "[]", "{\"kind\":"][rng.usize(..5)], is_stored: false },
                _ => ERRORS[rng.usize(..ERRORS.len())],
            },
            _ if rng.u8(..3) == 0 => ERRORS[rng.usize(..ERRORS.len())],
            _ => INSERT_FAULTS[rng.usize(..INSERT_FAULTS.len())],
        };
        // A table that explicitly does not exist is an event.
        let kind = match (target, kind) {
            (Target::Tables, FaultKind::Error { status: 404, .. }) => FaultKind::Page { status: 404 },
            (_, kind) => kind,
        };
        // One that refuses only some requests is not told from a row at fault.
        let percent = if kind == FaultKind::BadTable || rng.bool() { 100 } else { rng.u8(5..100) };
        let from = Duration::from_millis(rng.u64(..50_000));
        let until = (from + Duration::from_millis(rng.u64(200..25_000))).min(END);
        Self { kind, target, from, until, percent }
    }
}

fn random_events(count: usize, rng: &mut Rng) -> Vec<(Duration, Event)> {
    let mut events: Vec<(Duration, Event)> = Vec::new();
    for _ in 0..count {
        let event = EVENTS[rng.usize(..EVENTS.len())];
        // Some soon after another one.
        let at = match events.last() {
            Some((last, _)) if rng.u8(..3) == 0 => *last + Duration::from_millis(rng.u64(..700)),
            _ => Duration::from_millis(rng.u64(..60_000)),
        };
        events.push((at, event));
        if event == Event::ReplaceTemplateByView {
            events.push((at + Duration::from_millis(rng.u64(..9_000)), Event::RestoreTemplate));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events
}
