//! Dead letters with a URL, with a part of a URL, and without valid base64.

use serde_json::json;

use super::{OLD, forget, forgotten, letter, letters, raw_letter, with_events};
use crate::support::{Entry, Service, TestBigQuery, wrapped};

/// A dead letter without valid base64 is searched as text.
#[tokio::test]
async fn a_message_that_is_not_base64_is_found_by_its_text() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push(r#"{"message":{"data":"% user_id=planted %","messageId":"1"}}"#).await.status, 204);
    assert_eq!(service.push(wrapped(b"{", "2")).await.status, 204);
    let (code, list, _) = forget(&bigquery, &[], &["--user-id=planted"]).await;
    assert_eq!((code, list.lines().next()), (Some(0), Some("1 dead letter")));
}

/// Every log entry contains other numbers, such as the status.
#[tokio::test]
async fn a_value_counts_only_after_the_name_of_its_attribute() {
    let bigquery = with_events(&["u"], &[]).await;
    for (id, rest) in [
        ("theirs-1", "?user_id=200&order_id=1"),
        ("theirs-2", "?order_id=1&user_id=%32%30%30\""),
        ("theirs-3", "?order_id=1\\u0026user_id=200\\u0026type=x"),
        ("theirs-4", "?user%5Fid=200#top"),
        ("theirs-5", "?user_id=200 HTTP/1.1"),
        ("theirs-6", "?user_id=200"),
        ("not-1", "?user_id=7"),
        ("not-2", "?my_user_id=200&order_id=200"),
        ("not-3", "?user_id=2000"),
        ("not-4", "?user_id=200x\""),
        ("not-5", "?referer=user_id%3D200"),
    ] {
        letter(&bigquery, id, OLD, &format!("{{\"httpRequest\":{{\"status\":200,\"requestUrl\":\"https://h/pixel.png{rest}")).await;
    }
    let receipt = forgotten(&bigquery, &[], &["--user-id=200"]).await;
    assert_eq!(receipt["deleted"]["dead_letters"], 6);
    assert_eq!(letters(&bigquery).await, ["not-1", "not-2", "not-3", "not-4", "not-5"]);
}

#[tokio::test]
async fn a_value_is_found_in_every_url_encoding() {
    let bigquery = with_events(&["u"], &[]).await;
    let spellings = ["a+b%2Bc%2F%C3%A9", "a%20b%2bc%2f%c3%a9", "%61%20b%2Bc/%C3%a9"];
    for (index, spelling) in spellings.iter().enumerate() {
        letter(&bigquery, &format!("broken-{index}"), OLD, &format!("{{\"requestUrl\":\"/p?user_id={spelling}&")).await;
        letter(&bigquery, &format!("whole-{index}"), OLD, &Entry::of_query(&format!("user_id={spelling}")).json()).await;
    }
    assert_eq!(forgotten(&bigquery, &[], &["--user-id=a b+c/é"]).await["deleted"]["dead_letters"], json!(6));
}

/// Data with a line break, or with a missing character, is not valid base64, but contains the user's id.
#[tokio::test]
async fn invalid_base64_is_searched_up_to_the_error() {
    use base64::Engine as _;
    let bigquery = with_events(&["u"], &[]).await;
    let data = base64::engine::general_purpose::STANDARD.encode(Entry::of_query("user_id=507f&order_id=1").json());
    raw_letter(&bigquery, "lines", OLD, &format!("{}\n{}", &data[..40], &data[40..])).await;
    raw_letter(&bigquery, "cut", OLD, &data[..data.len() - 7]).await;
    assert_eq!(forgotten(&bigquery, &[], &["--user-id=507f"]).await["deleted"]["dead_letters"], json!(2));
}
