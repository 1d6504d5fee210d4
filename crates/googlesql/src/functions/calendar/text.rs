//! Text formats of dates and times, as in CAST.

use super::super::function_error::FunctionError;
use super::zone::Zone;
use crate::civil_time;

pub(crate) fn parse_date(text: &str) -> Result<i32, FunctionError> {
    civil_time::parse_date(text).map(civil_time::days).ok_or_else(|| FunctionError::new(format!("Invalid date: '{text}'")))
}

pub(crate) fn parse_time(text: &str) -> Result<i64, FunctionError> {
    require_seconds(text)
        .and_then(civil_time::parse_time)
        .map(civil_time::micros_of_day)
        .ok_or_else(|| FunctionError::new(format!("Invalid time string \"{text}\"")))
}

pub(crate) fn parse_datetime(text: &str) -> Result<i64, FunctionError> {
    require_seconds(text)
        .and_then(civil_time::parse_datetime)
        .map(civil_time::micros)
        .ok_or_else(|| FunctionError::new(format!("Invalid datetime string \"{text}\"")))
}

/// Parses a datetime with a zone (`+02`, `Z`, ` Europe/Berlin`). `zone` is the default.
pub(crate) fn parse_timestamp(text: &str, zone: &Zone) -> Result<i64, FunctionError> {
    let invalid = || FunctionError::new(format!("Invalid timestamp: '{text}'"));
    let (datetime, zone_text) = text.split_at(datetime_length(text));
    let civil =
        require_seconds(truncate_to_micros(datetime)).and_then(civil_time::parse_datetime).map(civil_time::micros).ok_or_else(invalid)?;
    let timestamp = match zone_text {
        "" => zone.timestamp(civil),
        zone_text => match zone_text.strip_prefix(' ') {
            // An offset must follow the time without a space.
            Some(offset) if offset.starts_with(['+', '-']) && datetime.contains(':') => return Err(invalid()),
            Some(zone_text) => zone_text.parse::<Zone>()?.timestamp(civil),
            None if zone_text.starts_with(['+', '-', 'Z', 'z']) => zone_text.parse::<Zone>().map_err(|_| invalid())?.timestamp(civil),
            None => return Err(invalid()),
        },
    };
    civil_time::checked_micros(timestamp).ok_or_else(invalid)
}

/// Returns the text unless it is a time without seconds. Only streamed rows can omit seconds.
fn require_seconds(text: &str) -> Option<&str> {
    (text.matches(':').count() != 1).then_some(text)
}

/// Truncates nanoseconds to microseconds, the precision of TIMESTAMP.
fn truncate_to_micros(datetime: &str) -> &str {
    let decimals = datetime.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    if (7..=9).contains(&decimals) { &datetime[..datetime.len() - (decimals - 6)] } else { datetime }
}

/// Returns the index of the zone, after `2014-9-27` and an optional `T12:30:00.45`.
fn datetime_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize, allowed: fn(&u8) -> bool| from + bytes[from..].iter().take_while(|byte| allowed(byte)).count();
    let digits = |from: usize| run(from, u8::is_ascii_digit);
    let mut end = digits(0);
    for _ in 0..2 {
        if bytes.get(end) == Some(&b'-') {
            end = digits(end + 1);
        }
    }
    match (bytes.get(end), bytes.get(end + 1)) {
        (Some(b' ' | b'T' | b't'), Some(byte)) if byte.is_ascii_digit() => {
            run(end + 1, |byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'))
        }
        _ => end,
    }
}

pub(crate) fn format_date(days: i32) -> String {
    civil_time::date(days).to_string()
}

/// Formats with zero, three or six decimals, as many as needed.
pub(crate) fn format_time(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let whole = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match micros % 1_000_000 {
        0 => whole,
        fraction if fraction % 1_000 == 0 => format!("{whole}.{:03}", fraction / 1_000),
        fraction => format!("{whole}.{fraction:06}"),
    }
}

pub(crate) fn format_datetime(micros: i64) -> String {
    let days = civil_time::day_of(micros);
    format!("{} {}", format_date(days), format_time(micros.rem_euclid(civil_time::MICROS_OF_DAY)))
}

/// Formats in the zone, with its offset: `2014-09-27 12:30:00+00`.
pub(crate) fn format_timestamp(micros: i64, zone: &Zone) -> String {
    let offset = zone.offset_to_minute(micros);
    let sign = if offset < 0 { '-' } else { '+' };
    let (hours, minutes) = (offset.abs() / 3_600, offset.abs() / 60 % 60);
    let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
    format!("{}{sign}{hours:02}{minutes}", format_datetime(micros + offset * 1_000_000))
}
