//! The messages of the soak test. Each is generated from the seed and its number, so a million messages need no memory.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use pixel_pipeline::decode::EventId;
use serde_json::json;

use crate::support::{Entry, wrapped};

/// BigQuery refuses rows with this text.
pub const INVALID_ROW: &str = "invalid-row";
/// Id of the first message. Ids are consecutive numbers.
const FIRST_ID: u64 = 7_000_000_000;
const LOG_NAME: &str = "projects/test-project/logs/requests";
/// Days of the events, with a timestamp of each day.
const DAYS: [(&str, &str); 2] = [("20260102", "2026-01-02T03:04:05.402197Z"), ("20260103", "2026-01-03T00:00:00.000001Z")];
const OLD_TIMESTAMP: &str = "1999-12-31T23:59:59Z";
/// Number of users at the start, and of users that are added during the test.
const USERS: [u32; 2] = [4, 16];

/// The content of a message, which determines its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Event,
    OtherPath,
    OptedOut,
    NoData,
    BadBase64,
    BadJson,
    NoRequestUrl,
    OldTimestamp,
    InvalidRow,
}

impl Kind {
    pub const ALL: [Self; 9] = [
        Self::Event,
        Self::OtherPath,
        Self::OptedOut,
        Self::NoData,
        Self::BadBase64,
        Self::BadJson,
        Self::NoRequestUrl,
        Self::OldTimestamp,
        Self::InvalidRow,
    ];

    /// Outcome and reason under which the service counts the ack.
    pub fn outcome(self) -> (&'static str, &'static str) {
        match self {
            Self::Event => ("stored", ""),
            Self::OtherPath => ("filtered", "path"),
            Self::OptedOut => ("filtered", "opted_out"),
            Self::NoData => ("dead_letter", "no_data"),
            Self::BadBase64 => ("dead_letter", "bad_base64"),
            Self::BadJson => ("dead_letter", "bad_json"),
            Self::NoRequestUrl => ("dead_letter", "no_request_url"),
            Self::OldTimestamp => ("dead_letter", "timestamp_out_of_range"),
            Self::InvalidRow => ("dead_letter", "invalid"),
        }
    }

    fn random(random: &mut Rng) -> Self {
        match random.u32(..1000) {
            0..20 => Self::OtherPath,
            20..40 => Self::OptedOut,
            40..45 => Self::NoData,
            45..50 => Self::BadBase64,
            50..60 => Self::BadJson,
            60..70 => Self::NoRequestUrl,
            70..80 => Self::OldTimestamp,
            80..110 => Self::InvalidRow,
            _ => Self::Event,
        }
    }
}

/// Number of deliveries of a message that is acked each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    One,
    /// Two concurrent deliveries.
    TwoAtOnce,
    /// A second delivery after the ack.
    OneMore,
}

/// One message, without its body.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    pub number: u32,
    pub kind: Kind,
    pub copies: Copies,
    user: u32,
    day: usize,
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "message {} ({:?} of user u{})", self.number, self.kind, self.user)
    }
}

/// All messages.
pub struct Messages {
    seed: u64,
    pub count: u32,
    event: String,
    other_path: String,
    without_url: String,
    wrapper: String,
}

impl Messages {
    pub fn new(seed: u64, count: u32) -> Self {
        let text = |entry: Entry| entry.with("/insertId", json!("@INSERT_ID")).with("/timestamp", json!("@TIME")).json();
        Self {
            seed,
            count,
            event: text(Entry::of_query("user_id=@USER&order_id=@NUMBER&type=@TYPE")),
            other_path: text(Entry::of_url("https://track.example.com/favicon.ico?user_id=@USER")),
            without_url: text(Entry::of_query("").without("/httpRequest/requestUrl")),
            wrapper: wrapped(b"", "@ID"),
        }
    }

    pub fn message(&self, number: u32) -> Message {
        let mut random = Rng::with_seed(self.seed ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let kind = Kind::random(&mut random);
        let [first, later] = USERS;
        let users = first + (u64::from(later) * u64::from(number) / u64::from(self.count)) as u32;
        // The minimum of two numbers: some users have more events than others.
        let user = random.u32(..users).min(random.u32(..users));
        let copies = match random.u32(..100) {
            0..2 => Copies::TwoAtOnce,
            2..5 => Copies::OneMore,
            _ => Copies::One,
        };
        Message { number, kind, copies, user, day: random.usize(..DAYS.len()) }
    }

    /// The message of a row, by its order id.
    pub fn of_order(&self, order: &str) -> Option<Message> {
        order.parse().ok().filter(|number| *number < self.count).map(|number| self.message(number))
    }

    /// The message of a dead letter, by its message id.
    pub fn of_id(&self, message_id: &str) -> Option<Message> {
        let number = message_id.parse::<u64>().ok()?.checked_sub(FIRST_ID)?;
        u32::try_from(number).ok().filter(|number| *number < self.count).map(|number| self.message(number))
    }

    /// The body of the push.
    pub fn body(&self, message: &Message) -> String {
        let data = match message.kind {
            Kind::NoData => String::new(),
            Kind::BadBase64 => "not base64%".to_owned(),
            Kind::BadJson => STANDARD.encode("{\"httpRequest\":"),
            _ => STANDARD.encode(self.entry(message)),
        };
        let wrapper = self.wrapper.replace("@ID", &message.id());
        wrapper.replacen("\"data\":\"\"", &format!("\"data\":\"{data}\""), 1)
    }

    fn entry(&self, message: &Message) -> String {
        let text = match message.kind {
            Kind::OtherPath => &self.other_path,
            Kind::NoRequestUrl => &self.without_url,
            _ => &self.event,
        };
        let kind = match message.kind {
            Kind::InvalidRow => INVALID_ROW,
            Kind::OptedOut => "view&dnt=1",
            _ => "view",
        };
        let text = text.replace("@USER", &message.user()).replace("@NUMBER", &message.number.to_string()).replace("@TYPE", kind);
        text.replace("@INSERT_ID", &message.insert_id()).replace("@TIME", message.time())
    }
}

impl Message {
    /// The table of its row or dead letter. `None` for a filtered message.
    pub fn table(&self) -> Option<String> {
        match self.kind.outcome().0 {
            "stored" => Some(format!("pixel_{}_{}", self.user(), DAYS[self.day].0)),
            "dead_letter" => Some("dead_letters".to_owned()),
            _ => None,
        }
    }

    pub fn user(&self) -> String {
        format!("u{}", self.user)
    }

    pub fn id(&self) -> String {
        (FIRST_ID + u64::from(self.number)).to_string()
    }

    pub fn event_id(&self) -> EventId {
        match self.kind {
            Kind::NoData | Kind::BadBase64 | Kind::BadJson => EventId::of_message(&self.id()),
            _ => EventId::of_entry(LOG_NAME, self.time(), self.time().parse().ok(), &self.insert_id()),
        }
    }

    fn insert_id(&self) -> String {
        format!("soak{}", self.number)
    }

    fn time(&self) -> &'static str {
        if self.kind == Kind::OldTimestamp { OLD_TIMESTAMP } else { DAYS[self.day].1 }
    }
}
