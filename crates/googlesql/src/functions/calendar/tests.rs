//! Tests against BigQuery's reference, with boundary cases.

use super::super::tests::{check, eval_over};

#[test]
fn extract_returns_the_documented_values() {
    check(&[
        ("$extract('DAY', DATE '2013-12-25')", "25"),
        ("$extract('ISOYEAR', DATE '2015-12-31')", "2015"),
        ("$extract('ISOYEAR', DATE '2016-01-01')", "2015"),
        ("$extract('ISOWEEK', DATE '2016-01-01')", "53"),
        ("$extract('WEEK', DATE '2016-01-02')", "0"),
        ("$extract('WEEK', DATE '2016-01-03')", "1"),
        ("$extract('WEEK', DATE '2017-11-05')", "45"),
        ("$extract('WEEK(MONDAY)', DATE '2017-11-05')", "44"),
        ("$extract('WEEK(MONDAY)', DATE '2016-01-01')", "0"),
        ("$extract('ISOWEEK', DATE '2013-01-01')", "1"),
        ("$extract('WEEK(MONDAY)', DATE '2013-01-01')", "0"),
        ("$extract('WEEK(SUNDAY)', DATE '2017-11-06')", "45"),
        ("$extract('DAYOFWEEK', DATE '2024-03-03')", "1"),
        ("$extract('DAYOFWEEK', DATE '2024-03-02')", "7"),
        ("$extract('DAYOFYEAR', DATE '2024-12-31')", "366"),
        ("$extract('QUARTER', DATE '2024-04-01')", "2"),
        ("$extract('HOUR', DATETIME '2008-12-25 15:30:00')", "15"),
        ("$extract('MILLISECOND', TIME '15:30:07.123456')", "123"),
        ("$extract('MICROSECOND', TIME '15:30:07.123456')", "123456"),
        ("$extract('DAY', TIMESTAMP '2008-12-25 05:30:00+00', 'UTC')", "25"),
        ("$extract('DAY', TIMESTAMP '2008-12-25 05:30:00+00', 'America/Los_Angeles')", "24"),
        ("$extract('DATE', TIMESTAMP '2008-12-25 05:30:00+00', 'America/Los_Angeles')", "2008-12-24"),
        (
            "$extract('DATE', TIMESTAMP '9999-12-31 23:00:00', 'Asia/Tokyo')",
            "error: EXTRACT overflow: the date is not in 0001-01-01 to 9999-12-31",
        ),
        ("$extract('DATETIME', TIMESTAMP '2008-12-25 05:30:00+00')", "2008-12-25 05:30:00"),
        ("$extract('TIME', DATETIME '2008-12-25 05:30:00')", "05:30:00"),
        ("$extract('YEAR', TIMESTAMP '0001-01-01 00:00:00+00')", "1"),
        ("$extract('HOUR', TIMESTAMP '1969-12-31 23:00:00+00')", "23"),
        ("$extract('YEAR', NULL)", "NULL"),
        ("$extract('HOUR', DATE '2013-12-25')", "error: EXTRACT from DATE does not support the HOUR date part"),
        ("$extract('FORTNIGHT', DATE '2013-12-25')", "error: A valid date part name is required but found FORTNIGHT"),
        ("$extract('DAY', 1)", "error: No matching signature for function EXTRACT for argument types: STRING, INT64"),
        ("$extract('MONTH', make_interval(1, 2, 3, 4, 5, 6))", "2"),
    ]);
    assert_eq!(eval_over("'2024-02-29'", "$extract('MONTH', $cast_date(x))"), "2");
}

#[test]
fn trunc_returns_the_first_instant_of_the_part() {
    check(&[
        ("date_trunc(DATE '2008-12-25', 'MONTH')", "2008-12-01"),
        ("date_trunc(DATE '2017-11-05', 'WEEK(MONDAY)')", "2017-10-30"),
        ("date_trunc(DATE '2017-11-05', 'WEEK')", "2017-11-05"),
        ("date_trunc(DATE '2015-06-15', 'ISOYEAR')", "2014-12-29"),
        ("date_trunc(DATE '2024-05-15', 'QUARTER')", "2024-04-01"),
        ("date_trunc(DATE '2024-05-15', 'YEAR')", "2024-01-01"),
        ("date_trunc(DATE '2017-11-05', 'ISOWEEK')", "2017-10-30"),
        ("date_trunc('2024-05-15', 'MONTH')", "2024-05-01"),
        ("date_trunc(TIMESTAMP '2024-05-15 10:11:12', 'MONTH')", "2024-05-01 00:00:00+00"),
        ("date_trunc(DATE '2024-05-15', 'HOUR')", "error: DATE_TRUNC does not support the HOUR date part"),
        ("date_trunc(DATE '0001-01-01', 'WEEK')", "error: DATE_TRUNC overflow: the date is not in 0001-01-01 to 9999-12-31"),
        ("datetime_trunc(DATETIME '2008-12-25 15:30:00', 'DAY')", "2008-12-25 00:00:00"),
        ("datetime_trunc(DATETIME '2017-11-05 00:00:00', 'WEEK(MONDAY)')", "2017-10-30 00:00:00"),
        ("timestamp_trunc(TIMESTAMP '2008-12-25 15:30:00+00', 'DAY', 'UTC')", "2008-12-25 00:00:00+00"),
        ("timestamp_trunc(TIMESTAMP '2008-12-25 15:30:00+00', 'DAY', 'America/Los_Angeles')", "2008-12-25 08:00:00+00"),
        ("timestamp_trunc(TIMESTAMP '2017-11-06 00:00:00+12', 'WEEK(MONDAY)', 'UTC')", "2017-10-30 00:00:00+00"),
        ("timestamp_trunc(TIMESTAMP '2017-11-06 00:00:00+12', 'WEEK(MONDAY)', 'Pacific/Auckland')", "2017-11-05 11:00:00+00"),
        ("timestamp_trunc(DATETIME '2008-12-25 15:30:00', 'HOUR')", "2008-12-25 15:00:00"),
        // The second occurrence of the repeated hour in New York.
        ("timestamp_trunc(TIMESTAMP '2024-11-03 06:30:00+00', 'HOUR', 'America/New_York')", "2024-11-03 06:00:00+00"),
        ("timestamp_trunc(TIMESTAMP '1969-12-31 23:59:59.5', 'SECOND')", "1969-12-31 23:59:59+00"),
        ("time_trunc(TIME '15:30:00', 'HOUR')", "15:00:00"),
        ("time_trunc(TIME '15:30:00', 'DAY')", "error: TIME_TRUNC does not support the DAY date part"),
        ("timestamp_trunc(TIMESTAMP '2008-12-25 15:30:00+00', 'DAY', 'Mars/Base')", "error: Invalid time zone: Mars/Base"),
        ("date_trunc($cast_date(NULL), 'MONTH')", "NULL"),
    ]);
}

#[test]
fn last_day_returns_the_last_day_of_the_part() {
    check(&[
        ("last_day(DATE '2008-11-25', 'MONTH')", "2008-11-30"),
        ("last_day(DATE '2008-11-25')", "2008-11-30"),
        ("last_day(DATE '2024-02-01')", "2024-02-29"),
        ("last_day(DATE '2008-11-25', 'YEAR')", "2008-12-31"),
        ("last_day(DATE '2008-11-10', 'WEEK(SUNDAY)')", "2008-11-15"),
        ("last_day(DATE '2008-11-10', 'WEEK(MONDAY)')", "2008-11-16"),
        ("last_day(DATE '2008-11-10', 'ISOWEEK')", "2008-11-16"),
        ("last_day(DATE '0001-01-01', 'WEEK')", "0001-01-06"),
        ("last_day(DATE '2024-05-15', 'QUARTER')", "2024-06-30"),
        ("last_day(DATE '2015-06-15', 'ISOYEAR')", "2016-01-03"),
        ("last_day(DATE '9999-12-31', 'YEAR')", "9999-12-31"),
        ("last_day(DATETIME '2008-11-25 15:30:00', 'MONTH')", "2008-11-30"),
    ]);
}

#[test]
fn date_diff_counts_part_boundaries() {
    check(&[
        ("date_diff(DATE '2010-07-07', DATE '2008-12-25', 'DAY')", "559"),
        ("date_diff('2010-07-07', '2008-12-25', 'DAY')", "559"),
        ("date_diff(DATE '2017-10-15', DATE '2017-10-14', 'DAY')", "1"),
        ("date_diff(DATE '2017-10-15', DATE '2017-10-14', 'WEEK')", "1"),
        ("date_diff(DATE '2017-12-30', DATE '2014-12-30', 'YEAR')", "3"),
        ("date_diff(DATE '2017-12-30', DATE '2014-12-30', 'ISOYEAR')", "2"),
        ("date_diff(DATE '2017-12-18', DATE '2017-12-17', 'WEEK')", "0"),
        ("date_diff(DATE '2017-12-18', DATE '2017-12-17', 'WEEK(MONDAY)')", "1"),
        ("date_diff(DATE '2017-12-18', DATE '2017-12-17', 'ISOWEEK')", "1"),
        ("date_diff(DATE '2018-01-01', DATE '2017-12-31', 'QUARTER')", "1"),
        ("date_diff(DATE '2017-12-31', DATE '2018-01-31', 'MONTH')", "-1"),
        ("date_diff(DATE '2017-12-31', DATE '2018-01-31', 'HOUR')", "error: DATE_DIFF does not support the HOUR date part"),
        ("datetime_diff(DATETIME '2010-07-07 10:20:00', DATETIME '2008-12-25 15:30:00', 'DAY')", "559"),
        ("datetime_diff(DATETIME '2017-10-15 00:00:00', DATETIME '2017-10-14 00:00:00', 'WEEK')", "1"),
        ("datetime_diff(DATETIME '2017-10-15 01:00:00', DATETIME '2017-10-15 00:59:59', 'HOUR')", "1"),
        ("time_diff(TIME '15:30:00', TIME '14:35:00', 'MINUTE')", "55"),
        ("time_diff(TIME '15:00:00', TIME '14:59:00', 'HOUR')", "1"),
    ]);
}

#[test]
fn timestamp_diff_counts_whole_units() {
    check(&[
        ("timestamp_diff(TIMESTAMP '2010-07-07 10:20:00+00', TIMESTAMP '2008-12-25 15:30:00+00', 'HOUR')", "13410"),
        ("timestamp_diff(TIMESTAMP '2018-08-14', TIMESTAMP '2018-10-14', 'DAY')", "-61"),
        ("timestamp_diff('2001-02-01 01:00:00', '2001-02-01 00:00:01', 'HOUR')", "0"),
        ("timestamp_diff('2001-02-02 09:00:00', '2001-02-01 00:00:00', 'DAY')", "1"),
        ("timestamp_diff('9999-12-31 23:59:59.999999', '0001-01-01', 'MICROSECOND')", "315537897599999999"),
        ("timestamp_diff('2001-02-01', '2001-02-01', 'MONTH')", "error: TIMESTAMP_DIFF does not support the MONTH date part"),
        ("timestamp_diff('2024-01-01 00:00:00 Europe/Berlin', '2023-12-31 23:00:00+00', 'SECOND')", "0"),
        ("timestamp_diff('soon', '2023-12-31 23:00:00+00', 'SECOND')", "error: Could not cast literal \"soon\" to type TIMESTAMP"),
        ("timestamp_diff(DATETIME '2001-02-02 00:00:00', DATETIME '2001-02-01 23:00:00', 'DAY')", "1"),
        (
            "timestamp_diff(DATE '2001-02-01', TIMESTAMP '2001-02-01', 'DAY')",
            "error: No matching signature for function TIMESTAMP_DIFF for argument types: DATE, TIMESTAMP, STRING",
        ),
    ]);
}

#[test]
fn adding_months_clamps_to_the_last_day() {
    check(&[
        ("date_add(DATE '2008-12-25', $interval(5, 'DAY'))", "2008-12-30"),
        ("date_sub(DATE '2008-12-25', $interval(5, 'DAY'))", "2008-12-20"),
        ("date_add('2008-12-25', $interval(1, 'WEEK'))", "2009-01-01"),
        ("date_add(DATE '2024-01-31', $interval(1, 'MONTH'))", "2024-02-29"),
        ("date_sub(DATE '2024-03-31', $interval(1, 'MONTH'))", "2024-02-29"),
        ("date_add(DATE '2024-02-29', $interval(1, 'YEAR'))", "2025-02-28"),
        ("date_add(DATE '2024-08-31', $interval(2, 'QUARTER'))", "2025-02-28"),
        ("date_add(DATE '9999-12-31', $interval(1, 'DAY'))", "error: DATE_ADD overflow: the date is not in 0001-01-01 to 9999-12-31"),
        ("date_sub(DATE '0001-01-01', $interval(1, 'MONTH'))", "error: DATE_SUB overflow: the date is not in 0001-01-01 to 9999-12-31"),
        (
            "date_add(DATE '2024-01-01', $interval(1, 'HOUR'))",
            "error: DATE_ADD does not support date parts shorter than DAY when the argument is DATE type",
        ),
        ("datetime_add(DATETIME '2008-12-25 15:30:00', $interval(10, 'MINUTE'))", "2008-12-25 15:40:00"),
        ("datetime_sub(DATETIME '2008-12-25 15:30:00', $interval(10, 'MINUTE'))", "2008-12-25 15:20:00"),
        ("datetime_add(DATETIME '2024-01-31 10:00:00', $interval(1, 'MONTH'))", "2024-02-29 10:00:00"),
        ("timestamp_add(TIMESTAMP '2008-12-25 15:30:00+00', $interval(10, 'MINUTE'))", "2008-12-25 15:40:00+00"),
        ("timestamp_sub(TIMESTAMP '2008-12-25 15:30:00+00', $interval(10, 'MINUTE'))", "2008-12-25 15:20:00+00"),
        ("timestamp_add(TIMESTAMP '0001-01-01', $interval(80000000, 'HOUR'))", "9127-05-12 08:00:00+00"),
        (
            "timestamp_add(TIMESTAMP '2008-12-25', $interval(1, 'MONTH'))",
            "error: TIMESTAMP_ADD does not support date parts longer than DAY when the argument is TIMESTAMP type",
        ),
        ("time_add(TIME '15:30:00', $interval(10, 'MINUTE'))", "15:40:00"),
        ("time_add(TIME '15:30:00', $interval(1, 'DAY'))", "error: TIME_ADD does not support date parts longer than HOUR"),
        ("time_sub(TIME '00:05:00', $interval(10, 'MINUTE'))", "23:55:00"),
        ("date_add(DATE '2008-12-25', $interval(NULL, 'DAY'))", "NULL"),
        ("date_add('2008-12-25', 5)", "error: No matching signature for function DATE_ADD for argument types: STRING, INT64"),
    ]);
}

#[test]
fn constructors_build_dates_and_times() {
    check(&[
        ("date(2016, 12, 25)", "2016-12-25"),
        ("date(2024, 2, 30)", "error: Input calculates to invalid date: 2024-02-30"),
        ("date(DATETIME '2016-12-25 23:59:59')", "2016-12-25"),
        ("date(TIMESTAMP '2016-12-25 05:30:00+07', 'America/Los_Angeles')", "2016-12-24"),
        ("date(TIMESTAMP '2024-07-01 23:30:00', 'Europe/Berlin')", "2024-07-02"),
        ("datetime(2008, 12, 25, 5, 30, 0)", "2008-12-25 05:30:00"),
        ("datetime(TIMESTAMP '2008-12-25 05:30:00+00', 'America/Los_Angeles')", "2008-12-24 21:30:00"),
        ("datetime(DATE '2008-12-25', TIME '05:30:00')", "2008-12-25 05:30:00"),
        ("datetime(DATE '2008-12-25')", "2008-12-25 00:00:00"),
        ("time(15, 30, 0)", "15:30:00"),
        ("time(24, 0, 0)", "error: Input calculates to invalid time: 24:00:00"),
        ("time(DATETIME '2008-12-25 15:30:00.000000')", "15:30:00"),
        ("time(TIMESTAMP '2008-12-25 15:30:00+08', 'America/Los_Angeles')", "23:30:00"),
        ("timestamp('2008-12-25 15:30:00+00')", "2008-12-25 15:30:00+00"),
        ("timestamp('2008-12-25 15:30:00', 'America/Los_Angeles')", "2008-12-25 23:30:00+00"),
        ("timestamp('2008-12-25 15:30:00 UTC')", "2008-12-25 15:30:00+00"),
        ("timestamp('2014-09-27 12:30:00 America/Los_Angeles')", "2014-09-27 19:30:00+00"),
        ("timestamp('2014-09-27-08:00')", "2014-09-27 08:00:00+00"),
        ("timestamp('2014-09-27T12:30:00.45Z')", "2014-09-27 12:30:00.450+00"),
        ("timestamp(DATETIME '2008-12-25 15:30:00')", "2008-12-25 15:30:00+00"),
        ("timestamp(DATE '2008-12-25')", "2008-12-25 00:00:00+00"),
        ("timestamp(DATE '2008-12-25', 'Europe/Berlin')", "2008-12-24 23:00:00+00"),
        ("timestamp('2014-09-27 12:30:00 UTC+5')", "2014-09-27 07:30:00+00"),
        ("timestamp('2014-09-27 12:30:00+0530')", "2014-09-27 07:00:00+00"),
        ("timestamp('2014-09-27 12:30:00 +05')", "error: Invalid timestamp: '2014-09-27 12:30:00 +05'"),
        ("timestamp('2014-09-27 12:30')", "error: Invalid timestamp: '2014-09-27 12:30'"),
        ("timestamp('yesterday')", "error: Invalid timestamp: 'yesterday'"),
        ("string(TIMESTAMP '2008-12-25 15:30:00+00', 'UTC')", "2008-12-25 15:30:00+00"),
        ("string(TIMESTAMP '2008-12-25 15:30:00+00', 'Asia/Kolkata')", "2008-12-25 21:00:00+05:30"),
    ]);
}

#[test]
fn unix_time_functions_convert_both_ways() {
    check(&[
        ("date_from_unix_date(14238)", "2008-12-25"),
        ("unix_date(DATE '2008-12-25')", "14238"),
        ("timestamp_seconds(1230219000)", "2008-12-25 15:30:00+00"),
        ("timestamp_millis(1230219000000)", "2008-12-25 15:30:00+00"),
        ("timestamp_micros(1230219000000001)", "2008-12-25 15:30:00.000001+00"),
        ("unix_seconds(TIMESTAMP '2008-12-25 15:30:00+00')", "1230219000"),
        ("unix_seconds(TIMESTAMP '1970-01-01 00:00:01.8+00')", "1"),
        ("unix_millis(TIMESTAMP '1970-01-01 00:00:00.0018+00')", "1"),
        ("unix_seconds(TIMESTAMP '1969-12-31 23:59:59.5')", "-1"),
        ("unix_micros(TIMESTAMP '9999-12-31 23:59:59.999999')", "253402300799999999"),
        (
            "timestamp_seconds(253402300800)",
            "error: TIMESTAMP_SECONDS overflow: the result is not in 0001-01-01 00:00:00 to 9999-12-31 23:59:59.999999",
        ),
    ]);
}

#[test]
fn intervals_are_built_and_justified() {
    check(&[
        ("make_interval(1, 6, 15, 0, 0, 0)", "1-6 15 0:0:0"),
        ("$interval(-90, 'SECOND')", "0-0 0 -0:1:30"),
        ("$interval(1500, 'MILLISECOND')", "0-0 0 0:0:1.500"),
        ("justify_days($interval(29, 'DAY'))", "0-0 29 0:0:0"),
        ("justify_days($interval(-30, 'DAY'))", "-0-1 0 0:0:0"),
        ("justify_days($interval(31, 'DAY'))", "0-1 1 0:0:0"),
        ("justify_hours($interval(47, 'HOUR'))", "0-0 1 23:0:0"),
        ("justify_hours($interval(-49, 'HOUR'))", "0-0 -2 -1:0:0"),
        ("justify_interval($add($interval(29, 'DAY'), $interval(49, 'HOUR')))", "0-1 1 1:0:0"),
        ("justify_interval($add($interval(1, 'MONTH'), $interval(-1, 'HOUR')))", "0-0 29 23:0:0"),
        ("justify_interval($add($interval(-1, 'MONTH'), $interval(1, 'HOUR')))", "0-0 -29 -23:0:0"),
        ("$interval(10001, 'YEAR')", "error: Interval value is out of range: it must be within 10000 years"),
    ]);
}

#[test]
fn current_functions_use_one_time_per_query() {
    check(&[
        ("date_diff(date(current_timestamp()), current_date(), 'DAY')", "0"),
        ("timestamp_diff(current_timestamp(), timestamp(current_datetime()), 'MICROSECOND')", "0"),
        ("datetime_diff(current_datetime('Asia/Tokyo'), current_datetime('UTC'), 'HOUR')", "9"),
        ("time_diff(current_time(), time(current_timestamp()), 'MICROSECOND')", "0"),
        ("current_date('Mars')", "error: Invalid time zone: Mars"),
        ("current_timestamp(1)", "error: No matching signature for function CURRENT_TIMESTAMP for argument types: INT64"),
    ]);
}
