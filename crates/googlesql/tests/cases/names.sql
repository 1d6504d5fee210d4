-- Names: of columns in results, of tables, aliases, case.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#implicit_aliases

--- A column without a name is f0_, f1_ and so on
SELECT 1, 'a' AS b, 2 + 3, COUNT(*) FROM pixel_bob_20260112
--> f0_ INT64, b STRING, f1_ INT64, f2_ INT64
--| 1, "a", 5, 3

--- The name of a path is its last part
SELECT s.place.city, s.id, place.geo.lat FROM lab.scalars AS s WHERE s.id = 1
--> city STRING, id INT64, lat FLOAT64
--| "Berlin", 1, 52.5

--- Column names are case-insensitive and keep the query's case
SELECT EVENT_ID, Type AS Kind FROM pixel_bob_20260112 WHERE USER_id = 'bob' AND event_ID = 'b4'
--> EVENT_ID STRING, Kind STRING
--| "b4", "open"

--- SELECT * keeps the table's case
SELECT * FROM (SELECT 1 AS camelCase, 2 AS UPPER_)
--> camelCase INT64, UPPER_ INT64
--| 1, 2

--- Table names are case-sensitive
SELECT * FROM PIXEL_BOB_20260112
--! notFound: PIXEL_BOB_20260112

--- Aliases in GROUP BY, ORDER BY and HAVING, but not in WHERE
SELECT LENGTH(event_id) AS n FROM pixel_bob_20260112 WHERE n > 1
--! invalidQuery: Unrecognized name: n at [1:60]

--- SELECT * with one of its columns is a duplicate name
SELECT *, a FROM (SELECT 1 AS a)
--! invalidQuery: Duplicate column names in the result are not supported

--- EXCEPT removes columns from *
SELECT * EXCEPT (b, d) FROM (SELECT 1 AS a, 2 AS b, 3 AS c, 4 AS d)
--> a INT64, c INT64
--| 1, 3

--- REPLACE replaces columns of *
SELECT * REPLACE (a * 10 AS a, UPPER(b) AS b) FROM (SELECT 1 AS a, 'x' AS b, TRUE AS c)
--> a INT64, b STRING, c BOOL
--| 10, "X", true

--- t.* expands one of two tables
SELECT b.*, a.x FROM (SELECT 1 AS x) AS a JOIN (SELECT 2 AS y, 3 AS z) AS b ON TRUE
--> y INT64, z INT64, x INT64
--| 2, 3, 1

--- EXCEPT of an unknown column is an error
SELECT * EXCEPT (nothing) FROM (SELECT 1 AS a)
--! invalidQuery: nothing

--- Duplicate column names in a result are an error
SELECT 1 AS a, 2 AS a
--! invalidQuery: Duplicate column names in the result are not supported

--- Quoted names may contain any character
SELECT 1 AS `select`, t.`group` FROM (SELECT 2 AS `group`) AS t
--> select INT64, group INT64
--| 1, 2

--- An alias without AS
SELECT event_id id FROM pixel_bob_20260112 p WHERE p.type = 'open'
--> id STRING
--| "b4"

--- Trailing commas and comments
SELECT 1 AS a, -- one
  /* two */ 2 AS b, # and a third kind
FROM (SELECT 1)
--> a INT64, b INT64
--| 1, 2

--- A semicolon at the end
SELECT 1 AS a ;
--> a INT64
--| 1

--- A full table name in one pair of backticks
SELECT COUNT(*) AS n FROM `test-project.parsed_pixel.pixel_bob_20260112`
--> n INT64
--| 3

--- A column qualified by the table's name
SELECT pixel_bob_20260112.event_id FROM parsed_pixel.pixel_bob_20260112 ORDER BY 1 LIMIT 1
--> event_id STRING
--| "b4"

--- A table alias as a STRUCT value
SELECT t, t.a FROM (SELECT 1 AS a, 'x' AS b) AS t
--> t STRUCT<a INT64, b STRING>, a INT64
--| {"a": 1, "b": "x"}, 1

--- Non-reserved keywords are valid names
WITH table AS (SELECT DATE '2026-01-05' AS date, 1 AS value, 'x' AS key, 2 AS day, 3 AS type) SELECT date, value, key, day, type FROM table
--> date DATE, value INT64, key STRING, day INT64, type INT64
--| "2026-01-05", 1, "x", 2, 3

--- TABLE is a valid name
WITH table AS (SELECT 1 AS x) SELECT x FROM table
--> x INT64
--| 1
