//! Tests against BigQuery's reference.

use super::super::super::tests::check;

#[test]
fn dates_and_times_are_formatted() {
    check(&[
        (
            "$cast_string_format(DATE '2018-01-30', 'YYYY/MONTH/Mon/mon/DD/DDD/D/Day/dy/YY/Y')",
            "2018/JANUARY/Jan/jan/30/030/3/Tuesday/tue/18/8",
        ),
        ("$cast_string_format(DATETIME '2018-01-30 21:05:09.123456', 'HH24:MI:SS.FF3 HH12 p.m. SSSSS')", "21:05:09.123 09 p.m. 75909"),
        ("$cast_string_format(TIMESTAMP '2008-12-25 00:00:00', 'YYYY-MM-DD HH24:MI:SS TZH:TZM')", "2008-12-25 00:00:00 +00:00"),
        ("$cast_string_format(TIMESTAMP '2008-12-25 00:00:00', 'HH24:MI TZH:TZM', 'Asia/Kolkata')", "05:30 +05:30"),
        (r#"$cast_string_format(DATE '2018-01-30', '"on \"day\"" DD')"#, r#"on "day" 30"#),
        ("$cast_string_format(DATE '2018-01-30', 'HH24')", "error: DATE does not support the format element Hour24"),
        ("$cast_string_format(DATE '2018-01-30', 'YYYYxMM')", "error: Cannot find matched format element at 'xMM' in the format 'YYYYxMM'"),
    ]);
}

#[test]
fn dates_and_times_are_parsed() {
    check(&[
        ("$cast_date_format('18-12-03', 'YY-MM-DD')", "2018-12-03"),
        ("$cast_date_format('JUNE 3, 1976', 'Month DD, YYYY')", "1976-06-03"),
        ("$cast_date_format('2024-366', 'YYYY-DDD')", "2024-12-31"),
        ("$cast_date_format('2023-02-29', 'YYYY-MM-DD')", "error: Failed to parse input string \"2023-02-29\""),
        ("$safe_cast_date_format('2023-02-29', 'YYYY-MM-DD')", "NULL"),
        ("$cast_date_format('12-03', 'MM-DD')", "error: The BigQuery emulator does not support a FORMAT without a year for a date"),
        ("$cast_time_format('03:30 P.M.', 'HH:MI A.M.')", "15:30:00"),
        ("$cast_time_format('03:30', 'HH:MI')", "error: The format elements HH and HH12 need AM or PM"),
        ("$cast_timestamp_format('06/02/2020 17:00:53.110 +02', 'MM/DD/YYYY HH24:MI:SS.FF3 TZH')", "2020-06-02 15:00:53.110+00"),
        ("$cast_timestamp_format('2020-06-02 17:00', 'YYYY-MM-DD HH24:MI', 'Europe/Berlin')", "2020-06-02 15:00:00+00"),
        ("$cast_datetime_format('20200602170053', 'YYYYMMDDHH24MISS')", "2020-06-02 17:00:53"),
    ]);
}

#[test]
fn bytes_are_encoded_and_decoded() {
    check(&[
        ("$cast_string_format(BYTES 'Hello', 'HEX')", "48656c6c6f"),
        ("$cast_string_format(BYTES 'Hello', 'base64')", "SGVsbG8="),
        ("$cast_string_format($cast_bytes_format('SGVsbG8=', 'BASE64'), 'ASCII')", "Hello"),
        ("$cast_string_format(BYTES 'é', 'ASCII')", "error: Invalid ASCII value: it has bytes above 127"),
        ("$cast_string_format(BYTES 'a', 'BASE2')", "error: The BigQuery emulator does not support the format 'BASE2'"),
    ]);
}

#[test]
fn numbers_are_formatted() {
    check(&[
        ("$cast_string_format(1.2, '$999,999.999')", "       $1.200"),
        ("$cast_string_format(-12345.678, '$999,999.999')", " -$12,345.678"),
        ("$cast_string_format(1234567.89, '$999,999.999')", " $###,###.###"),
        ("$cast_string_format(12, '999')", "  12"),
        ("$cast_string_format(-12, '999')", " -12"),
        ("$cast_string_format(0, '999')", "   0"),
        ("$cast_string_format(12, '0999')", " 0012"),
        ("$cast_string_format(12, 'S99')", "+12"),
        ("$cast_string_format(-12, '99S')", "12-"),
        ("$cast_string_format(-12, '99MI')", "12-"),
        ("$cast_string_format(-12, '99PR')", "<12>"),
        ("$cast_string_format(NUMERIC '1234.565', '999,999.99')", "   1,234.57"),
        ("$cast_string_format(12, '9.9EEEE')", "error: The BigQuery emulator does not support the number format '9.9EEEE'"),
    ]);
}
