//! Tests against BigQuery's reference.

use super::super::test_eval::eval;

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
fn query_and_value_follow_the_path() {
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
fn array_functions_follow_the_path() {
    check(&[
        ("json_query_array('[1, 2, {\"a\": 3}]')", r#"[1, 2, {"a":3}]"#),
        (r#"json_value_array('{"fruits": ["apples", "oranges"]}', '$.fruits')"#, "[apples, oranges]"),
        (r#"json_value_array('["a", {"b": 1}]')"#, "NULL"),
        ("json_query_array('{}')", "NULL"),
        ("json_extract_string_array('[]')", "[]"),
    ]);
}

#[test]
fn json_functions_follow_the_reference() {
    check(&[
        (r#"parse_json('{"b": 1, "a": [ 2 ]}', 'exact')"#, r#"{"a":[2],"b":1}"#),
        (r#"parse_json('{"a": 1.50, "a": 2, "c": 1e20, "b": -0.00010}', 'exact')"#, r#"{"a":1.5,"b":-0.0001,"c":1e+20}"#),
        ("parse_json('922337203685477580701', 'round')", "9.223372036854776e+20"),
        (
            "parse_json('922337203685477580701', 'exact')",
            "Err: Invalid input to PARSE_JSON: Input number: 922337203685477580701 cannot round-trip through string representation",
        ),
        ("parse_json('{', 'exact')", "Err: Invalid input to PARSE_JSON: EOF while parsing an object at line 1 column 1"),
        (r#"json_query(parse_json('{"a": null}', 'exact'), '$.a')"#, "null"),
        (r#""$json_get"(parse_json('{"a": {"b": 1}}', 'exact'), 'a')"#, r#"{"b":1}"#),
        (r#""$json_get"(parse_json('[10, 20]', 'exact'), 1)"#, "20"),
        ("json_type(parse_json('[10]', 'exact'))", "array"),
        ("int64(parse_json('10.0', 'exact'))", "10"),
        ("int64(parse_json('\"10\"', 'exact'))", "Err: The provided JSON input is not an int64"),
        ("float64(parse_json('9.8', 'exact'))", "9.8"),
        ("bool(parse_json('true', 'exact'))", "true"),
        ("lax_int64(parse_json('\"1.1\"', 'exact'))", "1"),
        ("lax_bool(parse_json('\"TRUE\"', 'exact'))", "true"),
        ("lax_string(parse_json('10', 'exact'))", "10"),
        ("lax_float64(parse_json('true', 'exact'))", "NULL"),
        (r#"json_keys(parse_json('{"a": {"b": 1}, "c": [{"d": 1}]}', 'exact'), 9, 'strict')"#, "[a, a.b, c]"),
        (r#"json_keys(parse_json('{"a": {"b": 1}, "c": [[{"d": 1}], {"e": 1}]}', 'exact'), 9, 'lax')"#, "[a, a.b, c, c.e]"),
        (r#"json_keys(parse_json('{"c": [[{"d": 1}], {"e": 1}]}', 'exact'), 9, 'lax recursive')"#, "[c, c.d, c.e]"),
        (r#"json_keys(parse_json('{"a": {"b": 1}}', 'exact'), 1, 'strict')"#, "[a]"),
    ]);
}

#[test]
fn to_json_string_supports_every_type() {
    check(&[
        ("to_json_string('a\"b', false)", r#""a\"b""#),
        ("to_json_string(1, false)", "1"),
        ("to_json_string(9007199254740993, false)", "\"9007199254740993\""),
        ("to_json_string(NULL, false)", "null"),
        ("to_json_string(2.5, false)", "2.5"),
        ("to_json_string(CAST('NaN' AS DOUBLE), false)", "\"NaN\""),
        ("to_json_string([true, NULL], false)", "[true,null]"),
        ("to_json_string(named_struct('b', 1, 'a', ['x']), false)", r#"{"b":1,"a":["x"]}"#),
        ("to_json_string(CAST('2017-03-06' AS DATE), false)", "\"2017-03-06\""),
        ("to_json_string(X'476F6F676C65', false)", "\"R29vZ2xl\""),
        (r#"to_json_string(parse_json('{"a": 1}', 'exact'), false)"#, r#"{"a":1}"#),
        ("json_value(to_json(named_struct('a', 9007199254740993), false), '$.a')", "9007199254740993"),
        ("to_json(1.0, false)", "1.0"),
        ("json_array(10, 'a', NULL, [1])", r#"[10,"a",null,[1]]"#),
        ("json_object('foo', 10, 'bar', true, 'foo', 2)", r#"{"bar":true,"foo":10}"#),
        ("json_object(['b', 'a'], [1, NULL])", r#"{"a":null,"b":1}"#),
        ("json_object(['a'], [1, 2])", "Err: The number of keys and values must match"),
        ("json_object()", "{}"),
        ("json_array()", "[]"),
        (
            "to_json_string(named_struct('b', ['x:{'], 'a', named_struct('c', 1)), true)",
            "{\n  \"b\": [\n    \"x:{\"\n  ],\n  \"a\": {\n    \"c\": 1\n  }\n}",
        ),
        ("to_json_string(make_array(), true)", "[]"),
        ("to_json(9007199254740993, true)", "\"9007199254740993\""),
        ("json_object('foo')", "Err: No matching signature for function JSON_OBJECT for argument types: STRING"),
    ]);
    assert_eq!(
        eval("to_json_string(arrow_cast('2017-03-06T12:34:56.789012', 'Timestamp(Microsecond, Some(\"+00:00\"))'), false)"),
        "\"2017-03-06T12:34:56.789012Z\""
    );
}

#[test]
fn mutators_change_json_by_path() {
    let changed = |function: &str, json: &str, rest: &str| eval(&format!("{function}(parse_json('{json}', 'exact'), {rest})"));
    assert_eq!(changed("json_set", r#"{"a": 1}"#, "'$.b', 2, '$.a.c', 100, '$.d', 3, true"), r#"{"a":1,"b":2,"d":3}"#);
    assert_eq!(changed("json_set", r#"{"a": 1}"#, "'$.b', 2, '$.a', 'x', false"), r#"{"a":"x"}"#);
    assert_eq!(changed("json_set", "null", "'$[0][3]', 'foo', true"), r#"[[null,null,null,"foo"]]"#);
    assert_eq!(changed("json_set", "{}", "'$.b[2].d', 100, true"), r#"{"b":[null,null,{"d":100}]}"#);
    assert_eq!(changed("json_set", r#"{"a": 1}"#, "NULL, 2, '$.b', 1, true"), r#"{"a":1,"b":1}"#);
    assert_eq!(changed("json_set", "{}", "'$[1000000]', 1, true"), "Err: Exceeded maximum array size of 1000000");
    assert_eq!(changed("json_array_append", r#"["a"]"#, "'$', [1, 2], true"), r#"["a",1,2]"#);
    assert_eq!(changed("json_array_append", r#"["a"]"#, "'$', [1, 2], false"), r#"["a",[1,2]]"#);
    assert_eq!(changed("json_array_append", r#"{"a": null}"#, "'$.a', 10, true"), r#"{"a":[10]}"#);
    assert_eq!(changed("json_array_append", r#"{"a": 1}"#, "'$.a', 10, true"), r#"{"a":1}"#);
    assert_eq!(changed("json_array_insert", r#"["a", "b"]"#, "'$[1]', [1, 2], true"), r#"["a",1,2,"b"]"#);
    assert_eq!(changed("json_array_insert", r#"["a"]"#, "'$[3]', 'e', true"), r#"["a",null,null,"e"]"#);
    assert_eq!(changed("json_array_insert", "[1, 2]", "'$', 3, true"), "[1,2]");
    assert_eq!(changed("json_remove", r#"["a", ["b", "c"], "d"]"#, "'$[1]', '$[1]'"), r#"["a"]"#);
    assert_eq!(changed("json_remove", r#"{"a": {"b": 1}}"#, "'$.a.b', '$.c'"), r#"{"a":{}}"#);
    assert_eq!(changed("json_remove", "{}", "'$'"), "Err: The JSONPath cannot be '$'");
}

#[test]
fn strip_nulls_follows_the_reference() {
    let stripped = |json: &str, rest: &str| eval(&format!("json_strip_nulls(parse_json('{json}', 'exact'), {rest})"));
    assert_eq!(stripped(r#"{"a": null, "b": "c"}"#, "'$', true, false"), r#"{"b":"c"}"#);
    assert_eq!(stripped("[1, null, [null]]", "'$', true, false"), "[1,[]]");
    assert_eq!(stripped("[1, null, [null]]", "'$', true, true"), "[1]");
    assert_eq!(stripped("[1, null]", "'$', false, false"), "[1,null]");
    assert_eq!(stripped(r#"{"a": {"b": null}, "d": [null], "e": [], "f": 1}"#, "'$', false, true"), r#"{"d":[null],"e":[],"f":1}"#);
    assert_eq!(stripped(r#"{"a": [null]}"#, "'$', true, true"), "null");
    assert_eq!(stripped(r#"{"a": {"b": null}, "c": null}"#, "'$.a', true, false"), r#"{"a":{},"c":null}"#);
}
