//! Expected values: the examples of BigQuery's reference.

use super::super::shown::eval;

fn check(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(eval(expression), *expected, "{expression}");
    }
}

const CLASS: &str =
    r#"'{"class": {"students": [{"name": "Jane"}, {"name": "John", "id": 1.50}]}, "b.c": {"b": 1, "a": "x y"}, "n": null}'"#;

fn of_class(function: &str, path: &str) -> String {
    eval(&format!("{function}({CLASS}, '{path}')"))
}

#[test]
fn values_by_path() {
    assert_eq!(of_class("json_query", "$.class.students[0]"), r#"{"name":"Jane"}"#);
    assert_eq!(of_class("json_query", "$.class.students[1].id"), "1.50");
    assert_eq!(of_class("json_query", r#"$."b.c""#), r#"{"b":1,"a":"x y"}"#);
    assert_eq!(of_class("json_extract", r#"$[''b.c''].a"#), r#""x y""#);
    assert_eq!(of_class("json_value", "$.class.students[1].name"), "John");
    assert_eq!(of_class("json_value", r#"$."b.c".b"#), "1");
    assert_eq!(of_class("json_value", "$.class"), "NULL");
    assert_eq!(of_class("json_value", "$.n"), "NULL");
    assert_eq!(of_class("json_query", "$.n"), "NULL");
    assert_eq!(of_class("json_value", "$.nowhere.at[9]"), "NULL");
    assert_eq!(of_class("json_value", "class"), "Err: JSONPath must start with '$'");
    assert_eq!(of_class("json_value", "$.class.*"), "Err: Invalid token in JSONPath at: .*");
    check(&[
        ("json_value('not json', '$.a')", "NULL"),
        ("json_value('\"hello\"')", "hello"),
        (r#"json_value('{"a":1,"a":2}', '$.a')"#, "1"),
        (r#"json_value('{"a":"\u00e9\n"}', '$.a')"#, "é\n"),
        ("json_extract_scalar('[true]', '$[0]')", "true"),
        (r#"json_query('{"a\"": [ 1 , "x  \" y" ]}', '$')"#, r#"{"a\"":[1,"x  \" y"]}"#),
    ]);
}

#[test]
fn arrays_by_path() {
    check(&[
        ("json_query_array('[1, 2, {\"a\": 3}]')", r#"[1, 2, {"a":3}]"#),
        (r#"json_value_array('{"fruits": ["apples", "oranges"]}', '$.fruits')"#, "[apples, oranges]"),
        (r#"json_value_array('["a", {"b": 1}]')"#, "NULL"),
        ("json_query_array('{}')", "NULL"),
        ("json_extract_string_array('[]')", "[]"),
    ]);
}

#[test]
fn json_values() {
    check(&[
        (r#"parse_json('{"b": 1, "a": [ 2 ]}')"#, r#"{"b":1,"a":[2]}"#),
        ("parse_json('{')", "Err: Invalid input to PARSE_JSON: EOF while parsing an object at line 1 column 1"),
        (r#"json_query(parse_json('{"a": null}'), '$.a')"#, "null"),
        (r#""$json_get"(parse_json('{"a": {"b": 1}}'), 'a')"#, r#"{"b":1}"#),
        (r#""$json_get"(parse_json('[10, 20]'), 1)"#, "20"),
        ("json_type(parse_json('[10]'))", "array"),
        ("int64(parse_json('10.0'))", "10"),
        ("int64(parse_json('\"10\"'))", "Err: The provided JSON input is not an int64"),
        ("float64(parse_json('9.8'))", "9.8"),
        ("bool(parse_json('true'))", "true"),
        ("lax_int64(parse_json('\"1.1\"'))", "1"),
        ("lax_bool(parse_json('\"TRUE\"'))", "true"),
        ("lax_string(parse_json('10'))", "10"),
        ("lax_float64(parse_json('true'))", "NULL"),
        (r#"json_keys(parse_json('{"a": {"b": 1}, "c": [{"d": 1}]}'))"#, "[a, a.b, c]"),
        (r#"json_keys(parse_json('{"a": {"b": 1}}'), 1)"#, "[a]"),
    ]);
}

#[test]
fn any_value_as_json() {
    check(&[
        ("to_json_string('a\"b')", r#""a\"b""#),
        ("to_json_string(1)", "1"),
        ("to_json_string(9007199254740993)", "\"9007199254740993\""),
        ("to_json_string(NULL)", "null"),
        ("to_json_string(2.5)", "2.5"),
        ("to_json_string(CAST('NaN' AS DOUBLE))", "\"NaN\""),
        ("to_json_string([true, NULL])", "[true,null]"),
        ("to_json_string(named_struct('b', 1, 'a', ['x']))", r#"{"b":1,"a":["x"]}"#),
        ("to_json_string(CAST('2017-03-06' AS DATE))", "\"2017-03-06\""),
        ("to_json_string(X'476F6F676C65')", "\"R29vZ2xl\""),
        (r#"to_json_string(parse_json('{"a": 1}'))"#, r#"{"a":1}"#),
        ("json_value(to_json(named_struct('a', 9007199254740993)), '$.a')", "9007199254740993"),
        ("to_json(1.0)", "1.0"),
        ("json_array(10, 'a', NULL, [1])", r#"[10,"a",null,[1]]"#),
        ("json_object('foo', 10, 'bar', true, 'foo', 2)", r#"{"foo":10,"bar":true}"#),
        ("json_object('foo')", "Err: No matching signature for function JSON_OBJECT for argument types: STRING"),
    ]);
    assert_eq!(
        eval("to_json_string(arrow_cast('2017-03-06T12:34:56.789012', 'Timestamp(Microsecond, Some(\"+00:00\"))'))"),
        "\"2017-03-06T12:34:56.789012Z\""
    );
}
