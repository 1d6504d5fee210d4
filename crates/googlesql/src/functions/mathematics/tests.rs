//! Tests against BigQuery's reference.

use super::super::test_eval::{eval, eval_over};

fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(eval(expression), *expected, "{expression}");
    }
}

#[test]
fn rounding_functions_follow_the_reference() {
    check(&[
        ("\"round\"(2.0)", "2.0"),
        ("\"round\"(2.3)", "2.0"),
        ("\"round\"(2.5)", "3.0"),
        ("\"round\"(-2.5)", "-3.0"),
        ("\"round\"(2)", "2.0"),
        ("\"round\"(123.7, -1)", "120.0"),
        ("\"round\"(1.235, 2)", "1.24"),
        ("\"round\"(1.15, 1)", "1.2"),
        ("\"round\"(0.1234567, 3)", "0.123"),
        ("\"round\"(1e300, 300)", "1e300"),
        ("\"round\"(1234.5, -400)", "0.0"),
        ("\"round\"(CAST('2.5' AS DECIMAL(38,9)))", "3.000000000"),
        ("\"round\"(CAST('-2.5' AS DECIMAL(38,9)))", "-3.000000000"),
        ("\"round\"(CAST('2.45' AS DECIMAL(38,9)), 1)", "2.500000000"),
        ("trunc(2.8)", "2.0"),
        ("trunc(-2.8)", "-2.0"),
        ("trunc(2.456, 2)", "2.45"),
        ("trunc(CAST('-2.8' AS DECIMAL(38,9)))", "-2.000000000"),
        ("ceil(-2.3)", "-2.0"),
        ("ceiling(CAST('2.1' AS DECIMAL(38,9)))", "3.000000000"),
        ("\"floor\"(-2.3)", "-3.0"),
        ("\"floor\"(5)", "5.0"),
        ("\"round\"('a')", "Err: No matching signature for function ROUND for argument types: STRING"),
    ]);
    assert_eq!(eval_over("2.5", "\"round\"(x)"), "3.0");
}

#[test]
fn abs_and_sign_follow_the_reference() {
    check(&[
        ("abs(-25)", "25"),
        ("abs(CAST('-2.5' AS DECIMAL(38,9)))", "2.500000000"),
        ("sign(-25)", "-1"),
        ("sign(0.0)", "0.0"),
        ("sign(-2.5)", "-1.0"),
    ]);
}

#[test]
fn powers_and_logarithms_follow_the_reference() {
    check(&[
        ("pow(2.0, 3.0)", "8.0"),
        ("power(2, 3)", "8.0"),
        ("pow(-1.0, 0.5)", "Err: Floating point error in function: POW(-1, 0.5)"),
        ("pow(0, -1)", "Err: Floating point error in function: POW(0, -1)"),
        ("sqrt(25)", "5.0"),
        ("sqrt(-1)", "Err: Floating point error in function: SQRT(-1)"),
        ("exp(0)", "1.0"),
        ("exp(1000)", "Err: Floating point error in function: EXP(1000)"),
        ("ln(1)", "0.0"),
        ("ln(0)", "Err: Floating point error in function: LN(0)"),
        ("log(100, 10)", "2.0"),
        ("log(8, 2)", "3.0"),
        ("log(8, 1)", "Err: Floating point error in function: LOG(8, 1)"),
        ("log10(100)", "2.0"),
        ("cbrt(27)", "3.0"),
        ("cos(0)", "1.0"),
        ("atan2(0, 1)", "0.0"),
        ("ieee_divide(20.0, 4.0)", "5.0"),
        ("ieee_divide(1, 0)", "inf"),
        ("is_nan(ieee_divide(0, 0))", "true"),
        ("is_inf(1.0)", "false"),
    ]);
}

#[test]
fn greatest_least_and_range_bucket_follow_the_reference() {
    check(&[
        ("greatest(3, 5, 1)", "5"),
        ("greatest(3, 5, NULL)", "NULL"),
        ("greatest('a', 'b')", "b"),
        ("least(1, 2.5)", "1.0"),
        ("least(3, 5, 1)", "1"),
        ("greatest(1.0, CAST('NaN' AS DOUBLE), 2.0)", "NaN"),
        ("least(1.0, CAST('NaN' AS DOUBLE))", "NaN"),
        ("greatest(CAST('2024-01-01' AS DATE), '2024-03-01')", "2024-03-01"),
        ("greatest(1, 'a')", "Err: No matching signature for function GREATEST for argument types: INT64, STRING"),
        ("range_bucket(20, [0, 10, 20, 30, 40])", "3"),
        ("range_bucket(20, [0, 10, 20, 20, 40, 40])", "4"),
        ("range_bucket(25, [0, 10, 20, 30, 40])", "3"),
        ("range_bucket(-10, [5, 6])", "0"),
        ("range_bucket(80, [0, 10, 20, 30, 40])", "5"),
        ("range_bucket(NULL, [1])", "NULL"),
        ("range_bucket(1, [2, 1])", "Err: Elements in input array to RANGE_BUCKET must be in ascending order"),
    ]);
    assert_eq!(eval_over("7", "greatest(x, 3)"), "7");
}

#[test]
fn bit_operators_follow_the_reference() {
    check(&[
        ("bit_count(5)", "2"),
        ("bit_count(-1)", "64"),
        ("bit_count(X'FF01')", "9"),
        ("\"$bit_and\"(6, 3)", "2"),
        ("\"$bit_not\"(0)", "-1"),
        ("\"$shift_left\"(1, 63)", "-9223372036854775808"),
        ("\"$shift_left\"(1, 64)", "0"),
        ("\"$shift_right\"(-1, 63)", "1"),
        ("\"$shift_right\"(1, -1)", "Err: Bitwise shift by a negative amount is not allowed"),
    ]);
}
