//! A table is dropped only if all its rows are the user's. Tables of any name are searched.

use serde_json::{Value, json};

use super::{OLD, forget, forget_with_receipt, forgotten, send_events, users, with_events};
use crate::support::{Entry, Service, TestBigQuery};

const BY_USER: (&str, &str) = ("TABLE_SUFFIX", "_{user_id}");

fn text_columns(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name, "type": "STRING"})).collect()
}

/// The user chooses the id, and so the name of "the user's" table.
#[tokio::test]
async fn a_table_without_the_id_column_is_not_dropped_and_is_listed() {
    let bigquery = with_events(&["u"], &[BY_USER]).await;
    bigquery.create_table("pixel_daily", text_columns(&["day", "n"])).await;
    bigquery.insert("pixel_daily", "1", json!({"day": "2026-01-02", "n": "7"})).await;
    let (code, list, err) = forget(&bigquery, &[BY_USER], &["--user-id=daily"]).await;
    assert!(code == Some(0) && list.contains("pixel_daily: not deleted: 1 row: ") && list.contains("bq rm"), "{list}{err}");
    let (code, receipt, err) = forget_with_receipt(&bigquery, &[BY_USER], &["--user-id=daily", "--yes"]).await;
    assert_eq!((code, &receipt["is_complete"], &receipt["not_deleted"][0]["rows"]), (Some(1), &json!(false), &json!(1)), "{err}");
    assert_eq!((bigquery.rows("pixel_daily").await.len(), bigquery.rows("pixel_u").await.len()), (1, 2));
}

#[tokio::test]
async fn a_table_with_rows_of_others_or_of_nobody_loses_only_the_users_rows() {
    for (other, is_complete) in [(json!("v"), true), (Value::Null, false)] {
        let bigquery = with_events(&["u"], &[BY_USER]).await;
        bigquery.insert("pixel_u", "x", json!({"event_id": "x", "event_timestamp": OLD, "user_id": other})).await;
        let (code, receipt, err) = forget_with_receipt(&bigquery, &[BY_USER], &["--user-id=u", "--yes"]).await;
        assert_eq!((code, &receipt["is_complete"]), (Some(i32::from(!is_complete)), &json!(is_complete)), "{err}");
        assert_eq!((&receipt["deleted"]["tables"], users(&bigquery, "pixel_u").await), (&json!(0), vec![other]));
    }
}

/// An operator's table with the id column and without those of an event loses rows, not its columns.
#[tokio::test]
async fn a_table_that_the_service_did_not_make_is_not_dropped() {
    let bigquery = with_events(&["u"], &[BY_USER]).await;
    bigquery.create_table("pixel_daily", text_columns(&["USER_ID", "n"])).await;
    bigquery.insert("pixel_daily", "1", json!({"USER_ID": "daily", "n": "7"})).await;
    let receipt = forgotten(&bigquery, &[BY_USER], &["--user-id=daily"]).await;
    assert_eq!(receipt["deleted"]["tables"], 0);
    assert!(bigquery.table("pixel_daily").await.is_some() && bigquery.rows("pixel_daily").await.is_empty());
}

#[tokio::test]
async fn tables_of_former_names_are_searched() {
    let bigquery = with_events(&["u", "v"], &[]).await;
    send_events(&bigquery, &["u", "v"], &[("TABLE_NAME", "track"), ("TABLE_SUFFIX", "_{order_id}_{user_id}")]).await;
    send_events(&bigquery, &["u", "v"], &[("TABLE_NAME", "track"), ("TABLE_SUFFIX", "_{date:%Y}")]).await;
    bigquery.create_table("a table-with spaces", text_columns(&["User_Id"])).await;
    bigquery.insert("a table-with spaces", "1", json!({"User_Id": "u"})).await;
    let now = [("TABLE_SUFFIX", "_{date}")];
    let receipt = forgotten(&bigquery, &now, &["--user-id=u"]).await;
    assert_eq!(receipt["deleted"]["tables"], 3, "two of the first suffix, one of the second: {receipt}");
    assert_eq!(receipt["deleted"]["rows_in_shared_tables"], json!({"a table-with spaces": 1, "track_2026": 2}));
    assert!(!receipt.to_string().contains("_u_") && !receipt.to_string().contains("o_u"), "{receipt}");
    let tables =
        ["a table-with spaces", "dead_letters", "pixel", "pixel_v_20260102", "pixel_v_20260103", "track", "track_2026", "track_o_v"];
    assert_eq!(bigquery.tables().await, tables);
    assert_eq!(users(&bigquery, "track_2026").await, ["v", "v"]);
}

#[tokio::test]
async fn dead_letters_of_a_former_table_are_deleted() {
    let bigquery = with_events(&["u"], &[]).await;
    let columns = bigquery.table("dead_letters").await.unwrap()["schema"]["fields"].clone();
    bigquery.create_table("old_letters", columns).await;
    use base64::Engine as _;
    let data = base64::engine::general_purpose::STANDARD.encode(Entry::of_query("user_id=u").json());
    bigquery.insert("old_letters", "1", json!({"event_id": "1", "received_timestamp": OLD, "reason": "invalid", "data": data})).await;
    assert_eq!(forgotten(&bigquery, &[], &["--user-id=u"]).await["deleted"]["dead_letters"], 1);
    assert!(bigquery.rows("old_letters").await.is_empty());
}

const KEYS: [&str; 2] = ["0f1e2d3c4b5a69788796a5b4c3d2e1f0", "ffffffffffffffffffffffffffffffff"];

#[tokio::test]
async fn rows_with_a_former_hash_key_are_found_by_the_key() {
    for now in [KEYS[1], ""] {
        let bigquery = with_events(&["u", "v"], &[("HASH_USER_IDS", KEYS[0])]).await;
        send_events(&bigquery, &["u", "v"], &[("HASH_USER_IDS", KEYS[1])]).await;
        let former = KEYS.join(",");
        let settings = [("HASH_USER_IDS", now), ("FORMER_HASH_KEYS", &former)];
        let receipt = forgotten(&bigquery, &settings, &["--user-id=u"]).await;
        assert_eq!((&receipt["deleted"]["tables"], bigquery.events().await.len()), (&json!(4), 4), "{receipt}");
    }
}

/// The hash is in the tables, so a person who sees one can give it as the own id.
#[tokio::test]
async fn the_hash_of_another_user_given_as_an_id_selects_nothing() {
    let hashed = [("HASH_USER_IDS", KEYS[0]), ("TABLE_SUFFIX", "")];
    let bigquery = with_events(&["victim"], &hashed).await;
    let hash = users(&bigquery, "pixel").await[0].as_str().unwrap().to_owned();
    let service = Service::start(&bigquery, &hashed).await;
    assert_eq!(service.push(Entry::of_query(&format!("user_id={hash}")).pushed()).await.status, 204);
    let (code, receipt, err) = forget_with_receipt(&bigquery, &hashed, &["--user-id", &hash, "--yes"]).await;
    assert_eq!((code, &receipt["is_complete"], &receipt["not_deleted"][0]["rows"]), (Some(1), &json!(false), &json!(2)), "{err}");
    assert_eq!(receipt["deleted"]["rows_in_shared_tables"], json!({"pixel": 1}), "the row of whoever has the hash as an id");
    assert_eq!(receipt["rows_with_similar_ids"], json!({"pixel": 2}));
    assert_eq!(users(&bigquery, "pixel").await.len(), 2);
    let receipt = forgotten(&bigquery, &hashed, &["--user-id", &hash, "--unhashed"]).await;
    assert_eq!(receipt["deleted"]["rows_in_shared_tables"], json!({"pixel": 2}));
}

#[tokio::test]
async fn a_dataset_without_the_id_column_has_no_rows_of_the_user() {
    let bigquery = TestBigQuery::with_template(text_columns(&["event_id", "type"])).await;
    bigquery.create_table("dead_letters", text_columns(&["event_id"])).await;
    let (code, list, err) = forget(&bigquery, &[], &["--user-id=u"]).await;
    assert!(code == Some(1) && list.contains("dead_letters: not deleted: cannot search it: "), "{list}{err}");
}
