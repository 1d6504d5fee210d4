-- Joins, set operations, WITH.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#join_types
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#set_operators

--- INNER JOIN with ON
SELECT o.event_id AS opened, c.event_id AS clicked FROM pixel_bob_20260112 AS o JOIN pixel_bob_20260112 AS c ON o.user_id = c.user_id AND o.type = 'open' AND c.type = 'click'
--> opened STRING, clicked STRING
--| "b4", "b5"

--- LEFT JOIN keeps rows without a match
SELECT a.x, b.y FROM UNNEST([1, 2, 3]) AS a_ JOIN (SELECT 1 AS x UNION ALL SELECT 2) AS a ON a_ = a.x LEFT JOIN (SELECT 2 AS x, 'two' AS y) AS b USING (x) ORDER BY 1
--> x INT64, y STRING
--| 1, null
--| 2, "two"

--- USING returns the column once
SELECT * FROM (SELECT 1 AS id, 'a' AS l) JOIN (SELECT 1 AS id, 'b' AS r) USING (id)
--> id INT64, l STRING, r STRING
--| 1, "a", "b"

--- FULL JOIN with USING takes the value of either side
SELECT id, l, r FROM (SELECT 1 AS id, 'a' AS l UNION ALL SELECT 2, 'b') FULL JOIN (SELECT 2 AS id, 'c' AS r UNION ALL SELECT 3, 'd') USING (id) ORDER BY id
--> id INT64, l STRING, r STRING
--| 1, "a", null
--| 2, "b", "c"
--| 3, null, "d"

--- RIGHT JOIN keeps rows without a match
SELECT l.id AS left_id, r.id AS right_id FROM (SELECT 1 AS id) AS l RIGHT JOIN (SELECT 1 AS id UNION ALL SELECT 2) AS r ON l.id = r.id ORDER BY right_id
--> left_id INT64, right_id INT64
--| 1, 1
--| null, 2

--- CROSS JOIN by keyword and by comma
SELECT a, b FROM UNNEST([1, 2]) AS a CROSS JOIN UNNEST(['x', 'y']) AS b, UNNEST([TRUE]) AS c ORDER BY a, b
--> a INT64, b STRING
--| 1, "x"
--| 1, "y"
--| 2, "x"
--| 2, "y"

--- NULLs do not match in a join
SELECT COUNT(*) AS n FROM UNNEST([1, NULL]) AS a JOIN UNNEST([1, NULL]) AS b ON a = b
--> n INT64
--| 1

--- A join with an inequality
SELECT a, b FROM UNNEST([1, 2, 3]) AS a JOIN UNNEST([1, 2, 3]) AS b ON a < b ORDER BY a, b
--> a INT64, b INT64
--| 1, 2
--| 1, 3
--| 2, 3

--- A date spine counts 0 for days without events
SELECT day, COUNT(event_id) AS events FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-04', '2026-01-07')) AS day LEFT JOIN `pixel_*` ON DATE(event_timestamp) = day GROUP BY day ORDER BY day
--> day DATE, events INT64
--| "2026-01-04", 1
--| "2026-01-05", 7
--| "2026-01-06", 0
--| "2026-01-07", 0

--- UNION ALL keeps duplicates, UNION DISTINCT removes them
SELECT ARRAY(SELECT a FROM (SELECT 1 AS a UNION ALL SELECT 1 UNION ALL SELECT 2) ORDER BY a) AS all_, ARRAY(SELECT a FROM (SELECT 1 AS a UNION DISTINCT SELECT 1 UNION DISTINCT SELECT 2 AS b) ORDER BY a) AS distinct_
--> all_ ARRAY<INT64>, distinct_ ARRAY<INT64>
--| [1, 1, 2], [1, 2]

--- INTERSECT and EXCEPT
SELECT user_id FROM `pixel_*` WHERE type = 'open' EXCEPT DISTINCT SELECT user_id FROM `pixel_*` WHERE type = 'click'
--> user_id STRING
--| "cara@example.com"

--- INTERSECT DISTINCT removes duplicates
SELECT user_id FROM `pixel_*` WHERE type = 'purchase' INTERSECT DISTINCT SELECT user_id FROM `pixel_*` WHERE type = 'click' ORDER BY user_id
--> user_id STRING
--| "ada"
--| "bob"

--- UNION coerces columns to a common type
SELECT x FROM (SELECT 1 AS x UNION ALL SELECT 2.5 UNION ALL SELECT NULL) ORDER BY x
--> x FLOAT64
--| null
--| 1.0
--| 2.5

--- UNION without ALL or DISTINCT is an error
SELECT 1 AS x UNION SELECT 2
--! invalidQuery: Syntax error: Expected keyword ALL or keyword DISTINCT

--- UNION of different column counts is an error
SELECT 1 AS x UNION ALL SELECT 2, 3
--! invalidQuery: Queries in UNION ALL have mismatched column count; query 1 has 1 column, query 2 has 2 columns

--- A common table expression uses an earlier one
WITH opens AS (SELECT user_id, COUNT(*) AS n FROM `pixel_*` WHERE type = 'open' GROUP BY user_id), most AS (SELECT MAX(n) AS n FROM opens)
SELECT user_id, n FROM opens JOIN most USING (n) ORDER BY user_id
--> user_id STRING, n INT64
--| "ada", 3
--| "bob", 3

--- A common table expression hides a table of the same name
WITH pixel_bob_20260112 AS (SELECT 1 AS x) SELECT * FROM pixel_bob_20260112
--> x INT64
--| 1

--- WITH RECURSIVE counts
WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 4) SELECT n FROM numbers ORDER BY n
--> n INT64
--| 1
--| 2
--| 3
--| 4

--- An ambiguous column is an error
SELECT user_id FROM pixel_bob_20260112 AS a JOIN pixel_bob_20260105 AS b ON a.type = b.type
--! invalidQuery: Column name user_id is ambiguous at [1:8]

--- SELECT DISTINCT removes duplicates
SELECT DISTINCT user_id, type FROM pixel_ada_20260105 ORDER BY type
--> user_id STRING, type STRING
--| "ada", "click"
--| "ada", "open"

--- A join of two wildcard tables
SELECT a.user_id, COUNT(*) AS pairs FROM `pixel_ada_*` AS a JOIN `parsed_pixel.pixel_bob_*` AS b ON a.order_id = b.order_id GROUP BY a.user_id
--> user_id STRING, pairs INT64
--| "ada", 8

--- UNION ALL keeps the order of its queries
SELECT ARRAY(SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS a, ARRAY(SELECT DISTINCT x FROM UNNEST([3, 1, 3, 2, 1]) AS x) AS b
--> a ARRAY<INT64>, b ARRAY<INT64>
--| [1,2,3], [3,1,2]

--- UNION ALL keeps the order of rows within a query
SELECT 'c' AS x UNION ALL SELECT 'a' UNION ALL SELECT 'b' UNION ALL SELECT x FROM UNNEST(['z', 'y']) AS x
--> x STRING
--| "c"
--| "a"
--| "b"
--| "z"
--| "y"

--- SELECT DISTINCT with ORDER BY of selected expressions
SELECT DISTINCT x FROM UNNEST([1, 2, 3, 3]) AS x ORDER BY MOD(x, 3), -x
--> x INT64
--| 3
--| 1
--| 2

--- SELECT DISTINCT with ORDER BY of another column is an error
SELECT DISTINCT MOD(x, 2) AS m FROM UNNEST([1, 2, 3]) AS x ORDER BY x + 1
--! invalidQuery: ORDER BY clause expression references column

--- WITH RECURSIVE and UNION DISTINCT end without new rows
WITH RECURSIVE edges AS (SELECT 1 AS a, 2 AS b UNION ALL SELECT 2, 3 UNION ALL SELECT 3, 1), reach AS (SELECT 1 AS node UNION DISTINCT SELECT edges.b FROM edges JOIN reach ON edges.a = reach.node) SELECT node FROM reach ORDER BY node
--> node INT64
--| 1
--| 2
--| 3

--- WITH RECURSIVE with a non-recursive and a twice-used table
WITH RECURSIVE one AS (SELECT 1 AS x), n AS (SELECT x FROM one UNION ALL SELECT x + 1 FROM n WHERE x < 3) SELECT a.x, b.x AS y FROM n AS a JOIN n AS b ON a.x = b.x - 1 ORDER BY 1
--> x INT64, y INT64
--| 1, 2
--| 2, 3

--- WITH RECURSIVE builds paths
WITH RECURSIVE t AS (SELECT 1 AS id, '1' AS path UNION ALL SELECT id + 1, CONCAT(path, '>', CAST(id + 1 AS STRING)) FROM t WHERE id < 3) SELECT path FROM t ORDER BY id DESC LIMIT 1
--> path STRING
--| "1>2>3"

--- WITH RECURSIVE stops after 500 iterations
WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n
--! invalidQuery: A recursive CTE has reached the maximum number of iterations: 500

--- UNION of one and two columns is an error
SELECT 1 UNION ALL SELECT 1, 2
--! invalidQuery: Queries in UNION ALL have mismatched column count; query 1 has 1 column, query 2 has 2 columns

--- LEFT JOIN UNNEST with a condition
SELECT id, tag FROM (SELECT 1 AS id, ['a', 'b'] AS tags UNION ALL SELECT 2, ['c']) LEFT JOIN UNNEST(tags) AS tag ON tag != 'c' AND id > 0 ORDER BY id, tag
--> id INT64, tag STRING
--| 1, "a"
--| 1, "b"
--| 2, null

--- LEFT JOIN UNNEST of STRUCTs with a condition
SELECT id, p.v FROM (SELECT 1 AS id, [STRUCT('k' AS k, 5 AS v), ('m', 6)] AS ps UNION ALL SELECT 2, [STRUCT('m' AS k, 7 AS v)]) LEFT JOIN UNNEST(ps) AS p ON p.k = 'k' ORDER BY id
--> id INT64, v INT64
--| 1, 5
--| 2, null
