//! Reports: log lines from which Cloud Logging computes metrics. On Cloud Run nothing scrapes `/metrics`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bigquery_emulator::{Fault, Status};
use serde_json::{Map, Value, json};

use crate::support::bigquery::TempDir;
use crate::support::http;
use crate::support::local::Local;
use crate::support::{Entry, Service, TestBigQuery, wrapped};

const USER: &str = "quokka-4711";
const VALUE: &str = "wombat-0815";

/// The reports of a kind, without the fields that all reports share.
fn reports(log: &[String], kind: &str) -> Vec<Map<String, Value>> {
    let lines = log.iter().map(|line| serde_json::from_str::<Map<String, Value>>(line).unwrap());
    let reports = lines.filter(|line| line.get("report").is_some_and(|report| report == kind));
    reports
        .map(|mut line| {
            assert_eq!((&line["severity"], &line["message"]), (&json!("INFO"), &json!("report")));
            for common in ["severity", "message", "report", "time", "target", "logging.googleapis.com/sourceLocation"] {
                line.remove(common).unwrap_or_else(|| panic!("no {common} in the report {line:?}"));
            }
            line
        })
        .collect()
}

fn event(query: &str) -> Entry {
    Entry::of_query(&format!("user_id={USER}&{query}")).with("/timestamp", json!(jiff::Timestamp::now().to_string()))
}

#[tokio::test]
async fn reports_add_up_to_the_deliveries_and_contain_no_value() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "1s")]).await;
    bigquery.wait_for_table("dead_letters").await;
    let post = event("order_id=1").with("/httpRequest/requestMethod", json!("POST"));
    let rejected = |data: &str, id: &str| wrapped(data.as_bytes(), id);
    let cases = [
        ("stored", "", 3, event(&format!("order_id={VALUE}")).pushed()),
        ("filtered", "path", 2, Entry::of_url(&format!("https://t.example.com/{VALUE}?user_id={USER}")).pushed()),
        ("filtered", "method", 1, post.pushed()),
        ("filtered", "missing_attribute", 4, Entry::of_query(&format!("order_id={VALUE}")).pushed()),
        ("dead_letter", "no_data", 1, r#"{"message":{"attributes":{"a":"b"},"messageId":"1"}}"#.to_owned()),
        ("dead_letter", "bad_base64", 2, format!(r#"{{"message":{{"data":"{VALUE}%","messageId":"2"}}}}"#)),
        ("dead_letter", "bad_json", 1, rejected(&format!("{{\"httpRequest\":\"{VALUE}"), "3")),
        ("dead_letter", "no_request_url", 1, rejected(&format!(r#"{{"insertId":"{VALUE}"}}"#), "4")),
        ("invalid_request", "no_message", 2, format!(r#"{{"{VALUE}":1}}"#)),
    ];
    let mut expected = BTreeMap::new();
    for (outcome, reason, times, body) in cases {
        for _ in 0..times {
            service.push(body.clone()).await;
        }
        expected.insert((outcome.to_owned(), reason.to_owned()), times);
    }
    bigquery.faults().always(Some(Fault::Status(Status::new(403, "quotaExceeded"))));
    assert_eq!(service.push(event("order_id=2").pushed()).await.status, 503);
    expected.insert(("retry".to_owned(), "quota".to_owned()), 1);
    let requests = bigquery.faults().insert_all_requests().requests;

    let (status, log) = service.end().await;
    assert_eq!(status.code(), Some(0));
    let mut counted = BTreeMap::new();
    for mut report in reports(&log, "deliveries") {
        let mut text = |name| report.remove(name).unwrap().as_str().unwrap().to_owned();
        let key = (text("outcome"), text("reason"));
        // A test that takes more than a minute has two reports.
        *counted.entry(key).or_insert(0) += report.remove("count").unwrap().as_u64().unwrap();
        assert!(report.is_empty(), "no other fields: {report:?}");
    }
    assert_eq!(counted, expected);

    let sum = |field: &str| reports(&log, "inserts").iter().map(|report| report[field].as_u64().unwrap()).sum::<u64>();
    // Three events, five dead letters and the one that BigQuery refused.
    assert_eq!((sum("requests"), sum("rows")), (requests, 9));
    let failures: Vec<Value> = reports(&log, "insert_failures").into_iter().map(Value::Object).collect();
    assert_eq!(failures, [json!({"failure": "quota", "count": 1})]);

    for line in log.iter().filter(|line| line.contains("\"report\"")) {
        for secret in [USER, VALUE, "quokka__2d4711"] {
            assert!(!line.contains(secret), "{secret} in {line}");
        }
    }
}

#[tokio::test]
async fn the_time_from_request_to_row_is_reported_in_quantiles() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let mut max_delay = 0.0_f64;
    for seconds in [10, 20, 30, 40, 3_600] {
        let began = Instant::now();
        let requested = jiff::Timestamp::now() - Duration::from_secs(seconds);
        let entry = event("order_id=1").with("/timestamp", json!(requested.to_string()));
        assert_eq!(service.push(entry.pushed()).await.status, 204);
        max_delay = max_delay.max(began.elapsed().as_secs_f64());
    }
    let (_, log) = service.end().await;
    let found: Vec<(String, f64)> = reports(&log, "end_to_end")
        .iter()
        .map(|report| (report["quantile"].as_str().unwrap().to_owned(), report["seconds"].as_f64().unwrap()))
        .collect();
    let expected = [("0.5", 30.0), ("0.95", 3_600.0), ("0.99", 3_600.0), ("1", 3_600.0)];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((quantile, seconds), (expected_quantile, expected)) in found.iter().zip(expected) {
        assert_eq!(quantile, expected_quantile);
        // Quantiles are approximate. The row is stored some time after `requested` was computed.
        assert!((0.95 * expected..1.06 * (expected + max_delay)).contains(seconds), "{quantile}: {seconds}");
    }
}

#[tokio::test]
async fn an_idle_service_reports_nothing() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let (_, log) = service.end().await;
    assert!(log.iter().any(|line| line.contains("shutting down")), "{log:#?}");
    assert!(!log.iter().any(|line| line.contains("\"report\"")), "{log:#?}");
}

#[tokio::test]
async fn a_shutdown_that_times_out_still_writes_its_report() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "590s")]).await;
    assert_eq!(service.push(event("order_id=1").pushed()).await.status, 204);
    bigquery.faults().always(Some(Fault::Delay(Duration::from_secs(60))));
    let requests = bigquery.faults().insert_all_requests().requests;
    let stuck = tokio::spawn({
        let url = service.url.clone();
        let body = event("order_id=2").pushed();
        async move { http::client().post(url).body(body).send().await }
    });
    bigquery.wait_for_requests(requests + 1).await;
    let (_, log) = service.end().await;
    assert!(stuck.await.unwrap().is_err(), "it was never acknowledged");
    let reports: Vec<Value> = reports(&log, "deliveries").into_iter().map(Value::Object).collect();
    assert_eq!(reports, [json!({"outcome": "stored", "reason": "", "count": 1})]);
}

#[tokio::test]
async fn rust_log_can_disable_or_isolate_reports() {
    let bigquery = TestBigQuery::start().await;
    for (level, expected) in [("warn", 0), ("warn,pixel_pipeline::telemetry::report=info", 1)] {
        // The test reads the port from the line "listening".
        let level = format!("{level},pixel_pipeline::cli=info");
        let service = Service::start(&bigquery, &[("RUST_LOG", &level)]).await;
        assert_eq!(service.push(event("order_id=1").pushed()).await.status, 204);
        let (_, log) = service.end().await;
        assert_eq!(reports(&log, "deliveries").len(), expected, "{level}: {log:#?}");
    }
}

#[tokio::test]
async fn the_local_mode_logs_no_reports() {
    let dir = TempDir::new();
    let local = Local::start(dir.path(), &[("TABLE_SUFFIX", ""), ("LOG_FORMAT", "json")]).await;
    local.fire(&format!("user_id={USER}")).await;
    local.wait_for_rows("pixel", 1).await;
    let (status, log) = local.end("TERM").await;
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("shutting down"), "it logs: {log}");
    assert!(!log.contains("\"report\""), "{log}");
}
