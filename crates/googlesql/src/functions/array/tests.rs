//! Tests against BigQuery's reference.

use super::super::test_eval::{eval, eval_over};

fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(eval(expression), *expected, "{expression}");
    }
}

#[test]
fn subscripts_and_ends_return_elements() {
    check(&[
        ("\"$offset\"([3, 5, 8], 0)", "3"),
        ("\"$offset\"([3, 5, 8], 3)", "Err: Array index 3 is out of bounds"),
        ("\"$offset\"([3, 5, 8], -1)", "Err: Array index -1 is out of bounds"),
        ("\"$safe_offset\"([3, 5, 8], 3)", "NULL"),
        ("\"$ordinal\"([3, 5, 8], 3)", "8"),
        ("\"$ordinal\"([3, 5, 8], 0)", "Err: Array index 0 is out of bounds"),
        ("\"$safe_ordinal\"([3, 5, 8], 0)", "NULL"),
        ("\"$offset\"([3, 5, 8], NULL)", "NULL"),
        ("array_first(['a', 'b'])", "a"),
        ("array_last(['a', 'b'])", "b"),
        ("array_first(array_slice([1], 1, 1))", "Err: ARRAY_FIRST cannot get the first element of an empty array"),
        ("array_length(['coffee', NULL, 'milk'])", "3"),
        ("array_length(NULL)", "Err: No matching signature for function ARRAY_LENGTH for argument types: INT64"),
    ]);
    assert_eq!(eval_over("make_array(4, 5)", "\"$offset\"(x, 1)"), "5");
}

#[test]
fn slice_and_reverse_return_the_documented_elements() {
    let slice = |bounds: &str| eval(&format!("array_slice(['a', 'b', 'c', 'd', 'e'], {bounds})"));
    for (bounds, expected) in [
        ("1, 3", "[b, c, d]"),
        ("-1, 3", "[]"),
        ("1, -3", "[b, c]"),
        ("-1, -3", "[]"),
        ("-3, -1", "[c, d, e]"),
        ("3, 3", "[d]"),
        ("1, 30", "[b, c, d, e]"),
        ("-30, 1", "[a, b]"),
        ("30, 30", "[]"),
        ("NULL, 3", "NULL"),
    ] {
        assert_eq!(slice(bounds), expected, "{bounds}");
    }
    check(&[("array_reverse([1, 2, 3])", "[3, 2, 1]"), ("\"$array_first\"([1, 2, 3], 2)", "[1, 2]"), ("\"$array_first\"([1], 2)", "[1]")]);
}

#[test]
fn concat_and_to_string_join_arrays() {
    check(&[
        ("array_concat([1, 2], [3, 4], [5, 6])", "[1, 2, 3, 4, 5, 6]"),
        ("array_concat([1, 2], NULL)", "NULL"),
        ("\"$concat\"([1], [2])", "[1, 2]"),
        ("\"$concat\"('a', 'b')", "ab"),
        ("\"$concat\"('a', NULL)", "NULL"),
        ("\"$concat\"(X'01', X'02')", "0102"),
        ("\"$concat\"(1, 2)", "Err: No matching signature for operator || for argument types: INT64, INT64"),
        ("array_to_string(['coffee', 'tea', 'milk', NULL], '--')", "coffee--tea--milk"),
        ("array_to_string(['coffee', NULL, 'milk'], '--', 'MISSING')", "coffee--MISSING--milk"),
    ]);
    assert_eq!(eval_over("make_array(4, NULL)", "array_concat(x, x)"), "[4, NULL, 4, NULL]");
}

#[test]
fn in_unnest_uses_three_valued_logic() {
    check(&[
        ("\"$in_array\"(1, [1, NULL])", "true"),
        ("\"$in_array\"(2, [1, NULL])", "NULL"),
        ("\"$in_array\"(2, [1, 3])", "false"),
        ("\"$in_array\"(NULL, [1])", "NULL"),
        ("\"$in_array\"(NULL, array_slice([1], 1, 1))", "false"),
        ("\"$in_array\"(1.0, [1, 2])", "true"),
        ("array_includes([1, 2], 2)", "true"),
        ("array_includes([1, NULL], 2)", "false"),
        ("array_includes([1], NULL)", "NULL"),
    ]);
}
