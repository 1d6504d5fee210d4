//! The maximum number of users for one table per user and day, calculated from users and events.

use serde::Serialize;

use super::assumed::{MONTH_DAYS, ROW};
use super::numbers::{amount, dollars};
use super::prices::{GIB, MIN_TABLE_READ, QUERIES, TIB};

/// Maximum tables that one query reads, a wildcard's matches included.
/// <https://cloud.google.com/bigquery/quotas>
pub(crate) const MAX_TABLES_PER_QUERY: u64 = 1_000;

/// Number of tables in a dataset beyond which listing them is slow.
/// <https://cloud.google.com/bigquery/docs/tables>
pub(crate) const SLOW_LISTING: u64 = 50_000;

/// The tables of `TABLE_SUFFIX=_{user_id}_{date}` for a number of users.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct GeneratedTables {
    pub(crate) users_per_day: u64,
    /// One for each user, but no more than there are events in a day.
    pub(crate) tables_per_day: u64,
    pub(crate) tables_per_month: u64,
    pub(crate) tables_per_year: u64,
    /// The first day on which a wildcard over all users matches too many tables. `None` without users.
    pub(crate) wildcard_refused_on_day: Option<u64>,
    pub(crate) slow_listing_on_day: Option<u64>,
    /// The bytes that a query over all tables of a day is charged for, and their price beyond the free tier.
    pub(crate) day_query_bytes: f64,
    pub(crate) day_query_dollars: f64,
    /// The same with a single table for the day.
    pub(crate) one_table_query_bytes: f64,
    pub(crate) one_table_query_dollars: f64,
    pub(crate) advice: Advice,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Advice {
    /// A wildcard reads a month of all users, and listing stays fast for a year.
    KeepPerUser,
    /// `TABLE_SUFFIX=_{date}`, or empty.
    Coarser,
}

/// Days that a wildcard should be able to read.
const WILDCARD_DAYS: u64 = 31;
/// Days for which listing should stay fast.
const LISTING_DAYS: u64 = 365;

/// Maximum users a day for a table each.
pub(crate) const MAX_USERS: u64 = MAX_TABLES_PER_QUERY / WILDCARD_DAYS;

pub(crate) fn tables(events_per_month: u64, users_per_day: u64) -> GeneratedTables {
    let events_per_day = events_per_month as f64 / MONTH_DAYS;
    let tables_per_day = users_per_day.min(events_per_day.ceil() as u64);
    // The first day with more tables than `limit`.
    let passes = |limit: u64| limit.checked_div(tables_per_day).map(|days| days + 1);
    let rows = events_per_day * ROW;
    let day_query_bytes = rows.max(tables_per_day as f64 * MIN_TABLE_READ);
    let one_table_query_bytes = if events_per_month == 0 { 0.0 } else { rows.max(MIN_TABLE_READ) };
    let price = |bytes: f64| bytes / TIB * QUERIES.dollars;
    let wildcard = passes(MAX_TABLES_PER_QUERY);
    let listing = passes(SLOW_LISTING);
    let few = wildcard.is_none_or(|day| day > WILDCARD_DAYS) && listing.is_none_or(|day| day > LISTING_DAYS);
    GeneratedTables {
        users_per_day,
        tables_per_day,
        tables_per_month: (tables_per_day as f64 * MONTH_DAYS).round() as u64,
        tables_per_year: tables_per_day * 365,
        wildcard_refused_on_day: wildcard,
        slow_listing_on_day: listing,
        day_query_bytes,
        day_query_dollars: price(day_query_bytes),
        one_table_query_bytes,
        one_table_query_dollars: price(one_table_query_bytes),
        advice: if few { Advice::KeepPerUser } else { Advice::Coarser },
    }
}

impl GeneratedTables {
    /// The same as sentences.
    pub(crate) fn sentences(&self) -> Vec<String> {
        let count = |tables: u64| amount(tables as f64);
        let mut sentences = vec![format!(
            "TABLE_SUFFIX=_{{user_id}}_{{date}} and {} users a day: {} tables a day, {} a month, {} a year.",
            count(self.users_per_day),
            count(self.tables_per_day),
            count(self.tables_per_month),
            count(self.tables_per_year),
        )];
        if let (Some(wildcard), Some(listing)) = (self.wildcard_refused_on_day, self.slow_listing_on_day) {
            sentences.push(format!(
                "A wildcard over all users passes {} tables on day {}, and BigQuery refuses the query. The dataset passes {} on day {}, and \
                 listing its tables becomes slow.",
                count(MAX_TABLES_PER_QUERY),
                count(wildcard),
                count(SLOW_LISTING),
                count(listing),
            ));
            sentences.push(format!(
                "A query over the tables of one day is charged for {} GiB, at least 10 MiB per table: ${} beyond the free tier. With one \
                 table for the same rows, it is charged for {} GiB or ${}.{}",
                amount(self.day_query_bytes / GIB),
                dollars(self.day_query_dollars),
                amount(self.one_table_query_bytes / GIB),
                dollars(self.one_table_query_dollars),
                if self.tables_per_day > MAX_TABLES_PER_QUERY { " It also needs several queries." } else { "" },
            ));
        }
        sentences.push(match self.advice {
            Advice::KeepPerUser => format!(
                "This works: up to {MAX_USERS} users a day, one wildcard reads a month of all users, and listing stays fast for a year."
            ),
            Advice::Coarser => format!(
                "This is too many: beyond {MAX_USERS} users a day, one wildcard does not read a month of all users. Set TABLE_SUFFIX=_{{date}} \
                 for one table a day, of which a wildcard reads {} days, or leave TABLE_SUFFIX empty for a single table. The column \
                 user_id stays.",
                count(MAX_TABLES_PER_QUERY),
            ),
        });
        sentences
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::prices::MIB;
    use super::*;

    #[test]
    fn a_hundred_users_make_a_hundred_tables_a_day() {
        let tables = tables(1_000_000, 100);
        assert_eq!(tables.tables_per_day, 100);
        // 100 × 730 / 24 = 3,041.67
        assert_eq!(tables.tables_per_month, 3_042);
        assert_eq!(tables.tables_per_year, 36_500);
        // 10 days are 1,000 tables, which a query may still read; 500 days are 50,000.
        assert_eq!(tables.wildcard_refused_on_day, Some(11));
        assert_eq!(tables.slow_listing_on_day, Some(501));
        // 1,000 MiB, where the day's rows are 32,877 × 512 B = 16.1 MiB.
        assert_eq!(tables.day_query_bytes, 1_000.0 * MIB);
        assert!((tables.one_table_query_bytes / MIB - 16.053).abs() < 0.001, "{tables:?}");
        // 1,000 MiB / 1,048,576 MiB × $6.25
        assert!((tables.day_query_dollars - 0.00596).abs() < 0.00001, "{tables:?}");
        assert_eq!(tables.advice, Advice::Coarser);
    }

    #[test]
    fn the_advice_changes_where_a_wildcard_reads_less_than_a_month() {
        // 31 days of 32 tables are 992, of 33 are 1,023.
        assert_eq!(MAX_USERS, 32);
        assert_eq!(tables(1_000_000, 32).advice, Advice::KeepPerUser);
        assert_eq!(tables(1_000_000, 33).advice, Advice::Coarser);
    }

    #[test]
    fn there_are_no_more_tables_than_events() {
        // 304 events a month are at most 10 on one day.
        assert_eq!(tables(304, 1_000).tables_per_day, 10);
    }

    #[test]
    fn without_users_there_are_no_tables() {
        for tables in [tables(1_000_000, 0), tables(0, 1_000)] {
            assert_eq!((tables.tables_per_year, tables.wildcard_refused_on_day, tables.slow_listing_on_day), (0, None, None));
            assert_eq!(tables.advice, Advice::KeepPerUser);
        }
    }

    proptest! {
        #[test]
        fn limits_are_passed_on_the_stated_days(events in 1..=1_000_000_000_000_u64, users in 1..=1_000_000_000_000_u64) {
            let tables = tables(events, users);
            for (day, limit) in [(tables.wildcard_refused_on_day, MAX_TABLES_PER_QUERY), (tables.slow_listing_on_day, SLOW_LISTING)] {
                let day = day.unwrap();
                prop_assert!(day * tables.tables_per_day > limit);
                prop_assert!((day - 1) * tables.tables_per_day <= limit);
            }
            prop_assert!(tables.one_table_query_bytes <= tables.day_query_bytes);
            prop_assert!(!tables.sentences().is_empty());
        }
    }
}
