//! Google's client for Python.

use serde_json::{Value, json};
use tokio::process::Command;

use super::{output, printed, script, stored};
use crate::support::bigquery::{DATASET, TempDir};
use crate::support::external::skipped;
use crate::support::local::PROJECT;

/// The interpreter, if it has that module.
async fn python(module: &str) -> Option<String> {
    let python = std::env::var("PIXEL_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = output(Command::new(&python).args(["-c", &format!("import {module}")])).await?;
    import.status.success().then_some(python)
}

fn missing(package: &str) -> String {
    format!("the Python package {package} (PIXEL_TEST_PYTHON names the interpreter)")
}

/// The output of a script of tests/clients.
async fn run(python: &str, name: &str, arguments: &[&str]) -> Value {
    printed(&output(Command::new(python).arg(script(name)).args(arguments)).await.unwrap())
}

#[tokio::test]
async fn googles_python_client_reads_what_was_stored() {
    let Some(python) = python("google.cloud.bigquery").await else {
        return skipped("googles_python_client_reads_what_was_stored", &missing("google-cloud-bigquery"));
    };
    let dir = TempDir::new();
    let local = stored(dir.path()).await;
    let read = run(&python, "read.py", &[&local.bigquery, PROJECT, DATASET]).await;

    assert_eq!(read["datasets"], json!([DATASET]));
    let tables = read["tables"].as_object().unwrap();
    let mut ids: Vec<_> = tables.keys().collect();
    ids.sort();
    assert_eq!(ids, ["dead_letters", "pixel", "pixel_u1"]);
    let shipped: Vec<Value> = serde_json::from_str(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/pixel.json"))).unwrap();
    let columns: Vec<Value> =
        shipped.iter().map(|column| json!([column["name"], column["type"], column.get("mode").unwrap_or(&json!("NULLABLE"))])).collect();
    assert_eq!(tables["pixel_u1"]["columns"], Value::Array(columns));
    assert_eq!((&tables["pixel"]["num_rows"], &tables["pixel_u1"]["num_rows"]), (&json!(0), &json!(2)));

    let mut rows = tables["pixel_u1"]["rows"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["order_id"].to_string().len());
    let seen: Vec<_> = rows.iter().map(|row| json!([row["user_id"], row["order_id"], row["invalid_attributes"]])).collect();
    assert_eq!(seen, [json!(["u1", "1", []]), json!(["u1", "ü\"\n", []])]);
    for row in &rows {
        let time: jiff::Timestamp = row["event_timestamp"].as_str().unwrap().parse().expect("a datetime with a zone");
        let age = jiff::Timestamp::now().duration_since(time).as_secs();
        assert!((0..600).contains(&age), "{time}");
    }
    let dead_letter = &tables["dead_letters"]["rows"][0];
    assert_eq!((&dead_letter["reason"], &dead_letter["data"]), (&json!("bad_base64"), &json!("%%%")));
    assert_eq!((&dead_letter["attributes"], &dead_letter["delivery_attempt"]), (&json!({"k": "v"}), &json!(3)));
}
