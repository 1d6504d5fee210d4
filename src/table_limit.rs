//! A cap on the tables that strangers can make: between decoder and batcher, it decides whether a row may have the
//! table that TABLE_SUFFIX names.
//!
//! What is in a suffix comes from a public URL, so that anyone could make a million tables. An instance sends rows to
//! at most MAX_NEW_TABLES_PER_HOUR tables that are new to it, in any hour; those of further ones go to the overflow
//! table, TABLE_NAME and OVERFLOW_SUFFIX, whole and under the same event_id. So do rows whose suffix is longer than
//! [`LONGEST_SUFFIX`]. No row is lost, and the view `events` reads the overflow table as any other.
//!
//! **New** is what this instance does not remember. It remembers the last 100,000 suffixes at least and twice as many
//! at most (or as many as it may make in an hour, if that is more), by 64 bits of a keyed hash (some 3 MB); one that it forgot, or knew before a restart, costs a place once
//! more, though its table exists: asking BigQuery would cost more than the rare mistake.
//!
//! **A message that is delivered again** may find that there is room now, or at another instance. If its first row was
//! stored and only the answer got lost, there are two rows then, in two tables, where BigQuery's own de-duplication by
//! insertId does not reach: with one event_id, of which `events` shows one.

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher as _;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::decode::TableSuffix;
use crate::decode::attributes::ValidAttributes;
use crate::decode::table_suffix::{BadTemplate, Match, SuffixTemplate};

/// Longest suffix of a table of its own, in characters. Each value has 64 at most, but a template may name many;
/// BigQuery would take 1,024 with TABLE_NAME, which is checked when the settings are read.
pub const LONGEST_SUFFIX: usize = 256;
/// Suffixes that are remembered at least.
const REMEMBERED: usize = 100_000;
const HOUR: Duration = Duration::from_secs(3600);

/// MAX_NEW_TABLES_PER_HOUR and OVERFLOW_SUFFIX.
#[derive(Debug, Clone, PartialEq)]
pub struct TableLimits {
    pub per_hour: usize,
    pub overflow: OverflowSuffix,
}

/// A parsed OVERFLOW_SUFFIX: nothing in it is a stranger's.
#[derive(Debug, Clone, PartialEq)]
pub struct OverflowSuffix(SuffixTemplate);

/// Why a text is no OVERFLOW_SUFFIX.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadOverflowSuffix {
    #[error(transparent)]
    Template(#[from] BadTemplate),
    #[error("it is empty, which is the template table itself: set a suffix, as _overflow_{{date}} is")]
    Empty,
    #[error("it names {{{0}}}, whose values come from a public URL: leave nothing in it but letters, digits, _ and dates")]
    NamesAttribute(String),
    #[error("it is TABLE_SUFFIX: set one that no other table has, as _overflow_{{date}} is")]
    SameAsTableSuffix,
}

impl OverflowSuffix {
    /// Parses a text that stands beside this TABLE_SUFFIX, over these attributes.
    pub fn parse(
        text: &str,
        attributes: &ValidAttributes,
        table_name: &str,
        table_suffix: &SuffixTemplate,
    ) -> Result<Self, BadOverflowSuffix> {
        let template = SuffixTemplate::parse(text, attributes, table_name)?;
        if text.is_empty() {
            return Err(BadOverflowSuffix::Empty);
        }
        if let Some(attribute) = template.attributes().next() {
            return Err(BadOverflowSuffix::NamesAttribute(attributes.names()[attribute].clone()));
        }
        if template == *table_suffix {
            return Err(BadOverflowSuffix::SameAsTableSuffix);
        }
        Ok(Self(template))
    }

    /// Whether a suffix may be that of an overflow table.
    pub fn matches(&self, suffix: &str) -> bool {
        self.0.matches(suffix, |_| Vec::new()) != Match::None
    }

    fn at(&self, time: Timestamp) -> TableSuffix {
        // Fails for want of an attribute, and it names none.
        self.0.render(|_| None, time).unwrap_or_else(|_| TableSuffix::none())
    }
}

/// Which table a row goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub suffix: TableSuffix,
    /// Why it is the overflow table, if it is.
    pub overflow: Option<OverflowCause>,
}

/// Why a row has no table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OverflowCause {
    /// MAX_NEW_TABLES_PER_HOUR.
    TooManyTables,
    /// [`LONGEST_SUFFIX`].
    LongName,
    /// Its own table would be the overflow table: with the defaults, that of a user called `overflow`.
    NameTaken,
}

impl OverflowCause {
    /// The label of metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooManyTables => "too_many_tables",
            Self::LongName => "long_name",
            Self::NameTaken => "name_taken",
        }
    }
}

/// Which tables an instance has sent rows to, and how many new ones within the last hour.
#[derive(Debug)]
pub struct TableLimiter {
    limits: TableLimits,
    known: Memory,
    /// When each of the last hour's tables was new; MAX_NEW_TABLES_PER_HOUR at most.
    made: VecDeque<Instant>,
    /// Keyed anew in each process: nobody can find two suffixes of one hash.
    hasher: RandomState,
}

impl TableLimiter {
    /// Knows no table.
    pub fn new(limits: TableLimits) -> Self {
        Self { known: Memory::of(REMEMBERED.max(limits.per_hour)), limits, made: VecDeque::new(), hasher: RandomState::new() }
    }

    /// Where a row with that suffix goes at `now`, if its event was at `event_time`.
    pub fn place(&mut self, suffix: &TableSuffix, event_time: Timestamp, now: Instant) -> Placement {
        let hash = self.hasher.hash_one(suffix);
        // The empty suffix is the template table, which is there.
        if suffix.as_str().is_empty() || self.known.has(hash) {
            return Placement { suffix: suffix.clone(), overflow: None };
        }
        let overflow = self.limits.overflow.at(event_time);
        let cause = if *suffix == overflow {
            OverflowCause::NameTaken
        } else if suffix.as_str().len() > LONGEST_SUFFIX {
            OverflowCause::LongName
        } else if self.is_full(now) {
            OverflowCause::TooManyTables
        } else {
            self.made.push_back(now);
            self.known.keep(hash);
            return Placement { suffix: suffix.clone(), overflow: None };
        };
        Placement { suffix: overflow, overflow: Some(cause) }
    }

    /// How many tables are known, overflow tables aside.
    pub fn count(&self) -> usize {
        self.known.young.len() + self.known.old.len()
    }

    fn is_full(&mut self, now: Instant) -> bool {
        while self.made.front().is_some_and(|made| now.saturating_duration_since(*made) >= HOUR) {
            self.made.pop_front();
        }
        self.made.len() >= self.limits.per_hour
    }
}

/// Remembers the last `least` different hashes at least, and twice as many at most: two halves, of which the older
/// goes when the younger is full. What is met again moves to the younger.
#[derive(Debug)]
struct Memory {
    least: usize,
    young: HashSet<u64>,
    old: HashSet<u64>,
}

impl Memory {
    fn of(least: usize) -> Self {
        Self { least, young: HashSet::new(), old: HashSet::new() }
    }

    fn has(&mut self, hash: u64) -> bool {
        if self.young.contains(&hash) {
            return true;
        }
        let was_old = self.old.remove(&hash);
        if was_old {
            self.keep(hash);
        }
        was_old
    }

    fn keep(&mut self, hash: u64) {
        if self.young.len() >= self.least {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(hash);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn attributes() -> ValidAttributes {
        ValidAttributes::parse("user_id,a,b,c,d").unwrap()
    }

    fn template(text: &str) -> SuffixTemplate {
        SuffixTemplate::parse(text, &attributes(), "pixel").unwrap()
    }

    fn overflow(text: &str) -> Result<OverflowSuffix, BadOverflowSuffix> {
        OverflowSuffix::parse(text, &attributes(), "pixel", &template("_{date}"))
    }

    fn time() -> Timestamp {
        "2026-01-02T03:04:05Z".parse().unwrap()
    }

    fn suffix_of(user: &str) -> TableSuffix {
        template("_{user_id}_{date}").render(|_| Some(user), time()).unwrap()
    }

    fn new_tables(per_hour: usize, remembered: usize) -> TableLimiter {
        let limits = TableLimits { per_hour, overflow: overflow("_overflow_{date}").unwrap() };
        TableLimiter { known: Memory::of(remembered), ..TableLimiter::new(limits) }
    }

    fn cause(tables: &mut TableLimiter, user: &str, now: Instant) -> Option<OverflowCause> {
        tables.place(&suffix_of(user), time(), now).overflow
    }

    #[test]
    fn past_the_cap_rows_go_to_the_overflow_table_of_their_day() {
        let (mut tables, now) = (new_tables(1, 10), Instant::now());
        assert_eq!(tables.place(&suffix_of("u"), time(), now), Placement { suffix: suffix_of("u"), overflow: None });
        let placed = tables.place(&suffix_of("v"), time(), now);
        assert_eq!((placed.suffix.as_str(), placed.overflow), ("_overflow_20260102", Some(OverflowCause::TooManyTables)));
        assert_eq!(cause(&mut tables, "u", now), None, "a known one goes on");
    }

    #[test]
    fn a_place_is_free_again_after_an_hour() {
        let (mut tables, began) = (new_tables(2, 10), Instant::now());
        cause(&mut tables, "u", began);
        cause(&mut tables, "v", began + 10 * SECOND);
        assert_eq!(cause(&mut tables, "w", began + HOUR - SECOND), Some(OverflowCause::TooManyTables));
        assert_eq!(cause(&mut tables, "w", began + HOUR), None);
        assert_eq!(cause(&mut tables, "x", began + HOUR + 9 * SECOND), Some(OverflowCause::TooManyTables));
        assert_eq!(cause(&mut tables, "x", began + HOUR + 10 * SECOND), None);
    }

    #[test]
    fn the_template_table_itself_is_not_new() {
        let mut tables = new_tables(1, 10);
        cause(&mut tables, "u", Instant::now());
        assert_eq!(tables.place(&TableSuffix::none(), time(), Instant::now()).overflow, None);
    }

    #[test]
    fn a_suffix_that_is_too_long_takes_no_place() {
        let mut tables = new_tables(1, 10);
        let long = template("_{user_id}_{a}_{b}_{c}_{d}").render(|_| Some("0123456789012345678901234567890123456789012345678901"), time());
        let placed = tables.place(&long.unwrap(), time(), Instant::now());
        assert_eq!((placed.suffix.as_str(), placed.overflow), ("_overflow_20260102", Some(OverflowCause::LongName)));
        assert_eq!(cause(&mut tables, "u", Instant::now()), None);
        assert_eq!(cause(&mut new_tables(1, 10), &"-".repeat(1000), Instant::now()), None, "one long value is shortened before");
    }

    #[test]
    fn a_user_who_is_called_like_the_overflow_table_is_in_it() {
        let mut tables = new_tables(1, 10);
        for _ in 0..2 {
            let placed = tables.place(&suffix_of("overflow"), time(), Instant::now());
            assert_eq!((placed.suffix.as_str(), placed.overflow), ("_overflow_20260102", Some(OverflowCause::NameTaken)));
        }
        assert_eq!(cause(&mut tables, "u", Instant::now()), None);
    }

    #[test]
    fn an_overflow_suffix_that_a_stranger_could_fill_is_refused() {
        assert_eq!(overflow("_{user_id}"), Err(BadOverflowSuffix::NamesAttribute("user_id".into())));
        assert_eq!(overflow(""), Err(BadOverflowSuffix::Empty));
        assert_eq!(overflow("_{date}"), Err(BadOverflowSuffix::SameAsTableSuffix));
        assert_eq!(overflow("_{session}"), Err(BadOverflowSuffix::Template(BadTemplate::UnknownField("session".into()))));
        assert!(overflow("_rest_{date:%Y_%m}").is_ok() && overflow("_rest").is_ok());
    }

    proptest! {
        /// Users from a small set, so that there are old and new ones, at pauses of up to twenty minutes.
        #[test]
        fn no_hour_has_more_new_tables_than_allowed_and_no_row_is_without_one(
            per_hour in 1usize..6,
            events in proptest::collection::vec((0u8..30, 0u64..1200), 1..300),
        ) {
            let mut tables = new_tables(per_hour, 1000);
            let mut now = Instant::now();
            let mut made: Vec<(u8, Instant)> = Vec::new();
            for (user, pause) in events {
                now += Duration::from_secs(pause);
                let own = suffix_of(&user.to_string());
                let placed = tables.place(&own, time(), now);
                let is_known = made.iter().any(|(known, _)| *known == user);
                let of_the_hour = made.iter().filter(|(_, at)| now - *at < HOUR).count();
                prop_assert_eq!(placed.overflow.is_none(), is_known || of_the_hour < per_hour);
                match placed.overflow {
                    None => prop_assert_eq!(placed.suffix, own),
                    Some(_) => prop_assert_eq!(placed.suffix.as_str(), "_overflow_20260102"),
                }
                if placed.overflow.is_none() && !is_known {
                    made.push((user, now));
                }
                prop_assert_eq!(tables.count(), made.len());
            }
        }

        #[test]
        fn the_last_ones_are_remembered_and_never_more_than_twice_as_many(
            least in 1usize..8,
            users in proptest::collection::vec(0u8..20, 1..300),
        ) {
            let mut tables = new_tables(usize::MAX, least);
            let mut latest: Vec<u8> = Vec::new();
            for user in users {
                let made = tables.made.len();
                cause(&mut tables, &user.to_string(), Instant::now());
                if latest.iter().rev().take(least).any(|known| *known == user) {
                    prop_assert_eq!(tables.made.len(), made, "{} is known", user);
                }
                latest.retain(|known| *known != user);
                latest.push(user);
                prop_assert!(tables.count() <= 2 * least);
            }
        }
    }
}
