//! Queries over stored tables: types, wildcards, parameters, DELETE, views, metadata.

use serde_json::{Value, json};

use super::{Warehouse, columns};
use crate::error::ApiError;

/// Two days of events, and a template without rows.
async fn events() -> Warehouse {
    let house = Warehouse::open();
    let params = json!({"name": "params", "type": "RECORD", "mode": "REPEATED",
        "fields": [{"name": "key", "type": "STRING"}, {"name": "value", "type": "STRING"}]});
    let mut schema = columns(&[("ts", "TIMESTAMP"), ("visitor", "STRING"), ("Event", "STRING"), ("qty", "INTEGER"), ("tags", "STRING[]")]);
    schema["fields"].as_array_mut().expect("fields").push(params);
    let first = vec![
        json!({"ts": "2026-11-01T00:15:00Z", "visitor": "a", "Event": "view", "qty": 1, "tags": ["x", "y"], "params": [{"key": "k", "value": "1"}]}),
        json!({"ts": "2026-11-01T10:00:00Z", "visitor": "b", "Event": "click", "tags": [], "params": []}),
    ];
    let second = vec![json!({"ts": "2026-11-02T09:00:00Z", "visitor": "a", "Event": "buy", "qty": 3, "tags": ["z"], "params": []})];
    house.table("pixels", "pixel_20261101", schema.clone(), first).await;
    house.table("pixels", "pixel_20261102", schema, second).await;
    house
}

async fn rows(house: &Warehouse, sql: &str) -> Value {
    match house.ask(sql, Vec::new()).await {
        Ok((_, rows)) => Value::from(rows),
        Err(error) => panic!("{sql}\n{error}"),
    }
}

#[tokio::test]
async fn columns_are_found_whatever_their_case_and_shown_as_written() {
    let house = events().await;
    let (schema, rows) = house.ask("SELECT EVENT, `Qty` AS Q, 1 FROM pixels.pixel_20261102", Vec::new()).await.expect("rows");
    assert_eq!(Value::from(rows), json!([["buy", "3", "1"]]));
    let names: Vec<&Value> = schema["fields"].as_array().expect("fields").iter().map(|field| &field["name"]).collect();
    assert_eq!(names, ["EVENT", "Q", "f0_"]);
}

#[tokio::test]
async fn a_wildcard_reads_only_the_tables_that_its_suffix_leaves() {
    let house = events().await;
    let sql = "SELECT _TABLE_SUFFIX AS s, COUNT(*) AS n FROM `pixels.pixel_*` \
               WHERE _TABLE_SUFFIX > FORMAT_DATE('%Y%m%d', DATE '2026-11-01') GROUP BY s";
    assert_eq!(rows(&house, sql).await, json!([["20261102", "1"]]));
    let all = house.answer("SELECT visitor FROM `pixels.pixel_*`", Vec::new()).await.expect("an answer").bytes_processed;
    let one = house.answer(sql, Vec::new()).await.expect("an answer").bytes_processed;
    assert!(0 < one && one < all, "{one} of {all}");
}

#[tokio::test]
async fn the_suffix_is_no_part_of_the_star() {
    let house = events().await;
    let sql = "SELECT * EXCEPT (tags, params) FROM `my-proj-123.pixels.pixel_*` WHERE _TABLE_SUFFIX = '20261102'";
    assert_eq!(rows(&house, sql).await, json!([["1.79361E9", "a", "buy", "3"]]));
}

#[tokio::test]
async fn a_subquery_over_an_array_is_run_for_each_row() {
    let house = events().await;
    let sql = "SELECT visitor, (SELECT value FROM UNNEST(params) WHERE key = 'k') AS k, \
               (SELECT COUNT(*) FROM UNNEST(tags)) AS n, EXISTS (SELECT 1 FROM UNNEST(tags) AS t WHERE t = 'y') AS y \
               FROM `pixels.pixel_*` ORDER BY ts";
    assert_eq!(rows(&house, sql).await, json!([["a", "1", "2", "true"], ["b", null, "0", "false"], ["a", null, "1", "false"]]));
}

#[tokio::test]
async fn parameters_are_values_of_their_types() {
    let house = events().await;
    let parameters = vec![
        json!({"name": "event", "parameterType": {"type": "STRING"}, "parameterValue": {"value": "view"}}),
        json!({"name": "days", "parameterType": {"type": "ARRAY", "arrayType": {"type": "DATE"}},
               "parameterValue": {"arrayValues": [{"value": "2026-11-01"}, {"value": "2026-11-03"}]}}),
        json!({"name": "s", "parameterType": {"type": "STRUCT", "structTypes": [{"name": "n", "type": {"type": "INT64"}}]},
               "parameterValue": {"structValues": {"n": {"value": "5"}}}}),
    ];
    let sql = "SELECT visitor, @s.n FROM `pixels.pixel_*` WHERE event = @event AND DATE(ts) IN UNNEST(@days)";
    let (_, rows) = house.ask(sql, parameters).await.expect("rows");
    assert_eq!(Value::from(rows), json!([["a", "5"]]));
    let positional = vec![
        json!({"parameterType": {"type": "INT64"}, "parameterValue": {"value": "7"}}),
        json!({"parameterType": {"type": "STRING"}, "parameterValue": {"value": "x"}}),
    ];
    let (_, rows) = house.ask("SELECT ?, ?", positional).await.expect("rows");
    assert_eq!(Value::from(rows), json!([["7", "x"]]));
}

#[tokio::test]
async fn a_delete_takes_the_rows_for_which_its_condition_holds() {
    let house = events().await;
    let answer = house.answer("DELETE FROM pixels.pixel_20261101 WHERE visitor = 'a'", Vec::new()).await.expect("an answer");
    assert_eq!((answer.statement, answer.affected_rows), ("DELETE", Some(1)));
    assert_eq!(rows(&house, "SELECT visitor FROM pixels.pixel_20261101").await, json!([["b"]]));
    assert_eq!(rows(&house, "SELECT row_count FROM pixels.__TABLES__ ORDER BY table_id").await, json!([["1"], ["1"]]));
    // NULL is not true.
    let answer = house.answer("DELETE FROM pixels.pixel_20261101 WHERE qty > 0", Vec::new()).await.expect("an answer");
    assert_eq!(answer.affected_rows, Some(0));
}

#[tokio::test]
async fn a_view_is_its_query() {
    let house = events().await;
    rows(&house, "CREATE VIEW pixels.per_visitor AS SELECT visitor, COUNT(*) AS n FROM `pixels.pixel_*` GROUP BY visitor").await;
    assert_eq!(rows(&house, "SELECT n FROM pixels.per_visitor WHERE visitor = 'a'").await, json!([["2"]]));
    let again = house.ask("CREATE VIEW pixels.per_visitor AS SELECT 1 AS x", Vec::new()).await;
    assert_eq!(again.expect_err("there is one").to_string(), "Already Exists: Table my-proj-123:pixels.per_visitor");
    let sql = "SELECT table_type FROM pixels.INFORMATION_SCHEMA.TABLES WHERE table_name = 'per_visitor'";
    assert_eq!(rows(&house, sql).await, json!([["VIEW"]]));
    let refused = house.ask("DROP VIEW pixels.per_visitor", Vec::new()).await.expect_err("it is not let through").to_string();
    assert!(refused.contains("DROP VIEW") && refused.contains("`bq rm`"), "{refused}");
}

#[tokio::test]
async fn columns_whose_type_is_only_stored_are_refused_where_they_are_used() {
    let house = Warehouse::open();
    let schema = columns(&[("n", "INTEGER"), ("place", "GEOGRAPHY"), ("spans", "INTERVAL[]")]);
    house.table("pixels", "places", schema, vec![json!({"n": 1, "place": "POINT(1 2)"})]).await;
    assert_eq!(rows(&house, "SELECT n FROM pixels.places").await, json!([["1"]]));
    for (sql, refusal) in [
        ("SELECT place FROM pixels.places", "queries of GEOGRAPHY columns at [1:8]"),
        ("SELECT n FROM pixels.places WHERE ARRAY_LENGTH(spans) = 1", "queries of INTERVAL columns at [1:48]"),
        ("SELECT * FROM pixels.places", "queries of GEOGRAPHY columns at [1:8]"),
        ("DELETE FROM pixels.places WHERE place IS NULL", "queries of GEOGRAPHY columns at [1:33]"),
    ] {
        let error = house.ask(sql, Vec::new()).await.expect_err(sql).to_string();
        assert_eq!(error, format!("The local BigQuery does not support {refusal}"));
    }
    assert_eq!(rows(&house, "SELECT * EXCEPT (place, spans) FROM pixels.places").await, json!([["1"]]));
}

#[tokio::test]
async fn a_delete_beside_a_query_leaves_it_the_old_rows_or_an_error() {
    const ROWS: usize = 40_000;
    let house = Warehouse::open();
    let row = |n: usize| json!({"n": n, "text": "x".repeat(20)});
    house.table("pixels", "many", columns(&[("n", "INTEGER"), ("text", "STRING")]), (0..ROWS).map(row).collect()).await;
    let sum = "SELECT COUNT(*), SUM(n) FROM pixels.many";
    let all = json!([[ROWS.to_string(), (ROWS * (ROWS - 1) / 2).to_string()]]);
    assert_eq!(rows(&house, sum).await, all);
    let half = json!([[(ROWS / 2).to_string(), ((ROWS / 2) * (ROWS / 2 - 1) / 2).to_string()]]);

    let delete = format!("DELETE FROM pixels.many WHERE n >= {}", ROWS / 2);
    let (deleted, asked) = tokio::join!(house.answer(&delete, Vec::new()), async {
        let mut asked = Vec::new();
        for _ in 0..5 {
            asked.push(house.ask(sum, Vec::new()).await);
        }
        asked
    });
    assert_eq!(deleted.expect("an answer").affected_rows, Some(ROWS as u64 / 2));
    for answer in asked {
        match answer {
            Ok((_, rows)) => assert!([&all, &half].contains(&&Value::from(rows.clone())), "neither before nor after: {rows:?}"),
            Err(error) => assert!(error.to_string().contains("many") || error.to_string().contains("while"), "{error}"),
        }
    }
    assert_eq!(rows(&house, sum).await, half);
}

#[tokio::test]
async fn the_catalog_can_be_asked() {
    let house = events().await;
    let sql = "SELECT column_name, data_type FROM pixels.INFORMATION_SCHEMA.COLUMNS \
               WHERE table_name = 'pixel_20261101' AND column_name IN ('tags', 'params') ORDER BY ordinal_position";
    assert_eq!(rows(&house, sql).await, json!([["tags", "ARRAY<STRING>"], ["params", "ARRAY<STRUCT<key STRING, value STRING>>"]]));
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_next_query_is_answered() {
    let house = Warehouse::open();
    let outcome = house.store.reader().read(|_| -> Result<(), ApiError> { panic!("a defect of ours") }).await;
    let error = outcome.expect_err("it panicked");
    assert_eq!((error.code().0.as_u16(), error.code().1), (500, "internalError"));
    assert_eq!(error.to_string(), "An internal error occurred and the request could not be completed.");
    house.ask("SELECT 1", Vec::new()).await.expect("an answer");
}
