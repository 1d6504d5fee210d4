//! A template table that changes while the service runs, and generated tables that are older than the change.

use serde_json::{Value, json};

use crate::support::bigquery::{DATASET, PROJECT};
use crate::support::wait::wait_until;
use crate::support::{Entry, Service, TestBigQuery};

const WITHOUT_COLUMN: &str = "pixel_pipeline_rows_without_column_total";
const MISMATCH: &str = "pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"template_mismatch\"}";

fn columns(names: &[&str]) -> Value {
    let columns = names.iter().map(|name| json!({"name": name, "type": "STRING"}));
    columns.chain([json!({"name": "invalid_attributes", "type": "STRING", "mode": "REPEATED"})]).collect()
}

async fn push(service: &Service, query: &str) -> u16 {
    service.push(Entry::of_query(query).pushed()).await.status
}

async fn deliver(service: &Service, query: &str) {
    assert_eq!(push(service, query).await, 204, "{query}");
}

// Changes that do not fit the settings

#[tokio::test]
async fn nothing_is_acked_while_the_template_lacks_an_attribute() {
    for suffix in ["", "_{user_id}_{date}"] {
        let bigquery = TestBigQuery::with_template(columns(&["user_id", "type"])).await;
        let settings = [("VALID_ATTRIBUTES", "user_id,type"), ("TABLE_SUFFIX", suffix), ("PUSH_DEADLINE", "3s")];
        let mut service = Service::start(&bigquery, &settings).await;
        bigquery.replace_table("pixel", columns(&["something_else"])).await;
        for number in 0..10 {
            assert_eq!(push(&service, &format!("user_id={number}&type=click")).await, 503, "{suffix:?}");
        }
        assert_eq!(push(&service, "user_id=only").await, 503, "also a message that would fit");
        assert_eq!(service.get("/ready").await.status, 503);
        assert!(service.metric(MISMATCH).await >= 10.0);
        let line = service.wait_for_log("the template table has changed").await;
        assert!(line.contains("user_id, type") && line.contains("\"ERROR\""), "{line}");
        assert_eq!(service.log().iter().filter(|line| line.contains("the template table has changed")).count(), 1);
        assert!(bigquery.events().await.is_empty() && bigquery.rows("dead_letters").await.is_empty());

        bigquery.replace_table("pixel", columns(&["user_id", "type"])).await;
        wait_until("the service works again", async || push(&service, "user_id=u&type=click").await == 204).await;
        assert_eq!(service.get("/ready").await.status, 200);
    }
}

#[tokio::test]
async fn a_new_required_column_without_a_source_nacks_messages() {
    let bigquery = TestBigQuery::with_template(columns(&["user_id"])).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id"), ("TABLE_SUFFIX", ""), ("PUSH_DEADLINE", "3s")]).await;
    let required = json!([{"name": "user_id", "type": "STRING"}, {"name": "tenant", "type": "STRING", "mode": "REQUIRED"}]);
    bigquery.replace_table("pixel", required).await;
    assert_eq!(push(&service, "user_id=u").await, 503);
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

#[tokio::test]
async fn a_template_that_becomes_a_view_nacks_messages() {
    let bigquery = TestBigQuery::with_template(columns(&["user_id"])).await;
    let mut service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id"), ("PUSH_DEADLINE", "3s")]).await;
    bigquery.delete_table("pixel").await;
    let reference = json!({"projectId": PROJECT, "datasetId": DATASET, "tableId": "pixel"});
    let view = json!({"tableReference": reference, "view": {"query": "SELECT 'u' AS user_id", "useLegacySql": false}});
    assert_eq!(bigquery.post(&format!("/datasets/{DATASET}/tables"), &view).await.0, 200);
    assert_eq!(push(&service, "user_id=u").await, 503);
    service.wait_for_log("pixel is of type VIEW").await;
    assert_eq!((push(&service, "user_id=u").await, service.get("/ready").await.status), (503, 503));
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

#[tokio::test]
async fn a_changed_type_converts_the_values_of_the_next_row() {
    let with_amount = |kind: &str| json!([{"name": "user_id", "type": "STRING"}, {"name": "amount", "type": kind}]);
    let bigquery = TestBigQuery::with_template(with_amount("STRING")).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,amount"), ("TABLE_SUFFIX", "")]).await;
    bigquery.replace_table("pixel", with_amount("INTEGER")).await;
    deliver(&service, "user_id=u&amount=many").await;
    assert_eq!(bigquery.rows("pixel").await[0]["amount"], Value::Null);
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

// Generated tables that are older than a column

/// The table lacks `kind` until its owner adds it.
#[tokio::test]
async fn a_new_column_is_left_out_until_the_table_has_it() {
    for (suffix, table) in [("_{user_id}", "pixel_u"), ("_{user_id}_{date}", "pixel_u_20260102")] {
        let bigquery = TestBigQuery::with_template(columns(&["event_id", "user_id", "type"])).await;
        let suffix = ("TABLE_SUFFIX", suffix);
        deliver(&Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type"), suffix]).await, "user_id=u&type=open").await;
        bigquery.patch_schema("pixel", columns_in_order(&["kind", "host"])).await;
        let mut service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type,kind"), suffix]).await;

        deliver(&service, "user_id=u&type=click&kind=new").await;
        deliver(&service, "user_id=u&type=click").await;
        let rows = bigquery.rows(table).await;
        assert_eq!((&rows[1]["type"], &rows[1]["invalid_attributes"]), (&json!("click"), &json!(["kind", "host"])));
        assert_eq!(rows[2]["invalid_attributes"], json!(["host"]), "the URL has no kind");
        assert_ne!(rows[1]["event_id"], rows[2]["event_id"]);
        assert!(bigquery.rows("dead_letters").await.is_empty());
        assert_eq!(service.metric(WITHOUT_COLUMN).await, 2.0);
        let line = service.wait_for_log("a table lacks a column").await;
        assert!(line.contains("\"column\":") && !line.contains("pixel_u"), "{line}");

        deliver(&service, "user_id=other&kind=new").await;
        let other = bigquery.rows(&table.replace("pixel_u", "pixel_other")).await.remove(0);
        assert_eq!((&other["kind"], &other["invalid_attributes"]), (&json!("new"), &json!([])), "a new table has the columns");

        bigquery.patch_schema(table, columns_in_order(&["kind", "host"])).await;
        let is_filled = async || {
            deliver(&service, "user_id=u&kind=new").await;
            let row = bigquery.rows(table).await.pop().unwrap();
            row["kind"] == "new" && row["host"] == "track.example.com" && row["invalid_attributes"] == json!([])
        };
        wait_until("the columns are filled", is_filled).await;
    }
}

/// The columns of the first test table and more, in the order in which BigQuery adds them.
fn columns_in_order(added: &[&str]) -> Value {
    let mut all = columns(&["event_id", "user_id", "type"]);
    all.as_array_mut().unwrap().extend(added.iter().map(|name| json!({"name": name, "type": "STRING"})));
    all
}

#[tokio::test]
async fn the_column_invalid_attributes_may_be_missing_too() {
    let bigquery = TestBigQuery::with_template(json!([{"name": "user_id", "type": "STRING"}])).await;
    deliver(&Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id")]).await, "user_id=u").await;
    bigquery.patch_schema("pixel", columns(&["user_id", "kind", "path"])).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,kind")]).await;
    deliver(&service, "user_id=u&kind=new").await;
    assert_eq!(bigquery.rows("pixel_u_20260102").await.len(), 2);
    assert_eq!(service.metric(WITHOUT_COLUMN).await, 1.0);
    assert!(bigquery.rows("dead_letters").await.is_empty());
}

/// BigQuery reports that a REQUIRED column of the older table is missing, and the template has no such column.
#[tokio::test]
async fn a_required_column_of_an_older_table_loses_no_message() {
    let required = json!([{"name": "user_id", "type": "STRING"}, {"name": "kind", "type": "STRING", "mode": "REQUIRED"}]);
    let bigquery = TestBigQuery::with_template(required).await;
    deliver(&Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,kind")]).await, "user_id=u&kind=a").await;
    bigquery.replace_table("pixel", columns(&["user_id"])).await;
    let service = Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id")]).await;
    assert_eq!(service.push(Entry::of_query("user_id=u").pushed()).await.status, 503);
    assert!(bigquery.rows("dead_letters").await.is_empty());
    assert_eq!(service.metric("pixel_pipeline_deliveries_total{outcome=\"retry\",reason=\"table_refused\"}").await, 1.0);
}

#[tokio::test]
async fn rows_in_parallel_keep_their_identity_without_the_column() {
    let bigquery = TestBigQuery::with_template(columns(&["event_id", "user_id", "type"])).await;
    let suffix = ("TABLE_SUFFIX", "_{user_id}");
    deliver(&Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type"), suffix]).await, "user_id=u").await;
    bigquery.patch_schema("pixel", columns_in_order(&["kind"])).await;
    let service = std::sync::Arc::new(Service::start(&bigquery, &[("VALID_ATTRIBUTES", "user_id,type,kind"), suffix]).await);
    let entry = Entry::of_query("user_id=u&kind=new").pushed();
    let mut deliveries = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (service, twice) = (std::sync::Arc::clone(&service), entry.clone());
        let own = Entry::of_query(&format!("user_id=u&kind={number}")).pushed();
        deliveries.spawn(async move { (service.push(own).await.status, service.push(twice).await.status) });
    }
    assert_eq!(deliveries.join_all().await, [(204, 204); 20]);
    assert_eq!(bigquery.rows("pixel_u").await.len(), 1 + 20 + 1, "deliveries of one entry are one row");
}
