//! Interrupted runs, and runs that continue from a checkpoint.

use std::path::Path;
use std::time::Duration;

use bigquery_emulator::Fault;
use serde_json::{Value, json};

use super::{column, replay, run, write};
use crate::support::bigquery::TempDir;
use crate::support::service::{TIMEOUT, send_signal};
use crate::support::{Entry, TestBigQuery};

const ENTRIES: usize = 400;

fn text() -> String {
    (0..ENTRIES).map(|order| Entry::of_query(&format!("user_id=u&order_id={order:04}")).json() + "\n").collect()
}

fn orders() -> Vec<String> {
    (0..ENTRIES).map(|order| format!("{order:04}")).collect()
}

/// The record of the only input.
fn saved(checkpoint: &Path) -> Option<Value> {
    let record: Value = serde_json::from_slice(&std::fs::read(checkpoint).ok()?).expect("a checkpoint is complete at any time");
    record["sources"].as_object()?.values().next().cloned()
}

/// Starts a slow run, sends the signal once the checkpoint has at least one entry, and returns exit code and standard error.
async fn interrupted_by(signal: &str, bigquery: &TestBigQuery, args: &[&str], checkpoint: &Path) -> (Option<i32>, String) {
    bigquery.faults().always(Some(Fault::Delay(Duration::from_millis(40))));
    let child = replay(bigquery, args).env("BATCH_MAX_ROWS", "5").spawn().unwrap();
    let has_progress = async {
        while saved(checkpoint).and_then(|saved| saved["documents"].as_u64()).unwrap_or_default() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, has_progress).await.expect("a checkpoint is written");
    send_signal(&child, signal);
    let output = tokio::time::timeout(TIMEOUT, child.wait_with_output()).await.expect("the command ends").unwrap();
    bigquery.faults().always(None);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn after_kill_the_next_run_continues_from_the_checkpoint() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let (file, checkpoint) = (write(dir.path(), "a.jsonl", text()), dir.path().join("checkpoint"));
    let args = [file.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap(), "--concurrency=20", "--format=json"];
    let (code, _) = interrupted_by("KILL", &bigquery, &args, &checkpoint).await;
    assert_eq!(code, None);
    let stored = bigquery.rows("pixel").await.len();
    let entries = saved(&checkpoint).unwrap()["documents"].as_u64().unwrap();
    assert!((entries as usize) <= stored && stored < ENTRIES, "{entries} entries are committed, and {stored} rows are stored");

    let rest = run(replay(&bigquery, &args)).await;
    assert_eq!(rest.code, Some(0), "{}", rest.err);
    assert_eq!(rest.summary()["entries"], json!(ENTRIES as u64 - entries), "committed entries are not sent again");
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders());

    let again = run(replay(&bigquery, &args)).await;
    assert_eq!((again.code, &again.summary()["entries"]), (Some(0), &json!(0)));
}

#[tokio::test]
async fn ctrl_c_waits_for_entries_in_progress() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let (file, checkpoint) = (write(dir.path(), "a.jsonl", text()), dir.path().join("checkpoint"));
    let args = [file.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap(), "--concurrency=20", "--format=json"];
    let (code, err) = interrupted_by("INT", &bigquery, &args, &checkpoint).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("--checkpoint"), "{err}");
    let stored = bigquery.rows("pixel").await.len();
    assert!(stored < ENTRIES);
    assert_eq!(saved(&checkpoint).unwrap()["documents"], json!(stored), "the checkpoint covers everything that was sent");

    // After the deduplication window.
    bigquery.faults().advance_clock(Duration::from_secs(3600));
    let rest = run(replay(&bigquery, &args)).await;
    assert_eq!(rest.code, Some(0), "{}", rest.err);
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders());
}

#[tokio::test]
async fn a_grown_file_is_continued_and_a_changed_file_is_refused() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let (text, checkpoint) = (text(), dir.path().join("checkpoint"));
    let half = text.match_indices('\n').nth(ENTRIES / 2).unwrap().0 + 1;
    let file = write(dir.path(), "a.jsonl", &text[..half]);
    let args = [file.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap(), "--format=json"];
    assert_eq!(run(replay(&bigquery, &args)).await.code, Some(0));
    write(dir.path(), "a.jsonl", &text);
    let grown = run(replay(&bigquery, &args)).await;
    assert_eq!((grown.code, grown.count("stored")), (Some(0), ENTRIES as u64 - ENTRIES as u64 / 2 - 1));
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders());

    // The last line is still being written.
    let (line, cut) = (Entry::of_query("user_id=u&order_id=9999").json(), 50);
    write(dir.path(), "a.jsonl", text.clone() + &line[..cut]);
    let half = run(replay(&bigquery, &args)).await;
    assert_eq!((half.code, half.count("broken")), (Some(1), 1));
    write(dir.path(), "a.jsonl", text.clone() + &line + "\n");
    let whole = run(replay(&bigquery, &args)).await;
    assert_eq!((whole.code, whole.count("stored"), &whole.summary()["entries"]), (Some(0), 1, &json!(1)));
    assert_eq!(column(&bigquery, "pixel", "order_id").await.last().unwrap(), "9999");

    write(dir.path(), "a.jsonl", text.replacen("httpRequest", "HttpRequest", 1));
    let changed = run(replay(&bigquery, &args)).await;
    assert_eq!((changed.code, changed.out.as_str()), (Some(2), ""));
    assert!(changed.err.contains("a.jsonl") && changed.err.contains("has changed"), "{}", changed.err);

    write(dir.path(), "a.jsonl", &text);
    for other in [&["--since=2026-01-01"][..], &["--checkpoint", "/no/such/dir/checkpoint"]] {
        let args = if other.len() == 1 { [&args[..], other].concat() } else { [&args[..1], other].concat() };
        let refused = run(replay(&bigquery, &args)).await;
        assert_eq!(refused.code, Some(2), "{args:?}");
        assert!(refused.err.contains("checkpoint"), "{}", refused.err);
    }
}
