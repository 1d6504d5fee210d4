//! `local` with a schema of its own: one that the local BigQuery does not support, and one that changed.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::bigquery::{DATASET, TempDir};
use crate::support::local::{Local, local};
use crate::support::wait::within;

/// Writes a schema file with these columns after `event_id` and `event_timestamp`.
fn schema_file(dir: &Path, columns: &[Value]) -> PathBuf {
    let service = [
        json!({"name": "event_id", "type": "STRING", "mode": "REQUIRED"}),
        json!({"name": "event_timestamp", "type": "TIMESTAMP", "mode": "REQUIRED"}),
    ];
    let path = dir.join("schema.json");
    std::fs::write(&path, Value::from_iter(service.into_iter().chain(columns.iter().cloned())).to_string()).unwrap();
    path
}

fn settings(file: &Path) -> [(&str, &str); 3] {
    [("SCHEMA_FILE", file.to_str().unwrap()), ("VALID_ATTRIBUTES", "visitor"), ("TABLE_SUFFIX", "_{visitor}")]
}

#[tokio::test]
async fn a_schema_that_cannot_be_created_ends_local_with_the_reason() {
    for column in [
        json!({"name": "period", "type": "RANGE", "rangeElementType": {"type": "DATE"}}),
        json!({"name": "shape", "type": "POLYGON"}),
        json!({"name": "nested", "type": "RECORD", "fields": [{"name": "r", "type": "RANGE", "rangeElementType": {"type": "DATETIME"}}]}),
        json!({"name": "empty", "type": "RECORD", "fields": []}),
    ] {
        let dir = TempDir::new();
        let file = schema_file(dir.path(), &[json!({"name": "visitor", "type": "STRING"}), column.clone()]);
        let output = local(&dir.path().join("data")).envs(settings(&file)).output();
        let output = within("local ends", output).await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{column}: {error}");
        assert!(error.contains("error: ") && error.contains("SCHEMA_FILE"), "{column}: {error}");
        assert!(!String::from_utf8(output.stdout).unwrap().contains("console"), "{column}: no banner");
    }
}

/// In a new table, and in one that an earlier run has made.
#[tokio::test]
async fn an_attribute_without_a_column_ends_local_before_the_banner() {
    let dir = TempDir::new();
    let data = dir.path().join("data");
    let file = schema_file(dir.path(), &[json!({"name": "visitor", "type": "STRING"})]);
    for is_new in [true, false] {
        if !is_new {
            Local::start(&data, &settings(&file)).await.end("TERM").await;
        }
        let mut command = local(&data);
        command.envs(settings(&file)).env("VALID_ATTRIBUTES", "visitor,campaign");
        let output = within("local ends", command.output()).await.unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
        assert!(error.contains("error: invalid settings:") && error.contains("campaign"), "{error}");
    }
}

#[tokio::test]
async fn attributes_to_hash_without_a_key_are_a_warning() {
    let dir = TempDir::new();
    let settings = [("HASH_ATTRIBUTES", "user_id,order_id"), ("RUST_LOG", "off")];
    let output = within("local ends", local(&dir.path().join("data")).args(["--for", "1ms"]).envs(settings).output()).await.unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(error.contains("warning: HASH_ATTRIBUTES has no effect without the key HASH_USER_IDS"), "{error}");
}

#[tokio::test]
async fn new_columns_of_the_schema_are_added_to_an_old_table() {
    let dir = TempDir::new();
    let visitor = json!({"name": "visitor", "type": "STRING"});
    let data = dir.path().join("data");
    let file = schema_file(dir.path(), std::slice::from_ref(&visitor));
    let first = Local::start(&data, &settings(&file)).await;
    assert!(!first.welcome.contains("Added"), "{}", first.welcome);
    assert!(first.welcome.contains("?visitor=example"), "the example has the attributes of the settings: {}", first.welcome);
    first.end("TERM").await;

    let page = json!({"name": "page", "type": "STRING"});
    let other = json!({"name": "amount", "type": "NUMERIC", "mode": "REQUIRED"});
    schema_file(dir.path(), &[visitor.clone(), page.clone(), other]);
    let second = Local::start(&data, &settings(&file)).await;
    let (notes, _) = second.welcome.split_once("console ").expect("the banner");
    assert!(notes.contains("Added to table pixel: page."), "{notes}");
    assert!(notes.contains("Column amount of SCHEMA_FILE is not in table pixel") && notes.contains("--data-dir"), "{notes}");
    let table = second.get(&format!("datasets/{DATASET}/tables/pixel")).await;
    let names: Vec<&str> = table["schema"]["fields"].as_array().unwrap().iter().map(|field| field["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["event_id", "event_timestamp", "visitor", "page"]);
    second.end("TERM").await;

    schema_file(dir.path(), &[visitor, page]);
    let third = Local::start(&data, &settings(&file)).await;
    assert!(third.welcome.starts_with("console "), "nothing to say: {}", third.welcome);
}

#[tokio::test]
async fn views_and_samples_follow_a_schema_without_type_and_user() {
    let dir = TempDir::new();
    let file = schema_file(dir.path(), &[json!({"name": "visitor", "type": "STRING"}), json!({"name": "table_suffix", "type": "STRING"})]);
    let local = Local::start(&dir.path().join("data"), &settings(&file)).await;
    local.wait_for_views().await;
    local.fire("visitor=v").await;
    local.wait_for_rows("pixel_v", 1).await;
    let today = local.query("SELECT events FROM parsed_pixel.events_daily").await;
    assert_eq!(json!(today), json!([["1"]]));
    let setup = reqwest::get(format!("{}console/setup", local.push)).await.unwrap().text().await.unwrap();
    let setup: Value = serde_json::from_str(&setup).unwrap();
    let samples = setup["samples"].as_array().unwrap();
    for sample in samples {
        match sample["sql"].as_str() {
            Some(sql) => drop(local.query(sql).await),
            None => assert!(sample["problem"].as_str().unwrap().contains("the template table has no column"), "{sample}"),
        }
    }
    let runs: Vec<bool> = samples.iter().map(|sample| sample["sql"].is_string()).collect();
    assert!(runs.contains(&true) && runs.contains(&false), "{setup}");
}
