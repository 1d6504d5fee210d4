//! The views and sample queries for template tables with any columns: each runs, or is left out because of a missing column.

use std::path::Path;
use std::process::{Command, Stdio};

use pixel_pipeline::decode::Schema;
use pixel_pipeline::schema_sql::for_columns;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestBigQuery;
use crate::support::bigquery::{DATASET, PROJECT};

const SCHEMAS: u64 = 60;
/// Columns that the queries use, and names that their queries give to results and tables.
const NAMES: [&str; 36] = [
    "event_id",
    "event_timestamp",
    "user_id",
    "order_id",
    "type",
    "referer",
    "user_agent",
    "invalid_attributes",
    "table_suffix",
    "day",
    "page",
    "events",
    "users",
    "attribute",
    "campaign",
    "opens",
    "opened",
    "first_at",
    "hour",
    "week",
    "program",
    "group",
    "select",
    "pixel",
    "step",
    "Session",
    "wert_ä",
    "order-id",
    "user id",
    "1st",
    "a&b",
    "k:v",
    "50%",
    "type=",
    "it's",
    "<day> | #1",
];
const TYPES: [&str; 15] = [
    "STRING",
    "STRING",
    "STRING",
    "INTEGER",
    "INT64",
    "FLOAT",
    "NUMERIC",
    "BOOLEAN",
    "BYTES",
    "TIMESTAMP",
    "DATE",
    "DATETIME",
    "TIME",
    "JSON",
    "RECORD",
];

/// A template table: usually with the columns of the service and their types, always with others.
fn any_schema(random: &mut fastrand::Rng) -> Value {
    let mut fields = Vec::new();
    for name in NAMES {
        let usual = match name {
            "event_timestamp" => "TIMESTAMP",
            _ => "STRING",
        };
        let is_of_service = NAMES[..8].contains(&name);
        if random.u8(..100) >= if is_of_service { 80 } else { 40 } {
            continue;
        }
        let kind = if random.u8(..100) < 65 { usual } else { TYPES[random.usize(..TYPES.len())] };
        let is_repeated = if name == "invalid_attributes" { random.u8(..10) > 0 } else { random.u8(..20) == 0 };
        let mut field = json!({"name": name, "type": kind, "mode": if is_repeated { "REPEATED" } else { "NULLABLE" }});
        if kind == "RECORD" {
            field["fields"] = json!([{"name": "type", "type": "STRING"}, {"name": "n", "type": "INTEGER"}]);
        }
        fields.push(field);
    }
    fields.push(json!({"name": "other", "type": "STRING", "mode": "NULLABLE"}));
    random.shuffle(&mut fields);
    fields.into()
}

fn files(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(path).unwrap())).collect()
}

/// The text of a view according to deploy/views.sh; the missing column with its type as an error.
fn of_script(view: &str, columns: &str) -> Result<String, String> {
    let directory = std::env::temp_dir().join(format!("pixel-columns-{}-{:x}", std::process::id(), fastrand::u64(..)));
    std::fs::write(&directory, columns).unwrap();
    let script = format!(". deploy/views.sh; for_columns schema/views/{view}.sql {}", directory.display());
    let done = Command::new("bash").args(["-c", &script]).current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).output().unwrap();
    std::fs::remove_file(directory).unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    if done.status.success() { Ok(text) } else { Err(text.trim().to_owned()) }
}

/// The columns as `columns_of` of deploy/views.sh prints them.
fn printed(fields: &Value) -> String {
    let text = |field: &Value, member: &str| field[member].as_str().unwrap().to_owned();
    let line = |field| format!("{} {} {}\n", text(field, "type"), text(field, "mode"), text(field, "name").to_lowercase());
    fields.as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn every_query_runs_for_any_schema_or_is_left_out() {
    let (mut ran, mut left_out, mut failed) = (0, 0, Vec::new());
    for seed in 0..SCHEMAS {
        let fields = any_schema(&mut fastrand::Rng::with_seed(seed));
        let schema = Schema::parse(&fields.to_string()).unwrap();
        let bigquery = TestBigQuery::with_template(fields.clone()).await;
        bigquery.create_table("pixel_u_20260102", fields.clone()).await;
        bigquery.insert("pixel_u_20260102", "1", json!({"other": "1"})).await;
        let letters = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/dead_letters.json")).unwrap();
        bigquery.create_table("dead_letters", serde_json::from_str(&letters).unwrap()).await;
        for (view, text) in files("views") {
            let adapted = for_columns(&text, &schema);
            let script = of_script(&view, &printed(&fields));
            assert_eq!(adapted.as_ref().ok(), script.as_ref().ok(), "seed {seed}: the script and the program differ");
            let Ok(query) = adapted else {
                left_out += 1;
                continue;
            };
            let query = query.replace("${PROJECT_ID}", PROJECT).replace("${DATASET}", DATASET).replace("${TABLE_NAME}", "pixel");
            let reference = json!({"projectId": PROJECT, "datasetId": DATASET, "tableId": view});
            let body = json!({"tableReference": reference, "view": {"query": query, "useLegacySql": false}});
            let (status, answer) = bigquery.call(Method::POST, &format!("/datasets/{DATASET}/tables"), body).await;
            if status != 200 {
                failed.push(format!("seed {seed}, view {view}: {}", answer["error"]["message"]));
                continue;
            }
            failed.extend(
                error_of(&bigquery, &format!("SELECT * FROM {DATASET}.{view}"))
                    .await
                    .map(|error| format!("seed {seed}, view {view}: {error}")),
            );
            ran += 1;
        }
        for (name, text) in files("queries") {
            match for_columns(&text, &schema) {
                Ok(sql) => {
                    // The local BigQuery has no models.
                    let sql = if name == "purchase_prediction" { sql[sql.find("\nWITH ").unwrap()..].to_owned() } else { sql };
                    failed.extend(error_of(&bigquery, &sql).await.map(|error| format!("seed {seed}, {name}: {error}")));
                    ran += 1;
                }
                Err(_) => left_out += 1,
            }
        }
    }
    assert_eq!(failed, Vec::<String>::new());
    assert!(ran > 300 && left_out > 100, "{ran} ran, {left_out} were left out");
}

async fn error_of(bigquery: &TestBigQuery, sql: &str) -> Option<String> {
    let request = json!({"query": sql, "useLegacySql": false, "timeoutMs": 20_000});
    let (status, answer) = bigquery.call(Method::POST, "/queries", request).await;
    (status != 200).then(|| answer["error"]["message"].to_string())
}
