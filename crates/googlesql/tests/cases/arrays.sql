-- Arrays, UNNEST, STRUCT.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#unnest_operator
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/array_functions
-- https://cloud.google.com/bigquery/docs/arrays

--- UNNEST WITH OFFSET counts from 0
SELECT letter, o FROM UNNEST(['a', 'b', 'c']) AS letter WITH OFFSET AS o ORDER BY o DESC
--> letter STRING, o INT64
--| "c", 2
--| "b", 1
--| "a", 0

--- The default name of the offset column is offset
SELECT * FROM UNNEST(['a', 'b']) AS letter WITH OFFSET ORDER BY offset
--> letter STRING, offset INT64
--| "a", 0
--| "b", 1

--- UNNEST of STRUCTs returns the members as columns
SELECT * FROM UNNEST([STRUCT(1 AS id, 'one' AS name), STRUCT(2, 'two')]) ORDER BY id
--> id INT64, name STRING
--| 1, "one"
--| 2, "two"

--- A cross join with UNNEST drops rows with empty arrays
SELECT id, tag FROM lab.scalars, UNNEST(tags) AS tag ORDER BY id, tag
--> id INT64, tag STRING
--| 1, "a"
--| 1, "b"
--| 4, "b"
--| 4, "b"
--| 4, "c"

--- A LEFT JOIN with UNNEST keeps rows with empty arrays
SELECT id, tag FROM lab.scalars LEFT JOIN UNNEST(tags) AS tag ORDER BY id, tag
--> id INT64, tag STRING
--| 1, "a"
--| 1, "b"
--| 2, null
--| 3, null
--| 4, "b"
--| 4, "b"
--| 4, "c"

--- A path in FROM unnests an array without UNNEST
SELECT id, item.sku FROM lab.scalars AS s, s.items AS item ORDER BY id, sku
--> id INT64, sku STRING
--| 1, "A"
--| 1, "B"
--| 4, "A"

--- UNNEST of a column WITH OFFSET
SELECT id, tag, place_ FROM lab.scalars, UNNEST(tags) AS tag WITH OFFSET AS place_ WHERE id = 4 ORDER BY place_
--> id INT64, tag STRING, place_ INT64
--| 4, "b", 0
--| 4, "c", 1
--| 4, "b", 2

--- SUM over an array of STRUCTs
SELECT id, item.sku, item.price * item.quantity AS total FROM lab.scalars, UNNEST(items) AS item ORDER BY id, total
--> id INT64, sku STRING, total NUMERIC
--| 1, "B", "5"
--| 1, "A", "19.98"
--| 4, "A", "30.03"

--- Members of an unnested STRUCT without its alias
SELECT sku, SUM(quantity) AS n FROM lab.scalars, UNNEST(items) GROUP BY sku ORDER BY sku
--> sku STRING, n INT64
--| "A", 5
--| "B", 1

--- A subquery over an array of the row
SELECT id, (SELECT SUM(price * quantity) FROM UNNEST(items)) AS total, (SELECT STRING_AGG(tag, '+' ORDER BY tag) FROM UNNEST(tags) AS tag) AS tags_ FROM lab.scalars ORDER BY id
--> id INT64, total NUMERIC, tags_ STRING
--| 1, "24.98", "a+b"
--| 2, null, null
--| 3, null, null
--| 4, "30.03", "b+b+c"

--- An event parameter by its key
SELECT event_name, (SELECT value.string_value FROM UNNEST(event_params) WHERE key = 'page_title') AS title, (SELECT value.int_value FROM UNNEST(event_params) WHERE key = 'ga_session_id') AS session
FROM shop.events_20260105 WHERE user_pseudo_id = 'u2' ORDER BY event_timestamp
--> event_name STRING, title STRING, session INT64
--| "session_start", null, 201
--| "page_view", "Pen", 201

--- A join with event parameters of several types
SELECT key, COALESCE(value.string_value, CAST(value.int_value AS STRING), CAST(value.double_value AS STRING)) AS v
FROM shop.events_20260105 AS e, UNNEST(e.event_params) WHERE event_name = 'purchase' ORDER BY key
--> key STRING, v STRING
--| "ga_session_id", "101"
--| "transaction_id", "T1"
--| "value", "22"

--- ARRAY subquery that filters elements
SELECT id, ARRAY(SELECT AS STRUCT sku, quantity FROM UNNEST(items) WHERE quantity > 1) AS many FROM lab.scalars ORDER BY id
--> id INT64, many ARRAY<STRUCT<sku STRING, quantity INT64>>
--| 1, [{"sku": "A", "quantity": 2}]
--| 2, []
--| 3, []
--| 4, [{"sku": "A", "quantity": 3}]

--- Elements by OFFSET, ORDINAL, their SAFE forms and index
SELECT numbers[OFFSET(0)] AS a, numbers[ORDINAL(1)] AS b, numbers[1] AS c, numbers[SAFE_OFFSET(9)] AS d, numbers[SAFE_ORDINAL(0)] AS e FROM lab.scalars WHERE id = 1
--> a INT64, b INT64, c INT64, d INT64, e INT64
--| 3, 3, 1, null, null

--- An index out of bounds is an error
SELECT numbers[OFFSET(5)] AS a FROM lab.scalars WHERE id = 1
--! invalidQuery: Array index 5 is out of bounds

--- ARRAY_LENGTH of a stored NULL array is 0
SELECT id, ARRAY_LENGTH(tags) AS n FROM lab.scalars ORDER BY id
--> id INT64, n INT64
--| 1, 2
--| 2, 0
--| 3, 0
--| 4, 3

--- ARRAY_CONCAT, ARRAY_REVERSE and ARRAY_TO_STRING
SELECT ARRAY_CONCAT([1], [2, 3]) AS a, [1] || [2] AS b, ARRAY_REVERSE([1, 2, 3]) AS c, ARRAY_TO_STRING(['a', NULL, 'b'], ',') AS d, ARRAY_TO_STRING(['a', NULL, 'b'], ',', '?') AS e, ARRAY_LENGTH(CAST(NULL AS ARRAY<INT64>)) AS f
--> a ARRAY<INT64>, b ARRAY<INT64>, c ARRAY<INT64>, d STRING, e STRING, f INT64
--| [1, 2, 3], [1, 2], [3, 2, 1], "a,b", "a,?,b", null

--- Array literals: typed, empty, mixed numbers
SELECT ARRAY<FLOAT64>[1, 2] AS a, ARRAY<STRING>[] AS b, [1, 2.5] AS c, [] AS d
--> a ARRAY<FLOAT64>, b ARRAY<STRING>, c ARRAY<FLOAT64>, d ARRAY<INT64>
--| [1.0, 2.0], [], [1.0, 2.5], []

--- IN UNNEST finds an element
SELECT 'a' IN UNNEST(tags) AS a, 'z' NOT IN UNNEST(tags) AS z FROM lab.scalars WHERE id = 1
--> a BOOL, z BOOL
--| true, true

--- IN UNNEST returns NULL if only a NULL could match
SELECT 1 IN UNNEST([1, NULL]) AS a, 2 IN UNNEST([1, NULL]) AS b, 1 IN UNNEST(ARRAY<INT64>[]) AS c
--> a BOOL, b BOOL, c BOOL
--| true, null, false

--- ARRAY_FIRST, ARRAY_LAST and ARRAY_SLICE
SELECT ARRAY_FIRST([3, 1, 2]) AS f, ARRAY_LAST([3, 1, 2]) AS l, ARRAY_SLICE([1, 2, 3, 4], 1, 2) AS s
--> f INT64, l INT64, s ARRAY<INT64>
--| 3, 2, [2, 3]

--- ARRAY subquery with DISTINCT and ORDER BY
SELECT id, ARRAY(SELECT DISTINCT t FROM UNNEST(tags) AS t ORDER BY t) AS tags FROM lab.scalars WHERE id = 4
--> id INT64, tags ARRAY<STRING>
--| 4, ["b", "c"]

--- Members of nested STRUCTs
SELECT place.city, place.geo.lat, place.geo.lon AS l FROM lab.scalars ORDER BY id
--> city STRING, lat FLOAT64, l FLOAT64
--| "Berlin", 52.5, 13.4
--| "Paris", null, null
--| null, null, null
--| null, null, null

--- STRUCT results with NULL members, and a NULL STRUCT
SELECT id, place FROM lab.scalars WHERE id < 4 ORDER BY id
--> id INT64, place STRUCT<city STRING, geo STRUCT<lat FLOAT64, lon FLOAT64>>
--| 1, {"city": "Berlin", "geo": {"lat": 52.5, "lon": 13.4}}
--| 2, {"city": "Paris", "geo": null}
--| 3, null

--- STRUCT constructors with and without member names
SELECT STRUCT(1 AS a, 'b' AS b) AS named, STRUCT(1, 'b') AS plain, STRUCT<x INT64, y FLOAT64>(1, 2) AS typed
--> named STRUCT<a INT64, b STRING>, plain STRUCT<_field_1 INT64, _field_2 STRING>, typed STRUCT<x INT64, y FLOAT64>
--| {"a": 1, "b": "b"}, {"_field_1": 1, "_field_2": "b"}, {"x": 1, "y": 2.0}

--- Dot-star expands a STRUCT
SELECT place.* FROM lab.scalars WHERE id = 1
--> city STRING, geo STRUCT<lat FLOAT64, lon FLOAT64>
--| "Berlin", {"lat": 52.5, "lon": 13.4}

--- An unknown STRUCT member is an error
SELECT place.country FROM lab.scalars
--! invalidQuery: Field name country does not exist in STRUCT

--- Adding an array to a number is an error
SELECT tags + 1 FROM lab.scalars
--! invalidQuery: No matching signature for operator +

--- Join two arrays by offset
SELECT a, b FROM UNNEST([1, 2]) AS a WITH OFFSET AS i JOIN UNNEST(['x', 'y']) AS b WITH OFFSET AS j ON i = j ORDER BY i
--> a INT64, b STRING
--| 1, "x"
--| 2, "y"

--- ARRAY_AGG results per group
SELECT user_id, ARRAY_AGG(DISTINCT type IGNORE NULLS ORDER BY type) AS types, ARRAY_LENGTH(ARRAY_AGG(event_id)) AS n FROM `pixel_*` GROUP BY user_id ORDER BY user_id
--> user_id STRING, types ARRAY<STRING>, n INT64
--| "ada", ["click", "open", "purchase"], 6
--| "bob", ["click", "open", "purchase"], 6
--| "cara@example.com", ["open"], 1

--- Typed array literals of STRUCTs
SELECT a.x, a.z.name FROM UNNEST(ARRAY<STRUCT<x INT64, z STRUCT<name STRING>>>[(1, STRUCT('one')), (2, NULL)]) AS a ORDER BY x
--> x INT64, name STRING
--| 1, "one"
--| 2, null

--- STRUCTs are compared member by member
SELECT STRUCT(1 AS a, 'x' AS b) = STRUCT(1 AS c, 'x' AS d) AS equal, (1, 2) IN ((1, 2), (3, 4)) AS inside, (1, NULL) = (1, 2) AS unknown
--> equal BOOL, inside BOOL, unknown BOOL
--| true, true, null

--- An alias takes precedence over a column of the same name
SELECT s.place.city, ARRAY_LENGTH(s.items) AS n FROM lab.scalars AS s WHERE s.s = 'apple'
--> city STRING, n INT64
--| "Berlin", 2

--- A NULL STRUCT member takes the type of the other rows
SELECT n, v FROM UNNEST([STRUCT(1 AS n, NULL AS v), (2, 'x'), (3, NULL)]) ORDER BY n
--> n INT64, v STRING
--| 1, null
--| 2, "x"
--| 3, null

--- ARRAY subquery of STRUCTs with ORDER BY
SELECT ARRAY(SELECT AS STRUCT x, x * 2 AS y FROM UNNEST([2, 1]) AS x ORDER BY x DESC) AS a
--> a ARRAY<STRUCT<x INT64, y INT64>>
--| [{"x": 2, "y": 4}, {"x": 1, "y": 2}]
