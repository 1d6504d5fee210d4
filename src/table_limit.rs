//! The limit on new tables: between decoder and batcher, it decides whether a row goes to the table that TABLE_SUFFIX
//! names or to the overflow table.
//!
//! The values in a suffix come from a public URL, so anyone could create a million tables. An instance sends rows to
//! at most MAX_NEW_TABLES_PER_HOUR tables that are new to it, in any hour. Rows for further tables go to the overflow
//! table, TABLE_NAME with OVERFLOW_SUFFIX, complete and with the same event_id. So do rows whose suffix is longer than
//! [`MAX_SUFFIX_CHARS`]. No row is lost, and the view `events` reads the overflow table like any other.
//!
//! **New** is a suffix that this instance does not remember. It remembers at least the last 100,000 suffixes (or
//! MAX_NEW_TABLES_PER_HOUR, if that is more) and at most twice as many, by 64 bits of a keyed hash: some 3 MB. A suffix
//! that it forgot, or that was used before a restart, counts as new again although its table exists. A request to
//! BigQuery for each suffix would cost more than this rare mistake.
//!
//! **A message that is delivered again** may be routed differently, because the limit allows its table by now or at
//! another instance. If its first row was stored and only the response was lost, the event has two rows in two tables,
//! where BigQuery's de-duplication by insertId does not apply. Both have one event_id, and `events` shows one of them.

use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher as _;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::decode::TableSuffix;
use crate::decode::attributes::ValidAttributes;
use crate::decode::table_suffix::{BadTemplate, Match, SuffixTemplate};

/// Maximum length of a suffix; longer ones go to the overflow table. A value has at most 64 characters, but a template may
/// contain many values.
/// BigQuery's limit is 1,024 with TABLE_NAME, which is checked when the settings are read.
pub const MAX_SUFFIX_CHARS: usize = 256;
/// Minimum number of suffixes that are remembered.
const MIN_REMEMBERED: usize = 100_000;
const HOUR: Duration = Duration::from_secs(3600);

/// MAX_NEW_TABLES_PER_HOUR and OVERFLOW_SUFFIX.
#[derive(Debug, Clone, PartialEq)]
pub struct TableLimits {
    pub per_hour: usize,
    pub overflow: OverflowSuffix,
}

/// A parsed OVERFLOW_SUFFIX: it contains no value from a URL.
#[derive(Debug, Clone, PartialEq)]
pub struct OverflowSuffix(SuffixTemplate);

/// Why a text is not a valid OVERFLOW_SUFFIX.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BadOverflowSuffix {
    #[error(transparent)]
    Template(#[from] BadTemplate),
    #[error("it is empty, which is the template table itself: set a suffix such as _overflow_{{date}}")]
    Empty,
    #[error("it contains {{{0}}}, whose values come from a public URL: use only letters, digits, _ and dates")]
    NamesAttribute(String),
    #[error("it equals TABLE_SUFFIX: set a suffix that no other table has, such as _overflow_{{date}}")]
    SameAsTableSuffix,
}

impl OverflowSuffix {
    /// Parses OVERFLOW_SUFFIX, given TABLE_SUFFIX and the attributes it may name.
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
        self.0.render(|_| None, time).expect("only a missing attribute fails, and `parse` refuses attributes")
    }
}

/// The table that a row goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub suffix: TableSuffix,
    /// Why the row goes to the overflow table, if it does.
    pub overflow: Option<OverflowCause>,
}

/// Why a row goes to the overflow table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OverflowCause {
    /// MAX_NEW_TABLES_PER_HOUR.
    TooManyTables,
    /// [`MAX_SUFFIX_CHARS`].
    LongName,
    /// The row's table has the name of the overflow table: with the defaults, the table of a user id `overflow`.
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
    known: RecentSet,
    /// When each of the last hour's tables was new; at most MAX_NEW_TABLES_PER_HOUR.
    added: VecDeque<Instant>,
    /// Keyed at random in each process, so that a caller cannot choose two suffixes with the same hash.
    hasher: RandomState,
}

impl TableLimiter {
    /// A limiter that knows no table yet.
    pub fn new(limits: TableLimits) -> Self {
        Self {
            known: RecentSet::with_min_len(MIN_REMEMBERED.max(limits.per_hour)),
            limits,
            added: VecDeque::new(),
            hasher: RandomState::new(),
        }
    }

    /// The table for a row with that suffix at `now`, whose event was at `event_time`.
    pub fn route(&mut self, suffix: &TableSuffix, event_time: Timestamp, now: Instant) -> Route {
        let hash = self.hasher.hash_one(suffix);
        // The empty suffix is the template table, which exists.
        if suffix.as_str().is_empty() || self.known.contains(hash) {
            return Route { suffix: suffix.clone(), overflow: None };
        }
        let overflow = self.limits.overflow.at(event_time);
        let cause = if *suffix == overflow {
            OverflowCause::NameTaken
        } else if suffix.as_str().len() > MAX_SUFFIX_CHARS {
            OverflowCause::LongName
        } else if self.is_full(now) {
            OverflowCause::TooManyTables
        } else {
            self.added.push_back(now);
            self.known.insert(hash);
            return Route { suffix: suffix.clone(), overflow: None };
        };
        Route { suffix: overflow, overflow: Some(cause) }
    }

    /// How many tables are known, overflow tables aside.
    pub fn count(&self) -> usize {
        self.known.recent.len() + self.known.older.len()
    }

    fn is_full(&mut self, now: Instant) -> bool {
        while self.added.front().is_some_and(|added| now.saturating_duration_since(*added) >= HOUR) {
            self.added.pop_front();
        }
        self.added.len() >= self.limits.per_hour
    }
}

/// The last `min_len` different hashes at least, and twice as many at most. There are two generations: when the recent
/// one is full it replaces the older one. A hash that is looked up moves to the recent generation.
#[derive(Debug)]
struct RecentSet {
    min_len: usize,
    recent: HashSet<u64>,
    older: HashSet<u64>,
}

impl RecentSet {
    fn with_min_len(min_len: usize) -> Self {
        Self { min_len, recent: HashSet::new(), older: HashSet::new() }
    }

    fn contains(&mut self, hash: u64) -> bool {
        if self.recent.contains(&hash) {
            return true;
        }
        let was_older = self.older.remove(&hash);
        if was_older {
            self.insert(hash);
        }
        was_older
    }

    fn insert(&mut self, hash: u64) {
        if self.recent.len() >= self.min_len {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(hash);
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

    fn limiter(per_hour: usize, remembered: usize) -> TableLimiter {
        let limits = TableLimits { per_hour, overflow: overflow("_overflow_{date}").unwrap() };
        TableLimiter { known: RecentSet::with_min_len(remembered), ..TableLimiter::new(limits) }
    }

    fn cause(tables: &mut TableLimiter, user: &str, now: Instant) -> Option<OverflowCause> {
        tables.route(&suffix_of(user), time(), now).overflow
    }

    #[test]
    fn beyond_the_limit_rows_go_to_the_overflow_table_of_their_day() {
        let (mut tables, now) = (limiter(1, 10), Instant::now());
        assert_eq!(tables.route(&suffix_of("u"), time(), now), Route { suffix: suffix_of("u"), overflow: None });
        let placed = tables.route(&suffix_of("v"), time(), now);
        assert_eq!((placed.suffix.as_str(), placed.overflow), ("_overflow_20260102", Some(OverflowCause::TooManyTables)));
        assert_eq!(cause(&mut tables, "u", now), None, "a known table is not limited");
    }

    #[test]
    fn a_new_table_is_allowed_again_after_an_hour() {
        let (mut tables, began) = (limiter(2, 10), Instant::now());
        cause(&mut tables, "u", began);
        cause(&mut tables, "v", began + 10 * SECOND);
        assert_eq!(cause(&mut tables, "w", began + HOUR - SECOND), Some(OverflowCause::TooManyTables));
        assert_eq!(cause(&mut tables, "w", began + HOUR), None);
        assert_eq!(cause(&mut tables, "x", began + HOUR + 9 * SECOND), Some(OverflowCause::TooManyTables));
        assert_eq!(cause(&mut tables, "x", began + HOUR + 10 * SECOND), None);
    }

    #[test]
    fn the_template_table_itself_is_not_new() {
        let mut tables = limiter(1, 10);
        cause(&mut tables, "u", Instant::now());
        assert_eq!(tables.route(&TableSuffix::none(), time(), Instant::now()).overflow, None);
    }

    #[test]
    fn a_suffix_that_is_too_long_does_not_count_as_new() {
        let mut tables = limiter(1, 10);
        let long = template("_{user_id}_{a}_{b}_{c}_{d}").render(|_| Some("0123456789012345678901234567890123456789012345678901"), time());
        let placed = tables.route(&long.unwrap(), time(), Instant::now());
        assert_eq!((placed.suffix.as_str(), placed.overflow), ("_overflow_20260102", Some(OverflowCause::LongName)));
        assert_eq!(cause(&mut tables, "u", Instant::now()), None);
        assert_eq!(cause(&mut limiter(1, 10), &"-".repeat(1000), Instant::now()), None, "one long value is shortened before");
    }

    #[test]
    fn a_user_called_like_the_overflow_table_is_stored_in_it() {
        let mut tables = limiter(1, 10);
        for _ in 0..2 {
            let placed = tables.route(&suffix_of("overflow"), time(), Instant::now());
            assert_eq!((placed.suffix.as_str(), placed.overflow), ("_overflow_20260102", Some(OverflowCause::NameTaken)));
        }
        assert_eq!(cause(&mut tables, "u", Instant::now()), None);
    }

    #[test]
    fn an_overflow_suffix_with_an_attribute_is_refused() {
        assert_eq!(overflow("_{user_id}"), Err(BadOverflowSuffix::NamesAttribute("user_id".into())));
        assert_eq!(overflow(""), Err(BadOverflowSuffix::Empty));
        assert_eq!(overflow("_{date}"), Err(BadOverflowSuffix::SameAsTableSuffix));
        assert!(
            matches!(overflow("_{session}"), Err(BadOverflowSuffix::Template(BadTemplate::UnknownField { field, .. })) if field == "session")
        );
        assert!(overflow("_rest_{date:%Y_%m}").is_ok() && overflow("_rest").is_ok());
    }

    proptest! {
        /// Users from a small set, so that there are old and new ones, at pauses of up to twenty minutes.
        #[test]
        fn no_hour_has_more_new_tables_than_allowed_and_no_row_is_lost(
            per_hour in 1usize..6,
            events in proptest::collection::vec((0u8..30, 0u64..1200), 1..300),
        ) {
            let mut tables = limiter(per_hour, 1000);
            let mut now = Instant::now();
            let mut made: Vec<(u8, Instant)> = Vec::new();
            for (user, pause) in events {
                now += Duration::from_secs(pause);
                let own = suffix_of(&user.to_string());
                let placed = tables.route(&own, time(), now);
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
        fn the_last_suffixes_are_remembered_and_at_most_twice_as_many(
            min_len in 1usize..8,
            users in proptest::collection::vec(0u8..20, 1..300),
        ) {
            let mut tables = limiter(usize::MAX, min_len);
            let mut latest: Vec<u8> = Vec::new();
            for user in users {
                let added = tables.added.len();
                cause(&mut tables, &user.to_string(), Instant::now());
                if latest.iter().rev().take(min_len).any(|known| *known == user) {
                    prop_assert_eq!(tables.added.len(), added, "{} is known", user);
                }
                latest.retain(|known| *known != user);
                latest.push(user);
                prop_assert!(tables.count() <= 2 * min_len);
            }
        }
    }
}
