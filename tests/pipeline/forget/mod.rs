//! `pixel-pipeline forget`: nothing of one user stays, and nothing of another goes.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::bigquery::PROJECT;
use crate::support::service::{PATIENCE, command};
use crate::support::{Entry, Service, TestBigQuery, wrapped};

/// `forget ARGS` against that BigQuery: exit code, standard output and standard error.
async fn forget(bigquery: &TestBigQuery, settings: &[(&str, &str)], args: &[&str]) -> (Option<i32>, String, String) {
    let mut forget = command("forget");
    forget.args(args).env("BIGQUERY_EMULATOR_HOST", &bigquery.url).env("GOOGLE_CLOUD_PROJECT", PROJECT).envs(settings.iter().copied());
    forget.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = tokio::time::timeout(PATIENCE, forget.output()).await.expect("it ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Events of these users, a day each.
async fn with_events(users: &[&str], settings: &[(&str, &str)]) -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, settings).await;
    for user in users {
        for day in 2..4 {
            let query = format!("user_id={user}&order_id=o");
            let entry = Entry::of_query(&query).with("/timestamp", json!(format!("2026-01-{day:02}T03:04:05Z")));
            assert_eq!(service.push(entry.pushed()).await.status, 204);
        }
    }
    bigquery.wait_for_table("dead_letters").await;
    bigquery
}

async fn letter(bigquery: &TestBigQuery, id: &str, received: &str, data: &str) {
    let row = json!({"event_id": id, "received_timestamp": received, "reason": "invalid", "data": STANDARD.encode(data)});
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

/// A user's name may begin as another's does, and be another's with a day.
#[tokio::test]
async fn tables_rows_and_dead_letters_of_the_user_go_and_nobody_elses() {
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
pixel_507f_20260102: 1 rows (the table)
pixel_507f_20260103: 1 rows (the table)
pixel_overflow_20260105: 2 rows (rows of a table that others share)
2 dead letters
Nothing is deleted; --yes does it.
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
async fn a_user_who_is_called_overflow_is_forgotten_by_rows() {
    let bigquery = with_events(&["overflow", "u"], &[]).await;
    let (code, receipt, _) = forget(&bigquery, &[], &["--user-id=overflow", "--yes"]).await;
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    let rows = json!({"pixel_overflow_20260102": 1, "pixel_overflow_20260103": 1});
    assert_eq!((code, &receipt["deleted"]["tables"], &receipt["deleted"]["rows_in_shared_tables"]), (Some(0), &json!(0), &rows));
    assert!(users(&bigquery, "pixel_overflow_20260102").await.is_empty());
    assert_eq!(users(&bigquery, "pixel_u_20260102").await, ["u"]);
}

#[tokio::test]
async fn young_dead_letters_are_held_and_it_says_when_to_run_again() {
    let bigquery = with_events(&["u"], &[]).await;
    // BigQuery reads no nanoseconds.
    let now = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second()).unwrap();
    letter(&bigquery, "young", &now.to_string(), &Entry::of_query("user_id=u").json()).await;
    letter(&bigquery, "old", OLD, &Entry::of_query("user_id=u").json()).await;
    let (code, receipt, remarks) = forget(&bigquery, &[], &["--user-id=u", "--yes"]).await;
    assert_eq!(code, Some(1));
    let receipt: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!((&receipt["deleted"]["dead_letters"], &receipt["still_held"]["dead_letters"]), (&json!(1), &json!(1)));
    let again: jiff::Timestamp = receipt["run_again_after"].as_str().unwrap().parse().unwrap();
    assert!(again > now && remarks.contains("run this again after"), "{remarks}");
    assert_eq!(letters(&bigquery).await, ["young"]);
}

#[tokio::test]
async fn tables_that_users_share_lose_only_their_rows() {
    for suffix in ["", "_{date}", "_{order_id}_{date:%Y}"] {
        let settings = [("TABLE_SUFFIX", suffix)];
        let bigquery = with_events(&["bob@example.com", "eve"], &settings).await;
        let tables = bigquery.tables().await;
        let (code, receipt, err) = forget(&bigquery, &settings, &["--attribute=user_id=bob@example.com", "--yes"]).await;
        assert_eq!(code, Some(0), "{suffix}: {err}");
        let receipt: Value = serde_json::from_str(&receipt).unwrap();
        let deleted: u64 =
            receipt["deleted"]["rows_in_shared_tables"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).sum();
        assert_eq!((&receipt["deleted"]["tables"], deleted), (&json!(0), 2), "{suffix}");
        assert_eq!(bigquery.tables().await, tables);
        let left: Vec<Value> = bigquery.events().await.iter().map(|(_, row)| row["user_id"].clone()).collect();
        assert_eq!(left, ["eve", "eve"], "{suffix}");
    }
}

/// Longer than a name may be, and of bytes that no name may have.
#[tokio::test]
async fn every_value_is_found_in_the_table_that_the_decoder_made_for_it() {
    for user in ["a__2db", "a-b", "%C3%BC", &"x".repeat(70)] {
        let bigquery = with_events(&[user, "a"], &[]).await;
        let plain = if user.starts_with('%') { "ü" } else { user };
        let (code, receipt, err) = forget(&bigquery, &[], &["--user-id", plain, "--yes"]).await;
        assert_eq!(code, Some(0), "{user}: {err}");
        let receipt: Value = serde_json::from_str(&receipt).unwrap();
        assert_eq!(receipt["deleted"]["tables"], 2, "{user}");
        assert_eq!(bigquery.tables().await, ["dead_letters", "pixel", "pixel_a_20260102", "pixel_a_20260103"]);
    }
}

#[tokio::test]
async fn whom_to_forget_has_to_be_said() {
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

/// A dead letter that was no base64 is looked through as it is.
#[tokio::test]
async fn a_message_that_was_not_base64_is_found_by_its_text() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push(r#"{"message":{"data":"% user_id=planted %","messageId":"1"}}"#).await.status, 204);
    assert_eq!(service.push(wrapped(b"{", "2")).await.status, 204);
    let (code, list, _) = forget(&bigquery, &[], &["--user-id=planted"]).await;
    assert_eq!((code, list.lines().next()), (Some(0), Some("1 dead letters")));
}
