//! Log entries of all of Google's load balancers, past and present, and of Cloud Run become rows.

use pixel_pipeline::decode::entry_columns::ENTRY_COLUMNS;
use serde_json::{Map, Value, json};

use crate::support::bigquery::time;
use crate::support::entry::USER;
use crate::support::{Entry, Service, TestBigQuery, wrapped};

/// All columns that are filled from the log entry, with their usual types.
fn all_columns() -> Value {
    const REQUIRED: [&str; 3] = ["event_id", "event_timestamp", "received_timestamp"];
    let mode = |name| if REQUIRED.contains(&name) { "REQUIRED" } else { "NULLABLE" };
    let entry_columns =
        ENTRY_COLUMNS.iter().map(|column| json!({"name": column.name, "type": column.bigquery_type, "mode": mode(column.name)}));
    let others =
        [json!({"name": "user_id", "type": "STRING"}), json!({"name": "invalid_attributes", "type": "STRING", "mode": "REPEATED"})];
    entry_columns.chain(others).collect()
}

/// Stores whole addresses. By default no address is stored.
const ONE_TABLE: [(&str, &str); 3] = [("VALID_ATTRIBUTES", "user_id"), ("TABLE_SUFFIX", ""), ("IP_ANONYMIZATION", "full")];

/// The row of a fixture, stored by a new service.
async fn row_of(fixture: &str) -> Map<String, Value> {
    let bigquery = TestBigQuery::with_template(all_columns()).await;
    let service = Service::start(&bigquery, &ONE_TABLE).await;
    stored(&bigquery, &service, &Entry::of_fixture(fixture)).await
}

async fn stored(bigquery: &TestBigQuery, service: &Service, entry: &Entry) -> Map<String, Value> {
    let before = bigquery.rows("pixel").await.len();
    assert_eq!(service.push(wrapped(entry.json().as_bytes(), &before.to_string())).await.status, 204);
    let mut rows = bigquery.rows("pixel").await;
    assert_eq!(rows.len(), before + 1, "{}", entry.json());
    rows.pop().unwrap()
}

#[tokio::test]
async fn entries_of_every_load_balancer_and_of_cloud_run_become_rows() {
    let bigquery = TestBigQuery::with_template(all_columns()).await;
    // One of the entries has status 404.
    let service = Service::start(&bigquery, &[&ONE_TABLE[..], &[("STATUS", "any")]].concat()).await;
    for fixture in [
        "classic_backend_bucket_cache_miss",
        "classic_backend_bucket_cache_hit",
        "cloud_run",
        "global_external",
        "regional_external_with_ports",
        "internal_with_ports",
        "of_2018_without_latency",
        "with_a_corrupted_type",
        "without_status_details",
        "with_an_offset_for_z",
        "without_insert_id",
        "denied_by_security_policy",
        "bare",
    ] {
        let row = stored(&bigquery, &service, &Entry::of_fixture(fixture)).await;
        assert_eq!(row["user_id"], USER, "{fixture}");
        assert_eq!(row["path"], "/pixel.png", "{fixture}");
        assert_eq!(row["request_method"], "GET", "{fixture}");
        assert_eq!(row["invalid_attributes"], json!([]), "{fixture}");
    }
}

#[tokio::test]
async fn every_entry_column_is_filled_and_coerced() {
    let row = row_of("classic_backend_bucket_cache_hit").await;
    for (column, expected) in [
        ("user_id", json!(USER)),
        ("request_method", json!("GET")),
        ("request_url", json!("https://track.example.com/pixel.png?user_id=507f1f77bcf86cd799439011&order_id=42&type=click")),
        ("host", json!("track.example.com")),
        ("path", json!("/pixel.png")),
        ("status", json!("200")),
        ("referer", json!("https://www.example.com/order")),
        ("user_agent", json!("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")),
        ("remote_ip", json!("203.0.113.7")),
        ("cache_hit", json!("true")),
        ("latency_seconds", json!("0.002182")),
        ("trace", json!("projects/example-shop/traces/5e7f0c3c1c6e4f5e9f6a0c7b1d2e3f40")),
        ("pubsub_message_id", json!("0")),
    ] {
        assert_eq!(row[column], expected, "{column}");
    }
    for column in &ENTRY_COLUMNS {
        assert_ne!(row[column.name], Value::Null, "the fixture fills {}", column.name);
    }
    assert_eq!(row["event_id"].as_str().unwrap().len(), 32);
    assert_eq!(time(&row["event_timestamp"]).to_string(), "2026-01-02T03:04:05.059694Z");
    assert_eq!(time(&row["received_timestamp"]).to_string(), "2026-01-02T03:04:06.11827Z", "nine digits are truncated to six");
}

#[tokio::test]
async fn an_entry_without_cache_hit_is_a_cache_miss() {
    let row = row_of("classic_backend_bucket_cache_miss").await;
    assert_eq!((&row["cache_hit"], &row["latency_seconds"]), (&json!("false"), &json!("1.332074")));
}

#[tokio::test]
async fn a_regional_entry_has_ports_and_no_trace() {
    let row = row_of("regional_external_with_ports").await;
    assert_eq!((&row["remote_ip"], &row["trace"], &row["referer"]), (&json!("203.0.113.7"), &Value::Null, &Value::Null));
    assert_eq!(row["host"], "192.0.2.81", "without the port");
}

#[tokio::test]
async fn an_internal_entry_may_have_an_ipv6_address_with_a_port() {
    let row = row_of("internal_with_ports").await;
    assert_eq!((&row["remote_ip"], &row["host"]), (&json!("2001:db8::7"), &json!("10.128.0.5")));
}

#[tokio::test]
async fn an_ipv6_address_without_a_port_is_unchanged() {
    assert_eq!(row_of("global_external").await["remote_ip"], "2001:db8::7");
}

#[tokio::test]
async fn an_entry_of_2018_has_no_latency() {
    let row = row_of("of_2018_without_latency").await;
    assert_eq!(row["latency_seconds"], Value::Null);
    assert_eq!(time(&row["event_timestamp"]).to_string(), "2018-05-01T00:59:59.965472Z");
}

#[tokio::test]
async fn a_timestamp_may_end_in_an_offset() {
    let row = row_of("with_an_offset_for_z").await;
    assert_eq!(time(&row["event_timestamp"]).to_string(), "2026-01-02T03:04:05Z");
}

#[tokio::test]
async fn an_entry_with_only_a_url_uses_the_messages_id_and_time() {
    let row = row_of("bare").await;
    assert_eq!(time(&row["event_timestamp"]).to_string(), "2026-01-02T03:04:07.5Z", "the publish time");
    assert_eq!((&row["cache_hit"], &row["status"], &row["host"]), (&json!("false"), &Value::Null, &Value::Null));
}

#[tokio::test]
async fn denied_requests_are_stored_if_status_says_so() {
    let denied = Entry::of_fixture("denied_by_security_policy");
    for (status, rows) in [("2xx,304,none", 0), ("any", 1)] {
        let bigquery = TestBigQuery::with_template(all_columns()).await;
        let service = Service::start(&bigquery, &[&ONE_TABLE[..], &[("STATUS", status)]].concat()).await;
        assert_eq!(service.push(denied.pushed()).await.status, 204);
        let stored: Vec<_> = bigquery.rows("pixel").await.into_iter().map(|row| row["status"].clone()).collect();
        assert_eq!(stored, vec![json!("403"); rows]);
    }
}

#[tokio::test]
async fn entry_columns_can_have_other_types() {
    let columns = json!([
        {"name": "EVENT_ID", "type": "STRING"},
        {"name": "user_id", "type": "STRING"},
        {"name": "received_timestamp", "type": "STRING"},
        {"name": "status", "type": "STRING"},
        {"name": "cache_hit", "type": "STRING"},
        {"name": "latency_seconds", "type": "NUMERIC"},
        {"name": "user_agent", "type": "STRING", "maxLength": "7"},
        {"name": "remote_ip", "type": "INTEGER"},
        {"name": "host", "type": "STRING", "mode": "REPEATED"},
        {"name": "invalid_attributes", "type": "STRING", "mode": "REPEATED"},
    ]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let service = Service::start(&bigquery, &ONE_TABLE).await;
    let row = stored(&bigquery, &service, &Entry::of_fixture("classic_backend_bucket_cache_hit")).await;
    assert_eq!(row["EVENT_ID"].as_str().unwrap().len(), 32, "names are compared without regard to case");
    assert_eq!(row["received_timestamp"], "2026-01-02T03:04:06.118270Z");
    assert_eq!((&row["status"], &row["cache_hit"]), (&json!("200"), &json!("true")));
    assert_eq!((&row["latency_seconds"], &row["host"]), (&json!("0.002182"), &json!(["track.example.com"])));
    assert_eq!((&row["user_agent"], &row["remote_ip"]), (&Value::Null, &Value::Null));
    assert_eq!(row["invalid_attributes"], json!(["user_agent", "remote_ip"]));
}

#[tokio::test]
async fn a_time_fills_date_time_and_datetime_columns() {
    for (kind, expected) in [("DATE", "2026-01-02"), ("TIME", "03:04:05.059694"), ("DATETIME", "2026-01-02T03:04:05.059694")] {
        let columns = json!([
            {"name": "event_id", "type": "STRING"},
            {"name": "user_id", "type": "STRING"},
            {"name": "event_timestamp", "type": kind},
        ]);
        let bigquery = TestBigQuery::with_template(columns).await;
        let service = Service::start(&bigquery, &ONE_TABLE).await;
        let row = stored(&bigquery, &service, &Entry::of_fixture("classic_backend_bucket_cache_hit")).await;
        assert_eq!(row["event_timestamp"], expected, "{kind}, in UTC");
    }
}

#[tokio::test]
async fn the_shipped_schema_has_no_address_column() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    let row = serde_json::to_string(&bigquery.events().await[0].1).unwrap();
    assert!(row.contains("Mozilla/5.0") && !row.contains("203.0.113.7"), "{row}");
}
