-- JSON functions for strings and for the type JSON.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions

--- JSON_VALUE returns scalars by path
SELECT JSON_VALUE(j, '$.a') AS a, JSON_VALUE(j, '$.b[1]') AS b, JSON_VALUE(j, '$.c.d') AS d, JSON_VALUE(j, '$.none') AS none, JSON_VALUE(j, '$.c') AS object, JSON_VALUE(j, '$.n') AS null_
FROM (SELECT '{"a": 1.5, "b": [true, "x"], "c": {"d": "e"}, "n": null}' AS j)
--> a STRING, b STRING, d STRING, none STRING, object STRING, null_ STRING
--| "1.5", "x", "e", null, null, null

--- JSON_QUERY returns objects and keeps quotes
SELECT JSON_QUERY(j, '$.c') AS c, JSON_QUERY(j, '$.c.d') AS d, JSON_QUERY(j, '$.none') AS none
FROM (SELECT '{"c": {"d": "e"}}' AS j)
--> c STRING, d STRING, none STRING
--| "{\"d\":\"e\"}", "\"e\"", null

--- The legacy functions JSON_EXTRACT and JSON_EXTRACT_SCALAR
SELECT JSON_EXTRACT_SCALAR('{"a": {"b": "c"}}', '$.a.b') AS scalar_, JSON_EXTRACT('{"a": [1, 2]}', '$.a') AS extract_, JSON_EXTRACT_SCALAR('{"a b": 1}', "$['a b']") AS subscript
--> scalar_ STRING, extract_ STRING, subscript STRING
--| "c", "[1,2]", "1"

--- JSONPath with dots and spaces in keys
SELECT JSON_VALUE('{"a.b": 1, "c d": 2}', '$."a.b"') AS a, JSON_VALUE('{"a.b": 1, "c d": 2}', '$."c d"') AS c
--> a STRING, c STRING
--| "1", "2"

--- JSON_VALUE_ARRAY, JSON_QUERY_ARRAY and legacy functions
SELECT JSON_VALUE_ARRAY('{"a": ["x", "y"]}', '$.a') AS a, JSON_QUERY_ARRAY('[{"b": 1}, 2]') AS q, JSON_EXTRACT_ARRAY('[1, "x"]') AS e, JSON_EXTRACT_STRING_ARRAY('["p", "q"]') AS s
--> a ARRAY<STRING>, q ARRAY<STRING>, e ARRAY<STRING>, s ARRAY<STRING>
--| ["x", "y"], ["{\"b\":1}", "2"], ["1", "\"x\""], ["p", "q"]

--- Invalid JSON text returns NULL
SELECT JSON_VALUE('not json', '$.a') AS a, JSON_VALUE(CAST(NULL AS STRING), '$.a') AS b
--> a STRING, b STRING
--| null, null

--- A column of type JSON
SELECT id, JSON_VALUE(j, '$.a') AS a, JSON_QUERY(j, '$.c') AS c, JSON_TYPE(j) AS t FROM lab.scalars ORDER BY id
--> id INT64, a STRING, c JSON, t STRING
--| 1, "1", "{\"d\":\"e\"}", "object"
--| 2, null, null, "string"
--| 3, null, null, null
--| 4, null, null, "array"

--- Members and elements of JSON
SELECT j.c.d AS d, j['a'] AS a, j.b[2] AS b, j.none AS none, STRING(j.c.d) AS s, INT64(j.a) AS i FROM lab.scalars WHERE id = 1
--> d JSON, a JSON, b JSON, none JSON, s STRING, i INT64
--| "\"e\"", "1", "\"x\"", null, "e", 1

--- Attributes of a dead letter
SELECT event_id, JSON_VALUE(attributes, '$.origin') AS origin FROM dead_letters ORDER BY event_id
--> event_id STRING, origin STRING
--| "d1", "sink"
--| "d2", null
--| "d3", null

--- PARSE_JSON and TO_JSON_STRING
SELECT PARSE_JSON('{"a": [1, 2], "b": null}') AS j, TO_JSON_STRING(STRUCT(1 AS a, 'x' AS b, [1, 2] AS c, CAST(NULL AS STRING) AS d)) AS s, TO_JSON_STRING('q"') AS quoted, TO_JSON_STRING([1.5, 2.25]) AS list
--> j JSON, s STRING, quoted STRING, list STRING
--| "{\"a\":[1,2],\"b\":null}", "{\"a\":1,\"b\":\"x\",\"c\":[1,2],\"d\":null}", "\"q\\\"\"", "[1.5,2.25]"

--- TO_JSON of dates and times
SELECT TO_JSON_STRING(STRUCT(DATE '2026-01-05' AS d, TRUE AS b)) AS a, TO_JSON_STRING(TIMESTAMP '2026-01-05 10:00:00+00') AS ts
--> a STRING, ts STRING
--| "{\"d\":\"2026-01-05\",\"b\":true}", "\"2026-01-05T10:00:00Z\""

--- A row as JSON
SELECT TO_JSON_STRING(t) AS j FROM (SELECT 'b4' AS id, 2 AS n) AS t
--> j STRING
--| "{\"id\":\"b4\",\"n\":2}"

--- PARSE_JSON of invalid JSON is an error
SELECT PARSE_JSON('{"a"') AS j
--! invalidQuery: PARSE_JSON

--- LAX conversion functions and JSON_KEYS
SELECT LAX_INT64(JSON '"10"') AS i, LAX_BOOL(JSON '"true"') AS b, LAX_STRING(JSON '5') AS s, JSON_KEYS(JSON '{"a": {"b": 1}}') AS k
--> i INT64, b BOOL, s STRING, k ARRAY<STRING>
--| 10, true, "5", ["a", "a.b"]

--- Comparing JSON is an error
SELECT COUNT(*) AS n FROM lab.scalars WHERE j = JSON '1'
--! invalidQuery: JSON

--- JSON_OBJECT sorts its keys
SELECT JSON_OBJECT('type', 'open', 'n', 2, 'at', DATE '2026-01-05') AS o, JSON_ARRAY(1, 'x', NULL, TRUE) AS a, TO_JSON(STRUCT(2 AS z, [1] AS a)) AS s, PARSE_JSON('{"b": 1, "a": 2}') AS p
--> o JSON, a JSON, s JSON, p JSON
--| "{\"at\":\"2026-01-05\",\"n\":2,\"type\":\"open\"}", "[1,\"x\",null,true]", "{\"a\":[1],\"z\":2}", "{\"a\":2,\"b\":1}"

--- TO_JSON_STRING of a STRUCT keeps the order of members
SELECT TO_JSON_STRING(STRUCT(2 AS z, 1 AS a)) AS s
--> s STRING
--| "{\"z\":2,\"a\":1}"

--- JSON_SET and JSON_REMOVE
SELECT JSON_SET(j, '$.b', 5) AS added, JSON_SET(j, '$.a', 'x') AS changed, JSON_REMOVE(j, '$.a') AS removed FROM (SELECT JSON '{"a": 1}' AS j)
--> added JSON, changed JSON, removed JSON
--| "{\"a\":1,\"b\":5}", "{\"a\":\"x\"}", "{}"

--- JSON_ARRAY_APPEND, JSON_ARRAY_INSERT and JSON_STRIP_NULLS
SELECT JSON_ARRAY_APPEND(JSON '[1]', '$', 2) AS appended, JSON_ARRAY_INSERT(JSON '[1, 3]', '$[1]', 2) AS inserted, JSON_STRIP_NULLS(JSON '{"a": null, "b": 1}') AS stripped
--> appended JSON, inserted JSON, stripped JSON
--| "[1,2]", "[1,2,3]", "{\"b\":1}"

--- TO_JSON_STRING with pretty-print
SELECT TO_JSON_STRING(STRUCT(1 AS a, [2] AS b), TRUE) AS pretty
--> pretty STRING
--| "{\n  \"a\": 1,\n  \"b\": [\n    2\n  ]\n}"
