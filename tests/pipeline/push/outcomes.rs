//! The ack policy: the table in `src/ack.rs`.

use std::time::{Duration, Instant};

use bigquery_emulator::{Fault, Status};
use serde_json::json;

use crate::support::entry::USER;
use crate::support::{Entry, Service, TestBigQuery, wrapped};

#[tokio::test]
async fn every_outcome_has_its_status_label_and_table() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let good = Entry::of_query(&format!("user_id={USER}&order_id=1"));
    let post = good.clone().with("/httpRequest/requestMethod", json!("POST"));
    let cases = [
        ("stored", "", 204, good.pushed()),
        ("filtered", "path", 204, Entry::of_url("https://t.example.com/favicon.ico?user_id=1").pushed()),
        ("filtered", "method", 204, post.pushed()),
        ("filtered", "status", 204, good.clone().with("/httpRequest/status", json!(404)).pushed()),
        ("filtered", "cdn_request", 204, good.clone().with("/jsonPayload", json!({"parentInsertId": "1oek5rg3l3fxj7"})).pushed()),
        ("filtered", "health_check", 204, good.clone().with("/httpRequest/userAgent", json!("GoogleHC/1.0")).pushed()),
        ("filtered", "missing_attribute", 204, Entry::of_query("order_id=1").pushed()),
        ("filtered", "opted_out", 204, Entry::of_query(&format!("user_id={USER}&gpc=1")).pushed()),
        ("dead_letter", "no_data", 204, r#"{"message":{"attributes":{"a":"b"},"messageId":"1"}}"#.to_owned()),
        ("dead_letter", "bad_base64", 204, r#"{"message":{"data":"%%%","messageId":"2"}}"#.to_owned()),
        ("dead_letter", "bad_json", 204, wrapped(b"{\"httpRequest\":", "3")),
        ("dead_letter", "no_request_url", 204, wrapped(br#"{"insertId":"1","textPayload":"hello"}"#, "4")),
        ("dead_letter", "timestamp_out_of_range", 204, good.with("/timestamp", json!("1970-01-01T00:00:00Z")).pushed()),
        ("invalid_request", "no_message", 400, "{}".to_owned()),
    ];
    for (outcome, reason, status, body) in cases {
        let label = format!("pixel_pipeline_deliveries_total{{outcome=\"{outcome}\",reason=\"{reason}\"}}");
        let before = service.metric(&label).await;
        let answer = service.push(body).await;
        assert_eq!(answer.status, status, "{outcome} {reason}: {}", answer.body);
        assert_eq!(service.metric(&label).await, before + 1.0, "{label}");
    }
    assert_eq!(bigquery.events().await.len(), 1);
    let mut reasons: Vec<_> =
        bigquery.rows("dead_letters").await.into_iter().map(|row| row["reason"].as_str().unwrap().to_owned()).collect();
    reasons.sort();
    assert_eq!(reasons, ["bad_base64", "bad_json", "no_data", "no_request_url", "timestamp_out_of_range"]);
}

#[tokio::test]
async fn a_push_to_another_path_is_counted_and_logged() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start(&bigquery, &[]).await;
    let body = Entry::of_query("user_id=u").pushed();
    let long = format!("/{}", "x".repeat(5000));
    for path in ["/push?token=secret", "/a/b", &long] {
        let request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let answer = service.send_raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    let label = "pixel_pipeline_deliveries_total{outcome=\"invalid_request\",reason=\"wrong_path\"}";
    assert_eq!(service.metric(label).await, 3.0);
    service.wait_for_log("\\\"/push\\\" is not the path of the push endpoint").await;
    assert!(service.log().iter().all(|line| line.len() < 2000 && !line.contains("secret")));
    assert_eq!(bigquery.events().await.len(), 0);
}

#[tokio::test]
async fn parameters_that_are_not_kept_are_counted_by_name() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for query in
        ["user_id=u&utm_campaign=spring", "utm_campaign=x", "user_id=u&amp;type=open", "user_id=u&a%22%7D%0Ab=1&wombat%40x.com=1&wombat"]
    {
        assert_eq!(service.push(Entry::of_query(query).pushed()).await.status, 204, "{query}");
    }
    let not_kept = async |name: &str| service.metric(&format!("pixel_pipeline_parameters_not_kept_total{{name=\"{name}\"}}")).await;
    assert_eq!((not_kept("utm_campaign").await, not_kept("(other)").await), (2.0, 2.0));
    assert_eq!(service.metric("pixel_pipeline_html_escaped_total").await, 1.0);
    // Hostile names fill neither the metrics nor the log.
    for page in 0..10 {
        let names: Vec<String> = (0..40).map(|n| format!("{}=1", "abcdefghij".repeat(3) + &format!("{}{n}", "x".repeat(page)))).collect();
        service.push(Entry::of_query(&format!("user_id=u&{}", names.join("&"))).pushed()).await;
    }
    let metrics = service.get("/metrics").await.body;
    let series = metrics.lines().filter(|line| line.starts_with("pixel_pipeline_parameters_not_kept_total{")).count();
    assert!((10..=65).contains(&series), "{series}");
    let (_, log) = service.end().await;
    let report = log.iter().find(|line| line.contains("parameters_not_kept")).expect("a report");
    assert!(report.contains("utm_campaign") && report.len() < 2000, "{report}");
    assert!(!metrics.contains("wombat") && log.iter().all(|line| !line.contains("wombat") && !line.contains("spring")));
}

#[tokio::test]
async fn transient_failures_are_retried_within_the_deadline() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for fault in [
        Fault::Status(Status::new(500, "internalError")),
        Fault::Status(Status::new(503, "backendError").body("<html>busy</html>")),
        Fault::Status(Status::new(429, "rateLimitExceeded").retry_after(1)),
        Fault::Status(Status::new(403, "rateLimitExceeded")),
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::StoredThen(Status::new(500, "internalError")),
        Fault::TruncatedBody,
    ] {
        let before = bigquery.events().await.len();
        bigquery.faults().next(fault.clone());
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204, "{fault:?}");
        assert_eq!(bigquery.events().await.len(), before + 1, "{fault:?}: stored once");
    }
}

#[tokio::test]
async fn failures_beyond_the_deadline_are_answered_503() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "1s")]).await;
    for (fault, reason) in [
        (Fault::Status(Status::new(503, "backendError")), "unavailable"),
        (Fault::Status(Status::new(429, "rateLimitExceeded")), "quota"),
        (Fault::Status(Status::new(403, "quotaExceeded")), "quota"),
        (Fault::Status(Status::new(403, "accessDenied")), "denied"),
    ] {
        let label = format!("pixel_pipeline_deliveries_total{{outcome=\"retry\",reason=\"{reason}\"}}");
        let before = service.metric(&label).await;
        bigquery.faults().always(Some(fault.clone()));
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503, "{fault:?}");
        assert_eq!(service.metric(&label).await, before + 1.0, "{fault:?}: {reason}");
    }
    // The batcher and the delivery have the same deadline, so either reason is possible.
    bigquery.faults().always(Some(Fault::Delay(Duration::from_secs(5))));
    let timed_out = async || {
        let of = async |reason| service.metric(&format!("pixel_pipeline_deliveries_total{{outcome=\"retry\",reason=\"{reason}\"}}")).await;
        of("unavailable").await + of("deadline").await
    };
    let before = timed_out().await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);
    assert_eq!(timed_out().await, before + 1.0);
}

/// A retry before that time would be rejected again, for a longer time.
#[tokio::test]
async fn retry_after_is_respected() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("PUSH_DEADLINE", "20s")]).await;
    for (code, reason) in [(429, "rateLimitExceeded"), (503, "backendError"), (403, "rateLimitExceeded")] {
        bigquery.faults().next(Fault::Status(Status::new(code, reason).retry_after(2)));
        let began = Instant::now();
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204, "{code}");
        assert!(began.elapsed() >= Duration::from_secs(2), "{code}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn any_retry_after_value_is_accepted() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for seconds in [u64::MAX, 3_600_000_000_000] {
        let user = format!("user_id={seconds}");
        bigquery.faults().next(Fault::Status(Status::new(503, "backendError").retry_after(seconds)));
        assert_eq!(service.push(Entry::of_query(&user).pushed()).await.status, 503);
    }
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204, "other tables are not affected");
}
