//! Conversion between timestamps and Unix time.

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Int64, Timestamp};
use super::super::overload::Overload;
use super::range::{checked_date, checked_timestamp};

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let to_unix = |name, unit: i64| scalar(name, vec![Overload::unary::<Timestamp, Int64, _>(move |micros| micros.div_euclid(unit))]);
    let from_unix = |name: &'static str, unit: i64| {
        let body = move |count: i64| checked_timestamp(count.checked_mul(unit), &name.to_uppercase());
        scalar(name, vec![Overload::unary::<Int64, Timestamp, _>(body)])
    };
    vec![
        scalar("unix_date", vec![Overload::unary::<Date, Int64, _>(i64::from)]),
        scalar("date_from_unix_date", vec![Overload::unary::<Int64, Date, _>(|days| checked_date(Some(days), "DATE_FROM_UNIX_DATE"))]),
        to_unix("unix_seconds", 1_000_000),
        to_unix("unix_millis", 1_000),
        to_unix("unix_micros", 1),
        from_unix("timestamp_seconds", 1_000_000),
        from_unix("timestamp_millis", 1_000),
        from_unix("timestamp_micros", 1),
    ]
}
