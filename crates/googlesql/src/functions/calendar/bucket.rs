//! `DATE_BUCKET`, `DATETIME_BUCKET` and `TIMESTAMP_BUCKET`: the lower bound of the bucket that contains
//! a value. Buckets have a fixed width and start at an origin, by default 1950-01-01.

use datafusion::arrow::datatypes::IntervalMonthDayNano;

use super::super::Function;
use super::super::adapter::scalar;
use super::super::column::{Date, Datetime, Interval, Timestamp};
use super::super::function_error::FunctionError;
use super::super::overload::Overload;
use super::range::{checked_date, checked_timestamp};
use crate::civil_time::{self, MICROS_OF_DAY, day_of};

/// The default origin, 1950-01-01, in microseconds.
const ORIGIN: i64 = -7_305 * MICROS_OF_DAY;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    let date_bucket = |days: i32, width: IntervalMonthDayNano, origin: i64| {
        if width.nanoseconds != 0 {
            return Err(FunctionError::new("DATE_BUCKET does not support date parts shorter than DAY"));
        }
        checked_date(Some(i64::from(day_of(bucket(i64::from(days) * MICROS_OF_DAY, width, origin, "DATE_BUCKET")?))), "DATE_BUCKET")
    };
    let timestamp_bucket = |micros: i64, width: IntervalMonthDayNano, origin: i64| match width.months {
        0 => bucket(micros, width, origin, "TIMESTAMP_BUCKET"),
        _ => Err(FunctionError::new("TIMESTAMP_BUCKET does not support date parts longer than DAY")),
    };
    vec![
        scalar(
            "date_bucket",
            vec![
                Overload::binary::<Date, Interval, Date, _>(move |days, width| date_bucket(days, width, ORIGIN)),
                Overload::ternary::<Date, Interval, Date, Date, _>(move |days, width, origin| {
                    date_bucket(days, width, i64::from(origin) * MICROS_OF_DAY)
                }),
            ],
        ),
        scalar(
            "datetime_bucket",
            vec![
                Overload::binary::<Datetime, Interval, Datetime, _>(|micros, width| bucket(micros, width, ORIGIN, "DATETIME_BUCKET")),
                Overload::ternary::<Datetime, Interval, Datetime, Datetime, _>(|micros, width, origin| {
                    bucket(micros, width, origin, "DATETIME_BUCKET")
                }),
            ],
        ),
        scalar(
            "timestamp_bucket",
            vec![
                Overload::binary::<Timestamp, Interval, Timestamp, _>(move |micros, width| timestamp_bucket(micros, width, ORIGIN)),
                Overload::ternary::<Timestamp, Interval, Timestamp, Timestamp, _>(timestamp_bucket),
            ],
        ),
    ]
}

fn bucket(micros: i64, width: IntervalMonthDayNano, origin: i64, function: &str) -> Result<i64, FunctionError> {
    let fixed = i64::from(width.days) * MICROS_OF_DAY + width.nanoseconds / 1_000;
    match (i64::from(width.months), fixed) {
        (months, 0) if months > 0 => {
            let month = |micros: i64| {
                let date = civil_time::datetime(micros);
                i64::from(date.year()) * 12 + i64::from(date.month())
            };
            let buckets = (month(micros) - month(origin)).div_euclid(months);
            // The origin can be later in its month than the value.
            let begin = civil_time::add_months(origin, buckets * months).filter(|begin| *begin <= micros);
            checked_timestamp(begin.or_else(|| civil_time::add_months(origin, (buckets - 1) * months)), function)
        }
        (0, fixed) if fixed > 0 => checked_timestamp(Some(micros - (micros - origin).rem_euclid(fixed)), function),
        _ => Err(FunctionError::new(format!("{function} requires a positive INTERVAL with a single date part"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::check;

    #[test]
    fn buckets_start_at_the_origin() {
        check(&[
            ("date_bucket(DATE '1949-12-29', $interval(2, 'DAY'))", "1949-12-28"),
            ("date_bucket(DATE '1950-01-02', $interval(2, 'DAY'))", "1950-01-01"),
            ("date_bucket(DATE '2000-12-25', $interval(7, 'DAY'), DATE '2000-12-24')", "2000-12-24"),
            ("date_bucket(DATE '2024-05-15', $interval(3, 'MONTH'))", "2024-04-01"),
            ("date_bucket(DATE '2024-05-03', $interval(1, 'MONTH'), DATE '2024-01-05')", "2024-04-05"),
            ("datetime_bucket(DATETIME '1950-01-03 13:00:00', $interval(12, 'HOUR'))", "1950-01-03 12:00:00"),
            ("timestamp_bucket(TIMESTAMP '2024-05-15 10:17:00', $interval(15, 'MINUTE'))", "2024-05-15 10:15:00+00"),
            (
                "timestamp_bucket(TIMESTAMP '2024-05-15', $interval(1, 'MONTH'))",
                "error: TIMESTAMP_BUCKET does not support date parts longer than DAY",
            ),
            (
                "date_bucket(DATE '2024-05-15', $interval(0, 'DAY'))",
                "error: DATE_BUCKET requires a positive INTERVAL with a single date part",
            ),
        ]);
    }
}
