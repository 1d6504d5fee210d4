//! Values and dates as part of a suffix: rules 1 and 2 of [`super`].

use jiff::Timestamp;
use jiff::fmt::strtime;
use jiff::tz::{Offset, TimeZone};
use sha2::{Digest as _, Sha256};

/// The longest encoded value that is not hashed.
pub(super) const MAX_FIELD_LENGTH: usize = 64;

/// Writes a parameter's value.
pub(super) fn push_value(value: &str, out: &mut String) {
    encode(value, false, out);
}

/// Writes a date. It keeps single underscores: they come from the operator's format, not from a URL.
pub(super) fn push_date(format: &str, time: Timestamp, out: &mut String) {
    let text = strftime(format, time).expect("check_format has formatted the first and the last time");
    encode(&text, true, out);
}

/// Writes `%Y%m%d`.
pub(super) fn push_day(time: Timestamp, out: &mut String) {
    let date = Offset::UTC.to_datetime(time);
    // No event has a year before 1, and a suffix cannot contain a `-`.
    let [year, month, day] = [date.year(), date.month().into(), date.day().into()].map(|part| u32::from(part.unsigned_abs()));
    out.push_str(&format!("{:08}", year * 10_000 + month * 100 + day));
}

/// What a format makes of the epoch, if it can format every time.
pub(super) fn check_format(format: &str) -> Result<String, jiff::Error> {
    for time in [Timestamp::MIN, Timestamp::MAX] {
        strftime(format, time)?;
    }
    strftime(format, Timestamp::UNIX_EPOCH)
}

fn strftime(format: &str, time: Timestamp) -> Result<String, jiff::Error> {
    strtime::format(format, &time.to_zoned(TimeZone::UTC))
}

fn encode(value: &str, keep_underscore: bool, out: &mut String) {
    let start = out.len();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || (keep_underscore && byte == b'_') {
            out.push(byte as char);
        } else {
            out.push_str("__");
            out.push_str(&hex::encode([byte]));
        }
        if out.len() - start > MAX_FIELD_LENGTH {
            out.truncate(start);
            out.push_str("__h");
            out.push_str(&hex::encode(&Sha256::digest(value)[..20]));
            return;
        }
    }
}
