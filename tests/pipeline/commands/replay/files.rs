//! Replay from files and standard input.

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::{Replayed, column, gzip, replay, replayed, run, write};
use crate::support::bigquery::TempDir;
use crate::support::service::TIMEOUT;
use crate::support::{Entry, Service, TestBigQuery, wrapped};
use std::process::Stdio;
use std::time::Duration;

fn entry(order: impl std::fmt::Display) -> Entry {
    Entry::of_query(&format!("user_id=u&order_id={order}"))
}

fn lines(orders: std::ops::Range<usize>) -> String {
    orders.map(|order| entry(format!("{order:04}")).json() + "\n").collect()
}

#[tokio::test]
async fn files_gzip_and_patterns_are_read_to_the_last_line() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    write(dir.path(), "a1.jsonl", lines(0..3));
    // Two gzip members, and a line across both of them, without a newline.
    let text = lines(3..6);
    let (head, tail) = text.trim_end().split_at(700);
    write(dir.path(), "a2.log", [gzip(head), gzip(tail)].concat());
    let pushed = write(dir.path(), "b.jsonl", format!("{}\n\n{}", entry("0006").pushed(), entry("0007").pushed()));
    let pattern = dir.path().join("a*").display().to_string();
    let replayed = replayed(&bigquery, &[&pattern, pushed.to_str().unwrap()]).await;
    assert_eq!((replayed.count("stored"), replayed.summary()["entries"].as_u64()), (8, Some(8)));
    let expected: Vec<String> = (0..8).map(|order| format!("{order:04}")).collect();
    assert_eq!(column(&bigquery, "pixel", "order_id").await, expected);
}

/// The file of deploy.sh also has settings that `replay` does not know.
#[tokio::test]
async fn settings_come_from_the_settings_file() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let settings = write(dir.path(), "pipeline.env", "# A copy\nREGION=europe-west1\nTABLE_NAME=of_file\nTABLE_SUFFIX=\n");
    let file = write(dir.path(), "a.jsonl", lines(0..2));
    let mut command = replay(&bigquery, &[file.to_str().unwrap(), "--settings", settings.to_str().unwrap(), "--format=json"]);
    command.env_remove("TABLE_SUFFIX");
    let replayed = run(command).await;
    assert_eq!(replayed.code, Some(0), "{}", replayed.err);
    assert_eq!(column(&bigquery, "of_file", "order_id").await, ["0000", "0001"]);

    write(dir.path(), "pipeline.env", "TABLE_NAME\n");
    let refused = run(replay(&bigquery, &[file.to_str().unwrap(), "--settings", settings.to_str().unwrap()])).await;
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    assert!(refused.err.contains("pipeline.env:1: \"TABLE_NAME\" is not NAME=value"), "{}", refused.err);
}

#[tokio::test]
async fn standard_input_is_read() {
    let bigquery = TestBigQuery::start().await;
    let mut child = replay(&bigquery, &["-", "--format=json"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&gzip(lines(0..5))).await.unwrap();
    let output = tokio::time::timeout(TIMEOUT, child.wait_with_output()).await.expect("the command ends").unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(bigquery.rows("pixel").await.len(), 5);
}

#[tokio::test]
async fn a_replayed_event_keeps_its_event_id() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_SUFFIX", "")]).await;
    let entries: Vec<Entry> = (0..5).map(entry).collect();
    for entry in &entries {
        assert_eq!(service.push(entry.pushed()).await.status, 204);
    }
    let before = column(&bigquery, "pixel", "event_id").await;
    let dir = TempDir::new();
    let file = write(dir.path(), "archive.jsonl", entries.iter().map(|entry| entry.json() + "\n").collect::<String>());
    let file = file.to_str().unwrap();
    assert_eq!(replayed(&bigquery, &[file]).await.count("stored"), 5);
    assert_eq!(column(&bigquery, "pixel", "event_id").await, before);

    // After the deduplication window, BigQuery stores the rows again, with the same event_id.
    bigquery.faults().advance_clock(Duration::from_secs(3600));
    assert_eq!(replayed(&bigquery, &[file]).await.count("stored"), 5);
    let mut twice = column(&bigquery, "pixel", "event_id").await;
    assert_eq!(twice.len(), 10);
    twice.dedup();
    assert_eq!(twice, before);
}

#[tokio::test]
async fn a_broken_line_is_named_counted_and_not_dead_lettered() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let unwanted = Entry::of_url("https://t.example.com/other.png?user_id=u").json();
    let text = format!("{}\n{{\"httpRequest\":\n{unwanted}\n{}\n", entry(1).json(), Entry::of_query("type=click").json());
    let file = write(dir.path(), "bad.jsonl", text);
    let replayed = run(replay(&bigquery, &[file.to_str().unwrap(), "--format=json"])).await;
    let expected = json!([
        {"outcome": "broken", "reason": "bad_json", "count": 1},
        {"outcome": "filtered", "reason": "path", "count": 1},
        {"outcome": "stored", "reason": null, "count": 2},
    ]);
    assert_eq!(replayed.summary()["outcomes"], expected);
    assert_eq!(replayed.code, Some(1), "{}", replayed.err);
    let place = format!("error: cannot read {}:2: ", file.canonicalize().unwrap().display());
    assert!(replayed.err.contains(&place) && replayed.err.contains("cannot read 1 of 4 entries of"), "{}", replayed.err);
    assert_eq!((&replayed.summary()["broken"], bigquery.rows("dead_letters").await.len()), (&json!(1), 0));
}

#[tokio::test]
async fn a_dry_run_counts_and_stores_nothing() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let file = write(dir.path(), "a.jsonl", lines(0..3) + "no JSON\n");
    let replayed = run(replay(&bigquery, &["--dry-run", "--format=json", file.to_str().unwrap()])).await;
    assert_eq!(replayed.code, Some(1), "{}", replayed.err);
    assert_eq!((replayed.count("stored"), replayed.count("broken"), &replayed.summary()["dry_run"]), (3, 1, &json!(true)));
    assert_eq!(bigquery.faults().insert_all_requests().requests, 0);
    assert_eq!(bigquery.tables().await, [""; 0], "no table is created");
}

#[tokio::test]
async fn only_entries_of_the_period_are_stored() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let at = |time: &str| entry(time.replace([':', '-'], "")).with("/timestamp", json!(time)).json() + "\n";
    let text = [at("2026-01-01T23:59:59.9Z"), at("2026-01-02T00:00:00Z"), at("2026-01-02T12:00:00Z"), at("2026-01-03T00:00:00Z")].concat();
    let file = write(dir.path(), "a.jsonl", text);
    let replayed = replayed(&bigquery, &["--since=2026-01-02", "--until=2026-01-03T00:00:00Z", file.to_str().unwrap()]).await;
    let expected = json!([
        {"outcome": "skipped", "reason": "outside_period", "count": 2},
        {"outcome": "stored", "reason": null, "count": 2},
    ]);
    assert_eq!(replayed.summary()["outcomes"], expected);
    assert_eq!(column(&bigquery, "pixel", "order_id").await, ["20260102T000000Z", "20260102T120000Z"]);
}

/// Nobody knows whether it is in the period. The checkpoint stays before it.
#[tokio::test]
async fn an_entry_without_a_readable_timestamp_fails_with_since() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let entries = [entry("a").without("/timestamp"), entry("b").with("/timestamp", json!("yesterday")), entry("c")];
    let file = write(dir.path(), "a.jsonl", entries.map(|entry| entry.json() + "\n").concat());
    let (file, checkpoint) = (file.to_str().unwrap(), dir.path().join("checkpoint"));
    let args = ["--since=2000-01-01", "--format=json", "--checkpoint", checkpoint.to_str().unwrap(), file];
    for _ in 0..2 {
        let run = run(replay(&bigquery, &args)).await;
        let expected = json!([
            {"outcome": "failed", "reason": "no_timestamp", "count": 2},
            {"outcome": "stored", "reason": null, "count": 1},
        ]);
        assert_eq!((run.code, &run.summary()["outcomes"]), (Some(1), &expected), "{}", run.err);
        assert!(run.err.contains("a.jsonl:1 with --since and --until"), "{}", run.err);
    }
    assert_eq!(replayed(&bigquery, &[file]).await.count("stored"), 3, "without a period, the time does not matter");
}

#[tokio::test]
async fn transient_failures_are_retried() {
    use bigquery_emulator::{Fault, Status};
    let bigquery = TestBigQuery::start().await;
    for _ in 0..3 {
        bigquery.faults().next(Fault::Status(Status::new(503, "backendError")));
    }
    // The pipeline does not retry this one, `replay` does.
    bigquery.faults().next(Fault::Status(Status::new(403, "accessDenied")));
    let dir = TempDir::new();
    let file = write(dir.path(), "a.jsonl", lines(0..10));
    assert_eq!(replayed(&bigquery, &[file.to_str().unwrap()]).await.count("stored"), 10);
    assert_eq!(bigquery.rows("pixel").await.len(), 10);
}

#[tokio::test]
async fn failed_entries_are_reported_and_exit_with_1() {
    use bigquery_emulator::{Fault, Status};
    let bigquery = TestBigQuery::start().await;
    bigquery.faults().always(Some(Fault::Status(Status::new(503, "backendError"))));
    let dir = TempDir::new();
    let file = write(dir.path(), "a.jsonl", lines(0..2));
    let Replayed { code, out, err } = run(replay(&bigquery, &["--give-up-after=500ms", file.to_str().unwrap()])).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("2 entries") && out.contains("2  failed (unavailable)"), "{out}");
    assert!(err.contains(":1: unavailable"), "{err}");
}

#[tokio::test]
async fn an_unreadable_file_is_reported_and_the_others_are_read() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let whole = gzip(lines(0..3));
    let cut = write(dir.path(), "cut.gz", &whole[..whole.len() - 6]);
    let good = write(dir.path(), "good.jsonl", lines(3..5));
    let replayed = run(replay(&bigquery, &["--format=json", cut.to_str().unwrap(), good.to_str().unwrap()])).await;
    assert_eq!(replayed.code, Some(1));
    assert!(replayed.err.contains("error: cannot read") && replayed.err.contains("cut.gz"), "{}", replayed.err);
    assert_eq!(replayed.summary()["errors"].as_array().unwrap().len(), 1);
    assert_eq!(bigquery.rows("pixel").await.len() as u64, replayed.count("stored"));
    assert!(replayed.count("stored") >= 2);
}

#[tokio::test]
async fn four_tasks_store_each_entry_once() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    write(dir.path(), "1.jsonl", lines(0..90));
    write(dir.path(), "2.jsonl.gz", gzip(lines(90..200)));
    let pattern = dir.path().join("*").display().to_string();
    let tasks = (0..4).map(|index| {
        let mut task = replay(&bigquery, &["--format=json", &pattern]);
        task.env("CLOUD_RUN_TASK_INDEX", index.to_string()).env("CLOUD_RUN_TASK_COUNT", "4");
        tokio::spawn(run(task))
    });
    let mut counts = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        let replayed = task.await.unwrap();
        assert_eq!(replayed.code, Some(0), "{}", replayed.err);
        counts.push(replayed.count("stored"));
    }
    assert_eq!(counts.iter().sum::<u64>(), 200, "no entry was sent twice");
    assert!(counts.iter().all(|count| (45..=55).contains(count)), "{counts:?}");
    let expected: Vec<String> = (0..200).map(|order| format!("{order:04}")).collect();
    assert_eq!(column(&bigquery, "pixel", "order_id").await, expected);
}

#[tokio::test]
async fn an_invalid_command_line_exits_with_2_and_sends_nothing() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let file = write(dir.path(), "a.jsonl", lines(0..1));
    let file = file.to_str().unwrap();
    for args in [
        &[][..],
        &["/no/such/file"],
        &["/no/such/*.jsonl"],
        &[dir.path().to_str().unwrap()],
        &[file, "--since=yesterday"],
        &[file, "--since=2026-01-03", "--until=2026-01-02"],
        &[file, "--since=2026-01-02", "--until=2026-01-02"],
        &["--dead-letters", "--since=2026-01-03", "--until=2026-01-02"],
        &[file, "--dead-letters"],
        &[file, "--delete"],
        &[file, "--dry-run", "--checkpoint=x"],
        &[file, "--task-index=4", "--task-count=4"],
        &["-", "--task-index=0", "--task-count=4"],
        &[file, "--give-up-after=0"],
        &[file, "--valid-attributes=user.id"],
    ] {
        let replayed = run(replay(&bigquery, args)).await;
        assert_eq!((replayed.code, replayed.out.as_str()), (Some(2), ""), "{args:?}: {}", replayed.err);
        assert!(replayed.err.starts_with("error: "), "{args:?}: {}", replayed.err);
    }
    assert_eq!(bigquery.faults().insert_all_requests().requests, 0);
    let mismatch = run(replay(&bigquery, &[file, "--valid-attributes=user_id,nothing"])).await;
    assert_eq!(mismatch.code, Some(1));
    assert!(mismatch.err.contains("nothing"), "{}", mismatch.err);
}

/// The credentials of this test cannot be loaded: a run that needs them exits with 1.
#[tokio::test]
async fn arguments_are_checked_before_credentials() {
    let bigquery = TestBigQuery::start().await;
    let dir = TempDir::new();
    let file = write(dir.path(), "a.jsonl", lines(0..1));
    let file = file.to_str().unwrap();
    let no_checkpoint = dir.path().join("no/such/checkpoint");
    for (args, code) in [
        (&["/no/such/file"][..], 2),
        (&["/no/such/*.jsonl"], 2),
        (&[file, "gs://logs/requests", "--task-index=4", "--task-count=4"], 2),
        (&["-", "--task-count=4"], 2),
        (&[file, "--delete"], 2),
        (&[file, "--checkpoint", no_checkpoint.to_str().unwrap()], 2),
        (&[file], 1),
    ] {
        let mut command = replay(&bigquery, args);
        command.env_remove("BIGQUERY_EMULATOR_HOST").env("BIGQUERY_ENDPOINT", &bigquery.url);
        command.env("GOOGLE_APPLICATION_CREDENTIALS", dir.path().join("no-credentials.json"));
        // With both keys, the settings need no request.
        let key = "0123456789abcdef0123456789abcdef";
        command.env("HASH_USER_IDS", key).env("URL_SIGNING_KEY", key);
        let replayed = run(command).await;
        assert_eq!((replayed.code, replayed.out.as_str()), (Some(code), ""), "{args:?}: {}", replayed.err);
        assert!(replayed.err.starts_with("error: "), "{args:?}: {}", replayed.err);
    }
}

/// A push and its replay are one row, if both come within the deduplication window.
#[tokio::test]
async fn a_push_body_keeps_its_message_id() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_SUFFIX", "")]).await;
    // Without an insertId, the message id is the identity.
    let body = wrapped(entry(1).without("/insertId").json().as_bytes(), "7001");
    assert_eq!(service.push(body.clone()).await.status, 204);
    let dir = TempDir::new();
    let file = write(dir.path(), "pushes.jsonl", body);
    assert_eq!(replayed(&bigquery, &[file.to_str().unwrap()]).await.count("stored"), 1);
    assert_eq!(bigquery.rows("pixel").await.len(), 1);
}
