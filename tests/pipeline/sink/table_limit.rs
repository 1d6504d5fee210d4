//! The limit on new tables.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::http;
use crate::support::{Entry, Service, TestBigQuery};

const TOO_MANY: &str = "pixel_pipeline_overflow_total{cause=\"too_many_tables\"}";

async fn visit(service: &Service, user: &str) {
    let push = service.push(Entry::of_query(&format!("user_id={user}&type=open")).pushed()).await;
    assert_eq!(push.status, 204, "{user}: {}", push.body);
}

/// The users of each table, sorted.
async fn users(bigquery: &TestBigQuery) -> BTreeMap<String, Vec<String>> {
    let mut users: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, row) in bigquery.events().await {
        users.entry(table).or_default().push(row["user_id"].as_str().unwrap().to_owned());
    }
    users.values_mut().for_each(|users| users.sort());
    users
}

#[tokio::test]
async fn beyond_the_limit_events_are_stored_in_the_overflow_table() {
    let bigquery = TestBigQuery::start().await;
    let mut service = Service::start(&bigquery, &[("MAX_NEW_TABLES_PER_HOUR", "3")]).await;
    for user in 0..10 {
        visit(&service, &format!("visitor{user}")).await;
    }
    // Rows of known tables and of the overflow table are not limited.
    for user in [0, 1, 2, 9] {
        visit(&service, &format!("visitor{user}")).await;
    }
    let visitors = |numbers: &[u32]| numbers.iter().map(|number| format!("visitor{number}")).collect::<Vec<_>>();
    let expected = BTreeMap::from([
        ("pixel_overflow_20260102".to_owned(), visitors(&[3, 4, 5, 6, 7, 8, 9, 9])),
        ("pixel_visitor0_20260102".to_owned(), visitors(&[0, 0])),
        ("pixel_visitor1_20260102".to_owned(), visitors(&[1, 1])),
        ("pixel_visitor2_20260102".to_owned(), visitors(&[2, 2])),
    ]);
    assert_eq!(users(&bigquery).await, expected);
    assert_eq!(service.metric(TOO_MANY).await, 8.0);
    assert_eq!(service.metric("pixel_pipeline_tables").await, 3.0);
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"stored\",reason=\"\"}").await, 14.0);
    // Logged once a minute, without the user.
    let line: Value = serde_json::from_str(&service.wait_for_log("overflow table").await).unwrap();
    assert_eq!((&line["severity"], &line["cause"]), (&json!("WARNING"), &json!("too_many_tables")));
    let (_, log) = service.end().await;
    assert_eq!(log.iter().filter(|line| line.contains("event stored in the overflow table")).count(), 1);
    assert!(!log.iter().any(|line| line.contains("visitor")), "{log:?}");
}

/// The view `events` reads all tables by this wildcard.
#[tokio::test]
async fn the_overflow_table_is_read_with_the_others() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("MAX_NEW_TABLES_PER_HOUR", "1"), ("OVERFLOW_SUFFIX", "_rest")]).await;
    for user in ["u", "v", "w"] {
        visit(&service, user).await;
    }
    assert_eq!(users(&bigquery).await.into_keys().collect::<Vec<_>>(), ["pixel_rest", "pixel_u_20260102"]);
    let query = "SELECT DISTINCT user_id FROM `parsed_pixel.pixel*` ORDER BY user_id";
    let (status, answer) = bigquery.post("/queries", &json!({"query": query, "useLegacySql": false})).await;
    let rows: Vec<&Value> = answer["rows"].as_array().into_iter().flatten().map(|row| &row["f"][0]["v"]).collect();
    assert_eq!((status, rows), (200, vec![&json!("u"), &json!("v"), &json!("w")]), "{answer}");
}

/// BigQuery deduplicates a redelivery within one table only.
#[tokio::test]
async fn a_redelivery_is_stored_in_the_same_table() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("MAX_NEW_TABLES_PER_HOUR", "1")]).await;
    let first = Entry::of_query("user_id=first").pushed();
    let late = Entry::of_query("user_id=late").pushed();
    for body in [&first, &late, &late, &first] {
        assert_eq!(service.push(body.clone()).await.status, 204);
    }
    let expected = [("pixel_first_20260102", "first"), ("pixel_overflow_20260102", "late")];
    assert_eq!(users(&bigquery).await, BTreeMap::from(expected.map(|(table, user)| (table.to_owned(), vec![user.to_owned()]))));
}

#[tokio::test]
async fn a_long_name_and_the_overflow_name_use_the_overflow_table() {
    let bigquery = TestBigQuery::with_template(json!([
        {"name": "user_id", "type": "STRING"}, {"name": "a", "type": "STRING"}, {"name": "b", "type": "STRING"},
        {"name": "c", "type": "STRING"}, {"name": "d", "type": "STRING"},
    ]))
    .await;
    let settings = [("VALID_ATTRIBUTES", "user_id,a,b,c,d"), ("TABLE_SUFFIX", "_{user_id}_{a}_{b}_{c}_{d}")];
    let service = Service::start(&bigquery, &[&settings[..], &[("MAX_NEW_TABLES_PER_HOUR", "1")]].concat()).await;
    let long = "x".repeat(64);
    let queries = [format!("user_id=long&a={long}&b={long}&c={long}&d={long}"), "user_id=u&a=1&b=1&c=1&d=1".to_owned()];
    for query in queries {
        assert_eq!(service.push(Entry::of_query(&query).pushed()).await.status, 204);
    }
    let tables: BTreeSet<String> = users(&bigquery).await.into_keys().collect();
    assert_eq!(tables, BTreeSet::from(["pixel_overflow_20260102".to_owned(), "pixel_u_1_1_1_1".to_owned()]));
    assert_eq!(service.metric("pixel_pipeline_overflow_total{cause=\"long_name\"}").await, 1.0);

    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("MAX_NEW_TABLES_PER_HOUR", "1")]).await;
    for user in ["overflow", "u"] {
        visit(&service, user).await;
    }
    assert_eq!(users(&bigquery).await.into_keys().collect::<Vec<_>>(), ["pixel_overflow_20260102", "pixel_u_20260102"]);
    assert_eq!(service.metric("pixel_pipeline_overflow_total{cause=\"name_taken\"}").await, 1.0);
}

/// Many unknown users: the number of tables stays small, and no event is lost.
#[tokio::test]
async fn many_concurrent_users_create_no_more_tables_than_allowed() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("MAX_NEW_TABLES_PER_HOUR", "5")]).await;
    let unknown_users: Vec<String> = (0..200).map(|number| format!("s{number}")).collect();
    let mut visits = tokio::task::JoinSet::new();
    let http = http::client();
    for user in &unknown_users {
        let body = Entry::of_query(&format!("user_id={user}")).pushed();
        let request = http.post(&service.url).body(body);
        visits.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    assert!(visits.join_all().await.iter().all(|status| *status == 204));
    let users = users(&bigquery).await;
    assert_eq!(users.len(), 6, "{:?}", users.keys());
    let mut stored: Vec<String> = users.into_values().flatten().collect();
    let mut expected = unknown_users;
    stored.sort();
    expected.sort();
    assert_eq!(stored, expected);
    assert_eq!(service.metric(TOO_MANY).await, 195.0);
}
