//! Queries over stored tables: types, wildcard tables, parameters, DELETE, views, metadata.

use serde_json::{Value, json};

use super::{TestStore, columns};
use crate::error::ApiError;

/// Tables with the events of two days.
async fn events() -> TestStore {
    let store = TestStore::open();
    let params = json!({"name": "params", "type": "RECORD", "mode": "REPEATED",
        "fields": [{"name": "key", "type": "STRING"}, {"name": "value", "type": "STRING"}]});
    let mut schema = columns(&[("ts", "TIMESTAMP"), ("visitor", "STRING"), ("Event", "STRING"), ("qty", "INTEGER"), ("tags", "STRING[]")]);
    schema["fields"].as_array_mut().expect("fields").push(params);
    let first = vec![
        json!({"ts": "2026-11-01T00:15:00Z", "visitor": "a", "Event": "view", "qty": 1, "tags": ["x", "y"], "params": [{"key": "k", "value": "1"}]}),
        json!({"ts": "2026-11-01T10:00:00Z", "visitor": "b", "Event": "click", "tags": [], "params": []}),
    ];
    let second = vec![json!({"ts": "2026-11-02T09:00:00Z", "visitor": "a", "Event": "buy", "qty": 3, "tags": ["z"], "params": []})];
    store.create_table("pixels", "pixel_20261101", schema.clone(), first).await;
    store.create_table("pixels", "pixel_20261102", schema, second).await;
    store
}

async fn rows(store: &TestStore, sql: &str) -> Value {
    match store.query(sql, Vec::new()).await {
        Ok((_, rows)) => Value::from(rows),
        Err(error) => panic!("{sql}\n{error}"),
    }
}

#[tokio::test]
async fn column_names_are_case_insensitive_and_returned_as_written() {
    let store = events().await;
    let (schema, rows) = store.query("SELECT EVENT, `Qty` AS Q, 1 FROM pixels.pixel_20261102", Vec::new()).await.expect("rows");
    assert_eq!(Value::from(rows), json!([["buy", "3", "1"]]));
    let names: Vec<&Value> = schema["fields"].as_array().expect("fields").iter().map(|field| &field["name"]).collect();
    assert_eq!(names, ["EVENT", "Q", "f0_"]);
}

#[tokio::test]
async fn a_filter_on_table_suffix_reads_only_matching_tables() {
    let store = events().await;
    let sql = "SELECT _TABLE_SUFFIX AS s, COUNT(*) AS n FROM `pixels.pixel_*` \
               WHERE _TABLE_SUFFIX > FORMAT_DATE('%Y%m%d', DATE '2026-11-01') GROUP BY s";
    assert_eq!(rows(&store, sql).await, json!([["20261102", "1"]]));
    let all = store.run("SELECT visitor FROM `pixels.pixel_*`", Vec::new()).await.expect("a result").bytes_processed;
    let one = store.run(sql, Vec::new()).await.expect("a result").bytes_processed;
    assert!(0 < one && one < all, "{one} of {all}");
}

#[tokio::test]
async fn select_star_excludes_table_suffix() {
    let store = events().await;
    let sql = "SELECT * EXCEPT (tags, params) FROM `my-proj-123.pixels.pixel_*` WHERE _TABLE_SUFFIX = '20261102'";
    assert_eq!(rows(&store, sql).await, json!([["1.79361E9", "a", "buy", "3"]]));
}

#[tokio::test]
async fn a_correlated_subquery_over_an_array_runs_for_each_row() {
    let store = events().await;
    let sql = "SELECT visitor, (SELECT value FROM UNNEST(params) WHERE key = 'k') AS k, \
               (SELECT COUNT(*) FROM UNNEST(tags)) AS n, EXISTS (SELECT 1 FROM UNNEST(tags) AS t WHERE t = 'y') AS y \
               FROM `pixels.pixel_*` ORDER BY ts";
    assert_eq!(rows(&store, sql).await, json!([["a", "1", "2", "true"], ["b", null, "0", "false"], ["a", null, "1", "false"]]));
}

#[tokio::test]
async fn query_parameters_have_their_declared_types() {
    let store = events().await;
    let parameters = vec![
        json!({"name": "event", "parameterType": {"type": "STRING"}, "parameterValue": {"value": "view"}}),
        json!({"name": "days", "parameterType": {"type": "ARRAY", "arrayType": {"type": "DATE"}},
               "parameterValue": {"arrayValues": [{"value": "2026-11-01"}, {"value": "2026-11-03"}]}}),
        json!({"name": "s", "parameterType": {"type": "STRUCT", "structTypes": [{"name": "n", "type": {"type": "INT64"}}]},
               "parameterValue": {"structValues": {"n": {"value": "5"}}}}),
    ];
    let sql = "SELECT visitor, @s.n FROM `pixels.pixel_*` WHERE event = @event AND DATE(ts) IN UNNEST(@days)";
    let (_, rows) = store.query(sql, parameters).await.expect("rows");
    assert_eq!(Value::from(rows), json!([["a", "5"]]));
    let positional = vec![
        json!({"parameterType": {"type": "INT64"}, "parameterValue": {"value": "7"}}),
        json!({"parameterType": {"type": "STRING"}, "parameterValue": {"value": "x"}}),
    ];
    let (_, rows) = store.query("SELECT ?, ?", positional).await.expect("rows");
    assert_eq!(Value::from(rows), json!([["7", "x"]]));
}

#[tokio::test]
async fn a_delete_removes_the_rows_whose_condition_is_true() {
    let store = events().await;
    let result = store.run("DELETE FROM pixels.pixel_20261101 WHERE visitor = 'a'", Vec::new()).await.expect("a result");
    assert_eq!((result.statement, result.affected_rows), ("DELETE", Some(1)));
    assert_eq!(rows(&store, "SELECT visitor FROM pixels.pixel_20261101").await, json!([["b"]]));
    assert_eq!(rows(&store, "SELECT row_count FROM pixels.__TABLES__ ORDER BY table_id").await, json!([["1"], ["1"]]));
    // NULL is not true.
    let result = store.run("DELETE FROM pixels.pixel_20261101 WHERE qty > 0", Vec::new()).await.expect("a result");
    assert_eq!(result.affected_rows, Some(0));
}

#[tokio::test]
async fn a_view_returns_the_rows_of_its_query() {
    let store = events().await;
    rows(&store, "CREATE VIEW pixels.per_visitor AS SELECT visitor, COUNT(*) AS n FROM `pixels.pixel_*` GROUP BY visitor").await;
    assert_eq!(rows(&store, "SELECT n FROM pixels.per_visitor WHERE visitor = 'a'").await, json!([["2"]]));
    let again = store.query("CREATE VIEW pixels.per_visitor AS SELECT 1 AS x", Vec::new()).await;
    assert_eq!(again.expect_err("the view exists").to_string(), "Already Exists: Table my-proj-123:pixels.per_visitor");
    let sql = "SELECT table_type FROM pixels.INFORMATION_SCHEMA.TABLES WHERE table_name = 'per_visitor'";
    assert_eq!(rows(&store, sql).await, json!([["VIEW"]]));
    let rejected = store.query("DROP VIEW pixels.per_visitor", Vec::new()).await.expect_err("DROP VIEW is not supported").to_string();
    assert!(rejected.contains("DROP VIEW") && rejected.contains("`bq rm`"), "{rejected}");
}

#[tokio::test]
async fn queries_of_stored_only_types_are_not_supported() {
    let store = TestStore::open();
    let schema = columns(&[("n", "INTEGER"), ("place", "GEOGRAPHY"), ("spans", "INTERVAL[]")]);
    store.create_table("pixels", "places", schema, vec![json!({"n": 1, "place": "POINT(1 2)"})]).await;
    assert_eq!(rows(&store, "SELECT n FROM pixels.places").await, json!([["1"]]));
    for (sql, feature) in [
        ("SELECT place FROM pixels.places", "queries of GEOGRAPHY columns at [1:8]"),
        ("SELECT n FROM pixels.places WHERE ARRAY_LENGTH(spans) = 1", "queries of INTERVAL columns at [1:48]"),
        ("SELECT * FROM pixels.places", "queries of GEOGRAPHY columns at [1:8]"),
        ("DELETE FROM pixels.places WHERE place IS NULL", "queries of GEOGRAPHY columns at [1:33]"),
    ] {
        let error = store.query(sql, Vec::new()).await.expect_err(sql).to_string();
        assert_eq!(error, format!("The BigQuery emulator does not support {feature}"));
    }
    assert_eq!(rows(&store, "SELECT * EXCEPT (place, spans) FROM pixels.places").await, json!([["1"]]));
}

#[tokio::test]
async fn a_query_during_a_delete_returns_consistent_rows_or_an_error() {
    const ROWS: usize = 40_000;
    let store = TestStore::open();
    let row = |n: usize| json!({"n": n, "text": "x".repeat(20)});
    store.create_table("pixels", "many", columns(&[("n", "INTEGER"), ("text", "STRING")]), (0..ROWS).map(row).collect()).await;
    let sum = "SELECT COUNT(*), SUM(n) FROM pixels.many";
    let all = json!([[ROWS.to_string(), (ROWS * (ROWS - 1) / 2).to_string()]]);
    assert_eq!(rows(&store, sum).await, all);
    let half = json!([[(ROWS / 2).to_string(), ((ROWS / 2) * (ROWS / 2 - 1) / 2).to_string()]]);

    let delete = format!("DELETE FROM pixels.many WHERE n >= {}", ROWS / 2);
    let (deleted, results) = tokio::join!(store.run(&delete, Vec::new()), async {
        let mut results = Vec::new();
        for _ in 0..5 {
            results.push(store.query(sum, Vec::new()).await);
        }
        results
    });
    assert_eq!(deleted.expect("a result").affected_rows, Some(ROWS as u64 / 2));
    for result in results {
        match result {
            Ok((_, rows)) => assert!([&all, &half].contains(&&Value::from(rows.clone())), "neither before nor after: {rows:?}"),
            Err(error) => assert!(error.to_string().contains("many") || error.to_string().contains("while"), "{error}"),
        }
    }
    assert_eq!(rows(&store, sum).await, half);
}

#[tokio::test]
async fn information_schema_lists_columns() {
    let store = events().await;
    let sql = "SELECT column_name, data_type FROM pixels.INFORMATION_SCHEMA.COLUMNS \
               WHERE table_name = 'pixel_20261101' AND column_name IN ('tags', 'params') ORDER BY ordinal_position";
    assert_eq!(rows(&store, sql).await, json!([["tags", "ARRAY<STRING>"], ["params", "ARRAY<STRUCT<key STRING, value STRING>>"]]));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_later_queries_run() {
    let store = TestStore::open();
    let outcome = store.inner.reader().read(|_| -> Result<(), ApiError> { panic!("injected panic") }).await;
    let error = outcome.expect_err("it panicked");
    assert_eq!((error.code().0.as_u16(), error.code().1), (500, "internalError"));
    assert_eq!(error.to_string(), "An internal error occurred and the request could not be completed.");
    store.query("SELECT 1", Vec::new()).await.expect("a result");
}
