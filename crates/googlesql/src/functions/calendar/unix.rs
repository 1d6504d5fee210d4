//! Counts since 1970-01-01 00:00:00 UTC, and back.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Int64, Timestamp};
use super::super::overload::Overload;
use super::range::{in_calendar, in_time};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let until = |name, unit: i64| scalar(name, vec![Overload::unary::<Timestamp, Int64, _>(move |micros| micros.div_euclid(unit))]);
    let since = |name: &'static str, unit: i64| {
        let body = move |count: i64| in_time(count.checked_mul(unit), &name.to_uppercase());
        scalar(name, vec![Overload::unary::<Int64, Timestamp, _>(body)])
    };
    vec![
        scalar("unix_date", vec![Overload::unary::<Date, Int64, _>(i64::from)]),
        scalar("date_from_unix_date", vec![Overload::unary::<Int64, Date, _>(|days| in_calendar(Some(days), "DATE_FROM_UNIX_DATE"))]),
        until("unix_seconds", 1_000_000),
        until("unix_millis", 1_000),
        until("unix_micros", 1),
        since("timestamp_seconds", 1_000_000),
        since("timestamp_millis", 1_000),
        since("timestamp_micros", 1),
    ]
}
