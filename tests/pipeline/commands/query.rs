//! `pixel-pipeline query`: its output and exit codes.

use std::process::{Output, Stdio};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use bigquery_emulator::BigQuery;
use pixel_pipeline::source::http::server;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::TestBigQuery;
use crate::support::bigquery::{PROJECT, TempDir};
use crate::support::gate::bigquery_behind;
use crate::support::service::{TIMEOUT, command, send_signal};

const ENDLESS: &str =
    "SELECT SUM(SQRT(x * y)) AS s FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x CROSS JOIN UNNEST(GENERATE_ARRAY(1, 1000000)) AS y";

/// `query ARGS` against that BigQuery.
fn query(bigquery: &TestBigQuery, args: &[&str]) -> Command {
    let mut query = command("query");
    query.args(args).env("BIGQUERY_EMULATOR_HOST", &bigquery.url).env("GOOGLE_CLOUD_PROJECT", PROJECT);
    query.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    query
}

async fn run(mut command: Command) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = tokio::time::timeout(TIMEOUT, command.output()).await.expect("it ends").unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// The output of a query that succeeds.
async fn printed(bigquery: &TestBigQuery, args: &[&str]) -> String {
    let (code, stdout, stderr) = run(query(bigquery, args)).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{args:?}");
    stdout
}

#[tokio::test]
async fn rows_are_printed_as_an_aligned_table() {
    let bigquery = TestBigQuery::start().await;
    let sql = "SELECT 1 AS n, 'a' AS name, TIMESTAMP '2026-01-02 03:04:05+00' AS `at` UNION ALL SELECT 20, NULL, NULL ORDER BY n";
    let expected = "\
+----+------+-------------------------+
|  n | name | at                      |
+=====================================+
|  1 | a    | 2026-01-02 03:04:05 UTC |
| 20 | NULL | NULL                    |
+----+------+-------------------------+
";
    assert_eq!(printed(&bigquery, &[sql]).await, expected);
}

#[tokio::test]
async fn csv_is_quoted_if_necessary_and_null_is_empty() {
    let bigquery = TestBigQuery::start().await;
    let sql = "SELECT 'a,\"b\"' AS s, NULL AS n, [1, 2] AS list";
    assert_eq!(printed(&bigquery, &["--format", "csv", sql]).await, "s,n,list\n\"a,\"\"b\"\"\",,\"[1,2]\"\n");
    assert_eq!(printed(&bigquery, &["--format", "csv", "SELECT 1 AS x LIMIT 0"]).await, "x\n", "the header alone");
}

#[tokio::test]
async fn json_has_the_columns_types() {
    let bigquery = TestBigQuery::start().await;
    let sql = "SELECT 5 AS i, 0.5 AS f, TRUE AS b, 'x' AS s, DATE '2026-01-02' AS d, TIMESTAMP '2026-01-02 03:04:05.402197+00' AS t, \
               [1, 2] AS list, STRUCT(1 AS a, 'y' AS b) AS point, CAST(NULL AS INT64) AS n, 9007199254740993 AS large";
    let rows: Value = serde_json::from_str(&printed(&bigquery, &["--format", "json", sql]).await).unwrap();
    let expected = json!([{
        "i": 5, "f": 0.5, "b": true, "s": "x", "d": "2026-01-02", "t": "2026-01-02T03:04:05.402197Z",
        "list": [1, 2], "point": {"a": 1, "b": "y"}, "n": null, "large": "9007199254740993",
    }]);
    assert_eq!(rows, expected);
    let none: Value = serde_json::from_str(&printed(&bigquery, &["--format", "json", "SELECT 1 AS x LIMIT 0"]).await).unwrap();
    assert_eq!(none, json!([]));
}

#[tokio::test]
async fn all_pages_of_a_long_result_are_printed() {
    let bigquery = TestBigQuery::start().await;
    let sql = "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS x ORDER BY x";
    let csv = printed(&bigquery, &["--format", "csv", sql]).await;
    let expected: String = std::iter::once("x".to_owned()).chain((1..=2500).map(|x| x.to_string())).map(|line| line + "\n").collect();
    assert!(csv == expected, "{} lines", csv.lines().count());
    let json: Value = serde_json::from_str(&printed(&bigquery, &["--format", "json", sql]).await).unwrap();
    assert_eq!((json.as_array().unwrap().len(), &json[2499]), (2500, &json!({"x": 2500})));
    let table = printed(&bigquery, &[sql]).await;
    assert_eq!(table.lines().filter(|line| line.starts_with('+')).count(), 3, "the pages are one table");
    assert_eq!(table.lines().count(), 2500 + 4);
}

#[tokio::test]
async fn max_rows_limits_the_output_and_is_reported() {
    let bigquery = TestBigQuery::start().await;
    let sql = "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 2500)) AS x ORDER BY x";
    let (code, stdout, stderr) = run(query(&bigquery, &["--format=csv", "--max-rows=2", sql])).await;
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "x\n1\n2\n", "Printed the first 2 of 2500 rows.\n"));
}

#[tokio::test]
async fn the_query_is_read_from_standard_input() {
    let bigquery = TestBigQuery::start().await;
    for args in [&["--format=csv", "-"][..], &["--format=csv"]] {
        let mut child = query(&bigquery, args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"SELECT 1 AS x").await.unwrap();
        let output = tokio::time::timeout(TIMEOUT, child.wait_with_output()).await.expect("it ends").unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "x\n1\n", "{args:?}");
    }
}

#[tokio::test]
async fn parameters_and_the_default_dataset_reach_the_query() {
    let bigquery = TestBigQuery::with_template(json!([{"name": "x", "type": "INTEGER"}])).await;
    for x in 1..=3 {
        bigquery.insert("pixel", &x.to_string(), json!({"x": x})).await;
    }
    let sql = "SELECT x FROM pixel WHERE x > @least AND x IN UNNEST(@some)";
    let args = ["--format=csv", "--param", "least:INT64:1", "--param", "some:ARRAY<INT64>:[1,3]", sql];
    assert_eq!(printed(&bigquery, &args).await, "x\n3\n");
    assert_eq!(printed(&bigquery, &["--format=csv", "--param=:STRING:a:b", "SELECT ? AS s"]).await, "s\na:b\n");
    let elsewhere = ["--dataset=other", sql, "--param=least:INT64:1", "--param=some:ARRAY<INT64>:[]"];
    assert_eq!(run(query(&bigquery, &elsewhere)).await.0, Some(1));
}

#[tokio::test]
async fn an_error_is_marked_at_its_location() {
    let bigquery = TestBigQuery::start().await;
    let (code, stdout, stderr) = run(query(&bigquery, &["SELECT 1,\n  missing"])).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.starts_with("error: ") && stderr.contains("missing"), "{stderr}");
    assert!(stderr.ends_with("\n  |\n2 |   missing\n  |   ^\n"), "{stderr}");
}

#[tokio::test]
async fn control_characters_of_rows_do_not_reach_the_terminal() {
    let bigquery = TestBigQuery::with_template(json!([{"name": "s", "type": "STRING"}])).await;
    bigquery.insert("pixel", "1", json!({"s": "a\u{1b}[31m\nb"})).await;
    let table = printed(&bigquery, &["SELECT s FROM pixel"]).await;
    assert!(table.contains("| a\u{fffd}[31m\u{fffd}b |"), "{table:?}");
}

#[tokio::test]
async fn a_statement_without_rows_reports_affected_rows() {
    let bigquery = TestBigQuery::with_template(json!([{"name": "x", "type": "INTEGER"}])).await;
    bigquery.insert("pixel", "1", json!({"x": 1})).await;
    let (code, stdout, stderr) = run(query(&bigquery, &["DELETE FROM pixel WHERE x = 1"])).await;
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", "1 row affected.\n"));
}

#[tokio::test]
async fn ctrl_c_cancels_the_query_on_the_server() {
    let bigquery = TestBigQuery::start().await;
    let mut child = query(&bigquery, &[ENDLESS]).spawn().unwrap();
    let running = async {
        loop {
            let (_, list) = bigquery.call(Method::GET, "/jobs?stateFilter=running", Value::Null).await;
            if let Some(id) = list["jobs"][0]["jobReference"]["jobId"].as_str() {
                break id.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let id = tokio::time::timeout(TIMEOUT, running).await.expect("the job runs");
    send_signal(&child, "INT");
    let status = tokio::time::timeout(TIMEOUT, child.wait()).await.expect("it ends").unwrap();
    assert_eq!(status.code(), Some(1));
    let (_, job) = bigquery.call(Method::GET, &format!("/jobs/{id}"), Value::Null).await;
    assert_eq!(job["status"]["errorResult"]["reason"], "stopped");
}

#[tokio::test]
async fn a_closed_pipe_ends_the_query_without_an_error() {
    let bigquery = TestBigQuery::start().await;
    let sql = "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS x";
    let mut child = query(&bigquery, &["--format=csv", sql]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next_line().await.unwrap().as_deref(), Some("x"));
    drop(lines);
    let output = tokio::time::timeout(TIMEOUT, child.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[tokio::test]
async fn a_query_without_a_target_is_a_usage_error() {
    let bigquery = TestBigQuery::start().await;
    let mut nowhere = command("query");
    nowhere.arg("SELECT 1");
    let (code, _, stderr) = run(nowhere).await;
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--local") && stderr.contains("--project"), "{stderr}");

    let port = bigquery.url.rsplit(':').next().unwrap();
    let mut local = command("query");
    local.args([&format!("--local={port}"), "--format=csv", "SELECT 1 AS x"]);
    assert_eq!(run(local).await.1, "x\n1\n");
}

/// A metadata server that returns a token, and a BigQuery that requires it.
async fn google(request: Request, next: Next) -> Response {
    if request.uri().path().ends_with("/token") {
        let token = json!({"access_token": "of-the-account", "expires_in": 3599, "token_type": "Bearer"});
        return ([("metadata-flavor", "Google"), ("content-type", "application/json")], token.to_string()).into_response();
    }
    match request.headers().get("authorization").map(|value| value.as_bytes()) {
        Some(b"Bearer of-the-account") => next.run(request).await,
        _ => {
            let error = json!({"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}});
            (StatusCode::UNAUTHORIZED, error.to_string()).into_response()
        }
    }
}

#[tokio::test]
async fn a_live_project_is_queried_with_default_credentials() {
    let dir = TempDir::new();
    let router = BigQuery::open(dir.path()).unwrap().router().layer(from_fn(google));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = tokio::spawn(server::serve(listener, router, std::future::pending()));
    let mut live = command("query");
    live.env("BIGQUERY_ENDPOINT", format!("http://{address}")).env("GCE_METADATA_HOST", &address);
    live.args(["--project=my-project", "--format=csv", "SELECT 1 AS x"]);
    assert_eq!(run(live).await, (Some(0), "x\n1\n".to_owned(), String::new()));
    server.abort();
}

#[tokio::test]
async fn usage_errors_exit_2_and_an_unreachable_server_1() {
    let bigquery = TestBigQuery::start().await;
    for args in [
        &["--param", "x", "SELECT 1"][..],
        &["--format", "xml", "SELECT 1"],
        &[" "],
        &["--local=x", "SELECT 1"],
        &["--dataset", "a b", "SELECT 1"],
        &["--dataset", "a-b", "SELECT 1"],
        &["--dataset", "", "SELECT 1"],
        &["--dataset", "p.a b", "SELECT 1"],
        &["--project-id", "my project", "SELECT 1"],
    ] {
        assert_eq!(run(query(&bigquery, args)).await.0, Some(2), "{args:?}");
    }
    let closed_port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut unreachable = command("query");
    unreachable.args([&format!("--local={closed_port}"), "SELECT 1"]);
    let (code, _, stderr) = run(unreachable).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("cannot reach BigQuery") && stderr.contains("refused"), "{stderr}");
}

#[tokio::test]
async fn query_local_without_a_server_says_how_to_start_it() {
    // Bound and closed: nobody listens on this port.
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut query = command("query");
    query.args([&format!("--local={port}"), "SELECT 1"]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (code, stdout, stderr) = run(query).await;
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    let says = ["cannot reach BigQuery", &port.to_string(), "start it with `pixel-pipeline local`", "--local=PORT"];
    assert!(says.iter().all(|text| stderr.contains(text)), "{stderr}");
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_an_empty_result() {
    let schema = json!({"fields": [{"name": "x", "type": "INTEGER"}]});
    for answer in [
        json!({}),
        json!({"kind": "bigquery#job"}),
        json!({"kind": "bigquery#getQueryResultsResponse", "schema": schema, "totalRows": "0"}),
        json!({"jobComplete": true, "schema": schema, "totalRows": "2"}),
        json!({"jobComplete": true, "schema": schema, "totalRows": "2", "rows": [{"f": [{"v": "1"}]}]}),
        json!({"jobComplete": true, "schema": schema}),
    ] {
        let text = answer.to_string();
        let bigquery = bigquery_behind(move |request, _| request.contains("/queries/").then(|| text.clone().into_response())).await;
        let (code, _, stderr) = run(query(&bigquery, &["--format=csv", "SELECT x"])).await;
        assert_eq!(code, Some(1), "{answer}: {stderr}");
    }
}
