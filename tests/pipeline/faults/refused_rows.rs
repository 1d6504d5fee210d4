//! insertErrors with the reason `invalid`: a row is a dead letter only if it is at fault itself, and not its table.

use std::sync::{Arc, Mutex};

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::gate::bigquery_behind;
use crate::support::wait::wait_until;
use crate::support::{Entry, Service, TestBigQuery};

const MESSAGES: usize = 12;
const REFUSED: &str = "BigQuery refuses every row for a table";
const TABLE_REFUSED: &str = "pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"table_refused\"}";

/// Chooses the error of each row, whose columns it gets; `None` for BigQuery's own answer to the request.
type Refuse = Arc<Mutex<Option<Box<dyn Fn(&Value) -> Option<Value> + Send>>>>;

/// An emulator in front of which rows for the table `pixel` are refused.
async fn refusing() -> (TestBigQuery, Refuse) {
    let refuse: Refuse = Arc::default();
    let of_gate = Arc::clone(&refuse);
    let bigquery = bigquery_behind(move |request: &str, body: &str| -> Option<Response> {
        let refuse = of_gate.lock().unwrap();
        let refuse = refuse.as_ref().filter(|_| request.ends_with("/tables/pixel/insertAll"))?;
        let body: Value = serde_json::from_str(body).unwrap();
        let errors = body["rows"].as_array().unwrap().iter().map(|row| refuse(&row["json"])).enumerate();
        let errors: Vec<Value> = errors.filter_map(|(index, error)| Some(json!({"index": index, "errors": [error?]}))).collect();
        let answer = json!({"kind": "bigquery#tableDataInsertAllResponse", "insertErrors": errors});
        (!errors.is_empty()).then(|| answer.to_string().into_response())
    });
    (bigquery.await, refuse)
}

fn set(refuse: &Refuse, error: impl Fn(&Value) -> Option<Value> + Send + 'static) {
    *refuse.lock().unwrap() = Some(Box::new(error));
}

fn invalid(location: &str, message: &str) -> Value {
    json!({"reason": "invalid", "location": location, "debugInfo": "", "message": message})
}

async fn start(bigquery: &TestBigQuery, settings: &[(&str, &str)]) -> Arc<Service> {
    let service = Service::start(bigquery, &[&[("PUSH_DEADLINE", "2s")], settings].concat()).await;
    bigquery.wait_for_table("dead_letters").await;
    Arc::new(service)
}

/// The statuses of deliveries at the same time.
async fn deliver(service: &Arc<Service>, queries: &[String]) -> Vec<u16> {
    let mut deliveries = JoinSet::new();
    for query in queries {
        let (service, entry) = (Arc::clone(service), Entry::of_query(query));
        deliveries.spawn(async move { service.push(entry.pushed()).await.status });
    }
    deliveries.join_all().await
}

fn queries(user: &str, count: usize) -> Vec<String> {
    (0..count).map(|message| format!("user_id={user}&order_id={message}")).collect()
}

#[tokio::test]
async fn a_message_about_the_table_on_each_row_loses_no_message() {
    let (bigquery, refuse) = refusing().await;
    let service = start(&bigquery, &[]).await;
    for (location, message) in [
        ("", "The destination table has no schema."),
        ("", "Cannot add rows to a table of type VIEW."),
        ("", "Missing required field: Msg_0_CLOUD_QUERY_TABLE.tenant."),
        ("tenant", "Missing required field: tenant."),
        ("tenant", "This field: tenant is not a record."),
        ("", "The destination table's partition p:d.pixel$20190101 is outside the allowed bounds."),
        ("gone", "no such field: gone."),
        ("", "no such field."),
        ("", ""),
    ] {
        set(&refuse, move |_| Some(invalid(location, message)));
        for count in [1, 2, MESSAGES] {
            assert_eq!(deliver(&service, &queries("u", count)).await, vec![503; count], "{location:?} {message}");
        }
        assert!(bigquery.rows("dead_letters").await.is_empty(), "{location:?} {message}");
    }
    assert!(bigquery.events().await.is_empty());
    assert!(service.metric(TABLE_REFUSED).await > 100.0);
    *refuse.lock().unwrap() = None;
    assert_eq!(deliver(&service, &queries("u", MESSAGES)).await, [204; MESSAGES]);
    let lines: Vec<String> = service.log().into_iter().filter(|line| line.contains(REFUSED)).collect();
    assert!(lines.len() == 1 && lines[0].contains("The destination table has no schema."), "one error a minute: {lines:?}");
    assert!(lines[0].contains("\"ERROR\"") && lines[0].contains("\"pixel\""), "{lines:?}");
}

/// An operator has created the table of one user with a column that the template does not have.
#[tokio::test]
async fn a_required_column_that_nothing_fills_is_named_and_loses_no_message() {
    let text = |name: &str| json!({"name": name, "type": "STRING"});
    let bigquery = TestBigQuery::with_template(json!([text("user_id"), text("order_id")])).await;
    let tenant = json!({"name": "tenant", "type": "STRING", "mode": "REQUIRED"});
    bigquery.create_table("pixel_bob", json!([text("user_id"), text("order_id"), tenant])).await;
    let settings = [("TABLE_SUFFIX", "_{user_id}"), ("VALID_ATTRIBUTES", "user_id,order_id")];
    let service = start(&bigquery, &settings).await;
    for count in [1, MESSAGES] {
        assert_eq!(deliver(&service, &queries("bob", count)).await, vec![503; count]);
        assert_eq!(deliver(&service, &queries("eve", count)).await, vec![204; count]);
    }
    assert!(bigquery.rows("pixel_bob").await.is_empty() && bigquery.rows("dead_letters").await.is_empty());
    assert!(service.metric(TABLE_REFUSED).await >= 13.0);
    let log = service.log();
    let line = log.iter().find(|line| line.contains(REFUSED)).expect("an error");
    assert!(line.contains("Missing required field: tenant."), "{line}");
    assert!(!log.iter().any(|line| line.contains("bob")), "{log:#?}");
    bigquery.replace_table("pixel_bob", json!([text("user_id"), text("order_id"), text("tenant")])).await;
    assert_eq!(deliver(&service, &queries("bob", MESSAGES)).await, [204; MESSAGES]);
}

#[tokio::test]
async fn a_value_that_bigquery_refuses_is_a_dead_letter_at_once() {
    let (bigquery, refuse) = refusing().await;
    let service = start(&bigquery, &[]).await;
    for (location, message) in [
        ("order_id", "Could not convert value to integer (bad value): abc"),
        ("Field:order_id", "Could not convert value to string"),
        ("root.order_id", "Cannot convert value"),
        ("order_id", ""),
    ] {
        set(&refuse, move |row| (row["order_id"] == "poison").then(|| invalid(location, message)));
        let before = bigquery.rows("dead_letters").await.len();
        let entry = Entry::of_query("user_id=u&order_id=poison").with("/insertId", json!(format!("{location} {message}")));
        assert_eq!(service.push(entry.pushed()).await.status, 204, "{location:?} {message}");
        assert_eq!(bigquery.rows("dead_letters").await.len(), before + 1, "{location:?} {message}");
    }
}

/// A refusal that names no value may be the table's. A stored neighbour shows that it is not.
#[tokio::test]
async fn a_row_without_a_required_value_is_a_dead_letter_beside_stored_ones() {
    let text = |name: &str, mode: &str| json!({"name": name, "type": "STRING", "mode": mode});
    let bigquery = TestBigQuery::with_template(json!([text("user_id", "NULLABLE"), text("order_id", "NULLABLE")])).await;
    bigquery.create_table("pixel_bob", json!([text("user_id", "NULLABLE"), text("order_id", "REQUIRED")])).await;
    let settings = [("TABLE_SUFFIX", "_{user_id}"), ("VALID_ATTRIBUTES", "user_id,order_id")];
    let service = start(&bigquery, &settings).await;
    wait_until("the poisonous message is a dead letter", async || {
        let poison = service.push(Entry::of_query("user_id=bob").pushed());
        let neighbours = queries("bob", MESSAGES);
        let (poison, neighbours) = tokio::join!(poison, deliver(&service, &neighbours));
        assert_eq!(neighbours, [204; MESSAGES], "neighbours are not delayed");
        poison.status == 204
    })
    .await;
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
    assert!(bigquery.rows("pixel_bob").await.len() >= MESSAGES);
}

#[tokio::test]
async fn a_lone_bad_row_is_a_dead_letter_after_the_table_stores_others() {
    let (bigquery, refuse) = refusing().await;
    let service = start(&bigquery, &[]).await;
    set(&refuse, |row| (row["order_id"] == "poison").then(|| invalid("", "poisoned row")));
    let poison = Entry::of_query("user_id=u&order_id=poison").pushed();
    assert_eq!(service.push(poison.clone()).await.status, 503);
    assert_eq!(service.push(poison.clone()).await.status, 503, "nothing shows that the table accepts rows");
    assert_eq!(deliver(&service, &queries("u", 1)).await, [204]);
    assert_eq!(service.push(poison).await.status, 204);
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
    // The table is another one now.
    let message = "Cannot add rows to a table of type VIEW.";
    set(&refuse, move |_| Some(invalid("", message)));
    let good = Entry::of_query("user_id=u&order_id=good").pushed();
    for _ in 0..3 {
        assert_eq!(service.push(good.clone()).await.status, 503);
    }
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
}

#[tokio::test]
async fn a_missing_column_is_left_out_in_whatever_form_it_is_named() {
    for (location, message) in [
        ("order_id", "no such field: order_id."),
        ("order_id", "no such field."),
        ("", "no such field: order_id."),
        ("root.order_id", "no such field: root.order_id."),
        ("", "JSONObject has fields unknown to BigQuery: root.order_id."),
        ("ORDER_ID", "No such field: ORDER_ID"),
    ] {
        let (bigquery, refuse) = refusing().await;
        let service = start(&bigquery, &[]).await;
        set(&refuse, move |row| row.get("order_id").is_some().then(|| invalid(location, message)));
        assert_eq!(deliver(&service, &queries("u", 3)).await, [204; 3], "{location:?} {message}");
        let events = bigquery.events().await;
        // Events without the column are equal, so BigQuery stores the row of one id once.
        assert!(!events.is_empty() && bigquery.rows("dead_letters").await.is_empty(), "{location:?} {message}");
        assert!(events.iter().all(|(_, row)| row["invalid_attributes"] == json!(["order_id"])), "{events:?}");
    }
}
