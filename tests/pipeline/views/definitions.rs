//! Views created by tables.insert: their resource, queries of them, and requests that BigQuery refuses for views.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestBigQuery;
use crate::support::bigquery::{DATASET, PROJECT};

fn tables() -> String {
    format!("/datasets/{DATASET}/tables")
}

/// A table of two events, and a view `opens` of one of them.
async fn with_view() -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    bigquery.create_dataset().await;
    bigquery.create_table("events", json!([{"name": "type", "type": "STRING"}, {"name": "n", "type": "INTEGER"}])).await;
    bigquery.insert("events", "1", json!({"type": "open", "n": 1})).await;
    bigquery.insert("events", "2", json!({"type": "click", "n": 2})).await;
    let (status, view) = bigquery.call(Method::POST, &tables(), view("SELECT n FROM events WHERE type = 'open'")).await;
    assert_eq!(status, 200, "{view}");
    bigquery
}

/// A view has no default dataset, so its query has full table names.
fn view(sql: &str) -> Value {
    let sql = sql.replace("FROM events", &format!("FROM `{PROJECT}.{DATASET}.events`"));
    json!({"tableReference": {"projectId": PROJECT, "datasetId": DATASET, "tableId": "opens"}, "view": {"query": sql, "useLegacySql": false}})
}

#[tokio::test]
async fn a_view_has_the_columns_of_its_query() {
    let bigquery = with_view().await;
    let (status, resource) = bigquery.call(Method::GET, &format!("{}/opens", tables()), Value::Null).await;
    assert_eq!((status, &resource["type"]), (200, &json!("VIEW")), "{resource}");
    assert_eq!(resource["schema"]["fields"][0]["name"], "n");
    assert_eq!(resource["schema"]["fields"][0]["type"], "INTEGER");
    assert!(resource["view"]["query"].as_str().is_some_and(|sql| sql.starts_with("SELECT n FROM ")), "{resource}");
    let sql = format!("SELECT n FROM {DATASET}.opens");
    let (_, answer) = bigquery.call(Method::POST, "/queries", json!({"query": sql, "useLegacySql": false})).await;
    assert_eq!(answer["rows"], json!([{"f": [{"v": "1"}]}]), "{answer}");
}

#[tokio::test]
async fn listing_and_inserting_rows_of_a_view_is_refused() {
    let bigquery = with_view().await;
    let (status, listed) = bigquery.call(Method::GET, &format!("{}/opens/data", tables()), Value::Null).await;
    assert_eq!((status, &listed["error"]["message"]), (400, &json!("Cannot list a table of type VIEW.")));
    let row = json!({"rows": [{"json": {"n": 3}}]});
    let (status, inserted) = bigquery.call(Method::POST, &format!("{}/opens/insertAll", tables()), row).await;
    assert_eq!((status, &inserted["error"]["message"]), (400, &json!("Cannot add rows to a table of type VIEW.")));
}

#[tokio::test]
async fn a_view_with_a_new_query_has_its_columns() {
    let bigquery = with_view().await;
    let query = format!("SELECT type, COUNT(*) AS n FROM `{PROJECT}.{DATASET}.events` GROUP BY type");
    let patch = json!({"view": {"query": query, "useLegacySql": false}});
    let (status, resource) = bigquery.call(Method::PATCH, &format!("{}/opens", tables()), patch.clone()).await;
    let names: Vec<&Value> = resource["schema"]["fields"].as_array().unwrap().iter().map(|field| &field["name"]).collect();
    assert_eq!((status, names), (200, vec![&json!("type"), &json!("n")]), "{resource}");
    let nonsense = json!({"view": {"query": "SELECT nothing", "useLegacySql": false}});
    let (status, _) = bigquery.call(Method::PATCH, &format!("{}/opens", tables()), nonsense).await;
    assert_eq!(status, 400);
    let (status, refused) = bigquery.call(Method::PATCH, &format!("{}/events", tables()), patch).await;
    assert_eq!(status, 400, "a table with rows does not become a view: {refused}");
}

#[tokio::test]
async fn a_view_with_an_invalid_query_is_not_created() {
    let bigquery = TestBigQuery::start().await;
    bigquery.create_dataset().await;
    let (status, refused) = bigquery.call(Method::POST, &tables(), view("SELECT nothing")).await;
    assert_eq!(status, 400, "{refused}");
    let message = refused["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("Unrecognized name: nothing"), "{message}");
    let (status, _) = bigquery.call(Method::GET, &format!("{}/opens", tables()), Value::Null).await;
    assert_eq!(status, 404);
}
