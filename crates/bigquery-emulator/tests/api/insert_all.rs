//! insertAll over HTTP: what it refuses as a whole, and generated tables.

use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{DATASET, PROJECT, TestServer};

async fn create(bigquery: &TestServer, table: &str, members: Value) {
    let mut resource = json!({"tableReference": {"projectId": PROJECT, "datasetId": DATASET, "tableId": table}});
    resource.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let (status, answer) = bigquery.post(&format!("/datasets/{DATASET}/tables"), &resource).await;
    assert_eq!(status, 200, "{answer}");
}

fn columns(names: &[&str]) -> Value {
    json!({"fields": names.iter().map(|name| json!({"name": name, "type": "STRING"})).collect::<Value>()})
}

/// Inserts one row, with a suffix unless it is empty.
async fn insert(bigquery: &TestServer, table: &str, suffix: &str, row: Value) -> (u16, Value) {
    let body = json!({"templateSuffix": suffix, "rows": [{"json": row}]});
    bigquery.post(&format!("/datasets/{DATASET}/tables/{table}/insertAll"), &body).await
}

async fn assert_refused(bigquery: &TestServer, table: &str, suffix: &str, message: &str) {
    let (status, answer) = insert(bigquery, table, suffix, json!({"a": "1"})).await;
    let error = &answer["error"];
    assert_eq!((status, &error["status"], &error["errors"][0]["reason"]), (400, &json!("INVALID_ARGUMENT"), &json!("invalid")));
    assert!(error["message"].as_str().unwrap().contains(message), "{answer}");
}

#[tokio::test]
async fn a_partitioned_template_generates_no_tables() {
    let bigquery = TestServer::with_dataset().await;
    let range = json!({"field": "n", "range": {"start": "0", "end": "9", "interval": "1"}});
    for (table, partitioning) in [("by_day", json!({"timePartitioning": {"type": "DAY"}})), ("by_n", json!({"rangePartitioning": range}))] {
        let mut members = partitioning;
        members["schema"] = columns(&["a"]);
        create(&bigquery, table, members).await;
        assert_refused(&bigquery, table, "_x", "partition").await;
        assert_eq!(insert(&bigquery, table, "", json!({"a": "1"})).await.0, 200, "without a suffix");
    }
}

#[tokio::test]
async fn a_view_and_a_table_without_columns_take_no_rows() {
    let bigquery = TestServer::with_dataset().await;
    create(&bigquery, "view", json!({"view": {"query": "SELECT 1 AS a", "useLegacySql": false}})).await;
    create(&bigquery, "empty", json!({})).await;
    for suffix in ["", "_x"] {
        assert_refused(&bigquery, "view", suffix, "Cannot add rows to a table of type VIEW.").await;
        assert_refused(&bigquery, "empty", suffix, "The destination table has no schema.").await;
    }
}

#[tokio::test]
async fn a_generated_table_keeps_its_columns() {
    let bigquery = TestServer::with_dataset().await;
    create(&bigquery, "t", json!({"schema": columns(&["a"])})).await;
    assert_eq!(insert(&bigquery, "t", "_old", json!({"a": "1"})).await.1.get("insertErrors"), None);
    let patch = json!({"schema": columns(&["a", "b-c"])});
    let (status, answer) = bigquery.call(Method::PATCH, &format!("/datasets/{DATASET}/tables/t"), patch).await;
    assert_eq!(status, 200, "{answer}");
    let row = json!({"a": "1", "b-c": "2"});
    let (_, answer) = insert(&bigquery, "t", "_old", row.clone()).await;
    let error = &answer["insertErrors"][0]["errors"][0];
    assert_eq!(
        (&error["reason"], &error["location"], &error["message"]),
        (&json!("invalid"), &json!("b-c"), &json!("no such field: b-c."))
    );
    assert_eq!(insert(&bigquery, "t", "_new", row).await.1.get("insertErrors"), None);
    assert_eq!(bigquery.rows("t_new").await, [[json!("1"), json!("2")]]);
}
