//! Tests against BigQuery's reference, with NULLs and overflow.

use super::super::test_eval::eval;

fn of(aggregate: &str, values: &str) -> String {
    let rows: Vec<String> = values.split(", ").map(|value| format!("({value})")).collect();
    eval(&format!("{aggregate} FROM (VALUES {}) AS t(x)", rows.join(", ")))
}

#[test]
fn sum_is_exact_and_overflow_is_an_error() {
    assert_eq!(of("sum(x)", "9223372036854775807, 1"), "Err: int64 overflow");
    assert_eq!(of("sum(x)", "9223372036854775807, 1, -1"), "9223372036854775807");
    assert_eq!(of("sum(x)", "1, NULL, 3"), "4");
    assert_eq!(of("sum(x)", "CAST(NULL AS BIGINT), NULL"), "NULL");
    assert_eq!(of("sum(DISTINCT x)", "2, 2, 3"), "5");
    assert_eq!(of("sum(x)", "1.5, 2"), "3.5");
    assert_eq!(of("sum(x)", "CAST(1.25 AS DECIMAL(38,9)), CAST(2 AS DECIMAL(38,9))"), "3.250000000");
    assert_eq!(of("sum(x)", "'a'"), "Err: No matching signature for function SUM for argument types: STRING");
}

#[test]
fn avg_of_numeric_rounds_half_away_from_zero() {
    let numeric = |value: &str| format!("CAST('{value}' AS DECIMAL(38,9))");
    let mean = |a: &str, b: &str| of("avg(x)", &format!("{}, {}", numeric(a), numeric(b)));
    assert_eq!(mean("0.000000001", "0"), "0.000000001");
    assert_eq!(mean("-0.000000001", "0"), "-0.000000001");
    assert_eq!(mean("1", "2"), "1.500000000");
    assert_eq!(of("avg(x)", "0, 2, NULL, 4, 4, 5"), "3.0");
}

#[test]
fn countif_counts_true_values() {
    assert_eq!(of("countif(x < 0)", "5, -2, 3, 6, -10, -7, 4, 0"), "3");
    assert_eq!(of("countif(x < 0)", "CAST(NULL AS BIGINT), 1"), "0");
    assert_eq!(of("countif(DISTINCT x < 0)", "-1, -2"), "1");
}

#[test]
fn min_and_max_with_a_nan_are_nan() {
    assert_eq!(of("min(x)", "8, 37, 55, 4"), "4");
    assert_eq!(of("max(x)", "'b', 'a'"), "b");
    assert_eq!(of("min(x)", "1.5, CAST('NaN' AS DOUBLE), 0.5"), "NaN");
    assert_eq!(of("max(x)", "1.5, CAST('NaN' AS DOUBLE), 2.5"), "NaN");
    assert_eq!(of("max(x)", "1.5, NULL, 2.5"), "2.5");
    assert_eq!(of("min(x)", "-1.5, 2.5"), "-1.5");
}

#[test]
fn logical_and_bit_aggregates_follow_the_reference() {
    assert_eq!(of("logical_and(x < 3)", "1, 2, 4"), "false");
    assert_eq!(of("logical_or(x < 3)", "1, 2, 4"), "true");
    assert_eq!(of("logical_or(x < 3)", "CAST(NULL AS BIGINT), NULL"), "NULL");
    assert_eq!(of("bit_and(x)", "CAST(61441 AS BIGINT), 161"), "1");
    assert_eq!(of("bit_or(x)", "CAST(61441 AS BIGINT), 161"), "61601");
    assert_eq!(of("bit_xor(x)", "CAST(5678 AS BIGINT), 1234"), "4860");
}

#[test]
fn any_value_is_null_only_if_all_values_are_null() {
    assert_eq!(of("any_value(x)", "NULL, 'pear', NULL"), "pear");
    assert_eq!(of("any_value(x)", "CAST(NULL AS VARCHAR), NULL"), "NULL");
}

#[test]
fn string_agg_uses_a_comma_by_default() {
    assert_eq!(of("string_agg(x)", "'apple', NULL, 'pear', 'banana', 'pear'"), "apple,pear,banana,pear");
    assert_eq!(of("string_agg(x, ' & ')", "'apple', NULL, 'pear'"), "apple & pear");
    assert_eq!(of("string_agg(x, ' & ' ORDER BY length(x))", "'apple', 'pear', 'banana'"), "pear & apple & banana");
    assert_eq!(of("string_agg(DISTINCT x, '' ORDER BY x DESC)", "'a', 'b', 'a'"), "ba");
    assert_eq!(of("string_agg(x)", "CAST(NULL AS VARCHAR), NULL"), "NULL");
    assert_eq!(of("string_agg(x)", "1"), "Err: No matching signature for function STRING_AGG for argument types: INT64");
}

#[test]
fn array_concat_agg_concatenates_arrays() {
    let arrays = "make_array(1, 2, 3, 4), NULL";
    assert_eq!(eval("array_concat_agg(x) FROM (VALUES (make_array(NULL, 1)), (NULL), (make_array(5, 6))) AS t(x)"), "[NULL, 1, 5, 6]");
    assert_eq!(eval(&format!("array_concat_agg(x) FROM (SELECT {}) AS t(x, y)", arrays)), "[1, 2, 3, 4]");
}

#[test]
fn approx_quantiles_supports_numbers_and_strings() {
    let values = "NULL, NULL, 1, 1, 1, 4, 5, 6, 7, 8, 9, 10";
    assert_eq!(of("approx_quantiles(x, 2)", values), "[1, 5, 10]");
    assert_eq!(of("approx_quantiles(DISTINCT x, 2)", values), "[1, 6, 10]");
    assert_eq!(of("approx_quantiles(x, 2)", "CAST(NULL AS BIGINT), NULL"), "NULL");
    assert_eq!(of("approx_quantiles(x, 0)", "1"), "Err: The number of results of APPROX_QUANTILES must be between 1 and 100000");
}

#[test]
fn approx_top_orders_by_count_and_by_sum() {
    assert_eq!(
        of("approx_top_count(x, 2)", "'apple', 'apple', 'pear', 'pear', 'pear', 'banana'"),
        "[{value: pear, count: 3}, {value: apple, count: 2}]"
    );
    assert_eq!(
        of("approx_top_count(x, 2)", "NULL, 'pear', 'pear', 'pear', 'apple', NULL"),
        "[{value: pear, count: 3}, {value: NULL, count: 2}]"
    );
    let weighed =
        "approx_top_sum(x, weight, 2) FROM (VALUES ('apple', 3), ('pear', 2), ('apple', 0), ('banana', 5), ('pear', 4)) AS t(x, weight)";
    assert_eq!(eval(weighed), "[{value: pear, sum: 6}, {value: banana, sum: 5}]");
}

#[test]
fn max_by_returns_the_value_at_the_maximum() {
    let from = "FROM (VALUES ('pear', 3), ('apple', NULL), ('fig', 9), (NULL, 1)) AS t(x, y)";
    assert_eq!(eval(&format!("max_by(x, y) {from}")), "fig");
    assert_eq!(eval(&format!("min_by(x, y) {from}")), "NULL");
}

#[test]
fn corr_and_covar_follow_the_reference() {
    let from = "FROM (VALUES (1.0, 1.0), (2.0, 2.0), (9.0, 8.0), (NULL, 3.0)) AS t(y, x)";
    assert_eq!(eval(&format!("covar_pop(y, x) {from}")), "11.0");
    assert_eq!(eval(&format!("covar_samp(y, x) {from}")), "16.5");
    assert_eq!(eval("corr(y, x) FROM (VALUES (1.0, 5.0), (5.0, 9.0)) AS t(y, x)"), "1.0");
    assert_eq!(eval("corr(y, x) FROM (VALUES (1.0, 5.0)) AS t(y, x)"), "NULL");
    assert_eq!(eval("corr(y, x) FROM (VALUES (1.0, 5.0), (1.0, 6.0)) AS t(y, x)"), "NaN");
    assert_eq!(of("stddev(x)", "1, 2, 3"), "1.0");
    assert_eq!(of("stddev_samp(x)", "1"), "NULL");
    assert_eq!(of("var_pop(x)", "1"), "0.0");
}

#[test]
fn approx_count_distinct_is_exact() {
    assert_eq!(of("approx_count_distinct(x)", "0, 1, 1, 2, 3, 5, NULL"), "5");
}

#[test]
fn grouped_results_equal_single_group_results() {
    let from = "FROM (SELECT value % 3 AS key, value AS x FROM generate_series(1, 300) AS t(value)) GROUP BY key ORDER BY key";
    assert_eq!(eval(&format!("sum(x) {from}")), "15150");
    assert_eq!(eval(&format!("countif(x > 150) {from}")), "50");
    assert_eq!(eval(&format!("sum(x) FILTER (WHERE x > 297) {from}")), "300");
    assert_eq!(eval(&format!("max_by(x, -x) {from}")), "3");
    assert_eq!(eval(&format!("approx_count_distinct(x % 7) {from}")), "7");
    assert_eq!(eval(&format!("approx_quantiles(x, 1) {from}")), "[3, 300]");
}

#[test]
fn sliding_frames_drop_rows_that_leave() {
    let over = |aggregate: &str| {
        eval(&format!(
            "y FROM (SELECT x, {aggregate} OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS y \
             FROM (VALUES (1, 1e20), (2, 1.0), (3, 2.0)) AS t(x, f)) WHERE x = 3"
        ))
    };
    assert_eq!(over("sum(x)"), "5");
    assert_eq!(over("sum(f)"), "3.0");
    assert_eq!(over("max(f)"), "2.0");
    assert_eq!(over("countif(x > 1)"), "2");
    assert_eq!(over("string_agg(CAST(x AS VARCHAR))"), "2,3");
    assert_eq!(over("logical_or(x = 1)"), "false");
    assert_eq!(over("array_agg(x)"), "[2, 3]");
}

#[test]
fn countif_of_zero_rows_is_zero() {
    let empty = "OVER (ORDER BY x ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING) FROM (VALUES (1), (2)) AS t(x) LIMIT 1";
    assert_eq!(eval(&format!("countif(x > 0) {empty}")), "0");
    assert_eq!(eval(&format!("approx_count_distinct(x) {empty}")), "0");
    assert_eq!(eval(&format!("sum(x) {empty}")), "NULL");
    assert_eq!(eval("countif(x > 0) FROM (VALUES (1)) AS t(x) WHERE x > 1"), "0");
}
