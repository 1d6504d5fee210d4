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
     "Syntax error: SELECT list must not be empty at [1:8]"),
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
     "Syntax error: Expected end of input but got \"(\" at [1:22]"),
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

/// Texts with syntax errors, and their messages without `Syntax error: `.
#[rustfmt::skip]
const SYNTAX_ERRORS: &[(&str, &str)] = &[
    ("SELECT a FROM WHERE a = 1", "Unexpected keyword WHERE at [1:15]"),
    ("SELECT a,, b FROM t", "Unexpected \",\" at [1:10]"),
    ("SELECT * FROM a,\n\t, b", "Unexpected \",\" at [2:2]"),
    ("SELECT 'äöü', x y z", "Expected end of input but got identifier \"z\" at [1:19]"),
    ("SELECT * FORM t", "Expected end of input but got identifier \"FORM\" at [1:10]"),
    ("SELCT 1", "Unexpected identifier \"SELCT\" at [1:1]"),
    ("SELECT 1 AS select", "Unexpected keyword SELECT at [1:13]"),
    ("SELECT 1\nFROM group", "Unexpected keyword GROUP at [2:6]"),
    ("SELECT order FROM t", "Unexpected keyword ORDER at [1:8]"),
    ("SELECT a FROM t WHERE\n  a = = 1", "Unexpected \"=\" at [2:7]"),
    ("SELECT a FROM t WHERE AND a", "Unexpected keyword AND at [1:23]"),
    ("SELECT a FROM t GROUP a", "Expected keyword BY but got identifier \"a\" at [1:23]"),
    ("SELECT a FROM t GROUP BY ORDER BY a", "Unexpected keyword ORDER at [1:26]"),
    ("SELECT a FROM t LIMIT 5 WHERE a", "Expected end of input but got keyword WHERE at [1:25]"),
    ("SELECT a FROM t JOIN ON a = b", "Unexpected keyword ON at [1:22]"),
    ("SELECT (1 + 2", "Expected \")\" but got end of script at [1:14]"),
    ("SELECT 1 + 2)", "Expected end of input but got \")\" at [1:13]"),
    ("SELECT [1, 2)", "Expected \"]\" but got \")\" at [1:13]"),
    ("SELECT * FROM (SELECT 1", "Expected \")\" but got end of script at [1:24]"),
    ("SELECT COUNT( FROM t", "Unexpected keyword FROM at [1:15]"),
    ("SELECT a IN () FROM t", "Unexpected \")\" at [1:14]"),
    ("SELECT IF(TRUE 1, 2)", "Expected \")\" but got integer literal \"1\" at [1:16]"),
    ("SELECT (SELECT a b c FROM t)", "Expected \")\" but got identifier \"c\" at [1:20]"),
    ("SELECT * FROM (SELECT a FROM t\n  LIMIT 5 WHERE a)", "Expected \")\" but got keyword WHERE at [2:11]"),
    ("SELECT a IN (SELECT a b c FROM t", "Expected \")\" but got identifier \"c\" at [1:25]"),
    ("WITH x AS (SELECT 1 FROM (SELECT a b c)) SELECT 1", "Expected \")\" but got identifier \"c\" at [1:38]"),
    ("SELECT EXTRACT(YEAR x)", "Expected keyword FROM but got identifier \"x\" at [1:21]"),
    ("SELECT 1,\n  EXTRACT(WEEK(MONDAY), x) FROM t", "Expected keyword FROM but got \",\" at [2:23]"),
    ("SELECT a FROM t WHERE EXTRACT(DAY) = 1", "Expected keyword FROM but got \")\" at [1:34]"),
    ("SELECT a == 1", "Unexpected \"=\" at [1:11]"),
    ("SELECT a FROM t WHERE a ==\n 1", "Unexpected \"=\" at [1:26]"),
    ("SELECT SUBSTRING('abc' FROM 2)", "GoogleSQL has no SUBSTRING with FROM at [1:18]"),
    ("SELECT CAST(1 AS)", "Unexpected \")\" at [1:17]"),
    ("SELECT CASE WHEN TRUE THEN 1", "Unexpected end of script at [1:29]"),
    ("SELECT CASE WHEN a THEN 1\n  ELSE 2 FROM t", "Expected keyword END but got keyword FROM at [2:10]"),
    ("SELECT CASE a THEN 1 END", "Expected keyword WHEN but got keyword THEN at [1:15]"),
    ("SELECT CASE WHEN a END", "Expected keyword THEN but got keyword END at [1:20]"),
    ("SELECT DATE_ADD(d, INTERVAL 1)", "Unexpected \")\" at [1:30]"),
    ("SELECT 1.5 2.5", "Expected end of input but got floating point literal \"2.5\" at [1:12]"),
    ("SELECT 1 'x' 'y' 3", "Expected end of input but got string literal \"y\" at [1:14]"),
    ("SELECT 1 -- it's\n, \"abc", "Unclosed string literal at [2:3]"),
    ("SELECT 1 /* abc", "Unclosed comment at [1:10]"),
    ("WITH a AS (SELECT 1)", "Unexpected end of script at [1:21]"),
];

#[tokio::test]
async fn syntax_errors_have_bigquerys_wording_and_place() {
    let engine = TestEngine::start();
    let mut failures = Vec::new();
    for (sql, expected) in SYNTAX_ERRORS {
        let answer = engine.rows(sql).await.map_err(|error| error.to_string());
        if answer != Err(format!("Syntax error: {expected}")) {
            failures.push(format!("{sql}\n{answer:?}\n{expected}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Reserved words where GoogleSQL allows them.
#[tokio::test]
async fn valid_texts_have_no_syntax_error() {
    let engine = TestEngine::start();
    for sql in [
        "SELECT a, FROM (SELECT 1 AS a,)",
        "SELECT * EXCEPT (b), 2 AS c, FROM (SELECT 1 AS a, 2 AS b)",
        "SELECT a IS DISTINCT FROM b, b IS NOT DISTINCT FROM a FROM (SELECT 1 AS a, 2 AS b)",
        "SELECT CASE WHEN a IS DISTINCT FROM 1 THEN 1 WHEN a = 2 THEN (SELECT 1 FROM UNNEST([1])) ELSE NULL END AS `case` FROM (SELECT 1 AS a)",
        "SELECT CASE CASE 1 WHEN 1 THEN 2 END WHEN 2 THEN CASE WHEN TRUE THEN 3 END END",
        "SELECT s.end, s.select FROM (SELECT STRUCT(1 AS `end`, 2 AS `select`) AS s)",
        "SELECT ARRAY<STRUCT<a INT64, b ARRAY<STRING>>>[(1, ['x'])], STRUCT<INT64, STRING>(1, 'x')",
        "SELECT SUM(a) OVER (PARTITION BY a ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM UNNEST([1]) AS a",
        "SELECT COUNT(*), COUNT(DISTINCT a), ARRAY_AGG(a IGNORE NULLS ORDER BY a LIMIT 1) FROM UNNEST([1]) AS a, UNNEST([2]) AS b",
        "SELECT LEFT('abc', 1), RIGHT('abc', 1), IF(NOT TRUE, 1, 2), -1 - -2, EXTRACT(WEEK(MONDAY) FROM DATE '2026-01-01')",
        "SELECT 1 IN UNNEST([1]), 1 NOT IN (1), 'a' NOT LIKE 'b', 'a' LIKE ANY ('a', 'b'), 1 BETWEEN 0 AND 2, EXISTS (SELECT 1)",
        "SELECT a, COUNT(*) FROM UNNEST([1, 2]) AS a GROUP BY ROLLUP (a) HAVING COUNT(*) > 0 ORDER BY a DESC NULLS LAST LIMIT 5",
        "SELECT a FROM UNNEST([1]) AS a CROSS JOIN UNNEST([2]) AS b LEFT JOIN UNNEST([1]) AS c ON c = a WHERE NOT a IS NULL",
        "WITH a AS (SELECT 1 AS x) (SELECT x FROM a) UNION ALL SELECT 2 EXCEPT DISTINCT SELECT 3",
        "SELECT AS STRUCT 1 AS a, (SELECT AS STRUCT 2 AS b) AS c",
        "SELECT 1;",
    ] {
        if let Err(error) = engine.rows(sql).await {
            assert!(!error.to_string().contains("Syntax error"), "{sql}: {error}");
        }
    }
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
