//! Tests against BigQuery's reference, with boundary cases.

use super::super::tests::{check, eval_over};

#[test]
fn numeric_casts_follow_the_reference() {
    check(&[
        ("$cast_int64(1.5)", "2"),
        ("$cast_int64(-1.5)", "-2"),
        ("$cast_int64(2.5)", "3"),
        ("$cast_int64('12')", "12"),
        ("$cast_int64('-0x1F')", "-31"),
        ("$cast_int64(' 7 ')", "7"),
        ("$cast_int64('+-7')", "error: Bad int64 value: +-7"),
        ("$cast_int64('9223372036854775808')", "error: Bad int64 value: 9223372036854775808"),
        ("$cast_int64('-9223372036854775808')", "-9223372036854775808"),
        ("$cast_int64('abc')", "error: Bad int64 value: abc"),
        ("$cast_int64('')", "error: Bad int64 value: "),
        ("$safe_cast_int64('abc')", "NULL"),
        ("$safe_cast_int64(NULL)", "NULL"),
        ("$cast_int64(true)", "1"),
        ("$cast_int64(FLOAT64 'nan')", "error: Illegal conversion of non-finite floating point number to an integer: nan"),
        ("$cast_int64(FLOAT64 '9223372036854775808')", "error: int64 out of range: 9.2233720368547758e+18"),
        ("$cast_int64(NUMERIC '2.5')", "3"),
        ("$cast_int64(BIGNUMERIC '-2.5')", "-3"),
        ("$cast_int64(DATE '2024-01-01')", "error: Invalid cast from DATE to INT64"),
        ("$safe_cast_int64(DATE '2024-01-01')", "error: Invalid cast from DATE to INT64"),
        ("$cast_float64('1e3')", "1000"),
        ("$cast_float64('-Infinity')", "-inf"),
        ("$cast_float64('1e400')", "inf"),
        ("$cast_float64('x')", "error: Bad double value: x"),
        ("$cast_float64(true)", "error: Invalid cast from BOOL to FLOAT64"),
        ("$cast_float64(NUMERIC '0.1')", "0.1"),
        ("$cast_numeric('1.2345678905')", "1.234567891"),
        ("$cast_numeric('-1.2345678905')", "-1.234567891"),
        ("$cast_numeric('1e28')", "10000000000000000000000000000"),
        ("$cast_numeric('1e29')", "error: Invalid NUMERIC value: 1e29"),
        ("$cast_numeric('1e-400')", "0"),
        ("$cast_numeric('1e99999999999')", "error: Invalid NUMERIC value: 1e99999999999"),
        ("$cast_numeric('0e99999999999')", "0"),
        ("$cast_numeric(0.1)", "0.1"),
        ("$cast_numeric(FLOAT64 '0.0009765625')", "0.000976563"),
        ("$cast_numeric(1)", "1"),
        ("$cast_bignumeric('0.12345678901234567890123456789012345678')", "0.12345678901234567890123456789012345678"),
        ("$cast_bignumeric(NUMERIC '-1.5')", "-1.5"),
        ("$cast_numeric(BIGNUMERIC '1.2345678905')", "1.234567891"),
    ]);
    assert_eq!(eval_over("'12'", "$cast_int64(x)"), "12");
    assert_eq!(eval_over("'abc'", "$safe_cast_int64(x)"), "NULL");
}

#[test]
fn bool_casts_accept_words_and_integers() {
    check(&[
        ("$cast_bool('TRUE')", "true"),
        ("$cast_bool('false')", "false"),
        ("$cast_bool(' true')", "error: Bad bool value:  true"),
        ("$cast_bool('yes')", "error: Bad bool value: yes"),
        ("$cast_bool(0)", "false"),
        ("$cast_bool(-7)", "true"),
        ("$cast_bool(1.0)", "error: Invalid cast from FLOAT64 to BOOL"),
    ]);
}

#[test]
fn every_type_can_be_cast_to_string() {
    check(&[
        ("$cast_string(1)", "1"),
        ("$cast_string(1.0)", "1"),
        ("$cast_string(0.1)", "0.1"),
        ("$cast_string(1e20)", "1e+20"),
        ("$cast_string(123456789012345.0)", "123456789012345"),
        ("$cast_string(0.00001)", "1e-05"),
        ("$cast_string(FLOAT64 '0.30000000000000004')", "0.30000000000000004"),
        ("$cast_string(FLOAT64 '-0')", "0"),
        ("$cast_string(FLOAT64 'nan')", "nan"),
        ("$cast_string(NUMERIC '-0.50')", "-0.5"),
        ("$cast_string(true)", "true"),
        ("$cast_string(DATE '2024-02-03')", "2024-02-03"),
        ("$cast_string(DATETIME '2024-02-03 04:05:06.7')", "2024-02-03 04:05:06.700"),
        ("$cast_string(TIME '04:05:06.000007')", "04:05:06.000007"),
        ("$cast_string(TIMESTAMP '2026-11-01 00:15:00')", "2026-11-01 00:15:00+00"),
        ("$cast_string($cast_bytes('Zoë'))", "Zoë"),
        ("$cast_string(NULL)", "NULL"),
    ]);
}

#[test]
fn date_and_time_casts_use_utc() {
    check(&[
        ("$cast_date('2024-1-2')", "2024-01-02"),
        ("$cast_date('2023-02-29')", "error: Invalid date: '2023-02-29'"),
        ("$cast_date('0000-01-01')", "error: Invalid date: '0000-01-01'"),
        ("$safe_cast_date('soon')", "NULL"),
        ("$cast_date(TIMESTAMP '2024-01-02 23:59:59')", "2024-01-02"),
        ("$cast_date(TIMESTAMP '1969-12-31 23:59:59')", "1969-12-31"),
        ("$cast_date(DATETIME '2024-01-02 03:04:05')", "2024-01-02"),
        ("$cast_datetime('2024-01-02 03:04')", "error: Invalid datetime string \"2024-01-02 03:04\""),
        ("$cast_datetime('x')", "error: Invalid datetime string \"x\""),
        ("$cast_datetime(DATE '2024-01-02')", "2024-01-02 00:00:00"),
        ("$cast_time('25:00:00')", "error: Invalid time string \"25:00:00\""),
        ("$cast_time(TIMESTAMP '2024-01-02 03:04:05+01')", "02:04:05"),
        ("$cast_time(DATE '2024-01-02')", "error: Invalid cast from DATE to TIME"),
        ("$cast_timestamp('2024-01-02 03:04:05 Europe/Berlin')", "2024-01-02 02:04:05+00"),
        ("$cast_timestamp('2024-01-02 03:04:05 Europe/Nowhere')", "error: Invalid time zone: Europe/Nowhere"),
        ("$cast_timestamp('9999-12-31 23:59:59.999999')", "9999-12-31 23:59:59.999999+00"),
        ("$cast_timestamp('0001-01-01 00:00:00+01')", "error: Invalid timestamp: '0001-01-01 00:00:00+01'"),
        ("$cast_timestamp(20240102)", "error: Invalid cast from INT64 to TIMESTAMP"),
    ]);
}

#[test]
fn parse_numeric_accepts_separators_and_signs() {
    check(&[
        ("parse_numeric('  -  12.34 ')", "-12.34"),
        ("parse_numeric('12.34e-1-')", "-1.234"),
        ("parse_bignumeric('  1,2,,3,.45 + ')", "123.45"),
        ("parse_numeric('0.1234567895')", "0.12345679"),
        ("parse_numeric('-1-')", "error: Invalid input to PARSE_NUMERIC: \"-1-\""),
        ("parse_numeric('1 2')", "error: Invalid input to PARSE_NUMERIC: \"1 2\""),
        ("parse_numeric('.1,2')", "error: Invalid input to PARSE_NUMERIC: \".1,2\""),
        ("parse_numeric('')", "error: Invalid input to PARSE_NUMERIC: \"\""),
    ]);
}

#[test]
fn interval_casts_parse_text() {
    check(&[
        ("$cast_interval('1-2 3 4:5:6.789')", "1-2 3 4:5:6.789"),
        ("$cast_interval('-1-2 -3 -4:5:6')", "-1-2 -3 -4:5:6"),
        ("$cast_interval('1-2')", "1-2 0 0:0:0"),
        ("$cast_interval('3 4:5:6')", "0-0 3 4:5:6"),
        ("$cast_interval('P1Y2M3DT4H5M6.5S')", "1-2 3 4:5:6.500"),
        ("$cast_interval('PT-1M')", "0-0 0 -0:1:0"),
        ("$cast_interval('4:5')", "error: Invalid INTERVAL value '4:5'"),
        ("$cast_interval('P')", "error: Invalid INTERVAL value 'P'"),
        ("$safe_cast_interval('soon')", "NULL"),
        ("$interval_range('1-2 3 4:5:6', 'YEAR TO SECOND')", "1-2 3 4:5:6"),
        ("$interval_range('-4:5', 'MINUTE TO SECOND')", "0-0 0 -0:4:5"),
        ("$interval_range('7 8', 'MONTH TO DAY')", "0-7 8 0:0:0"),
        ("$interval_range('4:5', 'YEAR TO MONTH')", "error: Invalid INTERVAL value '4:5'"),
    ]);
}
