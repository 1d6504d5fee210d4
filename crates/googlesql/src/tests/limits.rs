//! Queries that are too deep, too long or too large for the memory. Each has an answer or a clear error, and the process
//! survives.

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use tokio::time::timeout;

use super::{TestEngine, query};
use crate::QueryError;
use crate::planning_threads::PlanningThreads;

/// A query must end in this time, also in a debug build on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// `before`, then `start` and `end` n times around `middle`.
fn nest(before: &str, start: &str, middle: &str, end: &str, n: usize) -> String {
    format!("{before}{}{middle}{}", start.repeat(n), end.repeat(n))
}

/// `before` and n numbered parts.
fn number(before: &str, n: usize, part: impl Fn(usize) -> String) -> String {
    (0..n).fold(before.to_owned(), |sql, index| sql + &part(index))
}

/// Queries of a size, one or more of each construct.
fn queries(n: usize) -> Vec<String> {
    let chains = [
        "+ number",
        "- number",
        "& number",
        "<< 1",
        "= number",
        "= number OR TRUE",
        "OR number = 1",
        "AND number = 1",
        "IS NULL",
        "IN (TRUE)",
        "BETWEEN TRUE AND TRUE",
        "LIKE 'a'",
        "|| 'a'",
        "IS DISTINCT FROM TRUE",
        "[0]",
        ".a",
        ", number",
        "UNION ALL SELECT number",
        "UNION DISTINCT SELECT 1",
        "INTERSECT DISTINCT SELECT 1",
        "EXCEPT DISTINCT SELECT 1",
        "UNION ALL SELECT 1 UNION DISTINCT SELECT 1",
    ];
    let nests = [
        ("(", "1", ")"),
        ("NOT ", "TRUE", ""),
        ("- ", "1", ""),
        ("~", "1", ""),
        ("CASE WHEN TRUE THEN ", "1", " END"),
        ("CASE ", "1", " WHEN 1 THEN 1 END"),
        ("CAST(", "1", " AS INT64)"),
        ("[", "1", "]"),
        ("STRUCT(", "1", ")"),
        ("(1,", "1", ")"),
        ("ABS(", "1", ")"),
        ("IF(TRUE,1,", "1", ")"),
        ("COALESCE(", "number", ",1)"),
        ("NULLIF(", "number", ",1)"),
        ("COALESCE(1+", "number", ",1)"),
        ("(SELECT ", "1", ")"),
        ("EXISTS(SELECT 1 FROM UNNEST([number]) AS x WHERE x = number AND ", "TRUE", ")"),
        ("ARRAY(SELECT ", "1", ")"),
        ("1 IN (SELECT 1 WHERE ", "TRUE", ")"),
        ("INTERVAL ", "1", " DAY"),
        ("CAST(NULL AS STRUCT<", "INT64", ">)"),
        ("/* c */ ", "1", ""),
    ];
    let sources = [
        ("(SELECT * FROM ", "t", ")"),
        ("(", "t", ")"),
        ("(SELECT number + number AS number FROM ", "t", ")"),
        ("UNNEST(ARRAY(SELECT 1 FROM ", "t", "))"),
        ("(SELECT ROW_NUMBER() OVER (ORDER BY number) AS number FROM ", "t", ")"),
        ("(SELECT DISTINCT number FROM ", "t", ")"),
    ];
    let mut all: Vec<String> = chains.iter().map(|part| format!("SELECT number {} FROM t", format!("{part} ").repeat(n))).collect();
    all.extend(nests.iter().map(|(start, middle, end)| nest("SELECT ", start, middle, end, n) + " FROM t"));
    all.extend(sources.iter().map(|(start, middle, end)| nest("SELECT COUNT(*) FROM ", start, middle, end, n) + " WHERE number = 1"));
    all.extend(
        ["(", "[", "CASE ", "a(", "STRUCT<", "NOT EXISTS (", "SELECT 1;", "@", "(SELECT "].map(|part| format!("SELECT {}", part.repeat(n))),
    );
    all.push(
        number("WITH a0 AS (SELECT 1 AS x)", n, |i| format!(", a{} AS (SELECT x + 1 AS x FROM a{i})", i + 1))
            + &format!(" SELECT * FROM a{n}"),
    );
    all.push(
        number("WITH a0 AS (SELECT 1 AS x)", n, |i| {
            format!(", a{0} AS (SELECT x FROM a{i} UNION ALL SELECT x FROM a{i} WHERE x > 1)", i + 1)
        }) + &format!(" SELECT COUNT(*) FROM a{n}"),
    );
    all.push(number("SELECT COUNT(*) FROM t", n, |i| format!(" JOIN t AS t{i} ON t{i}.number = t.number")));
    all.push(number("SELECT COUNT(*) FROM t", n, |i| format!(", UNNEST([{i}]) AS u{i}")));
    all.push(number("SELECT number IN (0", n, |i| format!(", {i}")) + ") FROM t");
    all.push(number("SELECT CASE", n, |i| format!(" WHEN number = {i} THEN {i}")) + " END FROM t");
    all.push(number("SELECT * FROM t PIVOT(COUNT(*) FOR number IN (0", n, |i| format!(", {}", i + 1)) + "))");
    all.push(number("SELECT 1", n, |i| format!(", SUM(number) OVER (ORDER BY number + {i})")) + " FROM t");
    all.push(number("SELECT COUNT(*) FROM t GROUP BY ROLLUP(number", n, |i| format!(", number + {i}")) + ")");
    all.push(number("SELECT AS STRUCT 0", n, |i| format!(", {i}")));
    all.push(number("SELECT STRUCT(0", n, |i| format!(", {i} AS a{i}")) + ") FROM t");
    all.push(number("DELETE FROM t WHERE number = 0", n, |_| " + 1".to_owned()));
    all
}

/// Runs a query to its answer or error.
async fn run(engine: &TestEngine, sql: &str) -> std::result::Result<(), QueryError> {
    let outcome = timeout(TIMEOUT, engine.prepare(query(sql))).await;
    let start: String = sql.chars().take(100).collect();
    outcome.unwrap_or_else(|_| panic!("a query of {} bytes takes too long: {start}", sql.len())).map(drop)
}

#[tokio::test]
async fn deep_and_long_queries_have_an_answer_or_an_error() {
    let mut engine = TestEngine::start();
    engine.table("t", "number", vec![0, 1, 2]);
    for n in [10, 300, 100_000] {
        for sql in queries(n) {
            if let Err(error) = run(&engine, &sql).await {
                assert!(
                    !matches!(error, QueryError::Panicked | QueryError::Closing | QueryError::Catalog(_)),
                    "{error}: {}",
                    &sql[..sql.len().min(100)]
                );
                assert!(!error.to_string().contains("Unrecognized name: CASE"), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_that_multiplies_its_struct_is_too_complex() {
    let engine = TestEngine::start();
    let error = run(&engine, &number("SELECT AS STRUCT 0", 2_000, |i| format!(", {i}"))).await.expect_err("millions of expressions");
    assert!(matches!(error, QueryError::TooComplex(_)), "{error}");
    run(&engine, &number("SELECT AS STRUCT 0", 100, |i| format!(", {i}"))).await.expect("101 members");
}

#[tokio::test]
async fn long_chains_of_real_queries_have_an_answer() {
    let mut engine = TestEngine::start();
    engine.table("t", "number", vec![0, 1, 2]);
    for sql in [
        format!("SELECT number {} FROM t", "+ number ".repeat(1_000)),
        format!("SELECT 'a' {} FROM t", "|| 'b' ".repeat(1_000)),
        number("SELECT * FROM t WHERE number = 0", 1_000, |i| format!(" OR number = {i}")),
        number("SELECT * FROM t WHERE number IN (0", 2_000, |i| format!(", {i}")) + ")",
        number("SELECT 1", 500, |i| format!(" UNION ALL SELECT {i}")),
        number("WITH a0 AS (SELECT 1 AS x)", 50, |i| format!(", a{} AS (SELECT x + 1 AS x FROM a{i})", i + 1)) + " SELECT * FROM a50",
    ] {
        run(&engine, &sql).await.unwrap_or_else(|error| panic!("{error}: {}", &sql[..100]));
    }
}

#[tokio::test]
async fn queries_above_the_memory_limit_fail() {
    let mut engine = TestEngine::start();
    engine.table("t", "number", vec![0, 1, 2]);
    let values = ["REPEAT('a', 1000000 + number)"; 3_000].join(", ");
    for sql in [
        "SELECT LENGTH(REPLACE(REPEAT('a', 1000000), 'a', REPEAT('y', 10000)))".to_owned(),
        "SELECT LENGTH(REPLACE(REPEAT(b'a', 1000000 + number), b'a', REPEAT(b'y', 10000))) FROM t".to_owned(),
        "SELECT LENGTH(REGEXP_REPLACE(REPEAT('a', 100000 + number), 'a', REPEAT('y', 100000))) FROM t".to_owned(),
        "SELECT LENGTH(ARRAY_TO_STRING(SPLIT(REPEAT('a', 100000 + number), ''), REPEAT('x', 100000))) FROM t".to_owned(),
        format!("SELECT LENGTH(CONCAT({values})) FROM t"),
        format!("SELECT LENGTH(FORMAT('{}', {values})) FROM t", "%s".repeat(3_000)),
        "SELECT ARRAY_LENGTH(ARRAY_CONCAT([a], GENERATE_ARRAY(1, 1000000))) FROM UNNEST(GENERATE_ARRAY(1, 10000)) AS a".to_owned(),
        format!("SELECT ARRAY_LENGTH(ARRAY_CONCAT({})) FROM t", ["GENERATE_ARRAY(1, 1000000 + number)"; 300].join(", ")),
        "SELECT COUNT(SAFE.REPEAT('a', 1000000 - a)) FROM UNNEST(GENERATE_ARRAY(1, 10000)) AS a".to_owned(),
        "SELECT ARRAY_AGG(a) OVER () FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS a".to_owned(),
        "SELECT ARRAY_AGG(REPEAT('a', 10000 + a)) OVER (ORDER BY a) FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS a".to_owned(),
    ] {
        let outcome = run(&engine, &sql).await;
        assert!(matches!(outcome, Err(QueryError::ResourcesExceeded)), "{outcome:?}: {}", &sql[..sql.len().min(100)]);
    }
}

#[tokio::test]
async fn dropping_the_future_of_a_query_cancels_its_planning() {
    let engine = TestEngine::start_with(PlanningThreads::new(1, TIMEOUT));
    // The planning of 100 of these subqueries takes minutes in a debug build.
    let subquery = nest("", "ARRAY_LENGTH(ARRAY(SELECT ", "1", "))", 12);
    let sql = format!("SELECT {}", vec![subquery; 100].join(", "));
    let outcome = timeout(Duration::from_millis(500), engine.prepare(query(&sql))).await;
    assert!(outcome.is_err(), "the planning has ended");
    wait_until(|| engine.engine().planning().free() > 0).await;
}

async fn wait_until(condition: impl Fn() -> bool) {
    let poll = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TIMEOUT, poll).await.expect("the condition is not true after the timeout");
}

/// A table whose filters are planned when the sender is dropped.
#[derive(Debug)]
struct BlockingTable {
    schema: SchemaRef,
    blocked: Mutex<Receiver<()>>,
}

#[async_trait]
impl TableProvider for BlockingTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let blocked = self.blocked.lock().expect("no other query panics");
        let _ = blocked.recv();
        Ok(vec![TableProviderFilterPushDown::Unsupported; filters.len()])
    }

    async fn scan(&self, _: &dyn Session, _: Option<&Vec<usize>>, _: &[Expr], _: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(EmptyExec::new(self.schema())))
    }
}

#[tokio::test]
async fn a_rule_that_runs_too_long_fails_the_query_and_keeps_its_thread() {
    let mut engine = TestEngine::start_with(PlanningThreads::new(1, Duration::from_millis(500)));
    let (sender, receiver) = mpsc::channel();
    let schema = Arc::new(Schema::new(vec![Field::new("number", DataType::Int64, true)]));
    engine.provider("slow", Arc::new(BlockingTable { schema, blocked: Mutex::new(receiver) }));

    let error = run(&engine, "SELECT number FROM slow WHERE number = 1").await.expect_err("the rule does not return");
    assert!(error.to_string().ends_with("too many subqueries or query is too complex"), "{error}");
    let error = run(&engine, "SELECT 1").await.expect_err("the only thread is in use");
    assert!(error.to_string().ends_with("too many queries are planned at the same time"), "{error}");

    drop(sender);
    wait_until(|| engine.engine().planning().free() == 1).await;
    let error = run(&engine, "SELECT nothing").await.expect_err("there is no such column");
    assert!(matches!(error, QueryError::Invalid(_)), "{error}");
}
