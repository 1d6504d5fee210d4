//! Answers of BigQuery, of proxies and of other servers, and the class of each.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const UNAVAILABLE: RequestError = RequestError::Unavailable(ErrorClass::Unavailable);

/// An error of BigQuery.
fn error_answer(status: u16, reason: &str, message: &str) -> String {
    json!({"error": {"code": status, "message": message, "errors": [{"reason": reason, "domain": "global", "message": message}]}})
        .to_string()
}

fn error(status: u16, reason: &str) -> RequestError {
    read_error(status, None, error_answer(status, reason, "m").as_bytes())
}

/// An insertAll answer with these insertErrors.
fn with_errors(errors: Value) -> Vec<u8> {
    json!({"kind": KIND, "insertErrors": errors}).to_string().into_bytes()
}

#[test]
fn every_documented_error_has_its_class() {
    let unavailable = RequestError::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO };
    let quota = RequestError::Retry { class: ErrorClass::Quota, after: Duration::ZERO };
    for (status, reason, expected) in [
        (408, "", unavailable.clone()),
        (429, "rateLimitExceeded", quota.clone()),
        (500, "internalError", unavailable.clone()),
        (502, "badGateway", unavailable.clone()),
        (503, "backendError", unavailable.clone()),
        (504, "", unavailable.clone()),
        (400, "tableUnavailable", unavailable),
        (403, "rateLimitExceeded", quota),
        (403, "quotaExceeded", RequestError::Unavailable(ErrorClass::Quota)),
        (403, "accessDenied", RequestError::Unavailable(ErrorClass::Denied)),
        (403, "billingNotEnabled", RequestError::Unavailable(ErrorClass::Denied)),
        (401, "authError", RequestError::Unauthorized),
        (404, "notFound", RequestError::NotFound),
        (400, "invalid", RequestError::BadRequest("400 invalid: m".into())),
        (413, "uploadTooLarge", RequestError::TooLarge(Some("413 uploadTooLarge: m".into()))),
        (302, "", UNAVAILABLE),
    ] {
        assert_eq!(error(status, reason), expected, "{status} {reason}");
    }
}

#[test]
fn an_html_page_is_classified_by_status_and_retry_after() {
    let after = Duration::from_secs(7);
    for (status, class) in [(503, ErrorClass::Unavailable), (429, ErrorClass::Quota)] {
        for answer in [&b"<html>busy</html>"[..], b"{}"] {
            assert_eq!(read_error(status, Some(after), answer), RequestError::Retry { class, after }, "{status}");
        }
    }
    assert_eq!(
        read_error(403, None, br#"{"error":{"code":403,"status":"PERMISSION_DENIED"}}"#),
        RequestError::Unavailable(ErrorClass::Denied)
    );
}

/// Rows become dead letters only by BadRequest and TooLarge with a message, and a table counts as missing only by NotFound.
#[test]
fn an_error_that_is_not_bigquerys_own_is_never_permanent() {
    let codes_differ = error_answer(500, "invalid", "m");
    for body in [
        "",
        "{}",
        "[]",
        "null",
        "<html><title>413 Request Entity Too Large</title></html>",
        r#"{"error":"Bad Request"}"#,
        r#"{"error":{}}"#,
        r#"{"error":{"message":"invalid"}}"#,
        r#"{"error":{"code":400,"message":"no status and no reason"}}"#,
        r#"{"message":"invalid","reason":"notFound"}"#,
        r#"{"error":{"code":"400","status":"INVALID_ARGUMENT"}}"#,
        r#"{"error":{"code":400,"errors":"invalid"}}"#,
        &codes_differ,
    ] {
        for (status, expected) in [(400, UNAVAILABLE), (404, UNAVAILABLE), (413, RequestError::TooLarge(None)), (422, UNAVAILABLE)] {
            assert_eq!(read_error(status, None, body.as_bytes()), expected, "{status} {body}");
        }
    }
    assert_eq!(error(404, "accessDenied"), UNAVAILABLE);
}

#[test]
fn a_400_about_the_size_is_a_request_that_is_too_large() {
    for message in [
        "Request payload size exceeds the limit: 10485760 bytes.",
        "Maximum allowed row size exceeded. Allowed: 10485760 Row size: 20971520",
        "Row size is larger than: 10485760.",
    ] {
        let error = read_error(400, None, error_answer(400, "invalid", message).as_bytes());
        assert_eq!(error, RequestError::TooLarge(Some(format!("400 invalid: {message}"))));
    }
    let message = "The destination table has no schema.";
    let error = read_error(400, None, error_answer(400, "invalid", message).as_bytes());
    assert_eq!(error, RequestError::BadRequest(format!("400 invalid: {message}")));
}

#[test]
fn another_success_than_200_stores_nothing() {
    for status in [201, 202, 203, 204, 206, 226] {
        for body in [&with_errors(json!([]))[..], b""] {
            assert!(matches!(read_error(status, None, body), RequestError::Unreadable(_)), "{status}");
        }
    }
}

#[test]
fn an_answer_without_errors_stores_all_rows() {
    for answer in [json!({"kind": KIND}), json!({"kind": KIND, "insertErrors": []}), json!({"insertErrors": [], "kind": KIND})] {
        assert_eq!(read_results(answer.to_string().as_bytes(), 2), Ok(vec![RowResult::Stored; 2]), "{answer}");
    }
}

#[test]
fn row_errors_affect_only_their_rows() {
    let answer = with_errors(json!([
        {"index": "1", "errors": [{"reason": "stopped", "location": "", "debugInfo": "", "message": ""}]},
        {"index": 2, "errors": [{"reason": "timeout"}, {"reason": "invalid", "location": "a.b", "message": "no such field: a.b."}]},
        {"index": 3, "errors": [{"reason": "backendError"}]},
    ]));
    let results = read_results(&answer, 5).unwrap();
    assert_eq!(results[0], RowResult::Stored);
    assert_eq!(results[1], RowResult::NotAttempted);
    let refusal = Refusal { column: Some("a.b".into()), detail: "invalid: no such field: a.b.".into(), no_such_field: true };
    assert_eq!(results[2], RowResult::Refused(refusal));
    assert_eq!(results[3], RowResult::Retry { class: ErrorClass::Unavailable, after: Duration::ZERO });
    assert_eq!(results[4], RowResult::Stored);
}

#[test]
fn two_entries_for_a_row_are_read_together() {
    let answer = with_errors(json!([
        {"index": 0, "errors": [{"reason": "invalid", "message": "m"}]},
        {"index": 0, "errors": [{"reason": "stopped"}]},
    ]));
    assert!(matches!(read_results(&answer, 1).unwrap()[..], [RowResult::Refused(_)]));
}

#[test]
fn only_the_reason_invalid_refuses_a_row() {
    for (reason, expected) in [
        ("quotaExceeded", RowResult::Unavailable(ErrorClass::Quota)),
        ("accessDenied", RowResult::Unavailable(ErrorClass::Unavailable)),
        ("somethingNew", RowResult::Unavailable(ErrorClass::Unavailable)),
        ("INVALID", RowResult::Unavailable(ErrorClass::Unavailable)),
        ("", RowResult::NotAttempted),
    ] {
        let answer = with_errors(json!([{"index": 0, "errors": [{"reason": reason}]}]));
        assert_eq!(read_results(&answer, 1), Ok(vec![expected]), "{reason}");
    }
    assert_eq!(read_results(&with_errors(json!([{"index": 0, "errors": [{}]}])), 1), Ok(vec![RowResult::NotAttempted]));
}

#[test]
fn an_invalid_row_is_explained_by_a_message_or_a_location() {
    for (error, is_explained) in [
        (json!({"reason": "invalid"}), false),
        (json!({"reason": "invalid", "location": "", "message": " "}), false),
        (json!({"reason": "invalid", "location": null, "debugInfo": "d"}), false),
        (json!({"reason": "invalid", "location": "c"}), true),
        (json!({"reason": "invalid", "message": "m"}), true),
    ] {
        let results = read_results(&with_errors(json!([{"index": 0, "errors": [error]}])), 1).unwrap();
        let [RowResult::Refused(refusal)] = &results[..] else { panic!("{error}: {results:?}") };
        assert_eq!(refusal.is_explained(), is_explained, "{error}");
    }
}

/// Each of these was or could be sent by a login page, a proxy, another API, an emulator or a lost connection.
#[test]
fn an_answer_that_is_not_surely_bigquerys_stores_nothing() {
    let texts = [
        "",
        " ",
        "null",
        "true",
        "0",
        "\"ok\"",
        "[]",
        "[{}]",
        "{}",
        "OK",
        "<html>login required</html>",
        "\u{feff}{\"kind\":\"bigquery#tableDataInsertAllResponse\"}",
        r#"{"kind":"bigquery#tableDataIns"#,
        r#"{"kind":"bigquery#tableDataInsertAllResponse""#,
        r#"{"kind":"bigquery#tableDataInsertAllResponse"}{}"#,
        r#"{"kind":"bigquery#tableDataInsertAllResponse"} x"#,
        r#"{"kind":"bigquery#tableDataInsertAllResponse","kind":"bigquery#tableDataInsertAllResponse"}"#,
        r#"{"kind":"bigquery#tableDataInsertAllResponse","insertErrors":[],"insertErrors":[]}"#,
        r#"["bigquery#tableDataInsertAllResponse",[]]"#,
        "{'kind':'bigquery#tableDataInsertAllResponse'}",
    ];
    let objects = [
        json!({"kind": null}),
        json!({"kind": 7}),
        json!({"kind": [KIND]}),
        json!({"kind": ""}),
        json!({"kind": "bigquery#job", "status": {"state": "DONE"}}),
        json!({"kind": "bigquery#tabledatainsertallresponse"}),
        json!({"kind": "bigquery#tableDataInsertAllResponse "}),
        json!({"Kind": KIND}),
        json!({"data": {"kind": KIND}}),
        json!({"status": "login required"}),
        json!({"errors": [{"message": "m"}]}),
        json!({"insertErrors": []}),
        json!({"insertErrors": null}),
        json!({"error": {"code": 500}}),
        json!({"kind": KIND, "error": {"code": 500}}),
        json!({"kind": KIND, "error": null}),
        json!({"kind": KIND, "status": {"errorResult": {"reason": "invalid"}}}),
        json!({"kind": KIND, "status": {"state": "DONE", "errors": [{"reason": "invalid"}]}}),
        json!({"kind": KIND, "errors": []}),
        json!({"kind": KIND, "insertErrors": [], "rowErrors": []}),
        json!({"kind": KIND, "message": "queued"}),
        json!({"kind": KIND, "result": {"insertErrors": [{"index": 0}]}}),
        json!({"kind": KIND, "etag": "e"}),
        json!({"kind": KIND, "": 0}),
        json!({"kind": KIND, "errors": [{"reason": "invalid"}]}),
        json!({"kind": KIND, "insert_errors": [{"index": 0, "errors": [{"reason": "invalid"}]}]}),
        json!({"kind": KIND, "InsertErrors": [{"index": 0, "errors": [{"reason": "invalid"}]}]}),
    ];
    let lists = [
        json!(null),
        json!({}),
        json!("none"),
        json!(0),
        json!(false),
        json!([null]),
        json!([[]]),
        json!([0]),
        json!([[0, [["invalid", "", "m"]]]]),
        json!([{}]),
        json!([{"index": 0}]),
        json!([{"index": 0, "errors": null}]),
        json!([{"index": 0, "errors": []}]),
        json!([{"index": 0, "errors": {}}]),
        json!([{"index": 0, "errors": "invalid"}]),
        json!([{"index": 0, "errors": [null]}]),
        json!([{"index": 0, "errors": ["invalid"]}]),
        json!([{"index": 0, "errors": [["invalid", "l", "m"]]}]),
        json!([{"index": 0, "errors": [{"reason": 7}]}]),
        json!([{"index": 0, "errors": [{"reason": {"invalid": true}}]}]),
        json!([{"index": 0, "errors": [{"reason": "invalid", "message": ["m"]}]}]),
        json!([{"errors": [{"reason": "invalid"}]}]),
        json!([{"index": null, "errors": [{"reason": "invalid"}]}]),
        json!([{"index": 2, "errors": [{"reason": "invalid"}]}]),
        json!([{"index": -1, "errors": [{"reason": "invalid"}]}]),
        json!([{"index": 0.5, "errors": [{"reason": "invalid"}]}]),
        json!([{"index": true, "errors": [{"reason": "invalid"}]}]),
        json!([{"index": "", "errors": [{"reason": "invalid"}]}]),
        json!([{"index": "+1", "errors": [{"reason": "invalid"}]}]),
        json!([{"index": "1 ", "errors": [{"reason": "invalid"}]}]),
        json!([{"index": "first", "errors": [{"reason": "invalid"}]}]),
        json!([{"index": 1.0, "errors": [{"reason": "invalid"}]}]),
        json!([{"index": [0], "errors": [{"reason": "invalid"}]}]),
        json!([{"index": "99999999999999999999", "errors": [{"reason": "invalid"}]}]),
        json!([{"index": 0, "errors": [{"reason": "stopped"}]}, {"index": 0, "errors": []}]),
        json!([{"index": 18446744073709551615u64, "errors": [{"reason": "invalid"}]}]),
        json!([{"index": 0, "errors": [{"reason": "stopped"}]}, {"index": 9, "errors": [{"reason": "stopped"}]}]),
    ];
    let texts = texts.map(str::as_bytes).map(<[u8]>::to_vec).into_iter();
    let objects = objects.map(|object| object.to_string().into_bytes()).into_iter();
    for answer in texts.chain(objects).chain(lists.map(with_errors)) {
        let results = read_results(&answer, 2);
        assert!(matches!(results, Err(RequestError::Unreadable(_))), "{}: {results:?}", String::from_utf8_lossy(&answer));
    }
    for answer in [&[0x1f, 0x8b, 8, 0, 0][..], b"\xff\xfe{\x00}\x00", b"{\"kind\":\"bigquery#tableDataInsertAllResponse\",\"a\":\"\xff"] {
        assert!(matches!(read_results(answer, 2), Err(RequestError::Unreadable(_))), "{answer:?}");
    }
}

/// JSON of any shape, with the names and values that answers have.
fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1..4i64).prop_map(Value::from),
        prop::sample::select(vec![KIND, "bigquery#job", "invalid", "stopped", "", "0", "1", "x"]).prop_map(Value::from),
    ];
    let member = prop::sample::select(vec!["kind", "insertErrors", "index", "errors", "reason", "message", "location", "error", "etag"]);
    scalar.prop_recursive(5, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(member.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn rows_are_stored_only_by_a_list_of_errors_without_them(mut answer in any_json(), has_kind: bool) {
        if has_kind && let Some(members) = answer.as_object_mut() {
            members.insert("kind".to_owned(), KIND.into());
        }
        let Ok(results) = read_results(answer.to_string().as_bytes(), 2) else { return Ok(()) };
        prop_assert_eq!(&answer["kind"], KIND);
        prop_assert!(answer.as_object().unwrap().keys().all(|member| ["kind", "insertErrors"].contains(&member.as_str())));
        let entries = answer.get("insertErrors").map_or(&[][..], |entries| entries.as_array().unwrap());
        for (row, result) in results.iter().enumerate() {
            let text = row.to_string();
            let is_named = entries.iter().any(|entry| entry["index"] == row || entry["index"] == *text);
            prop_assert_eq!(*result == RowResult::Stored, !is_named, "row {} of {}", row, answer);
        }
    }

    #[test]
    fn part_of_an_answer_stores_nothing(length in 0..1000usize) {
        let answer = with_errors(json!([{"index": 0, "errors": [{"reason": "invalid", "location": "c", "message": "m"}]}]));
        let part = &answer[..length % answer.len()];
        prop_assert!(matches!(read_results(part, 2), Err(RequestError::Unreadable(_))));
    }
}
