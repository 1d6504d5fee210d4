//! The views of schema/views and the sample queries of schema/queries: their results for stored events, and that they, the
//! schema files and the service use the same columns.

use std::path::{Path, PathBuf};

use pixel_pipeline::decode::Schema;
use pixel_pipeline::schema_sql::for_columns;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bigquery::{DATASET, PROJECT};
use crate::support::entry::USER;
use crate::support::{Entry, Service, TestBigQuery};

#[path = "../../../crates/bigquery-emulator/tests/common/tables.rs"]
mod tables;

const MODEL: &str = "purchase_prediction.sql";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A BigQuery with the tables of the query corpus.
async fn loaded(root: &Path) -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    tables::load(root, PROJECT, async |path, body| bigquery.post(path, body).await).await;
    bigquery
}

/// Names and contents of the `.sql` files of a folder, sorted by name.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = root().join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: &PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap());
    paths.iter().map(read).collect()
}

fn schema(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(root().join("schema").join(file)).unwrap()).unwrap()
}

/// Creates the views with the variables replaced. Returns the first error.
async fn create_views(bigquery: &TestBigQuery, table: &str) -> Result<(), String> {
    let schema = Schema::parse(&schema("pixel.json").to_string()).unwrap();
    // `events` is created before `events_daily`, which reads it.
    for (name, text) in files("schema/views") {
        let text = for_columns(&text, &schema).unwrap();
        let query = text.replace("${PROJECT_ID}", PROJECT).replace("${DATASET}", DATASET).replace("${TABLE_NAME}", table);
        let reference = json!({"projectId": PROJECT, "datasetId": DATASET, "tableId": name.strip_suffix(".sql").unwrap()});
        let view = json!({"tableReference": reference, "view": {"query": query, "useLegacySql": false}});
        let (status, answer) = bigquery.post(&format!("/datasets/{DATASET}/tables"), &view).await;
        if status != 200 {
            return Err(format!("{name}: {}", answer["error"]["message"]));
        }
    }
    Ok(())
}

/// Runs a statement. Returns columns and rows, or the error message.
async fn run_query(bigquery: &TestBigQuery, sql: &str, dry_run: bool) -> Result<(Vec<String>, Vec<Vec<Value>>), String> {
    let request = json!({"query": sql, "useLegacySql": false, "dryRun": dry_run, "timeoutMs": 20_000});
    let (status, answer) = bigquery.call(Method::POST, "/queries", request).await;
    if status != 200 {
        return Err(answer["error"]["message"].to_string());
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let columns = list(&answer["schema"]["fields"]).iter().map(|field| field["name"].as_str().unwrap().to_owned()).collect();
    let rows = list(&answer["rows"]).iter().map(|row| list(&row["f"]).iter().map(|cell| cell["v"].clone()).collect()).collect();
    Ok((columns, rows))
}

async fn rows(bigquery: &TestBigQuery, sql: &str) -> Vec<Vec<Value>> {
    run_query(bigquery, sql, false).await.unwrap_or_else(|error| panic!("{error}: {sql}")).1
}

/// The table of each event, by its order_id.
async fn events(bigquery: &TestBigQuery) -> Vec<Vec<Value>> {
    rows(bigquery, &format!("SELECT order_id, table_suffix FROM {DATASET}.events ORDER BY order_id, table_suffix")).await
}

/// The SELECT of the model's statement: its training data.
fn training_data() -> String {
    let text = std::fs::read_to_string(root().join("schema/queries").join(MODEL)).unwrap();
    text[text.find("\nWITH ").expect("the query begins with WITH")..].to_owned()
}

#[tokio::test]
async fn an_event_stored_twice_is_one_row_of_the_view() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    create_views(&bigquery, "pixel").await.expect("views can be created when only the template table exists");
    assert!(events(&bigquery).await.is_empty());

    let twice = Entry::of_query(&format!("user_id={USER}&order_id=twice&type=click"));
    let once = Entry::of_query("user_id=u&order_id=once&type=click");
    for entry in [&twice, &once] {
        assert_eq!(service.push(entry.pushed()).await.status, 204);
    }
    assert_eq!(service.push("{\"message\":{\"data\":\"e30=\"}}").await.status, 204);
    assert_eq!(bigquery.rows("dead_letters").await.len(), 1);
    let (of_twice, of_once) = (format!("_{USER}_20260102"), "_u_20260102".to_owned());
    let expected = [[json!("once"), json!(of_once)], [json!("twice"), json!(of_twice)]];
    assert_eq!(events(&bigquery).await, expected, "later tables are included, and dead letters are not");

    // In the same table, after BigQuery's deduplication window.
    let table = format!("pixel{of_twice}");
    let mut copy = bigquery.rows(&table).await.remove(0);
    copy.retain(|_, value| !value.is_null() && *value != json!([]));
    bigquery.insert(&table, "later", Value::Object(copy)).await;
    assert_eq!(bigquery.rows(&table).await.len(), 2);
    assert_eq!(events(&bigquery).await, expected);

    // In another table, after a change of TABLE_SUFFIX: the first table by name is used.
    let coarser = Service::start(&bigquery, &[("TABLE_SUFFIX", "_{date}")]).await;
    assert_eq!(coarser.push(twice.pushed()).await.status, 204);
    assert_eq!(bigquery.rows("pixel_20260102").await.len(), 1);
    assert_eq!(events(&bigquery).await, [[json!("once"), json!(of_once)], [json!("twice"), json!("_20260102")]]);
    let other = format!("SELECT order_id FROM {DATASET}.events WHERE table_suffix = '{of_twice}'");
    assert!(rows(&bigquery, &other).await.is_empty(), "a condition on the suffix does not select the copy");

    let (columns, _) = run_query(&bigquery, &format!("SELECT * FROM {DATASET}.events"), true).await.unwrap();
    let mut expected: Vec<String> =
        schema("pixel.json").as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap().to_owned()).collect();
    expected.push("table_suffix".to_owned());
    assert_eq!(columns, expected);
}

#[tokio::test]
async fn a_row_of_the_template_table_has_an_empty_suffix() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[("TABLE_SUFFIX", ""), ("TABLE_NAME", "hits")]).await;
    create_views(&bigquery, "hits").await.unwrap();
    assert_eq!(service.push(Entry::of_query("user_id=u&order_id=1").pushed()).await.status, 204);
    assert_eq!(events(&bigquery).await, [[json!("1"), json!("")]]);
}

#[tokio::test]
async fn events_daily_counts_each_event_once() {
    let bigquery = loaded(root()).await;
    create_views(&bigquery, "pixel").await.unwrap();
    let daily = rows(&bigquery, &format!("SELECT * FROM {DATASET}.events_daily ORDER BY day, type")).await;
    let expected = json!([
        ["2026-01-04", "open", "1", "1"],
        ["2026-01-05", null, "1", "1"],
        ["2026-01-05", "click", "2", "1"],
        ["2026-01-05", "open", "3", "2"],
        ["2026-01-12", "click", "1", "1"],
        ["2026-01-12", "open", "2", "2"],
        ["2026-01-12", "purchase", "1", "1"],
        ["2026-01-13", "purchase", "1", "1"],
    ]);
    assert_eq!(json!(daily), expected);
    // 13 rows, of which two are the same event.
    let sums = "SELECT (SELECT SUM(events) FROM d.events_daily), (SELECT COUNT(*) FROM d.events), (SELECT COUNT(*) FROM `d.pixel_*`)";
    assert_eq!(json!(rows(&bigquery, &sums.replace("d.", &format!("{DATASET}."))).await), json!([["12", "12", "13"]]));
}

/// The rule for TABLE_NAME: no view name may begin with it.
#[tokio::test]
async fn a_wildcard_that_matches_a_view_is_refused() {
    let bigquery = TestBigQuery::start().await;
    let _service = Service::start(&bigquery, &[("TABLE_NAME", "event")]).await;
    let refused = create_views(&bigquery, "event").await.unwrap_err();
    assert!(refused.contains("events_daily.sql") && refused.contains("Views cannot be queried through prefix"), "{refused}");
}

/// A BigQuery with the tables of the schema files, in which these columns are renamed.
async fn with_renamed(columns: &[&str]) -> TestBigQuery {
    let bigquery = TestBigQuery::start().await;
    bigquery.create_dataset().await;
    for (table, file) in [("pixel", "pixel.json"), ("pixel_u_20260102", "pixel.json"), ("dead_letters", "dead_letters.json")] {
        let mut schema = schema(file);
        for column in schema.as_array_mut().unwrap() {
            if columns.contains(&column["name"].as_str().unwrap()) {
                column["name"] = "another_name".into();
            }
        }
        bigquery.create_table(table, schema).await;
    }
    bigquery
}

/// The sample queries that fail, each with its error.
async fn failing_samples(bigquery: &TestBigQuery) -> Vec<(String, String)> {
    let mut failing = Vec::new();
    for (name, text) in files("schema/queries") {
        let sql = if name == MODEL { training_data() } else { text };
        if let Err(error) = run_query(bigquery, &sql, true).await {
            failing.push((name, error));
        }
    }
    failing
}

#[tokio::test]
async fn views_and_samples_name_columns_of_the_schema_files() {
    let bigquery = with_renamed(&[]).await;
    create_views(&bigquery, "pixel").await.unwrap();
    assert_eq!(failing_samples(&bigquery).await, []);
}

/// Proves that the test above can fail.
#[tokio::test]
async fn a_column_renamed_only_in_the_schema_is_found() {
    for column in ["event_id", "event_timestamp", "user_id", "type"] {
        let refused = create_views(&with_renamed(&[column]).await, "pixel").await.unwrap_err();
        assert!(refused.contains(&format!("Unrecognized name: {column}")), "{column}: {refused}");
    }
    for column in ["order_id", "referer", "user_agent", "invalid_attributes", "reason", "received_timestamp", "data"] {
        let failing = failing_samples(&with_renamed(&[column]).await).await;
        let says = |(_, error): &(String, String)| error.contains(&format!("Unrecognized name: {column}"));
        assert!(!failing.is_empty() && failing.iter().all(says), "{column}: {failing:?}");
    }
}

/// A column that the service never fills would always be NULL.
#[tokio::test]
async fn the_service_fills_every_column_of_the_schema() {
    let bigquery = TestBigQuery::start().await;
    let service = Service::start(&bigquery, &[]).await;
    assert_eq!(service.push(Entry::of_query("user_id=u&order_id=1&type=click").pushed()).await.status, 204);
    let row = bigquery.rows("pixel_u_20260102").await.remove(0);
    for column in schema("pixel.json").as_array().unwrap() {
        let name = column["name"].as_str().unwrap();
        // `invalid_attributes` has values only if another column has none.
        let is_filled = name == "invalid_attributes" || !row[name].is_null();
        assert!(is_filled, "{name}: {row:?}");
    }
}

const FEATURES: [&str; 7] = ["opens", "clicks", "purchases", "days_active", "days_since_first", "days_since_last", "last_weekday"];

/// The training rows of the model.
async fn training_rows(bigquery: &TestBigQuery) -> Vec<Vec<Value>> {
    let sql = format!("SELECT * FROM ({}\n) ORDER BY is_for_evaluation, clicks DESC, opens DESC", training_data());
    let (columns, rows) = run_query(bigquery, &sql, false).await.unwrap();
    assert_eq!(columns, [&FEATURES[..], &["purchased", "is_for_evaluation"]].concat(), "neither user nor day");
    rows
}

#[tokio::test]
async fn the_model_is_trained_on_events_before_the_purchase() {
    let bigquery = loaded(root()).await;
    // The last day is 13 January, so the cut-off is the 6th. Ada opened and clicked before it, and purchased on the 13th,
    // one day after the window. Bob purchased on the 12th; his click of that day is after the cut-off.
    let ada = ["2", "2", "0", "2", "2", "1", "Mon", "false", "true"];
    let bob = |purchased| ["2", "0", "0", "1", "1", "1", "Mon", purchased, "true"];
    assert_eq!(json!(training_rows(&bigquery).await), json!([ada, bob("true")]));

    // Without Bob's events from the cut-off day on, his features are the same.
    rows(&bigquery, &format!("DELETE FROM {DATASET}.pixel_bob_20260112 WHERE TRUE")).await;
    assert_eq!(json!(training_rows(&bigquery).await), json!([ada, bob("false")]));

    // A week later there are two cut-offs. The older one is for training.
    let new_user = json!({"event_id": "s1", "event_timestamp": "2026-01-20T00:00:00Z", "user_id": "new_user", "type": "open"});
    bigquery.insert("pixel_ada_20260113", "s1", new_user).await;
    let older = |row: [&'static str; 9]| [&row[..8], &["false"]].concat();
    let expected = json!([
        older(ada),
        older(bob("false")),
        ["2", "2", "0", "2", "9", "8", "Mon", "true", "true"],
        ["2", "0", "0", "1", "8", "8", "Mon", "false", "true"],
        ["1", "0", "0", "1", "1", "1", "Mon", "false", "true"],
    ]);
    assert_eq!(json!(training_rows(&bigquery).await), expected);
}
