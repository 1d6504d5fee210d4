//! The tables that the cases ask about: tests/googlesql/tables/DATASET.json, loaded as any client
//! would, by tables.insert and insertAll.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::support::bigquery::{PROJECT, TestBigQuery};

/// A BigQuery that holds them all.
pub async fn loaded(root: &Path) -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    for entry in std::fs::read_dir(root.join("tests/googlesql/tables")).unwrap() {
        let path = entry.unwrap().path();
        let dataset = path.file_stem().unwrap().to_str().unwrap();
        let tables: Map<String, Value> = json_file(&path);
        let reference = json!({"datasetReference": {"projectId": PROJECT, "datasetId": dataset}});
        post(&bigquery, "/datasets", reference).await;
        for (table, contents) in tables {
            create(&bigquery, dataset, &table, &contents, root).await;
        }
    }
    bigquery
}

async fn create(bigquery: &TestBigQuery, dataset: &str, table: &str, contents: &Value, root: &Path) {
    // A schema is stated, or it is one of the project's own, by its file.
    let fields = match &contents["schema"] {
        Value::String(file) => json_file(&root.join(file)),
        fields => fields.clone(),
    };
    let tables = format!("/datasets/{dataset}/tables");
    let reference = json!({"projectId": PROJECT, "datasetId": dataset, "tableId": table});
    post(bigquery, &tables, json!({"tableReference": reference, "schema": {"fields": fields}})).await;
    let rows: Vec<Value> = contents["rows"].as_array().unwrap().iter().map(|row| json!({"json": row})).collect();
    if !rows.is_empty() {
        let answer = post(bigquery, &format!("{tables}/{table}/insertAll"), json!({"rows": rows})).await;
        assert_eq!(answer.get("insertErrors"), None, "{dataset}.{table}");
    }
}

async fn post(bigquery: &TestBigQuery, path: &str, body: Value) -> Value {
    let (status, answer) = bigquery.post(path, &body).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

fn json_file<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
