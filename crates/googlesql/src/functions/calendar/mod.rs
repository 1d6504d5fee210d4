//! Date, time, datetime, timestamp and interval functions. Reference:
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/date_functions>.
//!
//! Columns have days or microseconds since 1970 (see [`column`](super::column)). Calendar arithmetic
//! is in [`civil_time`](crate::civil_time), which uses jiff. Time zones are in [`zone`]. Years range
//! from 1 to 9999. A result out of this range is an error.

mod bucket;
mod construct;
mod current;
mod date_part;
mod difference;
mod extract;
pub(crate) mod interval;
pub(crate) mod range;
pub(crate) mod shift;
pub(crate) mod strftime;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod truncate;
mod unix;
mod zone;

pub(crate) use zone::Zone;

use super::Function;

pub(crate) fn functions() -> Vec<(&'static str, Function)> {
    [
        bucket::functions(),
        construct::functions(),
        difference::functions(),
        extract::functions(),
        interval::functions(),
        current::functions(),
        shift::functions(),
        strftime::functions(),
        truncate::functions(),
        unix::functions(),
    ]
    .concat()
}
