//! Arithmetic operators on all types that support them.

use super::super::tests::{check, eval_over};

const MAX_INT64: &str = "9223372036854775807";

#[test]
fn integer_overflow_is_an_error() {
    check(&[
        ("$add(2, 3)", "5"),
        (&format!("$add({MAX_INT64}, 1)"), "error: int64 overflow: 9223372036854775807 + 1"),
        (&format!("$subtract(-{MAX_INT64}, 2)"), "error: int64 overflow: -9223372036854775807 - 2"),
        (&format!("$multiply({MAX_INT64}, 2)"), "error: int64 overflow: 9223372036854775807 * 2"),
        ("$negate($cast_int64('-9223372036854775808'))", "error: int64 overflow: -(-9223372036854775808)"),
        ("$divide(7, 2)", "3.5"),
        ("$divide(1, 0)", "error: division by zero: 1 / 0"),
        ("div(7, 2)", "3"),
        ("div(-7, 2)", "-3"),
        ("div(12, 0)", "error: division by zero: 12 / 0"),
        ("mod(25, 12)", "1"),
        ("mod(-25, 12)", "-1"),
        ("mod(25, 0)", "error: division by zero: MOD(25, 0)"),
        ("mod(FLOAT64 '1.5', 1)", "error: No matching signature for function MOD for argument types: FLOAT64, INT64"),
        ("$add(NULL, 1)", "NULL"),
        ("$add('1', 2)", "error: No matching signature for operator + for argument types: STRING, INT64"),
        ("$add(true, 2)", "error: No matching signature for operator + for argument types: BOOL, INT64"),
        ("$negate('a')", "error: No matching signature for operator - for argument types: STRING"),
    ]);
    assert_eq!(eval_over("7", "$divide(x, 0)"), "error: division by zero: 7 / 0");
    assert_eq!(eval_over("7", "$divide(x, 2)"), "3.5");
}

#[test]
fn mixed_operands_use_the_wider_type() {
    check(&[
        ("$add(1, 0.5)", "1.5"),
        ("$divide(1, NUMERIC '3')", "0.333333333"),
        ("$divide(2, NUMERIC '3')", "0.666666667"),
        ("$add(NUMERIC '0.1', NUMERIC '0.2')", "0.3"),
        ("$add(NUMERIC '0.1', 0.2)", "0.30000000000000004"),
        ("$multiply(NUMERIC '1.000000001', NUMERIC '1.5')", "1.500000002"),
        ("$multiply(NUMERIC '-1.000000001', NUMERIC '1.5')", "-1.500000002"),
        ("$multiply(BIGNUMERIC '12345678901234567890.5', NUMERIC '-2.25')", "-27777777527777777753.625"),
        ("$divide(BIGNUMERIC '1', 3)", "0.33333333333333333333333333333333333333"),
        (
            "$divide(BIGNUMERIC '123456789012345678901234567890123456', 7)",
            "17636684144620811271604938270017636.57142857142857142857142857142857142857",
        ),
        ("$add(NUMERIC '99999999999999999999999999999', NUMERIC '1')", "error: numeric overflow: 99999999999999999999999999999 + 1"),
        ("$multiply(1e308, 10)", "error: double overflow: 1e+308 * 10"),
        ("$divide(0.0, 0)", "error: division by zero: 0 / 0"),
        ("div(NUMERIC '7.5', NUMERIC '2')", "3"),
        ("mod(NUMERIC '7.5', NUMERIC '2')", "1.5"),
    ]);
}

#[test]
fn safe_functions_return_null_on_error() {
    check(&[
        ("safe_divide(10, 0)", "NULL"),
        ("safe_divide(10, 4)", "2.5"),
        ("safe_divide(NULL, 4)", "NULL"),
        (&format!("safe_add({MAX_INT64}, 1)"), "NULL"),
        (&format!("safe_subtract(-{MAX_INT64}, 2)"), "NULL"),
        (&format!("safe_multiply({MAX_INT64}, 2)"), "NULL"),
        ("safe_negate(5)", "-5"),
    ]);
    assert_eq!(eval_over("0", "safe_divide(1, x)"), "NULL");
}

#[test]
fn date_and_interval_arithmetic_follows_the_reference() {
    check(&[
        ("$add(DATE '2020-09-22', 1)", "2020-09-23"),
        ("$add(1, DATE '2020-09-22')", "2020-09-23"),
        ("$subtract(DATE '2020-09-22', 7)", "2020-09-15"),
        ("$subtract(DATE '2021-05-20', DATE '2020-04-19')", "0-0 396 0:0:0"),
        ("$subtract(DATETIME '2021-06-01 12:34:56.789', DATETIME '2021-05-31 00:00:00')", "0-0 0 36:34:56.789"),
        ("$subtract(TIMESTAMP '2021-06-01 12:34:56.789', TIMESTAMP '2021-05-31 00:00:00')", "0-0 0 36:34:56.789"),
        ("$add(DATE '2024-01-31', $interval(1, 'MONTH'))", "2024-02-29 00:00:00"),
        ("$add(TIMESTAMP '2021-05-02 00:01:02.345', $interval(25, 'HOUR'))", "2021-05-03 01:01:02.345+00"),
        ("$subtract(TIMESTAMP '2021-05-02 00:01:02.345', $interval(10, 'SECOND'))", "2021-05-02 00:00:52.345+00"),
        ("$multiply($interval(35, 'SECOND'), 4)", "0-0 0 0:2:20"),
        ("$divide($interval(3, 'DAY'), 2)", "0-0 1 12:0:0"),
        ("$negate($interval(3, 'DAY'))", "0-0 -3 0:0:0"),
        ("$add($interval(1, 'DAY'), $interval(2, 'HOUR'))", "0-0 1 2:0:0"),
        ("$subtract(DATE '0001-01-01', 1)", "error: DATE subtraction overflow: the date is not in 0001-01-01 to 9999-12-31"),
        ("$add(DATE '2024-01-01', DATE '2024-01-01')", "error: No matching signature for operator + for argument types: DATE, DATE"),
    ]);
}
