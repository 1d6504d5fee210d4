//! What cannot be read is listed and makes the result incomplete.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::{forget, forget_with_receipt, send_events, users};
use crate::support::TestBigQuery;
use crate::support::gate::{bigquery_behind, refusal};

const TABLES: &str = "GET /bigquery/v2/projects/test-project/datasets/parsed_pixel/tables";

/// The exit code and the receipt of a run whose BigQuery has the events of two users, and answers as the gate does.
async fn receipt_behind(
    gate: impl Fn(&str, &str) -> Option<Response> + Clone + Send + Sync + 'static,
) -> (Option<i32>, Value, TestBigQuery) {
    let bigquery = bigquery_behind(gate).await;
    send_events(&bigquery, &["u", "v"], &[("TABLE_SUFFIX", "_{date}")]).await;
    let (code, receipt, err) = forget(&bigquery, &[], &["--user-id=u", "--yes"]).await;
    let receipt = serde_json::from_str(&receipt).unwrap_or_else(|_| panic!("{receipt:?} {err}"));
    (code, receipt, bigquery)
}

fn body(text: impl Into<String>) -> Response {
    text.into().into_response()
}

#[tokio::test]
async fn a_table_with_an_unreadable_schema_is_listed() {
    for answer in [
        "{}",
        "null",
        "<html>Sign in</html>",
        r#"{"kind":"bigquery#table","type":"TABLE","schema":{"fields":[{"type":"STRING"}]}}"#,
        r#"{"kind":"bigquery#table","type":"TABLE","schema":{"fields":"none"}}"#,
        r#"{"errors":[{"message":"login required"}]}"#,
        r#"{"kind":"bigquery#table","type":"TABLE","schema":{"fields":[{"name":"n","type":"STRING"}]},"tableReference":{"projectId":"test-project","datasetId":"parsed_pixel","tableId":"dead_letters"}}"#,
        r#"{"kind":"bigquery#table","type":"TABLE","schema":{"fields":[{"name":"n","type":"STRING"}]},"tableReference":{"projectId":"test-project","datasetId":"other","tableId":"pixel_20260102"}}"#,
    ] {
        let (code, receipt, bigquery) =
            receipt_behind(move |question, _| (question == format!("{TABLES}/pixel_20260102")).then(|| body(answer))).await;
        assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{answer}");
        let unread = json!([{"table": "pixel_20260102", "rows": null}]);
        let listed: Vec<Value> =
            receipt["not_deleted"].as_array().unwrap().iter().map(|kept| json!({"table": kept["table"], "rows": kept["rows"]})).collect();
        assert_eq!(json!(listed), unread, "{answer}: {receipt}");
        assert_eq!(receipt["deleted"]["rows_in_shared_tables"], json!({"pixel_20260103": 1}), "{answer}: other tables are searched");
        assert_eq!(users(&bigquery, "pixel_20260103").await, ["v"]);
    }
}

#[tokio::test]
async fn a_table_with_an_unreadable_count_is_listed() {
    let columns: Vec<Value> = (0..5).map(|number| json!({"name": format!("f{number}_"), "type": "INTEGER"})).collect();
    let page = |rows: Value, more: Value| {
        let mut page = json!({"kind": "bigquery#queryResponse", "jobComplete": true, "jobReference": {"projectId": "test-project", "jobId": "j"}, "schema": {"fields": columns}, "totalRows": "1", "rows": rows});
        page.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        page.to_string()
    };
    let row = |cell: Value| json!([{"f": [{"v": cell}, {"v": "0"}, {"v": "0"}, {"v": "0"}, {"v": "1"}]}]);
    for answer in [
        "{}".to_owned(),
        "<html>Sign in</html>".to_owned(),
        page(json!([]), json!({})),
        page(json!([]), json!({"totalRows": "0"})),
        page(row(Value::Null), json!({})),
        page(row(json!(0)), json!({})),
        page(row(json!("")), json!({})),
        page(json!([{"f": [{"v": "0"}]}]), json!({})),
        page(row(json!("2")), json!({})),
        page(row(json!("-1")), json!({})),
        page(row(json!("18446744073709551615")), json!({})),
        page(row(json!("0")), json!({"kind": null})),
        page(row(json!("0")), json!({"kind": "bigquery#getQueryResultsResponse"})),
        page(row(json!("0")), json!({"dryRun": true})),
        page(row(json!("0")), json!({"schema": null})),
        page(row(json!("0")), json!({"pageToken": "next"})),
        page(row(json!("0")), json!({"errorResult": {"reason": "backendError"}})),
        page(row(json!("0")), json!({"errors": [{"reason": "backendError", "message": "a part is missing"}]})),
        json!({"error": {"code": 500, "message": "oops"}}).to_string(),
    ] {
        let text = answer.clone();
        let (code, receipt, _bigquery) =
            receipt_behind(move |_, query| (query.contains("COUNTIF") && query.contains("pixel_20260102")).then(|| body(text.clone())))
                .await;
        assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{answer}");
        assert_eq!(
            (&receipt["not_deleted"][0]["table"], &receipt["not_deleted"][0]["rows"]),
            (&json!("pixel_20260102"), &Value::Null),
            "{answer}"
        );
    }
}

/// A proxy may answer a deletion with success.
#[tokio::test]
async fn rows_that_are_left_after_a_deletion_are_reported() {
    let affected = json!({"kind": "bigquery#queryResponse", "jobComplete": true, "numDmlAffectedRows": "1",
        "jobReference": {"projectId": "test-project", "jobId": "j"}});
    for suffix in ["_{date}", "_{user_id}"] {
        let affected = affected.to_string();
        let bigquery = bigquery_behind(move |question, query| match question {
            _ if query.contains("DELETE FROM") => Some(body(affected.clone())),
            _ if question.starts_with("DELETE ") => Some(body("")),
            _ => None,
        })
        .await;
        let settings = [("TABLE_SUFFIX", suffix)];
        send_events(&bigquery, &["u"], &settings).await;
        let (code, receipt, err) = forget_with_receipt(&bigquery, &settings, &["--user-id=u", "--yes"]).await;
        assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{err}");
        let held = receipt["still_held"]["rows_in_shared_tables"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap());
        assert_eq!(held.sum::<u64>(), 2, "{receipt}");
    }
}

/// The answer to a deletion and the count after it may be lost or forged.
#[tokio::test]
async fn a_deletion_that_cannot_be_verified_is_on_the_receipt() {
    for (suffix, label) in [("_{date}", "pixel_20260102"), ("_{user_id}", "table 3 of 3")] {
        for answer in [
            "{}".to_owned(),
            json!({"kind": "bigquery#job", "jobComplete": true}).to_string(),
            json!({"kind": "bigquery#queryResponse", "jobComplete": true, "jobReference": {"jobId": "j"}, "totalRows": "0"}).to_string(),
        ] {
            let is_deleted = Arc::new(AtomicBool::new(false));
            let bigquery = bigquery_behind(move |question, query| {
                if query.contains("DELETE FROM") || question.starts_with("DELETE ") {
                    is_deleted.store(true, Ordering::Relaxed);
                }
                let fails = query.contains("COUNTIF") && is_deleted.load(Ordering::Relaxed);
                fails.then(|| body(answer.clone()))
            })
            .await;
            let settings = [("TABLE_SUFFIX", suffix)];
            send_events(&bigquery, &["u"], &settings).await;
            let (code, receipt, err) = forget_with_receipt(&bigquery, &settings, &["--user-id=u", "--yes"]).await;
            assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{err}");
            assert_eq!(receipt["failed"][0]["table"], label, "{receipt}");
            assert!(err.contains(&format!("error: cannot verify the deletion of rows in {label}: ")), "{err}");
        }
    }
}

#[tokio::test]
async fn a_listed_table_that_is_refused_or_not_found_is_incomplete() {
    for status in [403, 404] {
        let (code, receipt, _bigquery) = receipt_behind(move |question, _| {
            (question == format!("{TABLES}/pixel_20260102")).then(|| refusal(status, "Not found: Table or no permission"))
        })
        .await;
        assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{status}: {receipt}");
    }
}

/// The emulator has tables and views only: the gate changes the type of a table in the list.
#[tokio::test]
async fn data_in_tables_that_cannot_be_changed_is_listed_with_a_command() {
    for (kind, command) in [
        ("SNAPSHOT", Some("bq rm -f -t test-project:parsed_pixel.pixel_20260102")),
        ("MATERIALIZED_VIEW", Some("REFRESH_MATERIALIZED_VIEW")),
        ("EXTERNAL", None),
        ("CUBE", None),
    ] {
        let table = |name: &str, kind: &str| json!({"kind": "bigquery#table", "type": kind, "tableReference": {"projectId": "test-project", "datasetId": "parsed_pixel", "tableId": name}});
        let list = json!({"kind": "bigquery#tableList", "totalItems": 3, "tables": [table("pixel_20260102", kind), table("pixel_20260103", "TABLE"), table("events", "VIEW")]});
        let bigquery = bigquery_behind(move |question, _| (question == TABLES).then(|| body(list.to_string()))).await;
        send_events(&bigquery, &["u"], &[("TABLE_SUFFIX", "_{date}")]).await;
        let (_, text, _) = forget(&bigquery, &[], &["--user-id=u"]).await;
        assert!(text.contains("pixel_20260102: not deleted: ") && command.is_none_or(|command| text.contains(command)), "{text}");
        let (code, receipt, err) = forget_with_receipt(&bigquery, &[], &["--user-id=u", "--yes"]).await;
        assert_eq!((code, &receipt["is_complete"], &receipt["views_not_searched"]), (Some(1), &json!(false), &json!(1)), "{err}");
        assert_eq!((users(&bigquery, "pixel_20260102").await.len(), users(&bigquery, "pixel_20260103").await.len()), (1, 0), "{kind}");
    }
}

#[tokio::test]
async fn a_nested_id_column_is_listed() {
    let bigquery = super::with_events(&["u"], &[]).await;
    let columns = json!([{"name": "user", "type": "RECORD", "fields": [{"name": "user_id", "type": "STRING"}]}]);
    bigquery.create_table("people", columns).await;
    let (code, receipt, err) = forget_with_receipt(&bigquery, &[], &["--user-id=u", "--yes"]).await;
    assert_eq!((code, &receipt["not_deleted"][0]["table"]), (Some(1), &json!("people")), "{err}");
}
