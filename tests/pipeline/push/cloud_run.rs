//! Entries of Cloud Run's request log: which of them count.

use serde_json::json;

use crate::support::{Entry, Service, TestBigQuery, wrapped};

const SETTINGS: [(&str, &str); 1] = [("TABLE_SUFFIX", "")];

async fn push(service: &Service, entry: &Entry) {
    assert_eq!(service.push(wrapped(entry.json().as_bytes(), &fastrand::u64(..).to_string())).await.status, 204);
}

#[tokio::test]
async fn methods_decides_whether_a_beacon_counts() {
    for (methods, expected) in [("GET", 0), ("GET,POST", 1)] {
        let bigquery = TestBigQuery::start().await;
        let service = Service::start(&bigquery, &[&SETTINGS[..], &[("PIXEL_METHODS", methods)]].concat()).await;
        push(&service, &Entry::of_fixture("cloud_run_beacon")).await;
        assert_eq!(bigquery.rows("pixel").await.len(), expected, "{methods}");
    }
}

#[tokio::test]
async fn a_failed_request_is_filtered() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &SETTINGS).await;
    for status in [404, 429, 500, 503] {
        push(&service, &Entry::of_fixture("cloud_run").with("/httpRequest/status", json!(status))).await;
    }
    assert_eq!(bigquery.rows("pixel").await.len(), 0);
}
