//! Casts to DATE, TIME, DATETIME, TIMESTAMP and INTERVAL. The default time zone is UTC.

use super::super::calendar::{Zone, interval, text};
use super::super::column::{Date, Datetime, Interval, Text, Time, Timestamp};
use super::super::overload::StrictAndSafe;
use crate::civil_time::{MICROS_OF_DAY, day_of};

pub(crate) fn date() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Date, Date>(Ok),
        StrictAndSafe::unary::<Text, Date>(text::parse_date),
        StrictAndSafe::unary::<Datetime, Date>(|micros| Ok(day_of(micros))),
        StrictAndSafe::unary::<Timestamp, Date>(|micros| Ok(day_of(micros))),
    ]
}

pub(crate) fn time() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Time, Time>(Ok),
        StrictAndSafe::unary::<Text, Time>(text::parse_time),
        StrictAndSafe::unary::<Datetime, Time>(|micros| Ok(micros.rem_euclid(MICROS_OF_DAY))),
        StrictAndSafe::unary::<Timestamp, Time>(|micros| Ok(micros.rem_euclid(MICROS_OF_DAY))),
    ]
}

pub(crate) fn datetime() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Datetime, Datetime>(Ok),
        StrictAndSafe::unary::<Text, Datetime>(text::parse_datetime),
        StrictAndSafe::unary::<Date, Datetime>(|days| Ok(i64::from(days) * MICROS_OF_DAY)),
        StrictAndSafe::unary::<Timestamp, Datetime>(Ok),
    ]
}

pub(crate) fn timestamp() -> Vec<StrictAndSafe> {
    vec![
        StrictAndSafe::unary::<Timestamp, Timestamp>(Ok),
        StrictAndSafe::unary::<Text, Timestamp>(|text| text::parse_timestamp(text, &Zone::UTC)),
        StrictAndSafe::unary::<Date, Timestamp>(|days| Ok(i64::from(days) * MICROS_OF_DAY)),
        StrictAndSafe::unary::<Datetime, Timestamp>(Ok),
    ]
}

pub(crate) fn interval() -> Vec<StrictAndSafe> {
    vec![StrictAndSafe::unary::<Interval, Interval>(Ok), StrictAndSafe::unary::<Text, Interval>(interval::parse)]
}
