//! Rejected queries, and their expected messages with locations.

use super::TestEngine;

/// Queries and their expected error messages.
#[rustfmt::skip]
const ERRORS: &[(&str, &str)] = &[
    ("SELECT 1/0",
     "division by zero: 1 / 0"),
    ("SELECT ST_GEOGPOINT(1, 2)",
     "The BigQuery emulator does not support the function ST_GEOGPOINT at [1:8]"),
    ("SELECT SAFE.hll_count.extract(x) FROM UNNEST([b'']) AS x",
     "The BigQuery emulator does not support the function HLL_COUNT.EXTRACT at [1:8]"),
    ("SELECT FOO(1)",
     "Function not found: FOO at [1:8]"),
    ("SELECT FROM x",
     "Syntax error: Expected an expression but got FROM at [1:8]"),
    ("SELECT 'a' = 1",
     "No matching signature for operator = for argument types: STRING, INT64 at [1:8]"),
    ("INSERT INTO x VALUES (1)",
     "The BigQuery emulator does not support INSERT statements at [1:1]"),
    ("SELECT 1; SELECT 2",
     "The BigQuery emulator does not support scripts: send one statement at [1:1]"),
    ("SELECT a FROM (SELECT 1 AS a, 2 AS A)",
     "Column name a is ambiguous at [1:8]"),
    ("SELECT 1 AS a, 2 AS A",
     "Duplicate column names in the result are not supported. Found duplicate(s): A"),
    ("SELECT DATE '2026-13-01'",
     "Invalid DATE literal at [1:13]"),
    ("SELECT [1, NULL]",
     "Array cannot have a null element; error in writing field f0_"),
    ("SELECT ARRAY_AGG(x) FROM UNNEST([1,NULL]) x",
     "Array cannot have a null element; error in writing field f0_"),
    ("EXPORT DATA OPTIONS(uri='x') AS SELECT 1",
     "The BigQuery emulator does not support EXPORT statements at [1:1]"),
    ("COPY (SELECT 1) TO '/tmp/x'",
     "The BigQuery emulator does not support COPY statements at [1:1]"),
    ("SET x = 1",
     "The BigQuery emulator does not support SET statements at [1:1]"),
    ("BEGIN SELECT 1; END",
     "The BigQuery emulator does not support BEGIN statements at [1:1]"),
    ("DECLARE x INT64",
     "The BigQuery emulator does not support DECLARE statements at [1:1]"),
    ("EXPLAIN SELECT 1",
     "The BigQuery emulator does not support EXPLAIN statements at [1:1]"),
    ("SELECT SUM(x) FILTER (WHERE x > 1) FROM UNNEST([1,2]) x",
     "Syntax error: Expected end of statement but got ( at [1:22]"),
    ("SELECT x::INT64 FROM UNNEST(['1']) x",
     "Syntax error: GoogleSQL supports only CAST and SAFE_CAST at [1:8]"),
    ("SELECT DATE '2026-01-01' < '2026-02-01', TIMESTAMP '2026-01-01' >= DATE '2026-01-01'",
     "No matching signature for operator >= for argument types: TIMESTAMP, DATE at [1:52]"),
    ("SELECT 'a' + 1",
     "No matching signature for operator + for argument types: STRING, INT64 at [1:8]"),
    ("SELECT ABS('x')",
     "No matching signature for function ABS for argument types: STRING at [1:8]"),
    ("SELECT IF(1, 2, 3)",
     "IF condition should return type BOOL, but returns INT64 at [1:11]"),
    ("SELECT x FROM (SELECT 1 AS x) WHERE y = 1",
     "Unrecognized name: y at [1:37]"),
    ("SELECT t.z FROM (SELECT 1 AS x) t",
     "Name z not found inside t at [1:10]"),
    ("SELECT * FROM (SELECT 1 AS x) a JOIN (SELECT 1 AS x) b ON a.x = b.x",
     "Duplicate column names in the result are not supported. Found duplicate(s): x"),
    ("SELECT a.x FROM (SELECT 1 AS x) a, (SELECT 2 AS x) a",
     "Duplicate table alias a in the same FROM clause at [1:18]"),
    ("SELECT\n  1,\n  bogus\nFROM (SELECT 1 AS x)",
     "Unrecognized name: bogus at [3:3]"),
    ("SELECT * EXCEPT (nope) FROM (SELECT 1 AS x)",
     "Column nope in SELECT * EXCEPT list does not exist at [1:18]"),
    ("SELECT (SELECT 1, 2)",
     "Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values at [1:9]"),
    ("SELECT (SELECT x FROM UNNEST([1,2]) x)",
     "Scalar subquery produced more than one element"),
    ("SELECT 1 UNION SELECT 2",
     "Syntax error: Expected keyword ALL or keyword DISTINCT after UNION at [1:1]"),
    ("SELECT 1 UNION ALL SELECT 'a'",
     "Column 1 in UNION ALL has incompatible types: INT64, STRING at [1:1]"),
    ("SELECT 1, 2 UNION ALL SELECT 1",
     "Queries in UNION ALL have mismatched column count; query 1 has 2 columns, query 2 has 1 column at [1:1]"),
    ("SELECT ROW_NUMBER() FROM UNNEST([1]) x",
     "Analytic function ROW_NUMBER cannot be called without an OVER clause at [1:8]"),
    ("SELECT x FROM UNNEST([1,2]) x WHERE ROW_NUMBER() OVER () = 1",
     "Analytic function ROW_NUMBER not allowed in WHERE clause at [1:37]"),
    ("SELECT x FROM UNNEST([1,2]) x LIMIT -1",
     "LIMIT expects a non-negative integer literal or parameter at [1:38]"),
    ("SELECT x FROM UNNEST([1,2]) x ORDER BY 5",
     "ORDER BY column number out of range: 5 at [1:40]"),
    ("SELECT x FROM UNNEST([1,2]) x HAVING x > 1",
     "The HAVING clause requires GROUP BY or aggregation to be present at [1:38]"),
    ("SELECT CAST('abc' AS INT64)",
     "Bad int64 value: abc at [1:13]"),
    ("SELECT CAST(x AS INT64) FROM UNNEST(['1','q']) x",
     "Bad int64 value: q"),
    ("SELECT PARSE_DATE('%Y-%m-%d', '2026-99-01')",
     r##"Failed to parse input string "2026-99-01""##),
    ("SELECT [1,2][OFFSET(5)]",
     "Array index 5 is out of bounds"),
    ("SELECT ERROR('boom')",
     "boom"),
    ("SELECT 9223372036854775807 + 1",
     "int64 overflow: 9223372036854775807 + 1"),
    ("SELECT ANY_VALUE(STRUCT(1 AS a)).a, MAX(STRUCT(1)) FROM UNNEST([1]) x",
     "No matching signature for function MAX for argument types: STRUCT<INT64> at [1:37]"),
];

#[tokio::test]
async fn invalid_queries_fail_with_message_and_location() {
    let engine = TestEngine::start();
    let mut failures = Vec::new();
    for (sql, expected) in ERRORS {
        let answer = engine.rows(sql).await.map_err(|error| error.to_string());
        if !answer.as_ref().is_err_and(|error| error == expected) {
            failures.push(format!("{sql}\n{answer:?}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test]
async fn long_queries_run_and_deeply_nested_queries_fail() {
    let engine = TestEngine::start();
    let ask = async |sql: String| engine.rows(&sql).await.map(|rows| rows.len()).map_err(|error| error.to_string());
    assert_eq!(ask(format!("SELECT 1 {}", "+ 1 ".repeat(100))).await, Ok(1));
    assert_eq!(ask(format!("SELECT 1 WHERE TRUE {}", "AND 1 = 1 ".repeat(500))).await, Ok(1));
    assert_eq!(ask(format!("SELECT 1 IN (1{})", ", 2".repeat(1_000))).await, Ok(1));
    assert_eq!(ask(format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(50))).await, Ok(51));
    assert_eq!(ask(format!("SELECT 1 {}", "+ 1 ".repeat(5_000))).await, Ok(1));
    assert!(ask(format!("SELECT 1 {}", "+ 1 ".repeat(30_000))).await.is_err_and(|error| error.contains("too complex at [1:")));
    assert!(
        ask(format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000))).await.is_err_and(|error| error.contains("too deeply nested"))
    );
}
