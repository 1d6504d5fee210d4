//! Tests against BigQuery's reference.

use super::super::test_eval::eval;

/// Returns the function's values over a column `x`, in the order of x, as text.
fn over(call: &str, values: &str) -> String {
    let rows: Vec<String> = values.split(", ").map(|value| format!("({value})")).collect();
    eval(&format!("array_agg(y ORDER BY x) FROM (SELECT x, {call} AS y FROM (VALUES {}) AS t(x))", rows.join(", ")))
}

#[test]
fn numbering_functions_return_int64() {
    assert_eq!(over("rank() OVER (ORDER BY x)", "1, 2, 2, 5, 8, 10, 10"), "[1, 2, 2, 4, 5, 6, 6]");
    assert_eq!(over("dense_rank() OVER (ORDER BY x)", "1, 2, 2, 5, 8, 10, 10"), "[1, 2, 2, 3, 4, 5, 5]");
    assert_eq!(over("row_number() OVER (ORDER BY x)", "5, 2, 8"), "[1, 2, 3]");
    assert_eq!(over("ntile(3) OVER (ORDER BY x)", "1, 2, 3, 4"), "[1, 1, 2, 3]");
    assert_eq!(over("percent_rank() OVER (ORDER BY x)", "1, 2, 3"), "[0.0, 0.5, 1.0]");
    assert_eq!(over("cume_dist() OVER (ORDER BY x)", "1, 2"), "[0.5, 1.0]");
    assert_eq!(eval("arrow_typeof(row_number() OVER ())"), "Int64");
    assert_eq!(over("ntile(0) OVER (ORDER BY x)", "1, 2"), "Err: Argument 1 to NTILE must be at least 1, got 0");
}

#[test]
fn navigation_functions_follow_the_reference() {
    assert_eq!(over("lag(x) OVER (ORDER BY x)", "1, 2, 3"), "[NULL, 1, 2]");
    assert_eq!(over("lead(x, 2, -1) OVER (ORDER BY x)", "1, 2, 3"), "[3, -1, -1]");
    assert_eq!(over("lag(x, -1) OVER (ORDER BY x)", "1, 2"), "Err: Argument 2 to LAG must be at least 0, got -1");
    assert_eq!(over("nth_value(x, 2) OVER (ORDER BY x ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)", "4, 6, 8"), "[6, 6, 6]");
    assert_eq!(over("last_value(x) OVER (ORDER BY x)", "4, 6"), "[4, 6]");
    assert_eq!(over("first_value(nullif(x, 4)) IGNORE NULLS OVER (ORDER BY x)", "4, 6, 8"), "[NULL, 6, 6]");
}

#[test]
fn percentiles_respect_or_ignore_nulls() {
    let percentile = |call: &str, nulls: &str, values: &str| {
        let rows: Vec<String> = values.split(", ").map(|value| format!("({value})")).collect();
        eval(&format!("{call} {nulls} NULLS OVER () FROM (VALUES {}) AS t(x)", rows.join(", ")))
    };
    for (share, value) in [("0", "0.0"), ("0.01", "0.03"), ("0.5", "1.5"), ("0.9", "2.7"), ("1", "3.0")] {
        assert_eq!(percentile(&format!("percentile_cont(x, {share})"), "IGNORE", "0, 3, NULL, 1, 2"), value);
    }
    for (share, value) in [("0", "a"), ("0.5", "b"), ("1", "c")] {
        assert_eq!(percentile(&format!("percentile_disc(x, {share})"), "IGNORE", "'c', NULL, 'b', 'a'"), value);
    }
    assert_eq!(percentile("percentile_cont(x, 0.5)", "IGNORE", "CAST(NULL AS DOUBLE), NULL"), "NULL");
    for (share, value) in [("0", "NULL"), ("0.01", "0.0"), ("0.5", "1.0"), ("0.9", "2.6"), ("1", "3.0")] {
        assert_eq!(percentile(&format!("percentile_cont(x, {share})"), "RESPECT", "0, 3, NULL, 1, 2"), value);
    }
    for (share, value) in [("0", "NULL"), ("0.25", "NULL"), ("0.5", "a"), ("1", "c")] {
        assert_eq!(percentile(&format!("percentile_disc(x, {share})"), "RESPECT", "'c', NULL, 'b', 'a'"), value);
    }
    assert_eq!(percentile("percentile_cont(x, 2)", "IGNORE", "1.0"), "Err: The percentile must be between 0 and 1");
}
