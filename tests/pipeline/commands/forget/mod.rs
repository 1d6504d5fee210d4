//! `pixel-pipeline forget`: deletes all data of one user and none of another.

mod broken;
mod columns;
mod evidence;
mod held;
mod incomplete;
mod journal;
mod letters;
mod spellings;
mod tables;
mod trials;

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::process::Child;

use crate::support::bigquery::PROJECT;
use crate::support::service::{TIMEOUT, command};
use crate::support::{Entry, Service, TestBigQuery};

/// `forget ARGS` against that BigQuery: exit code, standard output and standard error.
async fn forget(bigquery: &TestBigQuery, settings: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String, String) {
    end_of(started(bigquery, settings, args)).await
}

fn started(bigquery: &TestBigQuery, settings: &[(&str, &str)], args: &[&str]) -> Child {
    started_with(bigquery, settings, args, Stdio::piped(), Stdio::piped())
}

fn started_with(bigquery: &TestBigQuery, settings: &[(&str, &str)], args: &[&str], stdout: Stdio, stderr: Stdio) -> Child {
    let mut forget = command("forget");
    forget.args(args).env("BIGQUERY_EMULATOR_HOST", &bigquery.url).env("GOOGLE_CLOUD_PROJECT", PROJECT).envs(settings.iter().copied());
    forget.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap()
}

async fn end_of(forget: Child) -> (Option<i32>, String, String) {
    let output = tokio::time::timeout(TIMEOUT, forget.wait_with_output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The exit code, the receipt, and standard error.
async fn forget_with_receipt(bigquery: &TestBigQuery, settings: &[(&str, &str)], args: &[&str]) -> (Option<i32>, Value, String) {
    let (code, receipt, err) = forget(bigquery, settings, args).await;
    let receipt = serde_json::from_str(&receipt).unwrap_or_else(|_| panic!("{receipt:?} {err}"));
    (code, receipt, err)
}

/// The receipt of `forget ARGS --yes`, which must succeed.
async fn forgotten(bigquery: &TestBigQuery, settings: &[(&str, &str)], args: &[&str]) -> Value {
    let (code, receipt, err) = forget(bigquery, settings, &[args, &["--yes"]].concat()).await;
    assert_eq!(code, Some(0), "{args:?}: {err}");
    serde_json::from_str(&receipt).unwrap()
}

/// Events of these users on two days.
async fn with_events(users: &[&str], settings: &[(&str, &str)]) -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    send_events(&bigquery, users, settings).await;
    bigquery
}

async fn send_events(bigquery: &TestBigQuery, users: &[&str], settings: &[(&str, &str)]) {
    let service = Service::start(bigquery, settings).await;
    for user in users {
        for day in 2..4 {
            let query = format!("user_id={user}&order_id=o");
            let entry = Entry::of_query(&query).with("/timestamp", json!(format!("2026-01-{day:02}T03:04:05Z")));
            assert_eq!(service.push(entry.pushed()).await.status, 204);
        }
    }
    bigquery.wait_for_table("dead_letters").await;
}

async fn letter(bigquery: &TestBigQuery, id: &str, received: &str, data: &str) {
    raw_letter(bigquery, id, received, &STANDARD.encode(data)).await;
}

async fn raw_letter(bigquery: &TestBigQuery, id: &str, received: &str, data: &str) {
    let row = json!({"event_id": id, "received_timestamp": received, "reason": "invalid", "data": data});
    let answer = bigquery.insert("dead_letters", id, row).await;
    assert!(answer["insertErrors"].is_null(), "{answer}");
}

async fn letters(bigquery: &TestBigQuery) -> Vec<String> {
    let rows = bigquery.rows("dead_letters").await;
    let mut ids: Vec<String> = rows.iter().map(|row| row["event_id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

async fn users(bigquery: &TestBigQuery, table: &str) -> Vec<Value> {
    let mut users: Vec<Value> = bigquery.rows(table).await.iter().map(|row| row["user_id"].clone()).collect();
    users.sort_by_key(Value::to_string);
    users
}

const OLD: &str = "2026-01-02T00:00:00Z";

/// One user id may be a prefix of another, or look like another id followed by a date.
#[tokio::test]
async fn all_data_of_the_user_and_no_other_is_deleted() {
    let bigquery = with_events(&["507f", "507f-2", "507f1", "overflow"], &[]).await;
    let columns = bigquery.table("pixel").await.unwrap()["schema"]["fields"].clone();
    bigquery.create_table("pixel_overflow_20260105", columns).await;
    for (id, user) in [("1", "507f"), ("2", "507f-2"), ("3", "507f")] {
        bigquery.insert("pixel_overflow_20260105", id, json!({"event_id": id, "event_timestamp": OLD, "user_id": user})).await;
    }
    letter(&bigquery, "theirs", OLD, &Entry::of_query("user_id=507f").json()).await;
    letter(&bigquery, "broken", OLD, "{\"httpRequest\":{\"requestUrl\":\"/pixel.png?user_id=507f&").await;
    letter(&bigquery, "another", OLD, &Entry::of_query("user_id=507f-2&order_id=507f").json()).await;
    letter(&bigquery, "other-broken", OLD, "{\"httpRequest\":{\"requestUrl\":\"/pixel.png?user_id=507f1&").await;
    let before = bigquery.tables().await;

    let (code, list, _) = forget(&bigquery, &[], &["--user-id=507f"]).await;
    let expected = "\
pixel_507f_20260102: 1 row (whole table)
pixel_507f_20260103: 1 row (whole table)
pixel_overflow_20260105: 2 rows (rows of a shared table)
2 dead letters
dead_letters: not deleted: 1 dead letter of others that contain the id or a similar one
Nothing was deleted. To delete it, run again with --yes.
";
    assert_eq!((code, list.as_str()), (Some(0), expected));
    assert_eq!((bigquery.tables().await, letters(&bigquery).await.len()), (before.clone(), 4));

    let (code, receipt, remarks) = forget(&bigquery, &[], &["--user-id=507f", "--yes"]).await;
    assert_eq!(code, Some(0), "{remarks}");
    assert!(!receipt.contains("507f") && !remarks.contains("507f"), "{receipt}{remarks}");
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let expected = json!({"tables": 2, "rows_in_tables": 2, "rows_in_shared_tables": {"pixel_overflow_20260105": 2}, "dead_letters": 2});
    assert_eq!((&receipt["deleted"], &receipt["run_again_after"]), (&expected, &Value::Null));
    let hash = Sha256::new().chain_update(receipt["salt"].as_str().unwrap()).chain_update("507f").finalize();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(receipt["attributes"], json!({"user_id": hash}));

    let left: Vec<String> = before.into_iter().filter(|table| !table.starts_with("pixel_507f_2026")).collect();
    assert_eq!(bigquery.tables().await, left);
    assert_eq!(users(&bigquery, "pixel_overflow_20260105").await, ["507f-2"]);
    assert_eq!(users(&bigquery, "pixel_overflow_20260102").await, ["overflow"]);
    assert_eq!(letters(&bigquery).await, ["another", "other-broken"]);

    let (code, list, _) = forget(&bigquery, &[], &["--user-id=507f"]).await;
    assert_eq!((code, list.lines().next()), (Some(0), Some("0 dead letters")));
}

#[tokio::test]
async fn a_missing_or_invalid_user_is_a_usage_error() {
    let bigquery = with_events(&["u"], &[]).await;
    let before = bigquery.tables().await;
    for args in [
        &["--yes"][..],
        &["--user-id=", "--yes"],
        &["--attribute=user_id", "--yes"],
        &["--attribute=session=1", "--yes"],
        &["--user-id=u", "--attribute=user_id=u", "--yes"],
    ] {
        let (code, out, err) = forget(&bigquery, &[], args).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.starts_with("error: "), "{err}");
    }
    assert_eq!(bigquery.tables().await, before);
}
