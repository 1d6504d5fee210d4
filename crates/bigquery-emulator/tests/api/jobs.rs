//! The jobs API over HTTP. The query corpus tests the queries themselves.

use bigquery_emulator::BigQuery;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::server::{DATASET, PROJECT, TestServer};

/// A query that runs until it is cancelled.
const ENDLESS: &str =
    "SELECT SUM(SQRT(x * y)) AS s FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x CROSS JOIN UNNEST(GENERATE_ARRAY(1, 1000000)) AS y";

async fn query(bigquery: &TestServer, request: Value) -> (u16, Value) {
    bigquery.call(Method::POST, "/queries", request).await
}

/// Inserts a job with this id and waits for its result.
async fn insert(bigquery: &TestServer, id: &str, sql: &str) -> (u16, Value) {
    let job = json!({"jobReference": {"projectId": PROJECT, "jobId": id}, "configuration": {"query": {"query": sql}}});
    let (status, job) = bigquery.call(Method::POST, "/jobs", job).await;
    assert_eq!(status, 200, "{job}");
    get(bigquery, &format!("/queries/{id}")).await
}

async fn get(bigquery: &TestServer, path: &str) -> (u16, Value) {
    bigquery.call(Method::GET, path, Value::Null).await
}

/// A query that returns this many rows: 1, 2, 3…
fn numbers(count: usize) -> String {
    format!("SELECT x FROM UNNEST(GENERATE_ARRAY(1, {count})) AS x ORDER BY x")
}

/// The cells of a result's only column.
fn column(answer: &Value) -> Vec<&str> {
    answer["rows"].as_array().map(Vec::as_slice).unwrap_or_default().iter().map(|row| row["f"][0]["v"].as_str().unwrap()).collect()
}

fn reason(answer: &Value) -> &str {
    answer["error"]["errors"][0]["reason"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn message(answer: &Value) -> &str {
    answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn milliseconds(value: &Value) -> i64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is not an int64 in a string")).parse().unwrap()
}

#[tokio::test]
async fn jobs_query_returns_the_rows_and_a_job() {
    let bigquery = TestServer::start().await;
    let (status, answer) = query(&bigquery, json!({"query": "SELECT 1 AS x", "useLegacySql": false})).await;
    assert_eq!((status, &answer["kind"]), (200, &json!("bigquery#queryResponse")));
    assert_eq!((&answer["jobComplete"], &answer["cacheHit"]), (&json!(true), &json!(false)));
    assert_eq!((&answer["totalRows"], &answer["rows"]), (&json!("1"), &json!([{"f": [{"v": "1"}]}])));
    let field = &answer["schema"]["fields"][0];
    assert_eq!((&field["name"], &field["type"]), (&json!("x"), &json!("INTEGER")));

    let id = answer["jobReference"]["jobId"].as_str().unwrap();
    let (status, job) = get(&bigquery, &format!("/jobs/{id}?location=US")).await;
    assert_eq!((status, &job["status"]), (200, &json!({"state": "DONE"})));
    assert_eq!(job["configuration"]["query"]["query"], "SELECT 1 AS x");
    let statistics = &job["statistics"];
    assert_eq!((&statistics["query"]["statementType"], &statistics["query"]["cacheHit"]), (&json!("SELECT"), &json!(false)));
    assert!(milliseconds(&statistics["creationTime"]) <= milliseconds(&statistics["startTime"]));
    assert!(milliseconds(&statistics["startTime"]) <= milliseconds(&statistics["endTime"]));
}

#[tokio::test]
async fn an_inserted_job_keeps_its_id_and_configuration() {
    let bigquery = TestServer::start().await;
    let configuration = json!({"query": {"query": "SELECT 1 AS x", "useLegacySql": false, "priority": "BATCH"}, "labels": {"team": "a"}});
    let sent = json!({"jobReference": {"projectId": PROJECT, "jobId": "my-job_1"}, "configuration": configuration});
    let (status, job) = bigquery.call(Method::POST, "/jobs", sent).await;
    assert_eq!((status, &job["id"]), (200, &json!(format!("{PROJECT}:US.my-job_1"))));
    assert_eq!(job["jobReference"], json!({"projectId": PROJECT, "jobId": "my-job_1", "location": "US"}));
    assert_eq!((&job["configuration"]["labels"], &job["configuration"]["jobType"]), (&json!({"team": "a"}), &json!("QUERY")));
    assert_eq!(job["configuration"]["query"]["priority"], "BATCH");

    let (status, results) = get(&bigquery, "/queries/my-job_1?location=US&maxResults=100&timeoutMs=10000&startIndex=0").await;
    assert_eq!((status, &results["kind"]), (200, &json!("bigquery#getQueryResultsResponse")));
    assert_eq!((&results["jobComplete"], column(&results)), (&json!(true), vec!["1"]));
}

#[tokio::test]
async fn a_job_with_a_duplicate_id_is_rejected() {
    let bigquery = TestServer::start().await;
    insert(&bigquery, "one", "SELECT 1 AS x").await;
    let job = json!({"jobReference": {"jobId": "one"}, "configuration": {"query": {"query": "SELECT 2 AS x"}}});
    let (status, rejected) = bigquery.call(Method::POST, "/jobs", job).await;
    assert_eq!((status, reason(&rejected)), (409, "duplicate"));
    assert_eq!(message(&rejected), format!("Already Exists: Job {PROJECT}:US.one"));
    assert_eq!(column(&get(&bigquery, "/queries/one").await.1), ["1"]);
}

#[tokio::test]
async fn an_invalid_job_id_is_rejected() {
    let bigquery = TestServer::start().await;
    for id in ["a b", "a.b", "ü", &"x".repeat(1_025)] {
        let job = json!({"jobReference": {"jobId": id}, "configuration": {"query": {"query": "SELECT 1"}}});
        let (status, rejected) = bigquery.call(Method::POST, "/jobs", job).await;
        assert_eq!((status, reason(&rejected)), (400, "invalid"), "{id}");
    }
}

#[tokio::test]
async fn an_invalid_query_fails_the_request_and_the_job() {
    let bigquery = TestServer::start().await;
    let (status, error) = query(&bigquery, json!({"query": "SELECT missing"})).await;
    assert_eq!((status, reason(&error)), (400, "invalidQuery"));
    assert_eq!(error["error"]["errors"][0]["location"], "query");
    assert!(message(&error).contains("missing") && message(&error).ends_with("at [1:8]"), "{error}");

    let job = json!({"jobReference": {"jobId": "bad"}, "configuration": {"query": {"query": "SELECT missing"}}});
    let (status, job) = bigquery.call(Method::POST, "/jobs", job).await;
    assert_eq!(status, 200, "{job}");
    let (status, results) = get(&bigquery, "/queries/bad").await;
    assert_eq!((status, reason(&results)), (400, "invalidQuery"));
    let (status, job) = get(&bigquery, "/jobs/bad").await;
    assert_eq!((status, &job["status"]["state"]), (200, &json!("DONE")));
    let result = &job["status"]["errorResult"];
    assert_eq!((&result["reason"], &result["location"]), (&json!("invalidQuery"), &json!("query")));
    assert_eq!(job["status"]["errors"], json!([result]));
    assert_eq!(result["message"], message(&results));
}

#[tokio::test]
async fn a_missing_empty_or_too_long_query_is_rejected() {
    let bigquery = TestServer::start().await;
    for request in
        [json!({}), json!({"query": ""}), json!({"query": null}), json!({"query": format!("SELECT 1 -- {}", "x".repeat(1 << 20))})]
    {
        let (status, error) = query(&bigquery, request).await;
        assert_eq!((status, reason(&error)), (400, "invalid"));
    }
    let (status, error) = query(&bigquery, json!({"query": "SELECT 1", "maxResults": "many"})).await;
    assert_eq!((status, reason(&error)), (400, "badRequest"));
}

#[tokio::test]
async fn a_result_is_returned_in_pages() {
    let bigquery = TestServer::start().await;
    let (_, first) = query(&bigquery, json!({"query": numbers(25), "maxResults": 10})).await;
    assert_eq!((first["totalRows"].as_str(), column(&first).len()), (Some("25"), 10));
    let id = first["jobReference"]["jobId"].as_str().unwrap();
    let mut seen: Vec<String> = column(&first).into_iter().map(str::to_owned).collect();
    let mut token = first["pageToken"].as_str().map(str::to_owned);
    while let Some(page_token) = token {
        let (status, page) = get(&bigquery, &format!("/queries/{id}?maxResults=10&pageToken={page_token}")).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(column(&page).into_iter().map(str::to_owned));
        token = page["pageToken"].as_str().map(str::to_owned);
    }
    assert_eq!(seen, (1..=25).map(|n| n.to_string()).collect::<Vec<_>>());

    let (_, page) = get(&bigquery, &format!("/queries/{id}?startIndex=22")).await;
    assert_eq!((column(&page), page.get("pageToken")), (vec!["23", "24", "25"], None));
    let (_, beyond) = get(&bigquery, &format!("/queries/{id}?startIndex=25")).await;
    assert_eq!((beyond.get("rows"), beyond.get("pageToken")), (None, None));
    assert_eq!(get(&bigquery, &format!("/queries/{id}?pageToken=x")).await.0, 400);
}

/// The Python client takes an empty list for the complete result.
#[tokio::test]
async fn max_results_of_zero_omits_the_rows() {
    let bigquery = TestServer::start().await;
    insert(&bigquery, "job", &numbers(3)).await;
    let (_, results) = get(&bigquery, "/queries/job?maxResults=0").await;
    assert_eq!((results.get("rows"), results.get("pageToken")), (None, None));
    assert_eq!((&results["totalRows"], results["schema"]["fields"].as_array().unwrap().len()), (&json!("3"), 1));
}

#[tokio::test]
async fn a_page_has_at_most_ten_megabytes() {
    let bigquery = TestServer::start().await;
    let sql = "SELECT REPEAT('x', 1000000 + 0 * i) AS x FROM UNNEST(GENERATE_ARRAY(1, 25)) AS i";
    let (_, mut page) = query(&bigquery, json!({"query": sql})).await;
    let id = page["jobReference"]["jobId"].as_str().unwrap().to_owned();
    let mut sizes = vec![column(&page).len()];
    while let Some(token) = page["pageToken"].as_str() {
        page = get(&bigquery, &format!("/queries/{id}?pageToken={token}")).await.1;
        sizes.push(column(&page).len());
    }
    assert_eq!(sizes.iter().sum::<usize>(), 25);
    assert!(sizes.len() >= 3 && sizes.iter().all(|&size| (1..=11).contains(&size)), "{sizes:?}");
}

#[tokio::test]
async fn a_long_query_returns_incomplete_and_can_be_cancelled() {
    let bigquery = TestServer::start().await;
    let (status, answer) = query(&bigquery, json!({"query": ENDLESS, "timeoutMs": 50})).await;
    assert_eq!((status, &answer["jobComplete"]), (200, &json!(false)));
    assert_eq!((answer.get("rows"), answer.get("totalRows")), (None, None));
    let id = answer["jobReference"]["jobId"].as_str().unwrap();
    let (status, results) = get(&bigquery, &format!("/queries/{id}?timeoutMs=0")).await;
    assert_eq!((status, &results["jobComplete"]), (200, &json!(false)));
    let (_, running) = get(&bigquery, "/jobs?stateFilter=pending&stateFilter=running").await;
    assert_eq!(running["jobs"][0]["jobReference"]["jobId"], id);
    assert_eq!(bigquery.call(Method::DELETE, &format!("/jobs/{id}/delete"), Value::Null).await.0, 400, "a running job cannot be deleted");

    let (status, cancelled) = bigquery.call(Method::POST, &format!("/jobs/{id}/cancel?location=US"), Value::Null).await;
    assert_eq!((status, &cancelled["kind"]), (200, &json!("bigquery#jobCancelResponse")));
    let (_, job) = get(&bigquery, &format!("/jobs/{id}")).await;
    assert_eq!((&job["status"]["state"], &job["status"]["errorResult"]["reason"]), (&json!("DONE"), &json!("stopped")));
    let (status, results) = get(&bigquery, &format!("/queries/{id}")).await;
    assert_eq!((status, reason(&results)), (499, "stopped"));
    assert_eq!(get(&bigquery, "/jobs?stateFilter=running").await.1["jobs"], json!([]));
}

#[tokio::test]
async fn cancelling_a_completed_job_has_no_effect() {
    let bigquery = TestServer::start().await;
    insert(&bigquery, "done", "SELECT 1 AS x").await;
    let (status, cancelled) = bigquery.call(Method::POST, "/jobs/done/cancel", Value::Null).await;
    assert_eq!((status, &cancelled["job"]["status"]), (200, &json!({"state": "DONE"})));
    assert_eq!(column(&get(&bigquery, "/queries/done").await.1), ["1"]);
}

#[tokio::test]
async fn a_job_stops_after_job_timeout_ms() {
    let bigquery = TestServer::start().await;
    let (status, error) = query(&bigquery, json!({"query": ENDLESS, "jobTimeoutMs": "100"})).await;
    assert_eq!((status, reason(&error)), (499, "stopped"));
    assert!(message(&error).contains("timed out after 0.1s"), "{error}");
}

#[tokio::test]
async fn a_dry_run_returns_the_schema_and_creates_no_job() {
    let bigquery = TestServer::start().await;
    let (status, answer) = query(&bigquery, json!({"query": "SELECT 1 AS x", "dryRun": true})).await;
    assert_eq!((status, &answer["jobComplete"], answer.get("rows")), (200, &json!(true), None));
    assert_eq!(answer["schema"]["fields"][0]["name"], "x");
    let sent = json!({"configuration": {"query": {"query": "SELECT 1 AS x"}, "dryRun": true}});
    let (status, job) = bigquery.call(Method::POST, "/jobs", sent).await;
    assert_eq!((status, &job["status"]["state"]), (200, &json!("DONE")));
    assert_eq!(job["statistics"]["query"]["schema"]["fields"][0]["name"], "x");
    assert_eq!(job["statistics"]["totalBytesProcessed"], "0");
    let bad = json!({"configuration": {"query": {"query": "SELECT missing"}, "dryRun": true}});
    let (status, error) = bigquery.call(Method::POST, "/jobs", bad).await;
    assert_eq!((status, reason(&error)), (400, "invalidQuery"));
    assert_eq!(get(&bigquery, "/jobs").await.1["jobs"], json!([]));
}

#[tokio::test]
async fn legacy_sql_is_rejected_and_googlesql_is_the_default() {
    let bigquery = TestServer::start().await;
    for request in [json!({"query": "SELECT 1", "useLegacySql": true}), json!({"query": "#legacySQL\nSELECT 1", "useLegacySql": false})] {
        let (status, error) = query(&bigquery, request).await;
        assert_eq!((status, reason(&error)), (400, "invalidQuery"));
        assert!(message(&error).contains("legacy SQL"), "{error}");
    }
    for request in [json!({"query": "#standardSQL\nSELECT 1 AS x"}), json!({"query": "SELECT 1 AS x", "useLegacySql": null})] {
        let (status, answer) = query(&bigquery, request).await;
        assert_eq!((status, column(&answer)), (200, vec!["1"]));
    }
}

#[tokio::test]
async fn unsupported_job_types_and_settings_are_rejected_by_name() {
    let bigquery = TestServer::start().await;
    let query = |setting: &str, value: Value| json!({"query": {"query": "SELECT 1", setting: value}});
    let destination = json!({"projectId": PROJECT, "datasetId": DATASET, "tableId": "t"});
    for (configuration, name) in [
        (json!({"load": {"sourceUris": ["gs://b/o"]}}), "load jobs"),
        (json!({"copy": {"sourceTable": destination}}), "copy jobs"),
        (json!({"extract": {"destinationUris": ["gs://b/o"]}}), "extract jobs"),
        (query("destinationTable", destination.clone()), "destination tables"),
        (query("tableDefinitions", json!({"t": {"sourceFormat": "CSV"}})), "external tables"),
        (query("createSession", json!(true)), "sessions"),
        (query("connectionProperties", json!([{"key": "time_zone", "value": "Europe/Berlin"}])), "time zone"),
    ] {
        let (status, error) = bigquery.call(Method::POST, "/jobs", json!({"configuration": configuration})).await;
        assert_eq!((status, reason(&error)), (501, "notImplemented"), "{configuration}");
        assert!(message(&error).contains(name), "{error}");
    }
    let url = format!("{}/upload/bigquery/v2/projects/{PROJECT}/jobs?uploadType=resumable", bigquery.url);
    let upload = reqwest::Client::builder().no_proxy().build().unwrap().post(url).body("{}").send().await.unwrap();
    assert_eq!(upload.status(), 501);
    assert!(upload.text().await.unwrap().contains("load jobs"));
    assert_eq!(get(&bigquery, "/jobs").await.1["jobs"], json!([]));
}

/// Values that clients send for "not set", and the anonymous table of an earlier response.
#[tokio::test]
async fn unset_settings_and_anonymous_tables_are_accepted() {
    let bigquery = TestServer::start().await;
    insert(&bigquery, "first", "SELECT 1 AS x").await;
    let anonymous = get(&bigquery, "/jobs/first").await.1["configuration"]["query"]["destinationTable"].clone();
    let settings = json!({
        "query": "SELECT 1 AS x", "destinationTable": anonymous, "continuous": false, "createSession": null, "tableDefinitions": {},
        "userDefinedFunctionResources": [], "useQueryCache": true, "maximumBytesBilled": "1000", "connectionProperties": [],
    });
    let (status, job) = bigquery.call(Method::POST, "/jobs", json!({"configuration": {"query": settings, "load": null}})).await;
    assert_eq!(status, 200, "{job}");
}

#[tokio::test]
async fn timestamps_are_seconds_unless_int64_is_requested() {
    let bigquery = TestServer::start().await;
    let sql = "SELECT TIMESTAMP '2026-01-02 03:04:05.402197+00' AS t";
    for (options, expected) in [
        (json!({}), "1.767323045402197E9"),
        (json!({"useInt64Timestamp": true}), "1767323045402197"),
        (json!({"timestampOutputFormat": "INT64"}), "1767323045402197"),
    ] {
        let (_, answer) = query(&bigquery, json!({"query": sql, "formatOptions": options})).await;
        assert_eq!(column(&answer), [expected], "{options}");
    }
    insert(&bigquery, "job", sql).await;
    assert_eq!(column(&get(&bigquery, "/queries/job").await.1), ["1.767323045402197E9"]);
    let (_, micros) = get(&bigquery, "/queries/job?fields=rows&formatOptions.useInt64Timestamp=True").await;
    assert_eq!(column(&micros), ["1767323045402197"]);
    let (status, rejected) = get(&bigquery, "/queries/job?formatOptions.timestampOutputFormat=ISO8601_STRING").await;
    assert_eq!((status, reason(&rejected)), (501, "notImplemented"));
}

#[tokio::test]
async fn a_repeated_request_id_returns_the_same_job() {
    let bigquery = TestServer::start().await;
    let ask = async |sql: &str, id: &str, timeout_ms: u32| {
        let (status, answer) = query(&bigquery, json!({"query": sql, "requestId": id, "timeoutMs": timeout_ms})).await;
        assert_eq!(status, 200, "{answer}");
        answer["jobReference"]["jobId"].as_str().unwrap().to_owned()
    };
    let first = ask("SELECT 1 AS x", "r1", 5_000).await;
    assert_eq!(ask("SELECT 1 AS x", "r1", 6_000).await, first, "timeoutMs is not part of the job's configuration");
    assert_ne!(ask("SELECT 2 AS x", "r1", 5_000).await, first);
    assert_ne!(ask("SELECT 1 AS x", "r2", 5_000).await, first);
}

#[tokio::test]
async fn jobs_are_listed_newest_first_and_in_pages() {
    let bigquery = TestServer::start().await;
    for id in ["a", "b", "c"] {
        insert(&bigquery, id, "SELECT 1 AS x").await;
    }
    let ids = |list: &Value| -> Vec<String> {
        list["jobs"].as_array().unwrap().iter().map(|job| job["jobReference"]["jobId"].as_str().unwrap().to_owned()).collect()
    };
    let (_, first) = get(&bigquery, "/jobs?maxResults=2").await;
    assert_eq!(ids(&first), ["c", "b"]);
    assert_eq!((&first["jobs"][0]["state"], first["jobs"][0].get("configuration")), (&json!("DONE"), None));
    let token = first["nextPageToken"].as_str().unwrap();
    let (_, second) = get(&bigquery, &format!("/jobs?maxResults=2&projection=full&pageToken={token}")).await;
    assert_eq!((ids(&second), second.get("nextPageToken")), (vec!["a".to_owned()], None));
    assert_eq!(second["jobs"][0]["configuration"]["query"]["query"], "SELECT 1 AS x");

    let created = get(&bigquery, "/jobs/a").await.1["statistics"]["creationTime"].as_str().unwrap().to_owned();
    assert_eq!(ids(&get(&bigquery, &format!("/jobs?maxCreationTime={created}")).await.1).last().unwrap(), "a");
    let (_, none) = get(&bigquery, "/jobs?minCreationTime=99999999999999").await;
    assert_eq!(none["jobs"], json!([]));
    assert_eq!(get(&bigquery, "/jobs?maxResults=x").await.0, 400);
}

#[tokio::test]
async fn deleting_a_job_removes_its_result() {
    let bigquery = TestServer::start().await;
    insert(&bigquery, "job", "SELECT 1 AS x").await;
    assert_eq!(bigquery.call(Method::DELETE, "/jobs/job/delete?location=US", Value::Null).await.0, 204);
    for path in ["/jobs/job", "/queries/job"] {
        let (status, error) = get(&bigquery, path).await;
        assert_eq!((status, reason(&error)), (404, "notFound"));
        assert_eq!(message(&error), format!("Not found: Job {PROJECT}:US.job"));
    }
}

#[tokio::test]
async fn the_anonymous_table_of_a_result_can_be_read() {
    let bigquery = TestServer::start().await;
    insert(&bigquery, "job", &numbers(5)).await;
    let table = get(&bigquery, "/jobs/job").await.1["configuration"]["query"]["destinationTable"].clone();
    let dataset = table["datasetId"].as_str().unwrap();
    assert!(dataset.starts_with('_'), "{table}: expected a hidden dataset");
    let path = format!("/datasets/{dataset}/tables/{}", table["tableId"].as_str().unwrap());
    let (status, resource) = get(&bigquery, &path).await;
    assert_eq!((status, &resource["numRows"], &resource["tableReference"]), (200, &json!("5"), &table));
    assert_eq!(resource["schema"]["fields"][0]["name"], "x");
    let (status, data) = get(&bigquery, &format!("{path}/data?maxResults=2&startIndex=3")).await;
    assert_eq!((status, &data["kind"], column(&data)), (200, &json!("bigquery#tableDataList"), vec!["4", "5"]));
    assert_eq!(get(&bigquery, "/datasets").await.1["datasets"], json!([]));
}

#[tokio::test]
async fn named_and_positional_parameters_match_the_mode() {
    let bigquery = TestServer::start().await;
    let parameter = |name: Option<&str>| json!({"name": name, "parameterType": {"type": "INT64"}, "parameterValue": {"value": "5"}});
    let named = json!({"query": "SELECT @n AS x", "parameterMode": "NAMED", "queryParameters": [parameter(Some("n"))]});
    assert_eq!(column(&query(&bigquery, named).await.1), ["5"]);
    let positional = json!({"query": "SELECT ? AS x", "parameterMode": "POSITIONAL", "queryParameters": [parameter(None)]});
    assert_eq!(column(&query(&bigquery, positional).await.1), ["5"]);
    for (mode, parameters) in [
        ("POSITIONAL", json!([parameter(Some("n"))])),
        ("NAMED", json!([parameter(None)])),
        ("", json!([parameter(Some("n")), parameter(None)])),
        ("MIXED", json!([])),
    ] {
        let request = json!({"query": "SELECT 1 AS x", "parameterMode": mode, "queryParameters": parameters});
        let (status, error) = query(&bigquery, request).await;
        assert_eq!((status, reason(&error)), (400, "invalid"), "{mode}");
    }
}

#[tokio::test]
async fn an_unqualified_table_is_in_the_default_dataset() {
    let bigquery = TestServer::with_template(json!([{"name": "x", "type": "INTEGER"}])).await;
    bigquery.insert("pixel", "1", json!({"x": 7})).await;
    let (_, answer) = query(&bigquery, json!({"query": "SELECT x FROM pixel", "defaultDataset": {"datasetId": DATASET}})).await;
    assert_eq!(column(&answer), ["7"]);
    assert!(milliseconds(&answer["totalBytesProcessed"]) > 0);
    let (status, error) = query(&bigquery, json!({"query": format!("SELECT * FROM {DATASET}.missing")})).await;
    assert_eq!((status, reason(&error)), (404, "notFound"));
}

#[tokio::test]
async fn a_delete_returns_the_affected_rows_and_no_result() {
    let bigquery = TestServer::with_template(json!([{"name": "x", "type": "INTEGER"}])).await;
    for x in 1..=3 {
        bigquery.insert("pixel", &x.to_string(), json!({"x": x})).await;
    }
    let (status, answer) = query(&bigquery, json!({"query": format!("DELETE FROM {DATASET}.pixel WHERE x < 3")})).await;
    assert_eq!((status, &answer["numDmlAffectedRows"]), (200, &json!("2")));
    assert_eq!((answer.get("totalRows"), answer.get("rows")), (None, None), "the Python client takes totalRows for a result");
    let id = answer["jobReference"]["jobId"].as_str().unwrap();
    let (_, job) = get(&bigquery, &format!("/jobs/{id}")).await;
    let statistics = &job["statistics"]["query"];
    assert_eq!((&statistics["statementType"], &statistics["numDmlAffectedRows"]), (&json!("DELETE"), &json!("2")));
    assert_eq!(bigquery.rows("pixel").await.len(), 1);
}

#[tokio::test]
async fn closing_cancels_running_jobs_and_unlocks_the_directory() {
    let dir = tempfile::tempdir().unwrap();
    let bigquery = BigQuery::open(dir.path()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/projects/{PROJECT}/queries", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(axum::serve(listener, bigquery.router()).with_graceful_shutdown(async { drop(stopped.await) }).into_future());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = json!({"query": ENDLESS, "timeoutMs": 50}).to_string();
    let answer: Value = serde_json::from_slice(&http.post(url).body(request).send().await.unwrap().bytes().await.unwrap()).unwrap();
    assert_eq!(answer["jobComplete"], json!(false));

    drop((stop, http));
    server.await.unwrap().unwrap();
    bigquery.close().await;
    BigQuery::open(dir.path()).unwrap().close().await;
}
