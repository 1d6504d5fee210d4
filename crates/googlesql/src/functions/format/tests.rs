//! Tests against BigQuery's reference, by flag.

use super::super::tests::{check, eval_over};

#[test]
fn numbers_are_formatted_like_printf() {
    check(&[
        ("format('%d', 10)", "10"),
        ("format('%i', -10)", "-10"),
        ("format('|%10d|', 11)", "|        11|"),
        ("format('|%-10d|', 11)", "|11        |"),
        ("format('+%010d+', 12)", "+0000000012+"),
        ("format('%+d', 12)", "+12"),
        ("format('% d', 12)", " 12"),
        ("format('%.5d', 12)", "00012"),
        ("format('%''d', 123456789)", "123,456,789"),
        ("format('%''d', -123)", "-123"),
        ("format('%o', 8)", "10"),
        ("format('%#o', 8)", "010"),
        ("format('%x', 255)", "ff"),
        ("format('%X', 255)", "FF"),
        ("format('%#x', 255)", "0xff"),
        ("format('%#08x', 255)", "0x0000ff"),
        ("format('%''x', 123456789)", "75b:cd15"),
        ("format('%x', -1)", "error: FORMAT cannot format the negative integer -1 as octal or hexadecimal"),
        ("format('%f', 1.1)", "1.100000"),
        ("format('%.2f', 1.125)", "1.12"),
        ("format('%.2f', NUMERIC '1.125')", "1.13"),
        ("format('%.0f', NUMERIC '-0.5')", "-1"),
        ("format('%.12f', NUMERIC '0.1')", "0.100000000000"),
        ("format('%''.2f', 1234567.891)", "1,234,567.89"),
        ("format('%08.2f', -3.14159)", "-0003.14"),
        ("format('%f', FLOAT64 '-0')", "0.000000"),
        ("format('%''o', 55555)", "15,4403"),
        ("format('%f', FLOAT64 '-inf')", "-inf"),
        ("format('%F', FLOAT64 'nan')", "NAN"),
        ("format('%05f', FLOAT64 'inf')", "  inf"),
        ("format('%e', 392.65)", "3.926500e+02"),
        ("format('%E', 392.65)", "3.926500E+02"),
        ("format('%.1e', 0.000042)", "4.2e-05"),
        ("format('%g', 392.65)", "392.65"),
        ("format('%g', 392650000.0)", "3.9265e+08"),
        ("format('%G', 0.0000392)", "3.92E-05"),
        ("format('%#g', 2.0)", "2.00000"),
        ("format('%g', 100.0)", "100"),
    ]);
    assert_eq!(eval_over("7", "format('%03d', x)"), "007");
}

#[test]
fn every_type_can_be_printed() {
    check(&[
        ("format('%s is %d', 'a', 1)", "a is 1"),
        ("format('%-6s|%6s', 'ab', 'cd')", "ab    |    cd"),
        ("format('%.2s', 'Zoë')", "Zo"),
        ("format('%t', 1)", "1"),
        ("format('%t', 1.0)", "1.0"),
        ("format('%t', NUMERIC '1.50')", "1.5"),
        ("format('%t', true)", "true"),
        ("format('%t', DATE '2018-08-14')", "2018-08-14"),
        ("format('%t', TIMESTAMP '2018-08-14 01:02:03')", "2018-08-14 01:02:03+00"),
        ("format('%T', 'a\"b')", "'a\"b'"),
        ("format('%T', 'abc')", "\"abc\""),
        ("format('%T', DATE '2018-08-14')", "DATE \"2018-08-14\""),
        ("format('%T', FLOAT64 'inf')", "CAST(\"inf\" AS FLOAT64)"),
        ("format('%T', BYTES 'abc')", "b\"abc\""),
        ("format('%T', NUMERIC '2')", "NUMERIC \"2\""),
        ("format('%t', generate_array(1, 3))", "[1, 2, 3]"),
        ("format('%T', generate_date_array('2024-01-01', '2024-01-02'))", "[DATE \"2024-01-01\", DATE \"2024-01-02\"]"),
        ("format('100%%')", "100%"),
        ("format('%*d|%-*d', 5, 1, 3, 2)", "    1|2  "),
        ("format('%.*f', 1, 2.55)", "2.5"),
    ]);
}

#[test]
fn null_arguments_are_printed_only_by_t_specifiers() {
    check(&[
        ("format('%t', NULL)", "NULL"),
        ("format('%T!', $cast_string(NULL))", "NULL!"),
        ("format('%d', NULL)", "NULL"),
        ("format('x%sy', $cast_string(NULL))", "NULL"),
        ("format(NULL, 1)", "NULL"),
    ]);
}

#[test]
fn mismatched_patterns_are_errors() {
    check(&[
        ("format('%d', 'a')", "error: Invalid type for argument 2 to FORMAT; Expected integer; Got STRING"),
        ("format('%s', 1)", "error: Invalid type for argument 2 to FORMAT; Expected STRING; Got INT64"),
        ("format('%d %d', 1)", "error: Too few arguments to FORMAT for pattern \"%d %d\"; Got 2"),
        ("format('%d', 1, 2)", "error: Too many arguments to FORMAT for pattern \"%d\"; Expected 2; Got 3"),
        ("format('%y', 1)", "error: Invalid FORMAT string: \"%y\" does not begin with a valid specifier"),
        ("format('%99999999d', 1)", "error: FORMAT supports widths and precisions up to 60000"),
        ("format(1)", "error: No matching signature for function FORMAT for argument types: INT64"),
    ]);
}
