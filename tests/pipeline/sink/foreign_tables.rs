//! Template tables that the product did not create: other types, partitions, and columns of any name and type.

use std::sync::Arc;

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::support::gate::bigquery_behind;
use crate::support::{Entry, Service, TestBigQuery};

const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");

fn column(name: &str) -> Value {
    json!({"name": name, "type": "STRING"})
}

/// An emulator that answers tables.get of the template table with this resource.
async fn with_resource(resource: Value) -> TestBigQuery {
    let resource = Arc::new(resource.to_string());
    let gate = move |request: &str, _: &str| -> Option<Response> {
        let is_get = request.starts_with("GET ") && request.ends_with("/tables/pixel");
        is_get.then(|| (*resource).clone().into_response())
    };
    let bigquery = bigquery_behind(gate).await;
    bigquery.create_dataset().await;
    bigquery.create_table("pixel", json!([column("user_id"), {"name": "n", "type": "INTEGER"}])).await;
    bigquery
}

fn table(members: Value) -> Value {
    let mut table = json!({"kind": "bigquery#table", "type": "TABLE", "schema": {"fields": [column("user_id")]}});
    table.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    table
}

/// The error with which the service ends.
async fn refusal(bigquery: &TestBigQuery, settings: &[(&str, &str)]) -> String {
    let settings = [&[("VALID_ATTRIBUTES", "user_id"), ("PUSH_DEADLINE", "1s")], settings].concat();
    let mut service = Service::start_unready(&bigquery.url, &settings).await;
    assert_eq!(service.wait().await.code(), Some(1));
    service.wait_for_log("cannot run the service").await
}

#[tokio::test]
async fn a_template_that_stores_no_rows_is_refused_by_type() {
    for kind in ["VIEW", "MATERIALIZED_VIEW", "EXTERNAL", "SNAPSHOT", "SOMETHING_NEW"] {
        for suffix in ["", "_{user_id}"] {
            let line = refusal(&with_resource(table(json!({"type": kind}))).await, &[("TABLE_SUFFIX", suffix)]).await;
            assert!(line.contains(&format!("pixel is of type {kind}, ")) && line.contains("set TABLE_NAME"), "{line}");
        }
    }
}

#[tokio::test]
async fn a_partitioned_template_needs_an_empty_suffix() {
    for partitioning in [
        json!({"timePartitioning": {"type": "DAY"}}),
        json!({"timePartitioning": {"type": "HOUR", "field": "event_timestamp"}}),
        json!({"rangePartitioning": {"field": "n", "range": {"start": "0", "end": "9", "interval": "1"}}}),
    ] {
        let bigquery = with_resource(table(partitioning)).await;
        let line = refusal(&bigquery, &[("TABLE_SUFFIX", "_{date}")]).await;
        assert!(line.contains("pixel is partitioned") && line.contains("TABLE_SUFFIX"), "{line}");
        let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id"), ONE_TABLE]).await;
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204);
    }
}

#[tokio::test]
async fn a_template_without_columns_is_refused() {
    for schema in [json!(null), json!({}), json!({"fields": []})] {
        let line = refusal(&with_resource(table(json!({"schema": schema}))).await, &[ONE_TABLE]).await;
        assert!(line.contains("pixel has no columns"), "{line}");
    }
}

#[tokio::test]
async fn an_unreadable_resource_is_not_a_table() {
    for resource in [
        json!({}),
        json!([]),
        json!({"kind": "bigquery#job"}),
        json!({"kind": "bigquery#queryResponse", "schema": {"fields": [column("user_id")]}}),
        table(json!({"schema": {"fields": "user_id"}})),
        table(json!({"schema": {"fields": [{"type": "STRING"}]}})),
    ] {
        let bigquery = with_resource(resource.clone()).await;
        let settings = [("VALID_ATTRIBUTES", "user_id"), ("PUSH_DEADLINE", "300ms")];
        let mut service = Service::start_unready(&bigquery.url, &settings).await;
        service.wait_for_log("cannot read the template table").await;
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503, "{resource}");
        assert_eq!(bigquery.faults().insert_all_requests().requests, 0, "{resource}");
    }
}

#[tokio::test]
async fn columns_that_nothing_fills_do_not_matter() {
    let foreign = [
        column("order-id"),
        column("1st"),
        column("a&b"),
        column("order id"),
        column("名前"),
        column("odd.name"),
        json!({"name": "vector", "type": "VECTOR"}),
        json!({"name": "sometimes", "type": "STRING", "mode": "SOMETIMES"}),
        json!({"name": "untyped"}),
        json!({"name": "period", "type": "RANGE", "rangeElementType": {"type": "DATE"}}),
        json!({"name": "place", "type": "GEOGRAPHY"}),
        json!({"name": "took", "type": "INTERVAL"}),
        json!({"name": "cart", "type": "RECORD", "mode": "REPEATED", "fields": [column("sku.id")]}),
        // The service would fill these, if their types could hold the values.
        json!({"name": "event_id", "type": "INTEGER"}),
        json!({"name": "host", "type": "RECORD", "fields": [column("name")]}),
        json!({"name": "invalid_attributes", "type": "INTEGER"}),
    ];
    for foreign in foreign {
        let bigquery = with_resource(table(json!({"schema": {"fields": [column("user_id"), foreign]}}))).await;
        let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id"), ONE_TABLE]).await;
        assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 204, "{foreign}");
    }
}

#[tokio::test]
async fn a_column_that_cannot_be_filled_is_refused_by_name() {
    for (bad, attributes) in [
        (json!({"name": "bad", "type": "GEOGRAPHY"}), "user_id,bad"),
        (json!({"name": "bad", "type": "VECTOR"}), "user_id,bad"),
        (json!({"name": "bad", "type": "STRING", "mode": "SOMETIMES"}), "user_id,bad"),
        (json!({"name": "bad-name", "type": "INTEGER", "mode": "REQUIRED"}), "user_id"),
        (json!({"name": "period", "type": "RANGE", "mode": "REQUIRED"}), "user_id"),
        (json!({"name": "event_id", "type": "INTEGER", "mode": "REQUIRED"}), "user_id"),
        (json!({"name": "event_id", "type": "STRING", "mode": "REQUIRED", "maxLength": "16"}), "user_id"),
        (json!({"name": "host", "type": "TIMESTAMP", "mode": "REQUIRED"}), "user_id"),
        (json!({"name": "host", "type": "GEOGRAPHY", "mode": "REQUIRED"}), "user_id"),
        (json!({"name": "signed", "type": "BOOLEAN", "mode": "REQUIRED"}), "user_id"),
        (json!({"name": "invalid_attributes", "type": "STRING", "mode": "REQUIRED"}), "user_id"),
    ] {
        let bigquery = with_resource(table(json!({"schema": {"fields": [column("user_id"), bad]}}))).await;
        let line = refusal(&bigquery, &[("VALID_ATTRIBUTES", attributes), ONE_TABLE]).await;
        assert!(line.contains(bad["name"].as_str().unwrap()), "{bad}: {line}");
        let is_own = ["event_id", "host", "signed", "invalid_attributes"].contains(&bad["name"].as_str().unwrap());
        assert!(!is_own || !line.contains("add them to VALID_ATTRIBUTES"), "the service fills it itself: {line}");
    }
}

#[tokio::test]
async fn attributes_with_flexible_names_are_stored_and_part_of_the_suffix() {
    let names = ["order-id", "1st", "a&b", "order id", "prénom", "50%", "it's", "a|b", "<x>", "k:v"];
    let bigquery = TestBigQuery::with_template(names.iter().map(|name| column(name)).collect()).await;
    let settings = [("VALID_ATTRIBUTES", names.join(",")), ("TABLE_SUFFIX", "_{order-id}_{k:v}_{date}".to_owned())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let service = Service::start(&bigquery, &settings).await;
    let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(names.iter().map(|name| (name, "v"))).finish();
    assert_eq!(service.push(Entry::of_query(&query).pushed()).await.status, 204);
    let row = bigquery.rows("pixel_v_v_20260102").await.remove(0);
    for name in names {
        assert_eq!(row[name], "v", "{name}");
    }
}
