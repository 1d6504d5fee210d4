//! The receipt and the journal survive: what cannot be recorded is not deleted.

use std::fs::OpenOptions;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use super::{end_of, forgotten, started_with, with_events};
use crate::support::bigquery::{PROJECT, TempDir};
use crate::support::gate::{bigquery_behind, silence};
use crate::support::service::send_signal;

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

/// A pipe without a reader.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[tokio::test]
async fn nothing_is_deleted_if_receipt_or_journal_cannot_be_written() {
    let bigquery = with_events(&["u"], &[]).await;
    let tables = bigquery.tables().await;
    let yes = &["--user-id=u", "--yes"][..];
    let in_file = &["--user-id=u", "--yes", "--journal=/dev/full"][..];
    for (args, stdout, stderr) in [
        (yes, full(), Stdio::piped()),
        (yes, closed(), Stdio::piped()),
        (yes, Stdio::piped(), full()),
        (yes, Stdio::piped(), closed()),
        (yes, full(), full()),
        (yes, Stdio::null(), Stdio::null()),
        (yes, Stdio::null(), Stdio::piped()),
        (in_file, Stdio::piped(), Stdio::piped()),
        (&["--user-id=u", "--yes", "--journal=/no/such/directory/journal"], Stdio::piped(), Stdio::piped()),
    ] {
        let (code, _, err) = end_of(started_with(&bigquery, &[], args, stdout, stderr)).await;
        assert_eq!(code, Some(1), "{args:?}: {err}");
        assert_eq!(bigquery.tables().await, tables, "{args:?}: {err}");
    }
    assert_eq!(bigquery.events().await.len(), 2);
}

/// Rust's runtime opens the null device where a descriptor is closed.
#[tokio::test]
async fn with_closed_output_the_receipt_is_in_the_journal_or_nothing_is_deleted() {
    let dir = TempDir::new();
    let path = dir.path().join("journal.jsonl");
    let journal = format!("--journal={}", path.display());
    let bigquery = with_events(&["u"], &[]).await;
    for (args, code, events) in [(&["--user-id=u", "--yes"][..], 1, 2), (&["--user-id=u", "--yes", &journal], 0, 0)] {
        let mut shell = Command::new("sh");
        shell.args(["-c", "\"$0\" forget \"$@\" >&- 2>&-", env!("CARGO_BIN_EXE_pixel-pipeline")]).args(args);
        shell.env("BIGQUERY_EMULATOR_HOST", &bigquery.url).env("GOOGLE_CLOUD_PROJECT", PROJECT);
        assert_eq!(shell.status().await.unwrap().code(), Some(code), "{args:?}");
        assert_eq!(bigquery.events().await.len(), events, "{args:?}");
    }
    let text = std::fs::read_to_string(path).unwrap();
    let receipt: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!(receipt["is_complete"], true, "{text}");
}

#[tokio::test]
async fn a_journal_file_has_a_line_before_and_after_each_deletion() {
    let dir = TempDir::new();
    let path = dir.path().join("journal.jsonl");
    let journal = format!("--journal={}", path.display());
    let bigquery = with_events(&["u", "v"], &[("TABLE_SUFFIX", "_{date}")]).await;
    let args = ["--user-id=u", "--yes", &journal];
    // With the journal in a file, standard error is not needed.
    let (code, receipt, _) = end_of(started_with(&bigquery, &[], &args, Stdio::piped(), full())).await;
    assert_eq!(code, Some(0));
    let text = std::fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<Value> =
        lines.iter().filter(|line| line.get("step").is_some()).map(|line| json!([line["step"], line["table"], line["count"]])).collect();
    let expected = json!([
        ["started", "pixel_20260102", 1],
        ["deleted", "pixel_20260102", 1],
        ["started", "pixel_20260103", 1],
        ["deleted", "pixel_20260103", 1],
    ]);
    assert_eq!(json!(steps), expected);
    assert_eq!(lines[0]["planned"]["rows_in_shared_tables"], json!({"pixel_20260102": 1, "pixel_20260103": 1}));
    assert_eq!(*lines.last().unwrap(), serde_json::from_str::<Value>(&receipt).unwrap());
    assert!(!text.contains("\"u\""), "{text}");
}

/// SIGKILL leaves no time for a receipt.
#[tokio::test]
async fn after_a_kill_the_journal_tells_what_was_under_way() {
    let dir = TempDir::new();
    let path = dir.path().join("journal.jsonl");
    let (reached, mut reaches) = tokio::sync::mpsc::unbounded_channel();
    let bigquery = bigquery_behind(move |_, query| {
        query.contains("DELETE FROM").then(|| {
            let _ = reached.send(());
            silence()
        })
    })
    .await;
    super::send_events(&bigquery, &["u"], &[("TABLE_SUFFIX", "_{date}")]).await;
    let journal = format!("--journal={}", path.display());
    let forget = started_with(&bigquery, &[], &["--user-id=u", "--yes", &journal], Stdio::piped(), Stdio::piped());
    reaches.recv().await.unwrap();
    send_signal(&forget, "KILL");
    let (code, begun, _) = end_of(forget).await;
    assert_eq!(code, None);
    assert!(begun.starts_with('{') && begun.contains("\"planned\""), "{begun}");
    let text = std::fs::read_to_string(path).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["step"], &last["table"]), (&json!("started"), &json!("pixel_20260102")));
}

#[tokio::test]
async fn a_receipt_has_the_plan_and_the_result() {
    let bigquery = with_events(&["u"], &[]).await;
    let receipt = forgotten(&bigquery, &[], &["--user-id=u"]).await;
    assert_eq!((&receipt["planned"]["tables"], &receipt["deleted"]["tables"]), (&json!(2), &json!(2)));
}
