//! Tests with Google's clients for BigQuery.

mod bq;
mod node;
mod python;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

/// A client that runs longer fails the test. `bq` takes seconds to start.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A query that runs until it is cancelled.
const ENDLESS: &str =
    "SELECT SUM(SQRT(x * y)) AS s FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x CROSS JOIN UNNEST(GENERATE_ARRAY(1, 1000000)) AS y";

/// Runs a program. Returns `None` if it is not installed.
async fn output(command: &mut Command) -> Option<Output> {
    let run = command.kill_on_drop(true).output();
    tokio::time::timeout(TIMEOUT, run).await.expect("the program ends").ok()
}

/// Parses the JSON that a program printed. The program must succeed.
fn printed(output: &Output) -> Value {
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text} {errors}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {errors}"))
}

/// The path of a script in tests/clients.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// Compares the output of a script with the expected one, member by member.
fn assert_seen(seen: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&seen[name], value, "{name}");
    }
    assert_eq!(seen.as_object().unwrap().len(), expected.as_object().unwrap().len(), "{seen}");
}

/// Reports that a test is skipped because a program is missing. With PIXEL_REQUIRE_EXTERNAL=1, the test fails.
fn skipped(test: &str, what: &str) {
    let required = std::env::var("PIXEL_REQUIRE_EXTERNAL").is_ok_and(|value| value == "1");
    assert!(!required, "PIXEL_REQUIRE_EXTERNAL=1, but {what} is missing");
    // Write to stderr directly, because the test harness captures `eprintln!`.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {test}: {what} is missing\n").as_bytes());
}
