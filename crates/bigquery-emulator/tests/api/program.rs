//! The program `bigquery-emulator`, as a process.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A failing test ends after this time.
const TIMEOUT: Duration = Duration::from_secs(60);

fn program(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bigquery-emulator"));
    command.arg("--data-dir").arg(data_dir).args(["--port", "0"]).kill_on_drop(true);
    command
}

/// A running emulator.
struct Program {
    child: Child,
    url: String,
    http: Client,
}

impl Program {
    async fn start(data_dir: &Path) -> Program {
        let mut child = program(data_dir).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.strip_prefix("export BIGQUERY_EMULATOR_HOST=") {
                    return url.to_owned();
                }
            }
            panic!("the program ended without its address")
        };
        let url = timeout(TIMEOUT, url).await.unwrap();
        Program { child, url, http: Client::builder().no_proxy().build().unwrap() }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.try_post(path, body).await;
        assert_eq!(answer.get("error"), None, "{path}");
        answer
    }

    async fn try_post(&self, path: &str, body: Value) -> Value {
        let response = self.http.post(format!("{}/bigquery/v2/projects/p{path}", self.url)).body(body.to_string()).send().await.unwrap();
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    async fn query(&self, sql: &str) -> Value {
        let timeout = TIMEOUT.as_millis() as u64;
        self.try_post("/queries", json!({"query": sql, "useLegacySql": false, "timeoutMs": timeout})).await
    }

    async fn count(&self) -> Value {
        self.query("SELECT COUNT(*) FROM shop.sales").await["rows"][0]["f"][0]["v"].clone()
    }

    /// Peak memory of the process in MiB. Only Linux reports it.
    fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak.map(|kib| kib >> 10)
    }

    async fn stop(mut self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().await.unwrap().success());
        let status = timeout(TIMEOUT, self.child.wait()).await.unwrap().unwrap();
        assert!(status.success(), "{signal}: {status}");
    }
}

#[tokio::test]
async fn the_program_stops_on_a_signal_and_keeps_its_data() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path()).await;
    program.post("/datasets", json!({"datasetReference": {"projectId": "p", "datasetId": "shop"}})).await;
    let reference = json!({"projectId": "p", "datasetId": "shop", "tableId": "sales"});
    let schema = json!({"fields": [{"name": "item", "type": "STRING"}]});
    program.post("/datasets/shop/tables", json!({"tableReference": reference, "schema": schema})).await;
    program.post("/datasets/shop/tables/sales/insertAll", json!({"rows": [{"json": {"item": "pen"}}]})).await;
    assert_eq!(program.count().await, "1");
    program.stop("TERM").await;

    let program = Program::start(dir.path()).await;
    assert_eq!(program.count().await, "1");
    program.stop("INT").await;
}

#[tokio::test]
async fn a_directory_in_use_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let first = Program::start(dir.path()).await;
    let output = timeout(TIMEOUT, program(dir.path()).output()).await.unwrap().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(error.starts_with("error: cannot open the data directory") && error.contains("is in use by another process"), "{error}");
    first.stop("TERM").await;
}

/// Maximum memory of the process during a query above the memory limit, in MiB.
const MAX_MEMORY_MIB: u64 = 900;

/// Queries that would need many gigabytes. `n` counts 3,000 rows.
#[rustfmt::skip]
const LARGE_QUERIES: &[&str] = &[
    // UNNEST beside a long text, and joins.
    "SELECT MAX(LENGTH(s) + a) FROM (SELECT REPEAT('x', 1000000 - n) AS s, GENERATE_ARRAY(1, 100000 + n) AS list FROM numbers LIMIT 1), UNNEST(list) AS a",
    "SELECT s, a FROM (SELECT REPEAT('x', 100000 - n) AS s, GENERATE_ARRAY(1, 10000 + n) AS list FROM numbers LIMIT 1), UNNEST(list) AS a",
    "SELECT LENGTH(MAX(s)), MAX(b.n) FROM (SELECT REPEAT('x', 1000000 + n) AS s, n FROM numbers WHERE n < 10) AS a JOIN numbers AS b ON MOD(b.n, 2) = MOD(a.n, 2)",
    "SELECT LENGTH(MAX(s)), MAX(b.n) FROM (SELECT REPEAT('x', 1000000 + n) AS s, n FROM numbers WHERE n < 10) AS a JOIN numbers AS b ON b.n > a.n",
    "SELECT LENGTH(MAX(s)), MAX(b.n) FROM (SELECT REPEAT('x', 1000000 + n) AS s, n FROM numbers WHERE n < 10) AS a CROSS JOIN numbers AS b",
    // Subqueries for each row.
    "SELECT ARRAY(SELECT x FROM UNNEST(GENERATE_ARRAY(n, 1000000)) AS x) FROM numbers",
    "SELECT (SELECT STRING_AGG(REPEAT(CAST(n AS STRING), 100000)) FROM UNNEST(GENERATE_ARRAY(1, 1000 + n))) FROM numbers",
    "SELECT (SELECT STRING_AGG(REPEAT('x', 1000000)) FROM UNNEST(GENERATE_ARRAY(1, 1000 + n))) FROM numbers",
    // Functions.
    "SELECT LENGTH(REPEAT('x', 1000000 + n)) FROM numbers",
    "SELECT LENGTH(CONCAT(REPEAT('x', 100000 + n), REPEAT('y', 100000 + n))) FROM numbers",
    "SELECT ARRAY_LENGTH(SPLIT(REPEAT('a,', 500000 + n))) FROM numbers",
    "WITH RECURSIVE r AS (SELECT 1 AS i, 'x' AS s UNION ALL SELECT i + 1, CONCAT(s, s) FROM r WHERE i < 100) SELECT MAX(LENGTH(s)) FROM r",
    // Aggregate functions.
    "SELECT LENGTH(STRING_AGG(REPEAT('x', 50000 + n))) FROM (SELECT a.n FROM numbers AS a, numbers)",
    "SELECT n, ARRAY_AGG(REPEAT('x', 10000 - n)) FROM (SELECT a.n FROM numbers AS a, numbers) GROUP BY n",
    "SELECT ARRAY_LENGTH(ARRAY_AGG(a)) FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS a, UNNEST(GENERATE_ARRAY(1, 1000000)) AS b",
    "SELECT COUNT(DISTINCT CONCAT(CAST(a.n AS STRING), CAST(b.n AS STRING), REPEAT('x', 5000))) FROM numbers AS a, numbers AS b",
    "SELECT a.n AS x, b.n AS y, MAX(CONCAT(CAST(a.n AS STRING), REPEAT('x', 5000))) FROM numbers AS a, numbers AS b GROUP BY x, y",
    "SELECT APPROX_TOP_COUNT(CONCAT(CAST(a.n AS STRING), REPEAT('x', 5000)), 100) FROM numbers AS a, numbers",
    // Window functions.
    "SELECT LENGTH(STRING_AGG(CAST(n AS STRING)) OVER (ORDER BY n)) FROM (SELECT a.n * 10 + b AS n FROM numbers AS a, UNNEST([1, 2, 3, 4, 5, 6, 7, 8, 9]) AS b)",
    "SELECT ARRAY_LENGTH(ARRAY_AGG(n) OVER (ORDER BY n)) FROM (SELECT a.n * 10 + b AS n FROM numbers AS a, UNNEST([1, 2, 3, 4, 5, 6, 7, 8, 9]) AS b)",
    "SELECT LENGTH(MAX(REPEAT('x', 20000 - n)) OVER (ORDER BY n)) FROM (SELECT a.n FROM numbers AS a, numbers)",
    "SELECT LENGTH(FIRST_VALUE(s) OVER (ORDER BY n)) FROM (SELECT n, IF(n = 1, REPEAT('x', 1000000 - n), 'y') AS s FROM numbers)",
    "SELECT LENGTH(LAST_VALUE(s) OVER (ORDER BY n DESC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)) FROM (SELECT n, IF(n = 1, REPEAT('x', 1000000 - n), 'y') AS s FROM numbers)",
    "SELECT LENGTH(PERCENTILE_DISC(s, 0) OVER ()) FROM (SELECT n, IF(n < 3000, REPEAT('x', 50 - MOD(n, 2)), REPEAT('a', 1000000 - n)) AS s FROM numbers)",
    "SELECT LENGTH(LAG(s, 3000, REPEAT('x', 1000000)) OVER (ORDER BY n)) FROM (SELECT n, 'y' AS s FROM numbers)",
    "SELECT SUM(a) OVER () FROM UNNEST(GENERATE_ARRAY(1, 1000)) AS a, UNNEST(GENERATE_ARRAY(1, 1000000)) AS b",
];

#[tokio::test]
async fn queries_above_the_memory_limit_fail_and_the_process_stays_small() {
    let numbers = "(SELECT n FROM UNNEST(GENERATE_ARRAY(1, 3000)) AS n)";
    let mut failures = Vec::new();
    for query in LARGE_QUERIES {
        let sql = match query.strip_prefix("WITH RECURSIVE") {
            Some(rest) => format!("WITH RECURSIVE numbers AS {numbers}, {rest}"),
            None => format!("WITH numbers AS {numbers} {query}"),
        };
        let dir = tempfile::tempdir().unwrap();
        let program = Program::start(dir.path()).await;
        let answer = timeout(TIMEOUT, program.query(&sql)).await;
        let message = answer.as_ref().map_or("no answer in time", |answer| answer["error"]["message"].as_str().unwrap_or("an answer"));
        let memory = program.peak_memory().unwrap_or(0);
        let is_refused = message.starts_with("Resources exceeded during query execution") || message == "Response too large to return";
        if !is_refused || memory > MAX_MEMORY_MIB {
            failures.push(format!("{memory} MiB, {message}: {query}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
