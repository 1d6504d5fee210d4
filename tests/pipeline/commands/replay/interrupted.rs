//! A run that does not reach its end, and the one after it.

use std::path::Path;
use std::time::Duration;

use bigquery_emulator::Fault;
use serde_json::{Value, json};

use super::{column, replay, run, write};
use crate::support::bigquery::TempDir;
use crate::support::service::{PATIENCE, send_signal};
use crate::support::{Entry, TestBigQuery};

const ENTRIES: usize = 400;

fn text() -> String {
    (0..ENTRIES).map(|order| Entry::of_query(&format!("user_id=u&order_id={order:04}")).json() + "\n").collect()
}

fn orders() -> Vec<String> {
    (0..ENTRIES).map(|order| format!("{order:04}")).collect()
}

/// Of the one source.
fn saved(checkpoint: &Path) -> Option<Value> {
    let record: Value = serde_json::from_slice(&std::fs::read(checkpoint).ok()?).expect("a checkpoint is whole at any time");
    record["sources"].as_object()?.values().next().cloned()
}

/// Starts a slow run, waits until its checkpoint has come some way, ends it with a signal, and returns its exit code.
async fn stopped_by(signal: &str, bigquery: &TestBigQuery, args: &[&str], checkpoint: &Path) -> (Option<i32>, String) {
    bigquery.faults().always(Some(Fault::Delay(Duration::from_millis(40))));
    let child = replay(bigquery, args).env("BATCH_MAX_ROWS", "5").spawn().unwrap();
    let some_way = async {
        while saved(checkpoint).and_then(|saved| saved["lines"].as_u64()).unwrap_or_default() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, some_way).await.expect("a checkpoint is written");
    send_signal(&child, signal);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("it ends").unwrap();
    bigquery.faults().always(None);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn a_run_that_is_killed_goes_on_from_its_checkpoint_and_loses_and_doubles_nothing() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let (file, checkpoint) = (write(dir.path(), "a.jsonl", text()), dir.path().join("checkpoint"));
    let args = [file.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap(), "--concurrency=20", "--format=json"];
    let (code, _) = stopped_by("KILL", &bigquery, &args, &checkpoint).await;
    assert_eq!(code, None);
    let there = bigquery.rows("pixel").await.len();
    let lines = saved(&checkpoint).unwrap()["lines"].as_u64().unwrap();
    assert!((lines as usize) <= there && there < ENTRIES, "{lines} lines are settled, and {there} rows are there");

    let rest = run(replay(&bigquery, &args)).await;
    assert_eq!(rest.code, Some(0), "{}", rest.err);
    assert_eq!(rest.summary()["entries"], json!(ENTRIES as u64 - lines), "what is settled is not sent again");
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders());

    let again = run(replay(&bigquery, &args)).await;
    assert_eq!((again.code, &again.summary()["entries"]), (Some(0), &json!(0)));
}

#[tokio::test]
async fn ctrl_c_lets_what_is_under_way_end_and_says_how_to_go_on() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let (file, checkpoint) = (write(dir.path(), "a.jsonl", text()), dir.path().join("checkpoint"));
    let args = [file.to_str().unwrap(), "--checkpoint", checkpoint.to_str().unwrap(), "--concurrency=20", "--format=json"];
    let (code, err) = stopped_by("INT", &bigquery, &args, &checkpoint).await;
    assert_eq!(code, Some(1));
    assert!(err.contains("--checkpoint"), "{err}");
    let there = bigquery.rows("pixel").await.len();
    assert!(there < ENTRIES);
    assert_eq!(saved(&checkpoint).unwrap()["lines"], json!(there), "all that was sent is settled, and known to be");

    // Long after BigQuery has forgotten the insertIds.
    bigquery.faults().advance_clock(Duration::from_secs(3600));
    let rest = run(replay(&bigquery, &args)).await;
    assert_eq!(rest.code, Some(0), "{}", rest.err);
    assert_eq!(column(&bigquery, "pixel", "order_id").await, orders());
}

#[tokio::test]
async fn a_file_that_has_grown_goes_on_and_one_that_has_changed_is_refused() {
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

    // Somebody is in the middle of a line.
    let (line, cut) = (Entry::of_query("user_id=u&order_id=9999").json(), 50);
    write(dir.path(), "a.jsonl", text.clone() + &line[..cut]);
    let half = run(replay(&bigquery, &args)).await;
    assert_eq!((half.code, half.count("dead_letter")), (Some(0), 1));
    write(dir.path(), "a.jsonl", text.clone() + &line + "\n");
    let whole = run(replay(&bigquery, &args)).await;
    assert_eq!((whole.code, whole.count("stored"), &whole.summary()["entries"]), (Some(0), 1, &json!(1)));
    assert_eq!(column(&bigquery, "pixel", "order_id").await.last().unwrap(), "9999");

    write(dir.path(), "a.jsonl", text.replacen("httpRequest", "HttpRequest", 1));
    let changed = run(replay(&bigquery, &args)).await;
    assert_eq!((changed.code, changed.out.as_str()), (Some(2), ""));
    assert!(changed.err.contains("a.jsonl") && changed.err.contains("not what it was"), "{}", changed.err);

    write(dir.path(), "a.jsonl", &text);
    for other in [&["--since=2026-01-01"][..], &["--checkpoint", "/no/such/dir/checkpoint"]] {
        let args = if other.len() == 1 { [&args[..], other].concat() } else { [&args[..1], other].concat() };
        let refused = run(replay(&bigquery, &args)).await;
        assert_eq!(refused.code, Some(2), "{args:?}");
        assert!(refused.err.contains("checkpoint"), "{}", refused.err);
    }
}
