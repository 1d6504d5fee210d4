//! Which tables are dropped, which lose rows, and which are unchanged.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{OLD, forget, forget_with_receipt, forgotten, letter, letters, send_events, users, with_events};
use crate::support::Entry;

/// Values that are longer than a table name, and that contain bytes that a table name cannot have.
#[tokio::test]
async fn every_value_is_found_in_the_table_that_the_decoder_chose() {
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
async fn for_a_user_named_overflow_only_rows_are_deleted() {
    let bigquery = with_events(&["overflow", "u"], &[]).await;
    let (code, receipt, _) = forget_with_receipt(&bigquery, &[], &["--user-id=overflow", "--yes"]).await;
    let rows = json!({"pixel_overflow_20260102": 1, "pixel_overflow_20260103": 1});
    assert_eq!((code, &receipt["deleted"]["tables"], &receipt["deleted"]["rows_in_shared_tables"]), (Some(0), &json!(0), &rows));
    assert!(users(&bigquery, "pixel_overflow_20260102").await.is_empty());
    assert_eq!(users(&bigquery, "pixel_u_20260102").await, ["u"]);
}

#[tokio::test]
async fn in_shared_tables_only_the_users_rows_are_deleted() {
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

/// Just after midnight, the day's table may have rows of one user only. The next row may be another user's.
#[tokio::test]
async fn a_table_without_the_id_in_its_name_is_never_dropped() {
    let settings = [("TABLE_SUFFIX", "_{date}")];
    let bigquery = with_events(&["u"], &settings).await;
    let tables = bigquery.tables().await;
    let receipt = forgotten(&bigquery, &settings, &["--user-id=u"]).await;
    assert_eq!((&receipt["deleted"]["tables"], bigquery.tables().await), (&json!(0), tables));
    assert!(bigquery.events().await.is_empty());
}

#[tokio::test]
async fn a_table_with_an_ambiguous_name_is_dropped_if_all_rows_match() {
    let settings = [("TABLE_SUFFIX", "_{user_id}_{date:%Y}")];
    let bigquery = with_events(&["u", "v"], &settings).await;
    let receipt = forgotten(&bigquery, &settings, &["--user-id=u"]).await;
    assert_eq!((&receipt["deleted"]["tables"], &receipt["deleted"]["rows_in_tables"]), (&json!(1), &json!(2)));
    assert_eq!(bigquery.tables().await, ["dead_letters", "pixel", "pixel_v_2026"]);
}

/// The table's name contains the user id, but not the order id.
#[tokio::test]
async fn with_two_attributes_the_table_name_must_contain_both() {
    let bigquery = with_events(&["507f"], &[]).await;
    let tables = bigquery.tables().await;
    let receipt = forgotten(&bigquery, &[], &["--user-id=507f", "--attribute=order_id=o"]).await;
    assert_eq!((&receipt["deleted"]["tables"], bigquery.tables().await), (&json!(0), tables));
    assert!(bigquery.events().await.is_empty() && !receipt.to_string().contains("507f"), "{receipt}");
}

/// OVERFLOW_SUFFIX may have been changed: tables with the old and with the new suffix exist.
#[tokio::test]
async fn overflow_tables_with_a_custom_suffix_lose_only_rows() {
    let settings = [("OVERFLOW_SUFFIX", "_rest_{date}"), ("MAX_NEW_TABLES_PER_HOUR", "1")];
    let bigquery = with_events(&["first", "rest", "u"], &settings).await;
    let columns = bigquery.table("pixel").await.unwrap()["schema"]["fields"].clone();
    bigquery.create_table("pixel_overflow_20260105", columns).await;
    bigquery.insert("pixel_overflow_20260105", "1", json!({"event_id": "1", "event_timestamp": OLD, "user_id": "u"})).await;
    let receipt = forgotten(&bigquery, &settings, &["--user-id=u"]).await;
    let rows = json!({"pixel_overflow_20260105": 1, "pixel_rest_20260102": 1, "pixel_rest_20260103": 1});
    assert_eq!(receipt["deleted"]["rows_in_shared_tables"], rows);
    let receipt = forgotten(&bigquery, &settings, &["--user-id=rest"]).await;
    let rows = json!({"pixel_rest_20260102": 1, "pixel_rest_20260103": 1});
    assert_eq!((&receipt["deleted"]["tables"], &receipt["deleted"]["rows_in_shared_tables"]), (&json!(0), &rows));
    assert_eq!(users(&bigquery, "pixel_rest_20260103").await, ["first"]);
}

/// Older rows contain the id, newer rows contain its hash.
#[tokio::test]
async fn with_hashed_ids_both_the_id_and_its_hash_are_found() {
    let hashed = [("HASH_USER_IDS", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")];
    let bigquery = with_events(&["507f", "overflow", "another"], &[]).await;
    send_events(&bigquery, &["507f", "another"], &hashed).await;
    let is_clear = |table: &String| table.len() < "pixel_".len() + 32;
    let (clear, of_hashes): (Vec<String>, Vec<String>) = bigquery.tables().await.into_iter().partition(is_clear);
    assert_eq!((clear.len(), of_hashes.len()), (8, 4), "{clear:?} {of_hashes:?}");
    let mut hashes = Vec::new();
    for table in &of_hashes {
        hashes.extend(users(&bigquery, table).await);
    }
    hashes.dedup();
    for (index, user) in [json!("507f"), hashes[0].clone(), hashes[1].clone()].into_iter().enumerate() {
        let id = index.to_string();
        bigquery.insert("pixel_overflow_20260102", &id, json!({"event_id": id, "event_timestamp": OLD, "user_id": user})).await;
    }
    letter(&bigquery, "theirs", OLD, &Entry::of_query("user_id=507f").json()).await;

    let (code, list, err) = forget(&bigquery, &[hashed[0], ("HASH_ATTRIBUTES", "order_id")], &["--user-id=507f"]).await;
    assert_eq!((code, list.matches("(whole table)").count()), (Some(0), 2), "other attributes are not hashed: {list}{err}");

    let receipt = forgotten(&bigquery, &hashed, &["--user-id=507f"]).await;
    let expected = json!({"tables": 4, "rows_in_tables": 4, "rows_in_shared_tables": {"pixel_overflow_20260102": 2}, "dead_letters": 1});
    assert_eq!(receipt["deleted"], expected);
    let hash = Sha256::new().chain_update(receipt["salt"].as_str().unwrap()).chain_update("507f").finalize();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(receipt["attributes"], json!({"user_id": hash}));
    let mut left: Vec<Value> = bigquery.events().await.into_iter().map(|(_, row)| row["user_id"].clone()).collect();
    left.sort_by_key(Value::to_string);
    left.dedup();
    assert_eq!(left.len(), 3, "another, the hash of another, and overflow: {left:?}");
    assert!(letters(&bigquery).await.is_empty());
}
