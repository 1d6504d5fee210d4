-- Three-valued logic, comparison, order, and conditionals.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#logical_operators
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/conditional_expressions
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#order_by_clause

--- NULL sorts first in ascending order
SELECT x FROM UNNEST([2, NULL, 1]) AS x ORDER BY x
--> x INT64
--| null
--| 1
--| 2

--- NULL sorts last in descending order
SELECT x FROM UNNEST([2, NULL, 1]) AS x ORDER BY x DESC
--> x INT64
--| 2
--| 1
--| null

--- NULLS LAST in ascending order
SELECT x FROM UNNEST([2, NULL, 1]) AS x ORDER BY x NULLS LAST
--> x INT64
--| 1
--| 2
--| null

--- NULLS FIRST in descending order
SELECT x FROM UNNEST([2, NULL, 1]) AS x ORDER BY x DESC NULLS FIRST
--> x INT64
--| null
--| 2
--| 1

--- Comparison with NULL is NULL
SELECT x = x AS a, x != 1 AS b, 1 = x AS c, x IS NULL AS d, 1 IS NOT NULL AS e, 1 IS DISTINCT FROM x AS f, x IS NOT DISTINCT FROM x AS g FROM (SELECT CAST(NULL AS INT64) AS x)
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL, f BOOL, g BOOL
--| null, null, null, true, true, true, true

--- Comparison with the literal NULL is an error
SELECT order_id FROM pixel_bob_20260112 WHERE order_id = NULL
--! invalidQuery: Operands of = cannot be literal NULL at [1:58]

--- AND and OR with NULL
SELECT TRUE AND NULL AS a, FALSE AND NULL AS b, TRUE OR NULL AS c, FALSE OR NULL AS d, NOT CAST(NULL AS BOOL) AS e
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL
--| null, false, true, null, null

--- IN with NULL
SELECT 1 IN (1, NULL) AS a, 2 IN (1, NULL) AS b, 2 NOT IN (1, NULL) AS c, NULL IN (1) AS d, 3 NOT IN (1, 2) AS e
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL
--| true, null, null, null, true

--- WHERE keeps rows whose condition is TRUE
SELECT COUNT(*) AS n FROM `pixel_*` WHERE order_id != 'spring'
--> n INT64
--| 5

--- IS TRUE, IS NOT TRUE and IS FALSE
SELECT CAST(NULL AS BOOL) IS TRUE AS a, CAST(NULL AS BOOL) IS NOT TRUE AS b, FALSE IS FALSE AS c, CAST(NULL AS BOOL) IS NOT FALSE AS d
--> a BOOL, b BOOL, c BOOL, d BOOL
--| false, true, true, true

--- IF, IFNULL, NULLIF and COALESCE
SELECT IF(1 < 2, 'yes', 'no') AS a, IF(NULL, 1, 2) AS b, IFNULL(NULL, 3) AS c, NULLIF(4, 4) AS d, NULLIF(4, 5) AS e, COALESCE(NULL, NULL, 'x') AS f
--> a STRING, b INT64, c INT64, d INT64, e INT64, f STRING
--| "yes", 2, 3, null, 4, "x"

--- CASE with a value and with conditions
SELECT x, CASE x WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'many' END AS a, CASE WHEN x > 2 THEN 'large' WHEN x > 1 THEN 'middle' END AS b
FROM UNNEST([1, 2, 3, NULL]) AS x ORDER BY x
--> x INT64, a STRING, b STRING
--| null, "many", null
--| 1, "one", null
--| 2, "two", "middle"
--| 3, "many", "large"

--- CASE branches are coerced to a common type
SELECT IF(TRUE, 1, 2.5) AS a, CASE WHEN FALSE THEN 1 ELSE NUMERIC '1.5' END AS b, COALESCE(NULL, 1, 0.5) AS c
--> a FLOAT64, b NUMERIC, c FLOAT64
--| 1.0, "1.5", 1.0

--- CASE branches without a common type are an error
SELECT IF(TRUE, 1, 'one') AS x
--! invalidQuery: No matching signature for function IF

--- Branches that are not selected are not evaluated
SELECT IF(x = 0, NULL, 10 / x) AS y FROM UNNEST([0, 4]) AS x ORDER BY x
--> y FLOAT64
--| null
--| 2.5

--- BETWEEN with ascending and descending bounds
SELECT 5 BETWEEN 1 AND 5 AS a, 5 BETWEEN 6 AND 1 AS b, 5 NOT BETWEEN 1 AND 3 AS c, NULL BETWEEN 1 AND 2 AS d
--> a BOOL, b BOOL, c BOOL, d BOOL
--| true, false, true, null

--- LIKE with wildcards and escapes
SELECT 'spring' LIKE 'spr%' AS a, 'spring' LIKE '_pring' AS b, 'Spring' LIKE 'spring' AS c, '50%' LIKE '50\\%' AS d, '500' LIKE '50\\%' AS e, 'abc' NOT LIKE '%d%' AS f
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL, f BOOL
--| true, true, false, true, false, true

--- Strings are compared by code points
SELECT s FROM UNNEST(['b', 'B', 'a', 'A', 'é', '1']) AS s ORDER BY s
--> s STRING
--| "1"
--| "A"
--| "B"
--| "a"
--| "b"
--| "é"

--- GROUP BY makes one group of NULLs
SELECT order_id, COUNT(*) AS n FROM `pixel_*` GROUP BY order_id ORDER BY order_id
--> order_id STRING, n INT64
--| null, 2
--| "spring", 6
--| "summer", 2
--| "winter", 3

--- DISTINCT keeps one NULL, and COUNT(DISTINCT) ignores NULLs
SELECT COUNT(*) AS all_, COUNT(type) AS with_type, COUNT(DISTINCT type) AS types, (SELECT COUNT(*) FROM (SELECT DISTINCT type FROM `pixel_*`)) AS distinct_rows FROM `pixel_*`
--> all_ INT64, with_type INT64, types INT64, distinct_rows INT64
--| 13, 12, 3, 4

--- ORDER BY a position and a column that is not selected
SELECT event_id AS id, LENGTH(order_id) AS n FROM pixel_bob_20260112 ORDER BY 2, event_timestamp DESC, id
--> id STRING, n INT64
--| "b6", 6
--| "b5", 6
--| "b4", 6

--- LIMIT and OFFSET
SELECT x FROM UNNEST([5, 3, 1, 4, 2]) AS x ORDER BY x LIMIT 2 OFFSET 1
--> x INT64
--| 2
--| 3

--- NaN sorts before numbers and equals no value
SELECT CAST('nan' AS FLOAT64) = CAST('nan' AS FLOAT64) AS a, CAST('nan' AS FLOAT64) < 1 AS b, ARRAY(SELECT x FROM UNNEST([1.0, CAST('nan' AS FLOAT64), CAST('-inf' AS FLOAT64)]) AS x ORDER BY x) AS c
--> a BOOL, b BOOL, c ARRAY<FLOAT64>
--| false, false, ["NaN", "-Infinity", 1.0]

--- LIMIT and OFFSET with ORDER BY
SELECT x FROM UNNEST(GENERATE_ARRAY(1, 9)) AS x ORDER BY x DESC LIMIT 3 OFFSET 2
--> x INT64
--| 7
--| 6
--| 5

--- NaN with IN and BETWEEN, and -0.0 equals 0.0
SELECT x IN (x) AS a, x NOT IN (1.0) AS b, x BETWEEN -1.0 AND 1.0 AS c, x != x AS d, -0.0 = 0.0 AS e FROM (SELECT CAST('nan' AS FLOAT64) AS x)
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL
--| false, true, false, true, true

--- The literal NULL as an operand is an error
SELECT 1 + (NULL)
--! invalidQuery: Operands of + cannot be literal NULL at [1:
