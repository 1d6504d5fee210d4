//! Google's client for Node.

use std::ffi::OsString;
use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use super::super::server::{DATASET, PROJECT, TestServer};
use super::{ENDLESS, assert_seen, output, printed, script, skipped};

/// A command that runs `node` with the packages of tests/clients/node/package.json.
fn node() -> Option<Command> {
    let modules = std::env::var_os("PIXEL_TEST_NODE_MODULES").unwrap_or_else(|| OsString::from(script("node/node_modules")));
    if !Path::new(&modules).join("@google-cloud/bigquery").is_dir() {
        return None;
    }
    let mut node = Command::new("node");
    node.env("NODE_PATH", modules);
    Some(node)
}

#[tokio::test]
async fn googles_node_client_inserts_queries_streams_and_cancels() {
    let server = TestServer::with_dataset().await;
    let ran = match node() {
        Some(mut node) => output(node.arg(script("node/query.js")).args([&server.url, PROJECT, ENDLESS])).await,
        None => None,
    };
    let Some(ran) = ran else {
        let what = "Node with the package @google-cloud/bigquery (PIXEL_TEST_NODE_MODULES names its folder)";
        return skipped("googles_node_client_inserts_queries_streams_and_cancels", what);
    };
    let mut seen = printed(&ran);
    let load = seen.as_object_mut().unwrap().remove("load").unwrap();
    assert_eq!(load["code"], 501);
    assert!(load["message"].as_str().unwrap().contains("The BigQuery emulator does not support load jobs"), "{load}");
    let bad = seen.as_object_mut().unwrap().remove("badQuery").unwrap();
    assert_eq!((&bad["code"], &bad["reason"]), (&json!(400), &json!("invalidQuery")));
    assert!(bad["message"].as_str().unwrap().contains("missing at [1:8]"), "{bad}");
    let at = "2026-01-02T03:04:05.402197000Z";
    let expected = json!({
        "partialFailure": ["PartialFailureError", "no such field: wrong."],
        "stored": [["a", 1, at, ["x", "y"]], ["b", null, null, []]],
        "query": [["a", 1, at, ["x", "y"]]],
        "typed": ["2026-01-02", ["1", "2"], 1.5, "9007199254740993", null],
        "positional": ["x", true],
        "job": [2500, 3_126_250], "metadata": ["DONE", "node", "SELECT"], "streamed": 2500,
        "dryRun": ["name"], "cancelled": "stopped", "datasets": [DATASET],
    });
    assert_seen(&seen, &expected);
}
