//! The behaviour of the Cloud Function of 2017 that this service replaces.
//!
//! Tests whose name begins with `difference` show deliberate differences.

use bigquery_emulator::{Fault, Status};
use serde_json::json;

use crate::support::bigquery::time;
use crate::support::entry::USER;
use crate::support::{Entry, Service, TestBigQuery};

/// The example in its description.
fn example() -> Entry {
    Entry::of_url(&format!("http://track.example.com/pixel.png?user_id={USER}&order_id=507f1f77bcf86cd799439012&type=click"))
}

async fn deliver(service: &Service, entry: &Entry) {
    assert_eq!(service.push(entry.pushed()).await.status, 204);
}

#[tokio::test]
async fn the_defaults_store_an_event_in_an_empty_dataset() {
    let bigquery = TestBigQuery::start().await;
    assert!(bigquery.tables().await.is_empty());
    let service = Service::start(&bigquery, &[]).await;
    deliver(&service, &example()).await;
    bigquery.wait_for_table("dead_letters").await;
    assert_eq!(bigquery.tables().await, ["dead_letters", "pixel", &format!("pixel_{USER}_20260102")], "in dataset parsed_pixel");
    let (_, row) = bigquery.events().await.remove(0);
    assert_eq!((&row["user_id"], &row["order_id"], &row["type"]), (&json!(USER), &json!("507f1f77bcf86cd799439012"), &json!("click")));
}

#[tokio::test]
async fn only_valid_attributes_are_stored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    deliver(&service, &Entry::of_query("user_id=u&email=a%40example.com&type=click&event_id=forged&event_timestamp=forged&User_Id=v"))
        .await;
    let (table, row) = bigquery.events().await.remove(0);
    assert_eq!(table, "pixel_u_20260102");
    assert_eq!((&row["user_id"], &row["type"]), (&json!("u"), &json!("click")));
    let text = serde_json::to_string(&row).unwrap();
    assert!(!text.contains("a@example.com") && !text.contains("forged"), "{text}");
}

#[tokio::test]
async fn valid_attributes_can_be_set() {
    let columns = json!([{"name": "event_id", "type": "STRING"}, {"name": "uid", "type": "STRING"}, {"name": "email", "type": "STRING"}]);
    let bigquery = TestBigQuery::with_template(columns).await;
    let settings = [("VALID_ATTRIBUTES", "uid,email"), ("TABLE_SUFFIX", "_{uid}")];
    let service = Service::start(&bigquery, &settings).await;
    deliver(&service, &Entry::of_query("uid=u&email=a%40example.com&type=click")).await;
    assert_eq!(bigquery.rows("pixel_u").await[0]["email"], "a@example.com");
}

#[tokio::test]
async fn dataset_and_template_table_can_be_renamed() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_NAME", "hits")]).await;
    deliver(&service, &example()).await;
    assert_eq!(bigquery.rows(&format!("hits_{USER}_20260102")).await.len(), 1);
}

#[tokio::test]
async fn an_event_without_user_id_is_filtered() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for query in ["", "order_id=1&type=click", "user_id=", "user_id", "USER_ID=u"] {
        deliver(&service, &Entry::of_query(query)).await;
    }
    deliver(&service, &Entry::of_url("https://track.example.com/pixel.png")).await;
    bigquery.wait_for_table("dead_letters").await;
    assert_eq!(bigquery.tables().await, ["dead_letters", "pixel"]);
    assert!(bigquery.rows("dead_letters").await.is_empty() && bigquery.rows("pixel").await.is_empty());
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"filtered\",reason=\"missing_attribute\"}").await, 6.0);
}

#[tokio::test]
async fn each_user_and_day_has_its_own_table() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for (user, moment) in [
        ("a", "2026-01-02T00:00:00Z"),
        ("a", "2026-01-02T23:59:59.999999999Z"),
        ("a", "2026-01-03T00:00:00Z"),
        ("b", "2026-01-02T12:00:00Z"),
    ] {
        deliver(&service, &Entry::of_query(&format!("user_id={user}")).with("/timestamp", json!(moment))).await;
    }
    let counts = [("pixel_a_20260102", 2), ("pixel_a_20260103", 1), ("pixel_b_20260102", 1)];
    for (table, count) in counts {
        assert_eq!(bigquery.rows(table).await.len(), count, "{table}");
    }
}

#[tokio::test]
async fn the_suffix_of_the_original_can_be_set() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_SUFFIX", "_{user_id}_{date:%-m_%-d_%Y}")]).await;
    deliver(&service, &example()).await;
    assert_eq!(bigquery.rows(&format!("pixel_{USER}_1_2_2026")).await.len(), 1);
}

#[tokio::test]
async fn an_empty_suffix_stores_all_events_in_one_table() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_SUFFIX", "")]).await;
    deliver(&service, &example()).await;
    deliver(&service, &Entry::of_query("order_id=no-user")).await;
    assert_eq!(bigquery.rows("pixel").await.len(), 2, "without fields in the suffix, no attribute is missing");
    bigquery.wait_for_table("dead_letters").await;
    assert_eq!(bigquery.tables().await, ["dead_letters", "pixel"]);
}

#[tokio::test]
async fn difference_every_event_of_a_day_is_stored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for _ in 0..5 {
        deliver(&service, &Entry::of_query("user_id=u&type=click")).await;
    }
    assert_eq!(bigquery.rows("pixel_u_20260102").await.len(), 5, "the original's insertId was the suffix, and four were lost");
}

#[tokio::test]
async fn difference_a_row_has_a_time() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    deliver(&service, &example()).await;
    let (_, row) = bigquery.events().await.remove(0);
    assert_eq!(time(&row["event_timestamp"]).to_string(), "2026-01-02T03:04:05.402197Z");
}

#[tokio::test]
async fn difference_a_late_event_is_stored_under_its_own_day() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    deliver(&service, &Entry::of_query("user_id=u").with("/timestamp", json!("2025-11-05T23:59:59Z"))).await;
    assert_eq!(bigquery.rows("pixel_u_20251105").await.len(), 1);
}

/// The time of publication in [`crate::support::wrapped`] replaces the entry's time.
#[tokio::test]
async fn difference_without_a_time_the_messages_day_is_used() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    deliver(&service, &Entry::of_query("user_id=u").without("/timestamp")).await;
    let rows = bigquery.rows("pixel_u_20260102").await;
    assert_eq!(time(&rows[0]["event_timestamp"]).to_string(), "2026-01-02T03:04:07.5Z");
}

#[tokio::test]
async fn difference_table_names_sort_by_date() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for day in ["2026-10-02", "2026-09-30", "2025-12-31"] {
        deliver(&service, &Entry::of_query("user_id=u").with("/timestamp", json!(format!("{day}T00:00:00Z")))).await;
    }
    // Sorted by name, as BETWEEN compares the tables of a wildcard.
    let tables: Vec<String> = bigquery.events().await.into_iter().map(|(table, _)| table).collect();
    assert_eq!(tables, ["pixel_u_20251231", "pixel_u_20260930", "pixel_u_20261002"]);
}

#[tokio::test]
async fn difference_days_are_utc_in_any_time_zone() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TZ", "America/Los_Angeles")]).await;
    deliver(&service, &Entry::of_query("user_id=u").with("/timestamp", json!("2026-01-01T20:00:00-08:00"))).await;
    assert_eq!(bigquery.rows("pixel_u_20260102").await.len(), 1);
}

#[tokio::test]
async fn difference_the_first_value_of_a_parameter_is_used() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    deliver(&service, &Entry::of_query("user_id=first&user_id=second&type=a&type=b")).await;
    let rows = bigquery.rows("pixel_first_20260102").await;
    assert_eq!(
        (&rows[0]["user_id"], &rows[0]["type"]),
        (&json!("first"), &json!("a")),
        "the original sent an array, which BigQuery rejected"
    );
}

#[tokio::test]
async fn difference_a_user_id_is_never_raw_in_a_tables_name() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    let long = "u".repeat(2000);
    let ids = ["bob@example.com", "../x", "a_20260102", "a b", "ä", "\u{0}", "a-b", "a__2db", &long];
    for id in ids {
        let id: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        deliver(&service, &Entry::of_query(&format!("user_id={id}"))).await;
    }
    let events = bigquery.events().await;
    for (table, _) in &events {
        assert!(table.len() < 100 && table.bytes().all(|b| b == b'_' || b.is_ascii_alphanumeric()), "{table}");
    }
    let mut tables: Vec<&String> = events.iter().map(|(table, _)| table).collect();
    tables.dedup();
    assert_eq!(tables.len(), ids.len(), "no two users share a table");
    let mut stored: Vec<&str> = events.iter().map(|(_, row)| row["user_id"].as_str().unwrap()).collect();
    let mut sent = ids.to_vec();
    stored.sort_unstable();
    sent.sort_unstable();
    assert_eq!(stored, sent, "the column has the original value");
}

#[tokio::test]
async fn difference_unreadable_messages_are_dead_letters() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push(r#"{"message":{"data":"bm90IGEgbG9nIGVudHJ5","messageId":"1"}}"#).await.status, 204);
    assert_eq!(bigquery.rows("dead_letters").await[0]["data"], "bm90IGEgbG9nIGVudHJ5");
}

#[tokio::test]
async fn difference_an_error_without_details_does_not_crash() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for body in
        ["", "null", "<html>Bad Gateway</html>", r#"{"error":null}"#, r#"{"error":{"errors":null}}"#, r#"{"error":{"errors":[{}]}}"#, "[]"]
    {
        bigquery.faults().next(Fault::Status(Status::new(502, "").body(body)));
        deliver(&service, &example()).await;
    }
    assert!(!bigquery.events().await.is_empty());
}

#[tokio::test]
async fn difference_events_cause_no_metadata_calls() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    bigquery.faults().tables_get(Some(Status::new(403, "rateLimitExceeded")));
    for user in ["a", "b", "c"] {
        deliver(&service, &Entry::of_query(&format!("user_id={user}"))).await;
    }
    bigquery.faults().tables_get(None);
    assert_eq!(bigquery.events().await.len(), 3, "new tables need no metadata call");
}

#[tokio::test]
async fn difference_only_requests_of_the_pixel_are_stored() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    for url in [
        "https://track.example.com/favicon.ico?user_id=u",
        "https://track.example.com/?user_id=u",
        "https://track.example.com/pixel.png/x?user_id=u",
    ] {
        deliver(&service, &Entry::of_url(url)).await;
    }
    for method in ["HEAD", "POST", "OPTIONS"] {
        deliver(&service, &Entry::of_query("user_id=u").with("/httpRequest/requestMethod", json!(method))).await;
    }
    assert!(bigquery.events().await.is_empty());
}

#[tokio::test]
async fn pixel_path_can_be_changed_or_empty() {
    let bigquery = TestBigQuery::start().await;
    let paths = ["/pixel.png", "/a.gif", "/b/c"];
    for (setting, stored) in [("/a.gif, /b/c", 2), ("*", 3)] {
        let service = Service::start(&bigquery, &[("PIXEL_PATH", setting), ("TABLE_SUFFIX", "")]).await;
        let before = bigquery.rows("pixel").await.len();
        for path in paths {
            deliver(&service, &Entry::of_url(&format!("https://track.example.com{path}?user_id=u"))).await;
        }
        assert_eq!(bigquery.rows("pixel").await.len() - before, stored, "{setting}");
    }
}
