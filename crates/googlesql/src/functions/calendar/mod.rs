//! Dates, times of day, datetimes and timestamps.
//!
//! The columns hold days or microseconds since 1970 (see [`column`](super::column)); what needs a
//! calendar is asked of jiff ([`civil_time`](crate::civil_time)), what needs a zone of [`zone`]. Years run from 1 to 9999,
//! and whatever would leave them is an error.

mod bucket;
mod construct;
mod difference;
mod extract;
pub(crate) mod interval;
mod now;
mod part;
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
        now::functions(),
        shift::functions(),
        strftime::functions(),
        truncate::functions(),
        unix::functions(),
    ]
    .concat()
}
