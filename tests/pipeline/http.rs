//! The HTTP surface beside deliveries.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Entry, Service, TestBigQuery};

#[tokio::test]
async fn a_service_is_healthy_before_it_is_ready() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Service::start_unready(&format!("http://{}", nobody.local_addr().unwrap()), &[]).await;
    assert_eq!(service.get("/health").await.status, 200);
    assert_eq!(service.get("/ready").await.status, 503);
}

#[tokio::test]
async fn a_service_that_has_seen_the_template_table_is_ready() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!((service.get("/health").await.status, service.get("/ready").await.status), (200, 200));
}

#[tokio::test]
async fn routes_that_there_are_not_are_404_and_methods_405() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for path in ["/healthz", "/pixel.png", "/favicon.ico", "/push", "//", "/metrics/", "/health/x"] {
        assert_eq!(service.get(path).await.status, 404, "{path}");
    }
    assert_eq!(service.get("/").await.status, 405);
    let posted = service.send_raw(b"POST /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").await;
    assert!(posted.starts_with("HTTP/1.1 405"), "{posted}");
}

/// Subscriptions whose endpoint has a query, such as a token, reach the same route.
#[tokio::test]
async fn a_query_of_the_endpoint_is_ignored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let body = Entry::of_query("user_id=u").pushed();
    let request = format!("POST /?token=secret HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let answer = service.send_raw(request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

#[tokio::test]
async fn metrics_are_prometheus_text_with_help_and_type() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for body in [Entry::of_query("user_id=u").pushed(), Entry::of_query("").pushed(), "{}".to_owned()] {
        service.push(body).await;
    }
    let text = service.get("/metrics").await.body;
    let mut types: HashMap<&str, &str> = HashMap::new();
    let mut helped = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("words of help");
            assert!(!words.is_empty());
            helped.push(name);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(types.insert(name, kind).is_none(), "{name} has one type");
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
            assert!(value.parse::<f64>().is_ok(), "{line}");
            let name = series.split('{').next().unwrap();
            let family =
                ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).filter(|name| types.contains_key(name));
            assert!(types.contains_key(family.unwrap_or(name)), "{name} has a type before it has samples");
        }
    }
    for (name, kind) in [
        ("pixel_pipeline_deliveries_total", "counter"),
        ("pixel_pipeline_delivery_seconds", "histogram"),
        ("pixel_pipeline_end_to_end_seconds", "histogram"),
        ("pixel_pipeline_in_flight", "gauge"),
        ("pixel_pipeline_insert_rows", "histogram"),
        ("pixel_pipeline_insert_seconds", "histogram"),
        ("pixel_pipeline_tables", "gauge"),
        ("pixel_pipeline_build_info", "gauge"),
    ] {
        assert_eq!(types.get(name), Some(&kind), "{name}");
        assert!(helped.contains(&name), "{name}");
    }
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}").await, 1.0);
    assert_eq!(service.metric("pixel_pipeline_delivery_seconds_count").await, 3.0);
    assert_eq!(service.metric("pixel_pipeline_insert_rows_bucket{le=\"1\"}").await, 1.0);
    assert_eq!(service.metric("pixel_pipeline_in_flight").await, 0.0);
    assert_eq!(service.metric("pixel_pipeline_tables").await, 1.0);
    let build_info = concat!("pixel_pipeline_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    assert_eq!(service.metric(build_info).await, 1.0);
}

#[tokio::test]
async fn the_time_from_request_to_row_is_counted_from_the_entrys_own_timestamp() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let a_minute_and_a_half_ago = (Timestamp::now() - SignedDuration::from_secs(90)).to_string();
    service.push(Entry::of_query("user_id=u").with("/timestamp", json!(a_minute_and_a_half_ago)).pushed()).await;
    assert_eq!(service.metric("pixel_pipeline_end_to_end_seconds_bucket{le=\"60\"}").await, 0.0);
    assert_eq!(service.metric("pixel_pipeline_end_to_end_seconds_bucket{le=\"120\"}").await, 1.0);
}
