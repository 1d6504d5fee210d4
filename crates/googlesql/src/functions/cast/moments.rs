//! To DATE, TIME, DATETIME, TIMESTAMP and INTERVAL. Where a zone is needed it is UTC.

use super::super::calendar::{Zone, interval, text};
use super::super::column::{Date, Datetime, Interval, Text, Time, Timestamp};
use super::super::overload::Both;
use crate::civil_time::{MICROS_OF_DAY, day_of};

pub(crate) fn date() -> Vec<Both> {
    vec![
        Both::unary::<Date, Date>(Ok),
        Both::unary::<Text, Date>(text::read_date),
        Both::unary::<Datetime, Date>(|micros| Ok(day_of(micros))),
        Both::unary::<Timestamp, Date>(|micros| Ok(day_of(micros))),
    ]
}

pub(crate) fn time() -> Vec<Both> {
    vec![
        Both::unary::<Time, Time>(Ok),
        Both::unary::<Text, Time>(text::read_time),
        Both::unary::<Datetime, Time>(|micros| Ok(micros.rem_euclid(MICROS_OF_DAY))),
        Both::unary::<Timestamp, Time>(|micros| Ok(micros.rem_euclid(MICROS_OF_DAY))),
    ]
}

pub(crate) fn datetime() -> Vec<Both> {
    vec![
        Both::unary::<Datetime, Datetime>(Ok),
        Both::unary::<Text, Datetime>(text::read_datetime),
        Both::unary::<Date, Datetime>(|days| Ok(i64::from(days) * MICROS_OF_DAY)),
        Both::unary::<Timestamp, Datetime>(Ok),
    ]
}

pub(crate) fn timestamp() -> Vec<Both> {
    vec![
        Both::unary::<Timestamp, Timestamp>(Ok),
        Both::unary::<Text, Timestamp>(|written| text::read_timestamp(written, &Zone::UTC)),
        Both::unary::<Date, Timestamp>(|days| Ok(i64::from(days) * MICROS_OF_DAY)),
        Both::unary::<Datetime, Timestamp>(Ok),
    ]
}

pub(crate) fn interval() -> Vec<Both> {
    vec![Both::unary::<Interval, Interval>(Ok), Both::unary::<Text, Interval>(interval::read)]
}
