//! What `local` stored, read by the programs with which people read BigQuery.

use std::path::Path;
use std::process::Output;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::bigquery::{DATASET, TempDir};
use crate::support::external::skipped;
use crate::support::local::{Local, PROJECT};

/// How long a foreign program may take; `bq` starts for seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A local pipeline that has stored two events and a dead letter.
async fn stored(dir: &Path) -> Local {
    let local = Local::start(dir, &[("TABLE_SUFFIX", "_{user_id}")]).await;
    for order_id in ["1", "%C3%BC%22%0A"] {
        local.fire(&format!("user_id=u1&type=click&order_id={order_id}")).await;
    }
    local.wait_for_rows("pixel_u1", 2).await;
    let push = json!({"message": {"data": "%%%", "messageId": "1", "attributes": {"k": "v"}}, "deliveryAttempt": 3});
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(http.post(&local.push).body(push.to_string()).send().await.unwrap().status(), 204);
    local
}

async fn output(command: &mut Command) -> Option<Output> {
    let run = command.kill_on_drop(true).output();
    tokio::time::timeout(PATIENCE, run).await.expect("the program ends").ok()
}

/// What `bq ARGS` prints as JSON, or `None` where there is no `bq`.
async fn bq(local: &Local, home: &Path, args: &[&str]) -> Option<Value> {
    let mut command = Command::new("bq");
    command
        // Nobody's own account, project and .bigqueryrc.
        .env("CLOUDSDK_CONFIG", home)
        .env("HOME", home)
        .env_remove("BIGQUERYRC")
        .env("CLOUDSDK_CORE_DISABLE_PROMPTS", "1")
        .args(["--oauth_access_token=local", &format!("--api={}", local.bigquery), &format!("--project_id={PROJECT}"), "--format=json"])
        .args(args);
    let output = output(&mut command).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bq {args:?}: {text} {errors}");
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("bq {args:?}: {error}: {text} {errors}")))
}

fn names(list: &Value, reference: &str, id: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|item| item[reference][id].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn bq_lists_shows_and_reads_what_was_stored() {
    let (dir, home) = (TempDir::new(), TempDir::new());
    let local = stored(dir.path()).await;
    let Some(datasets) = bq(&local, home.path(), &["ls"]).await else {
        return skipped("bq_lists_shows_and_reads_what_was_stored", "bq (of the Cloud SDK)");
    };
    assert_eq!(names(&datasets, "datasetReference", "datasetId"), [DATASET]);
    let bq = async |args: &[&str]| bq(&local, home.path(), args).await.unwrap();

    assert_eq!(names(&bq(&["ls", DATASET]).await, "tableReference", "tableId"), ["dead_letters", "pixel", "pixel_u1"]);
    let table = bq(&["show", &format!("{DATASET}.pixel_u1")]).await;
    assert_eq!(table["numRows"], "2");
    assert_eq!(table["schema"], bq(&["show", &format!("{DATASET}.pixel")]).await["schema"], "as the template's");

    let mut rows = bq(&["head", &format!("{DATASET}.pixel_u1")]).await;
    rows.as_array_mut().unwrap().sort_by_key(|row| row["order_id"].to_string().len());
    let seen: Vec<_> = rows.as_array().unwrap().iter().map(|row| json!([row["user_id"], row["order_id"], row["type"]])).collect();
    assert_eq!(seen, [json!(["u1", "1", "click"]), json!(["u1", "ü\"\n", "click"])]);
    let dead_letters = bq(&["head", &format!("{DATASET}.dead_letters")]).await;
    assert_eq!((&dead_letters[0]["reason"], &dead_letters[0]["delivery_attempt"]), (&json!("bad_base64"), &json!("3")));
}

#[tokio::test]
async fn googles_python_client_reads_what_was_stored() {
    const NAME: &str = "googles_python_client_reads_what_was_stored";
    let python = std::env::var("PIXEL_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let import = output(Command::new(&python).args(["-c", "import google.cloud.bigquery"])).await;
    if !import.is_some_and(|import| import.status.success()) {
        return skipped(NAME, "the Python package google-cloud-bigquery (PIXEL_TEST_PYTHON names the interpreter)");
    }
    let dir = TempDir::new();
    let local = stored(dir.path()).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/read_local.py");
    let output = output(Command::new(&python).arg(script).args([local.bigquery.as_str(), PROJECT, DATASET])).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();

    assert_eq!(read["datasets"], json!([DATASET]));
    let tables = read["tables"].as_object().unwrap();
    let mut ids: Vec<_> = tables.keys().collect();
    ids.sort();
    assert_eq!(ids, ["dead_letters", "pixel", "pixel_u1"]);
    let shipped: Vec<Value> = serde_json::from_str(include_str!("../../schema/pixel.json")).unwrap();
    let columns: Vec<Value> =
        shipped.iter().map(|column| json!([column["name"], column["type"], column.get("mode").unwrap_or(&json!("NULLABLE"))])).collect();
    assert_eq!(tables["pixel_u1"]["columns"], Value::Array(columns));
    assert_eq!((&tables["pixel"]["num_rows"], &tables["pixel_u1"]["num_rows"]), (&json!(0), &json!(2)));

    let mut rows = tables["pixel_u1"]["rows"].as_array().unwrap().clone();
    rows.sort_by_key(|row| row["order_id"].to_string().len());
    let seen: Vec<_> = rows.iter().map(|row| json!([row["user_id"], row["order_id"], row["invalid_attributes"]])).collect();
    assert_eq!(seen, [json!(["u1", "1", []]), json!(["u1", "ü\"\n", []])]);
    for row in &rows {
        let time: jiff::Timestamp = row["event_timestamp"].as_str().unwrap().parse().expect("a datetime with a zone");
        let age = jiff::Timestamp::now().duration_since(time).as_secs();
        assert!((0..600).contains(&age), "{time}");
    }
    let dead_letter = &tables["dead_letters"]["rows"][0];
    assert_eq!((&dead_letter["reason"], &dead_letter["data"]), (&json!("bad_base64"), &json!("%%%")));
    assert_eq!((&dead_letter["attributes"], &dead_letter["delivery_attempt"]), (&json!({"k": "v"}), &json!(3)));
}
