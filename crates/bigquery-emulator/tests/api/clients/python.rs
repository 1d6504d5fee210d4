//! Google's client for Python.

use serde_json::{Value, json};
use tokio::process::Command;

use super::super::server::{DATASET, PROJECT, TestServer};
use super::{ENDLESS, assert_seen, output, printed, script, skipped};

/// The interpreter, if the module is installed.
async fn python(module: &str) -> Option<String> {
    let python = std::env::var("PIXEL_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = output(Command::new(&python).args(["-c", &format!("import {module}")])).await?;
    import.status.success().then_some(python)
}

fn missing(package: &str) -> String {
    format!("the Python package {package} (PIXEL_TEST_PYTHON names the interpreter)")
}

/// Runs a script of tests/clients. Returns the JSON that it prints.
async fn run(python: &str, name: &str, arguments: &[&str]) -> Value {
    printed(&output(Command::new(python).arg(script(name)).args(arguments)).await.unwrap())
}

#[tokio::test]
async fn googles_python_client_inserts_queries_pages_and_cancels() {
    let Some(python) = python("google.cloud.bigquery").await else {
        return skipped("googles_python_client_inserts_queries_pages_and_cancels", &missing("google-cloud-bigquery"));
    };
    let server = TestServer::with_dataset().await;
    let mut seen = run(&python, "query.py", &[&server.url, PROJECT, ENDLESS]).await;
    for bad in ["bad_query", "bad_query_and_wait"] {
        let [code, reason, message] = seen[bad].as_array().unwrap().as_slice() else { panic!("{bad}: {}", seen[bad]) };
        assert_eq!((code, reason), (&json!(400), &json!("invalidQuery")));
        assert!(message.as_str().unwrap().contains("missing at [1:8]"), "{message}");
        seen.as_object_mut().unwrap().remove(bad);
    }
    for (call, what) in [("load_file", "load"), ("load_json", "load"), ("copy", "copy"), ("extract", "extract")] {
        let [code, reason, message] = seen[call].as_array().unwrap().as_slice() else { panic!("{call}: {}", seen[call]) };
        assert_eq!((code, reason), (&json!(501), &json!("notImplemented")), "{call}");
        assert!(message.as_str().unwrap().contains(&format!("The BigQuery emulator does not support {what} jobs")), "{message}");
        seen.as_object_mut().unwrap().remove(call);
    }
    let expected = json!({
        "inserted": [], "inserted_again": [], "insert_errors": [0, "invalid"], "num_rows": 2, "listed": true,
        "query": true, "query_and_wait": true, "default_dataset": ["a", "b"],
        "parameters": {}, "positional": ["x", 3],
        "pages": [4000, 4000, 4000, 4000, 4000, 4000, 1000], "sum": 312_512_500, "destination": 312_512_500,
        "job": ["DONE", "SELECT", {"from": "python"}, false, true], "jobs": true, "newest": true,
        "dry_run": [["name", "n"], true],
        "running": [true, false], "cancelled": ["stopped", "DONE", "stopped"],
        "deleted": [0, 1, 1], "datasets": [DATASET],
    });
    assert_seen(&seen, &expected);
}

#[tokio::test]
async fn a_dataframe_can_be_read_and_not_loaded() {
    let Some(python) = python("google.cloud.bigquery, pandas, pyarrow, db_dtypes").await else {
        return skipped("a_dataframe_can_be_read_and_not_loaded", &missing("google-cloud-bigquery[pandas]"));
    };
    let server = TestServer::with_dataset().await;
    let seen = run(&python, "dataframe.py", &[&server.url, PROJECT]).await;
    assert_eq!(seen["columns"], json!(["n", "even", "day"]));
    assert_eq!(seen["rows"], json!([[1, false, "2026-01-02"], [2, true, "2026-01-02"], [3, false, "2026-01-02"]]));
    assert_eq!(seen["load"][0], 501);
    assert!(seen["load"][1].as_str().unwrap().contains("The BigQuery emulator does not support load jobs"), "{seen}");
}
