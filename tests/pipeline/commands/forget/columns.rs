//! Columns of every type, and tables without the column.

use serde_json::{Value, json};

use super::{OLD, forget, forget_with_receipt, forgotten, letter, letters, with_events};
use crate::support::{Entry, Service, TestBigQuery};

/// Type, the values in the URLs of two events, and the argument that selects the first.
const TYPES: [(&str, &str, &str, &str); 10] = [
    ("STRING", "007", "7", "007"),
    ("INTEGER", "007", "8", "+7"),
    ("FLOAT", "1.50", "2", "15e-1"),
    ("NUMERIC", "1.50", "2", "1.5"),
    ("BIGNUMERIC", "1e-38", "2", "10e-39"),
    ("BOOLEAN", "yes", "no", "TRUE"),
    ("BYTES", "-_8", "YWI", "+/8="),
    ("TIMESTAMP", "2026-01-02T03:04:05%2B01:00", "2026-01-02", "2026-01-02 02:04:05Z"),
    ("DATE", "2026-1-2", "2026-01-03", "2026-01-02"),
    ("TIME", "3:4:5.5", "3:4:5", "03:04:05.500000"),
];

fn columns(more: &[Value]) -> Value {
    let own = [json!({"name": "event_id", "type": "STRING"}), json!({"name": "event_timestamp", "type": "TIMESTAMP"})];
    [&own[..], more].concat().into()
}

#[tokio::test]
async fn a_value_is_compared_in_the_columns_type() {
    let name = |kind: &str| format!("of_{}", kind.to_lowercase());
    let more: Vec<Value> = TYPES.iter().map(|(kind, ..)| json!({"name": name(kind), "type": kind})).collect();
    let more =
        [&more[..], &[json!({"name": "of_datetime", "type": "DATETIME"}), json!({"name": "tags", "type": "INTEGER", "mode": "REPEATED"})]]
            .concat();
    let bigquery = TestBigQuery::with_template(columns(&more)).await;
    let names: Vec<String> = TYPES.iter().map(|(kind, ..)| name(kind)).chain(["of_datetime".into(), "tags".into()]).collect();
    let settings = [("TABLE_SUFFIX", ""), ("VALID_ATTRIBUTES", &names.join(","))];
    let service = Service::start(&bigquery, &settings).await;
    for first in [true, false] {
        let pairs: Vec<String> =
            TYPES.iter().map(|(kind, one, two, _)| format!("{}={}", name(kind), if first { one } else { two })).collect();
        let further = if first { "of_datetime=2026-01-02+3:4:5&tags=x&tags=5&tags=06" } else { "of_datetime=2026-01-02&tags=7" };
        let entry = Entry::of_query(&format!("{}&{further}", pairs.join("&")));
        assert_eq!(service.push(entry.pushed()).await.status, 204);
    }
    bigquery.wait_for_table("dead_letters").await;
    let given = TYPES.iter().map(|(kind, _, _, given)| format!("--attribute={}={given}", name(kind)));
    let further = ["--attribute=of_datetime=2026-01-02T03:04:05", "--attribute=tags=6"].map(str::to_owned);
    let given: Vec<String> = given.chain(further).collect();
    for argument in &given {
        let (code, list, err) = forget(&bigquery, &settings, &[argument]).await;
        assert_eq!((code, list.lines().next()), (Some(0), Some("pixel: 1 row (rows of a shared table)")), "{argument}: {list}{err}");
    }
    let (code, list, err) = forget(&bigquery, &settings, &["--attribute=of_integer=x"]).await;
    assert_eq!((code, list.lines().next()), (Some(0), Some("0 dead letters")), "no row matches: {err}");
    let all: Vec<&str> = given.iter().map(String::as_str).collect();
    assert_eq!(forgotten(&bigquery, &settings, &all).await["deleted"]["rows_in_shared_tables"], json!({"pixel": 1}));
    assert_eq!(bigquery.rows("pixel").await.len(), 1);
}

/// The table's name contains the text of the URL, the column contains a number.
#[tokio::test]
async fn an_id_with_leading_zeros_is_found_as_text_and_as_number() {
    let bigquery = TestBigQuery::with_template(columns(&[json!({"name": "user_id", "type": "INTEGER"})])).await;
    let settings = [("VALID_ATTRIBUTES", "user_id")];
    let service = Service::start(&bigquery, &settings).await;
    for user in ["007", "8"] {
        assert_eq!(service.push(Entry::of_query(&format!("user_id={user}")).pushed()).await.status, 204);
    }
    bigquery.wait_for_table("dead_letters").await;
    let receipt = forgotten(&bigquery, &settings, &["--user-id=007"]).await;
    assert_eq!(receipt["deleted"]["tables"], 1);
    assert_eq!(bigquery.tables().await, ["dead_letters", "pixel", "pixel_8_20260102"]);
}

/// A row is in the table of its first value, and its column also contains the other values.
#[tokio::test]
async fn a_row_that_names_several_users_is_kept_and_listed() {
    let bigquery = TestBigQuery::with_template(columns(&[json!({"name": "user_id", "type": "STRING", "mode": "REPEATED"})])).await;
    let settings = [("VALID_ATTRIBUTES", "user_id")];
    let service = Service::start(&bigquery, &settings).await;
    for query in ["user_id=v&user_id=u", "user_id=v", "user_id=u", "user_id=u&user_id=u"] {
        assert_eq!(service.push(Entry::of_query(query).pushed()).await.status, 204);
    }
    bigquery.wait_for_table("dead_letters").await;
    letter(&bigquery, "joint", OLD, &Entry::of_query("user_id=u&user_id=w").json()).await;
    letter(&bigquery, "theirs", OLD, &Entry::of_query("user_id=u").json()).await;
    letter(&bigquery, "broken", OLD, "{\"requestUrl\":\"/p?user_id=u\",\"referer\":\"/?user_id=w\"").await;
    let (code, receipt, err) = forget_with_receipt(&bigquery, &settings, &["--user-id=u", "--yes"]).await;
    assert_eq!((code, &receipt["is_complete"]), (Some(1), &json!(false)), "{err}");
    let (deleted, kept) = (&receipt["deleted"], receipt["not_deleted"].as_array().unwrap());
    assert_eq!((&deleted["tables"], &deleted["rows_in_shared_tables"], &deleted["dead_letters"]), (&json!(1), &json!({}), &json!(1)));
    let kept: Vec<Value> = kept.iter().map(|kept| json!([kept["table"], kept["rows"]])).collect();
    assert_eq!(kept, [json!(["pixel_v_20260102", 1]), json!(["dead_letters", 2])], "{receipt}");
    assert_eq!((bigquery.events().await.len(), letters(&bigquery).await), (2, vec!["broken".to_owned(), "joint".to_owned()]));
}

/// The service filled another column before the attribute had its present name.
#[tokio::test]
async fn an_id_in_a_column_of_another_name_is_listed() {
    let bigquery = with_events(&["u"], &[]).await;
    let text = |name: &str| json!({"name": name, "type": "STRING"});
    bigquery.create_table("people", json!([text("uid"), text("note"), {"name": "n", "type": "INTEGER"}])).await;
    for (id, uid, note) in [("1", "u", ""), ("2", "v", "knows u"), ("3", "ux", "")] {
        bigquery.insert("people", id, json!({"uid": uid, "note": note, "n": "7"})).await;
    }
    let (code, receipt, err) = forget_with_receipt(&bigquery, &[], &["--user-id=u", "--yes"]).await;
    assert_eq!((code, &receipt["is_complete"], &receipt["deleted"]["tables"]), (Some(1), &json!(false), &json!(2)), "{err}");
    let kept = &receipt["not_deleted"][0];
    assert_eq!(
        (&kept["table"], &kept["rows"], &receipt["rows_of_others_with_the_id"]),
        (&json!("people"), &json!(1), &json!({"people": 1}))
    );
    assert_eq!(bigquery.rows("people").await.len(), 3);
}

#[tokio::test]
async fn a_column_that_cannot_be_compared_is_named() {
    let bigquery = TestBigQuery::with_template(columns(&[json!({"name": "type", "type": "JSON"})])).await;
    let settings = [("VALID_ATTRIBUTES", "type"), ("TABLE_SUFFIX", "")];
    let (code, out, err) = forget(&bigquery, &settings, &["--attribute=type={}", "--yes"]).await;
    let receipt: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &receipt["is_complete"], &receipt["not_deleted"][0]["table"]), (Some(1), &json!(false), &json!("pixel")));
    assert!(err.contains("pixel: not deleted: cannot search it: cannot compare column type of type JSON with a value"), "{err}");
}

#[tokio::test]
async fn a_table_without_the_column_has_no_rows_of_the_user() {
    let bigquery = with_events(&["u"], &[]).await;
    bigquery.create_table("pixel_overflow_20250101", columns(&[])).await;
    bigquery.insert("pixel_overflow_20250101", "1", json!({"event_id": "1", "event_timestamp": OLD})).await;
    assert_eq!(forgotten(&bigquery, &[], &["--user-id=u"]).await["deleted"]["tables"], 2);
    assert_eq!(bigquery.rows("pixel_overflow_20250101").await.len(), 1);
}
