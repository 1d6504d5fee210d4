//! The programs with which people use BigQuery.

mod bq;
mod node;
mod python;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

/// How long a foreign program may take; `bq` starts for seconds.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A query that runs until it is cancelled.
const ENDLESS: &str =
    "SELECT SUM(SQRT(x * y)) AS s FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS x CROSS JOIN UNNEST(GENERATE_ARRAY(1, 1000000)) AS y";

/// Runs a program to its end; `None` if there is no such program.
async fn output(command: &mut Command) -> Option<Output> {
    let run = command.kill_on_drop(true).output();
    tokio::time::timeout(TIMEOUT, run).await.expect("the program ends").ok()
}

/// The JSON that a program printed, which must have ended well.
fn printed(output: &Output) -> Value {
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text} {errors}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text} {errors}"))
}

/// A script of tests/clients.
fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// Compares what a script has seen with what it should, member by member.
fn assert_seen(seen: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&seen[name], value, "{name}");
    }
    assert_eq!(seen.as_object().unwrap().len(), expected.as_object().unwrap().len(), "{seen}");
}

/// Says loudly that a test was skipped because `what` is missing. Where PIXEL_REQUIRE_EXTERNAL=1 promises that nothing is,
/// the test fails.
fn skipped(test: &str, what: &str) {
    let required = std::env::var("PIXEL_REQUIRE_EXTERNAL").is_ok_and(|value| value == "1");
    assert!(!required, "PIXEL_REQUIRE_EXTERNAL=1, but {what} is missing");
    // Past the capture of the test harness, which would hide it.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {test}: {what} is missing\n").as_bytes());
}
