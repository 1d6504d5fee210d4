//! Other spellings of the id, and other users' rows that contain it.

use serde_json::{Value, json};

use super::{OLD, forget, forgotten, letter, users};
use crate::support::{Entry, Service, TestBigQuery};

const ONE_TABLE: (&str, &str) = ("TABLE_SUFFIX", "");

async fn with_queries(queries: &[&str], settings: &[(&str, &str)]) -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, settings).await;
    for query in queries {
        assert_eq!(service.push(Entry::of_query(query).pushed()).await.status, 204);
    }
    bigquery.wait_for_table("dead_letters").await;
    bigquery
}

/// A page that does not encode `+` sends another id.
#[tokio::test]
async fn rows_with_another_spelling_are_listed_with_the_argument_that_finds_them() {
    let queries = ["user_id=bob+tag@example.com", "user_id=bob%2Btag@example.com", "user_id=BOB%2BTAG@example.com", "user_id=eve"];
    let bigquery = with_queries(&queries, &[ONE_TABLE]).await;
    let (code, list, err) = forget(&bigquery, &[ONE_TABLE], &["--user-id=bob+tag@example.com"]).await;
    assert!(code == Some(0) && list.contains("pixel: not deleted: 2 rows with a similar id\n"), "{list}{err}");
    assert!(list.contains("--attribute 'user_id=bob tag@example.com'\n"), "{list}");
    let receipt = forgotten(&bigquery, &[ONE_TABLE], &["--user-id=bob+tag@example.com"]).await;
    assert_eq!(
        (&receipt["deleted"]["rows_in_shared_tables"], &receipt["rows_with_similar_ids"]),
        (&json!({"pixel": 1}), &json!({"pixel": 2}))
    );
    assert!(!receipt.to_string().contains("bob"), "{receipt}");
    let left = [json!("BOB+TAG@example.com"), json!("bob tag@example.com"), json!("eve")];
    assert_eq!(users(&bigquery, "pixel").await, left);
    assert_eq!(
        forgotten(&bigquery, &[ONE_TABLE], &["--attribute", "user_id=bob tag@example.com"]).await["deleted"]["rows_in_shared_tables"],
        json!({"pixel": 1})
    );
}

#[tokio::test]
async fn a_hashed_spelling_is_listed_by_the_id() {
    let settings = [ONE_TABLE, ("HASH_USER_IDS", "0f1e2d3c4b5a69788796a5b4c3d2e1f0")];
    let bigquery = with_queries(&["user_id=a+b", "user_id=c"], &settings).await;
    let (code, list, err) = forget(&bigquery, &settings, &["--user-id=a+b"]).await;
    assert!(code == Some(0) && list.contains("--attribute 'user_id=a b'\n"), "{list}{err}");
}

#[tokio::test]
async fn rows_of_others_that_contain_the_id_are_counted() {
    let columns: Value =
        ["event_id", "user_id", "request_url", "referer"].map(|name| json!({"name": name, "type": "STRING"})).into_iter().collect();
    let bigquery = TestBigQuery::with_template(columns).await;
    let settings = [ONE_TABLE, ("VALID_ATTRIBUTES", "user_id")];
    let service = Service::start(&bigquery, &settings).await;
    assert_eq!(service.push(Entry::of_query("user_id=bob@example.com").pushed()).await.status, 204);
    bigquery.wait_for_table("dead_letters").await;
    let row = |id: &str, url: &str, referer: &str| json!({"event_id": id, "user_id": "eve", "request_url": url, "referer": referer});
    for (id, url, referer) in [
        ("url", "https://t/p?user_id=eve&friend=bob%40example.com", ""),
        ("referer", "https://t/p?user_id=eve", "https://shop/?u=bob@example.com&x"),
        ("not", "https://t/p?user_id=bobby%40example.com", "https://shop/bob@example.common"),
    ] {
        let answer = bigquery.insert("pixel", id, row(id, url, referer)).await;
        assert!(answer["insertErrors"].is_null(), "{answer}");
    }
    letter(&bigquery, "other", OLD, &Entry::of_query("user_id=eve&friend=bob%40example.com").json()).await;
    let (code, list, err) = forget(&bigquery, &settings, &["--user-id=bob@example.com"]).await;
    assert!(code == Some(0) && list.contains("pixel: not deleted: 2 rows of others with the id in another column\n"), "{list}{err}");
    let receipt = forgotten(&bigquery, &settings, &["--user-id=bob@example.com"]).await;
    assert_eq!(receipt["rows_of_others_with_the_id"], json!({"dead_letters": 1, "pixel": 2}));
    assert_eq!((receipt["is_complete"].clone(), bigquery.rows("pixel").await.len()), (Value::Bool(true), 3));
}
