-- Query parameters.
-- https://cloud.google.com/bigquery/docs/parameterized-queries

--- Named parameters
--@ user STRING = "bob"
--@ least INT64 = 2
SELECT type, COUNT(*) AS n FROM `pixel_*` WHERE user_id = @user GROUP BY type HAVING n >= @least ORDER BY type
--> type STRING, n INT64
--| "open", 3

--- Parameter names are case-insensitive
--@ User STRING = "x"
SELECT @USER AS a, @user AS b
--> a STRING, b STRING
--| "x", "x"

--- Positional parameters
--@ STRING = "a"
--@ INT64 = 5
SELECT ? AS s, ? + 1 AS i
--> s STRING, i INT64
--| "a", 6

--- Parameters of each scalar type
--@ b BOOL = true
--@ f FLOAT64 = 1.5
--@ n NUMERIC = "12.345"
--@ y BYTES = "YWJj"
--@ d DATE = "2026-01-05"
--@ t TIME = "09:20:30"
--@ dt DATETIME = "2026-01-05 09:20:30"
--@ ts TIMESTAMP = "2026-01-05 09:20:30+00:00"
SELECT @b AS b, @f AS f, @n AS n, @y AS y, @d AS d, @t AS t, @dt AS dt, @ts AS ts
--> b BOOL, f FLOAT64, n NUMERIC, y BYTES, d DATE, t TIME, dt DATETIME, ts TIMESTAMP
--| true, 1.5, "12.345", "YWJj", "2026-01-05", "09:20:30", "2026-01-05T09:20:30", "2026-01-05T09:20:30Z"

--- ARRAY parameters
--@ users ARRAY<STRING> = ["ada", "cara@example.com"]
SELECT COUNT(*) AS n, ARRAY_LENGTH(@users) AS users FROM `pixel_*` WHERE user_id IN UNNEST(@users)
--> n INT64, users INT64
--| 7, 2

--- STRUCT parameters
--@ who STRUCT<name STRING, age INT64> = {"name": "ada", "age": 36}
SELECT @who.name AS name, @who.age + 1 AS age
--> name STRING, age INT64
--| "ada", 37

--- NULL parameters
--@ x INT64 = null
SELECT @x IS NULL AS n, @x AS x
--> n BOOL, x INT64
--| true, null

--- A parameter value is not parsed as SQL
--@ s STRING = "x' OR '1'='1"
SELECT COUNT(*) AS n, @s AS s FROM `pixel_*` WHERE user_id = @s
--> n INT64, s STRING
--| 0, "x' OR '1'='1"

--- Parameters in LIMIT, INTERVAL and _TABLE_SUFFIX
--@ n INT64 = 1
--@ suffix STRING = "bob_20260112"
SELECT event_id, DATE_ADD(DATE '2026-01-05', INTERVAL @n DAY) AS d FROM `pixel_*` WHERE _TABLE_SUFFIX = @suffix ORDER BY event_id LIMIT @n
--> event_id STRING, d DATE
--| "b4", "2026-01-06"

--- A missing parameter is an error
--@ a INT64 = 1
SELECT @a + @b AS x
--! invalidQuery: Query parameter 'b' not found at [1:13]

--- A parameter value of a wrong type is an error
--@ a INT64 = "eleven"
SELECT @a AS x
--! any: eleven

--- A parameter as a table name is an error
--@ t STRING = "pixel"
SELECT * FROM @t
--! invalidQuery: Query parameters cannot be used in place of table names
