//! Tests of all documented format elements.

use proptest::prelude::*;

use super::super::super::tests::{check, eval_over};
use super::super::text::{format_timestamp, parse_timestamp};
use super::super::zone::Zone;
use super::parse::parse;
use super::pattern::StrftimePattern;
use super::write::FormattedValue;

#[test]
fn format_supports_every_element() {
    let elements = [
        ("%A", "Thursday"),
        ("%a", "Thu"),
        ("%B", "December"),
        ("%b", "Dec"),
        ("%h", "Dec"),
        ("%C", "20"),
        ("%c", "Thu Dec 25 05:07:09 2008"),
        ("%D", "12/25/08"),
        ("%d", "25"),
        ("%e", "25"),
        ("%F", "2008-12-25"),
        ("%G", "2008"),
        ("%g", "08"),
        ("%H", "05"),
        ("%I", "05"),
        ("%J", "361"),
        ("%j", "360"),
        ("%k", " 5"),
        ("%l", " 5"),
        ("%M", "07"),
        ("%m", "12"),
        ("%P", "am"),
        ("%p", "AM"),
        ("%Q", "4"),
        ("%R", "05:07"),
        ("%r", "05:07:09 AM"),
        ("%S", "09"),
        ("%s", "1230181629"),
        ("%T", "05:07:09"),
        ("%U", "51"),
        ("%u", "4"),
        ("%V", "52"),
        ("%W", "51"),
        ("%w", "4"),
        ("%X", "05:07:09"),
        ("%x", "12/25/08"),
        ("%Y", "2008"),
        ("%y", "08"),
        ("%Z", "UTC"),
        ("%z", "+0000"),
        ("%%", "%"),
        ("%Ez", "+00:00"),
        ("%E3S", "09.120"),
        ("%E6S", "09.120000"),
        ("%E*S", "09.12"),
        ("%E4Y", "2008"),
        ("%i?", "%i?"),
        ("%", "%"),
    ];
    let cases: Vec<(String, &str)> = elements
        .iter()
        .map(|(element, text)| (format!("format_timestamp('{element}', TIMESTAMP '2008-12-25 05:07:09.12')"), *text))
        .collect();
    check(&cases.iter().map(|(expression, text)| (expression.as_str(), *text)).collect::<Vec<_>>());
}

#[test]
fn format_follows_the_reference() {
    check(&[
        ("format_date('%x', DATE '2008-12-25')", "12/25/08"),
        ("format_date('%b-%d-%Y', DATE '2008-12-25')", "Dec-25-2008"),
        ("format_date('%b %Y', DATE '2008-12-25')", "Dec 2008"),
        ("format_date('%Y-%m-%d', '2008-12-05')", "2008-12-05"),
        ("format_date('%F %H:%M %c', DATE '2008-12-25')", "2008-12-25 %H:%M %c"),
        ("format_timestamp('%Z', TIMESTAMP '2008-12-25', 'Asia/Kolkata')", "UTC+0530"),
        ("format_date('%e', DATE '2008-12-05')", " 5"),
        ("format_datetime('%c', DATETIME '2008-12-25 15:30:00')", "Thu Dec 25 15:30:00 2008"),
        ("format_datetime('%H %z', DATETIME '2008-12-25 15:30:00')", "15 %z"),
        ("format_time('%R', TIME '15:30:00')", "15:30"),
        ("format_time('%H %Y', TIME '15:30:00')", "15 %Y"),
        ("format_timestamp('%c', TIMESTAMP '2050-12-25 15:30:55+00', 'UTC')", "Sun Dec 25 15:30:55 2050"),
        ("format_timestamp('%b-%d-%Y', TIMESTAMP '2050-12-25 15:30:55+00')", "Dec-25-2050"),
        ("format_timestamp('%Y-%m-%dT%H:%M:%SZ', TIMESTAMP '2050-12-25 15:30:55', 'UTC')", "2050-12-25T15:30:55Z"),
        ("format_timestamp('%F %T %Ez %Z', TIMESTAMP '2024-07-01 12:00:00', 'America/New_York')", "2024-07-01 08:00:00 -04:00 UTC-4"),
        ("format_timestamp('%I %p', TIMESTAMP '2024-07-01 00:10:00')", "12 AM"),
        ("format_timestamp('%G-W%V-%u', TIMESTAMP '2016-01-01')", "2015-W53-5"),
        ("format_timestamp(NULL, TIMESTAMP '2016-01-01')", "NULL"),
    ]);
    assert_eq!(eval_over("'%Y'", "format_date(x, DATE '2008-12-25')"), "2008");
}

#[test]
fn parse_follows_the_reference() {
    check(&[
        ("parse_date('%x', '12/25/08')", "2008-12-25"),
        ("parse_date('%Y%m%d', '20081225')", "2008-12-25"),
        ("parse_date('%A %b %e %Y', 'Thursday Dec 25 2008')", "2008-12-25"),
        ("parse_date('%F', '2000-12-30')", "2000-12-30"),
        ("parse_date('%d/%m/%y', '1/2/69')", "1969-02-01"),
        ("parse_date('%m', '3')", "1970-03-01"),
        ("parse_date('%Y-%j', '2024-366')", "2024-12-31"),
        ("parse_date('%G-W%V-%u', '2015-W53-5')", "2016-01-01"),
        ("parse_date('%Y %U %w', '2024 01 0')", "2024-01-07"),
        ("parse_date('%Y %W %u', '2024 01 1')", "2024-01-01"),
        ("parse_date('%Y %U %a', '2023 01 Sun')", "2023-01-01"),
        ("parse_date('%Y-%m-%d', '2024-02-30')", "error: Failed to parse input string \"2024-02-30\""),
        ("parse_date('%Y-%m-%d', '2024-02-03x')", "error: Failed to parse input string \"2024-02-03x\""),
        ("parse_date('%Y-%m-%d', ' 2024-02-03 ')", "2024-02-03"),
        ("parse_date('%Y-%m-%d %V', '2024-02-03 17')", "2024-02-03"),
        ("parse_date('%C%y', '1999')", "1999-01-01"),
        ("parse_date('%y', '69')", "1969-01-01"),
        ("parse_date('%Y', '0000')", "error: Failed to parse input string \"0000\""),
        ("parse_datetime('%Y-%m-%d %H:%M:%S', '1998-10-18 13:45:55')", "1998-10-18 13:45:55"),
        ("parse_datetime('%m/%d/%Y %I:%M:%S %p', '8/30/2018 2:23:38 PM')", "2018-08-30 14:23:38"),
        ("parse_datetime('%A, %B %e, %Y', 'Wednesday, December 19, 2018')", "2018-12-19 00:00:00"),
        ("parse_datetime('%a %b %e %I:%M:%S %Y', 'Thu Dec 25 07:30:00 2008')", "2008-12-25 07:30:00"),
        ("parse_time('%I:%M:%S', '07:30:00')", "07:30:00"),
        ("parse_time('%T', '07:30:00')", "07:30:00"),
        ("parse_time('%I:%M:%S %p', '2:23:38 PM')", "14:23:38"),
        ("parse_time('%I %p', '12 am')", "00:00:00"),
        ("parse_timestamp('%c', 'Thu Dec 25 07:30:00 2008')", "2008-12-25 07:30:00+00"),
        ("parse_timestamp('%Y-%m-%d %H:%M:%E*S%Ez', '2024-07-01 12:00:00.25+02:00')", "2024-07-01 10:00:00.250+00"),
        ("parse_timestamp('%Y-%m-%dT%H:%M:%E3S%z', '2024-07-01T12:00:00.125-0500')", "2024-07-01 17:00:00.125+00"),
        ("parse_timestamp('%F %T %Z', '2024-07-01 12:00:00 Europe/Berlin')", "2024-07-01 10:00:00+00"),
        ("parse_timestamp('%F %T', '2024-07-01 12:00:00', 'Asia/Tokyo')", "2024-07-01 03:00:00+00"),
        ("parse_timestamp('%s', '1230181629')", "2008-12-25 05:07:09+00"),
        ("parse_timestamp('%F', 'soon')", "error: Failed to parse input string \"soon\""),
        ("parse_timestamp('%F', NULL)", "NULL"),
    ]);
}

proptest! {
    #[test]
    fn parsing_never_panics(pattern in "(%?[ -~é]){0,12}", text in "([-+:. A-Za-z0-9é]){0,20}") {
        let _ = parse(&StrftimePattern::of(&pattern), &text, &Zone::UTC);
        let _ = FormattedValue::timestamp(0, &Zone::UTC).write(&StrftimePattern::of(&pattern));
        let _ = text.parse::<Zone>();
        let _ = parse_timestamp(&text, &Zone::UTC);
    }

    #[test]
    fn formatted_datetimes_parse_back(micros in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
        for pattern in ["%E4Y-%m-%d %H:%M:%E6S", "%E4Y %j %I:%M:%E*S %p", "%c .%E6S", "%E4Y %U %a %T %E6S", "%G %V %u %T %E6S"] {
            let pattern = StrftimePattern::of(pattern);
            let text = FormattedValue::Datetime(micros).write(&pattern);
            prop_assert_eq!(parse(&pattern, &text, &Zone::UTC), Some(micros), "{}", text);
        }
    }

    #[test]
    fn formatted_timestamps_parse_back(micros in -5_000_000_000_000_000_i64..=253_402_000_000_000_000) {
        let zone: Zone = "Pacific/Auckland".parse().expect("a zone");
        prop_assert_eq!(parse_timestamp(&format_timestamp(micros, &zone), &Zone::UTC), Ok(micros));
    }
}
