//! A text as the value of a column of each type: dates and times, decimals, JSON, base64 and the others.

#![no_main]

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use libfuzzer_sys::fuzz_target;
use pixel_pipeline::decode::coerce::{self, CoercionError, rfc3339_micros, write_text, write_time};
use pixel_pipeline::decode::schema::{Column, ColumnType};
use pixel_pipeline::decode::{civil, numeric::Decimal};
use pixel_pipeline_fuzz::decoders::SCHEMA;
use pixel_pipeline_fuzz::rows;
use serde_json::Value;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    for column in SCHEMA.columns() {
        check_column(&text, column);
    }
    check_calendar(&text);
    check_decimals(&text);
    let mut quoted = Vec::new();
    coerce::write_json_string(&text, &mut quoted);
    assert_eq!(serde_json::from_slice::<String>(&quoted).expect("a string"), text);
});

/// The written value is valid for the type and is read as the same value.
fn check_column(text: &str, column: &Column) {
    const BEFORE: &[u8] = b"[before,";
    let write = |text: &str| {
        let mut out = BEFORE.to_vec();
        let written = write_text(text, column, &mut out);
        assert!(out.starts_with(BEFORE), "earlier output is unchanged");
        assert!(written.is_ok() || out == BEFORE, "an invalid value writes nothing");
        written.map(|()| out[BEFORE.len()..].to_vec())
    };
    let Ok(json) = write(text) else { return };
    let value: Value = serde_json::from_slice(&json).unwrap_or_else(|error| panic!("{error}: {json:?}"));
    rows::check_value(column, &value);
    let again = value.as_str().map_or_else(|| String::from_utf8_lossy(&json).into_owned(), str::to_owned);
    assert_eq!(write(&again).as_ref(), Ok(&json), "{text} in {column:?}");
    match column.kind {
        ColumnType::String | ColumnType::Json => assert_eq!(value, text),
        ColumnType::Integer => assert_eq!(again.parse::<i64>(), text.parse()),
        _ => {}
    }
    // At most six bytes for each byte of text, or one timestamp.
    assert!(json.len() <= 6 * text.len() + 64, "{json:?}");
}

/// `jiff` parses the same values.
fn check_calendar(text: &str) {
    let date = civil::parse_date(text);
    let time = civil::parse_time(text);
    let datetime = civil::parse_datetime(text);
    let timestamp = civil::parse_timestamp(text);
    if let Some(date) = date {
        assert_eq!(date.to_string().parse::<Date>().ok(), Some(date));
        assert!(date.year() >= 1 && datetime == Some(date.to_datetime(Time::midnight())), "{text}");
        assert!(timestamp.is_some() || date.to_string() == "9999-12-31", "{text}");
    }
    if let Some(time) = time {
        assert_eq!(civil::parse_time(&time.to_string()), Some(time), "{text}");
        assert!(date.is_none() && datetime.is_none());
    }
    if let Some(datetime) = datetime {
        assert_eq!(datetime.to_string().parse::<DateTime>().ok(), Some(datetime));
        assert_eq!(civil::parse_datetime(&datetime.to_string()), Some(datetime), "{text}");
    }
    assert!(timestamp.is_none() || !civil::is_after_all_timestamps(text), "{text}");
    if let Some(timestamp) = timestamp {
        let shown = timestamp.to_string();
        assert_eq!((shown.parse::<Timestamp>().ok(), civil::parse_timestamp(&shown)), (Some(timestamp), Some(timestamp)), "{text}");
        let micros: Timestamp = rfc3339_micros(timestamp).parse().expect("a time");
        assert!((SignedDuration::ZERO..SignedDuration::from_micros(1)).contains(&timestamp.duration_since(micros)), "{text}: {micros}");
        for column in SCHEMA.columns() {
            let mut out = Vec::new();
            match write_time(timestamp, column, &mut out) {
                Ok(()) => rows::check_value(column, &serde_json::from_slice(&out).expect("JSON")),
                Err(CoercionError) => assert!(out.is_empty()),
            }
        }
    }
    // The timestamp format of log entries is always accepted.
    if let (true, Ok(whole)) = (text.ends_with('Z') && text.len() > 19 && text.as_bytes()[10] == b'T', text.parse::<Timestamp>()) {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ".contains(&byte)) && text.matches(':').count() == 2;
        if is_plain && !text.starts_with('-') && !text.contains(":60") && whole >= "0001-01-01T00:00:00Z".parse().expect("a time") {
            assert_eq!(timestamp, Some(whole), "{text}");
        }
    }
}

/// The number has the same digits.
fn check_decimals(text: &str) {
    let money = Decimal::NUMERIC.with_parameters(Some(5), Some(2));
    let [narrow, numeric, big] = [money, Decimal::NUMERIC, Decimal::BIGNUMERIC].map(|decimal| decimal.parse(text));
    assert!(narrow.is_none() || narrow == numeric, "{text}");
    assert!(numeric.is_none() || numeric == big, "{text}");
    let Some(big) = big else { return };
    assert_eq!(value_of(&big), value_of(text), "{text}");
    let (integer, fraction) = big.trim_start_matches('-').split_once('.').unwrap_or((&big, ""));
    let digits = (integer.trim_matches(['-', '0']).len(), integer.trim_start_matches(['-', '0']).len(), fraction.len());
    assert!(digits.1 <= 38 && fraction.len() <= 38, "{big}");
    assert_eq!(numeric.is_some(), digits.1 <= 29 && fraction.len() <= 9, "{big}");
    assert_eq!(narrow.is_some(), digits.1 <= 3 && fraction.len() <= 2, "{big}");
}

/// Sign, digits without leading and trailing zeros, and position of the decimal point.
fn value_of(text: &str) -> (bool, String, i64) {
    let lower = text.to_ascii_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let negative = mantissa.starts_with('-');
    let (integer, fraction) =
        mantissa.trim_start_matches(['-', '+']).split_once('.').unwrap_or((mantissa.trim_start_matches(['-', '+']), ""));
    let digits = format!("{integer}{fraction}");
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let trimmed = digits.trim_matches('0').to_owned();
    if trimmed.is_empty() {
        return (false, trimmed, 0);
    }
    let places = integer.len() as i64 - leading as i64 + exponent.parse::<i64>().expect("an exponent");
    (negative, trimmed, places)
}
