-- Aggregates and GROUP BY.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/approximate_aggregate_functions
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#group_by_clause

--- COUNT, COUNT(DISTINCT) and COUNTIF
SELECT COUNT(*) AS events, COUNT(DISTINCT event_id) AS distinct_events, COUNTIF(type = 'open') AS opens, COUNTIF(type IS NULL) AS untyped, COUNT(DISTINCT IF(type = 'click', user_id, NULL)) AS clickers FROM `pixel_*`
--> events INT64, distinct_events INT64, opens INT64, untyped INT64, clickers INT64
--| 13, 12, 7, 1, 2

--- SUM, AVG, MIN and MAX ignore NULLs
SELECT SUM(i) AS s, AVG(i) AS a, MIN(f) AS mi, MAX(f) AS ma, SUM(n) AS numeric, AVG(f) AS af, COUNT(i) AS c FROM lab.scalars
--> s INT64, a FLOAT64, mi FLOAT64, ma FLOAT64, numeric NUMERIC, af FLOAT64, c INT64
--| 17, 5.666666666666667, -0.25, 2.0, "111.34", 1.0833333333333333, 3

--- Without rows, COUNT is 0 and other aggregates are NULL
SELECT COUNT(*) AS c, SUM(i) AS s, AVG(i) AS a, MIN(s) AS m, ARRAY_AGG(i) AS l, STRING_AGG(s) AS st, LOGICAL_OR(b) AS lo, COUNTIF(b) AS ci FROM lab.scalars WHERE FALSE
--> c INT64, s INT64, a FLOAT64, m STRING, l ARRAY<INT64>, st STRING, lo BOOL, ci INT64
--| 0, null, null, null, [], null, null, 0

--- GROUP BY returns no group for no rows
SELECT type, COUNT(*) AS n FROM pixel GROUP BY type
--> type STRING, n INT64

--- GROUP BY an alias, a position and an expression
SELECT UPPER(type) AS kind, EXTRACT(DAY FROM event_timestamp) AS day, COUNT(*) AS n FROM `pixel_*` WHERE type IN ('click', 'purchase') GROUP BY kind, 2 ORDER BY day, kind
--> kind STRING, day INT64, n INT64
--| "CLICK", 5, 2
--| "CLICK", 12, 1
--| "PURCHASE", 12, 1
--| "PURCHASE", 13, 1

--- GROUP BY ALL
SELECT user_id, type, COUNT(*) AS n FROM pixel_bob_20260112 GROUP BY ALL ORDER BY type
--> user_id STRING, type STRING, n INT64
--| "bob", "click", 1
--| "bob", "open", 1
--| "bob", "purchase", 1

--- HAVING filters groups
SELECT user_id, COUNT(*) AS n FROM `pixel_*` GROUP BY user_id HAVING n > 5 ORDER BY user_id
--> user_id STRING, n INT64
--| "ada", 6
--| "bob", 6

--- ROLLUP adds subtotals and a total
SELECT user_id, type, COUNT(*) AS n FROM pixel_bob_20260112 GROUP BY ROLLUP (user_id, type) ORDER BY user_id, type
--> user_id STRING, type STRING, n INT64
--| null, null, 3
--| "bob", null, 3
--| "bob", "click", 1
--| "bob", "open", 1
--| "bob", "purchase", 1

--- GROUPING SETS and the GROUPING function
SELECT user_id, type, GROUPING(type) AS g, COUNT(*) AS n FROM pixel_bob_20260112 GROUP BY GROUPING SETS (user_id, type) ORDER BY g, type
--> user_id STRING, type STRING, g INT64, n INT64
--| null, "click", 0, 1
--| null, "open", 0, 1
--| null, "purchase", 0, 1
--| "bob", null, 1, 3

--- LOGICAL_AND, LOGICAL_OR and bitwise aggregates
SELECT LOGICAL_AND(x > 0) AS a, LOGICAL_OR(x > 2) AS o, LOGICAL_AND(x > 1) AS n, BIT_OR(x) AS bo, BIT_AND(x) AS ba, BIT_XOR(x) AS bx FROM UNNEST([1, 2, NULL, 3]) AS x
--> a BOOL, o BOOL, n BOOL, bo INT64, ba INT64, bx INT64
--| true, true, false, 3, 0, 0

--- STRING_AGG with delimiter, ORDER BY, LIMIT and DISTINCT
SELECT STRING_AGG(s ORDER BY s) AS a, STRING_AGG(s, ' | ' ORDER BY s DESC) AS b, STRING_AGG(DISTINCT s, '' ORDER BY s) AS c, STRING_AGG(s, '-' ORDER BY s LIMIT 2) AS d FROM UNNEST(['b', NULL, 'a', 'b']) AS s
--> a STRING, b STRING, c STRING, d STRING
--| "a,b,b", "b | b | a", "ab", "a-b"

--- ARRAY_AGG with ORDER BY, LIMIT, DISTINCT and IGNORE NULLS
SELECT ARRAY_AGG(x IGNORE NULLS ORDER BY x DESC) AS a, ARRAY_AGG(x IGNORE NULLS ORDER BY x LIMIT 2) AS b, ARRAY_AGG(DISTINCT x IGNORE NULLS ORDER BY x) AS c FROM UNNEST([3, 1, NULL, 2, 3]) AS x
--> a ARRAY<INT64>, b ARRAY<INT64>, c ARRAY<INT64>
--| [3, 3, 2, 1], [1, 2], [1, 2, 3]

--- A result array cannot contain NULL
SELECT ARRAY_AGG(x) AS a FROM UNNEST([1, NULL]) AS x
--! invalidQuery: Array cannot have a null element

--- ARRAY_AGG with LIMIT 1 finds the latest event per user
SELECT user_id, ARRAY_AGG(STRUCT(event_id, type) ORDER BY event_timestamp DESC LIMIT 1)[OFFSET(0)].event_id AS last FROM `pixel_*` GROUP BY user_id ORDER BY user_id
--> user_id STRING, last STRING
--| "ada", "a5"
--| "bob", "b6"
--| "cara@example.com", "c1"

--- ANY_VALUE, MAX_BY and MIN_BY
SELECT ANY_VALUE(user_id) AS u, ANY_VALUE(event_id HAVING MAX event_timestamp) AS last, MAX_BY(event_id, event_timestamp) AS last_too, MIN_BY(event_id, event_timestamp) AS first FROM pixel_bob_20260112
--> u STRING, last STRING, last_too STRING, first STRING
--| "bob", "b6", "b6", "b4"

--- SUM, COUNT and AVG of DISTINCT values
SELECT SUM(DISTINCT i) AS s, COUNT(DISTINCT i) AS c, AVG(DISTINCT i) AS a FROM lab.scalars
--> s INT64, c INT64, a FLOAT64
--| 7, 2, 3.5

--- APPROX_COUNT_DISTINCT is exact for few values
SELECT APPROX_COUNT_DISTINCT(user_id) AS users FROM `pixel_*`
--> users INT64
--| 3

--- APPROX_QUANTILES returns minimum, quantiles and maximum
SELECT APPROX_QUANTILES(x, 4) AS q, APPROX_QUANTILES(x, 2)[OFFSET(1)] AS median FROM UNNEST([1, 2, 3, 4, 5]) AS x
--> q ARRAY<INT64>, median INT64
--| [1, 2, 3, 4, 5], 3

--- APPROX_TOP_COUNT returns the most frequent values
SELECT APPROX_TOP_COUNT(type, 1) AS top FROM `pixel_*`
--> top ARRAY<STRUCT<value STRING, count INT64>>
--| [{"value": "open", "count": 7}]

--- Variance, standard deviation, correlation and covariance
SELECT VAR_POP(x) AS vp, VAR_SAMP(x) AS vs, STDDEV_POP(x) AS sp, CORR(x, 2 * x) AS c, COVAR_POP(x, x) AS cp, STDDEV(x) AS s FROM UNNEST([2, 4, 4, 4, 5, 5, 7, 9]) AS x
--> vp FLOAT64, vs FLOAT64, sp FLOAT64, c FLOAT64, cp FLOAT64, s FLOAT64
--| 4.0, 4.571428571428571, 2.0, 1.0, 4.0, 2.138089935299395

--- Expressions over aggregates
SELECT ROUND(100 * SAFE_DIVIDE(COUNTIF(type = 'click'), COUNTIF(type = 'open')), 1) AS click_rate, COUNT(*) / COUNT(DISTINCT user_id) AS per_user, MAX(event_timestamp) - MIN(event_timestamp) > INTERVAL 1 DAY AS long FROM `pixel_*`
--> click_rate FLOAT64, per_user FLOAT64, long BOOL
--| 42.9, 4.333333333333333, true

--- ARRAY_CONCAT_AGG concatenates arrays
SELECT ARRAY_CONCAT_AGG(tags ORDER BY id) AS tags FROM lab.scalars
--> tags ARRAY<STRING>
--| ["a", "b", "b", "c", "b"]

--- A column that is neither grouped nor aggregated is an error
SELECT type, user_id, COUNT(*) FROM `pixel_*` GROUP BY type
--! invalidQuery: SELECT list expression references column user_id which is neither grouped nor aggregated at [1:14]

--- An aggregate function in WHERE is an error
SELECT type FROM `pixel_*` WHERE COUNT(*) > 1 GROUP BY type
--! invalidQuery: Aggregate function COUNT

--- MIN and MAX of strings, dates and booleans
SELECT MIN(s) AS a, MAX(s) AS b, MAX(ts) AS c, MAX(dt) AS d, MIN(t) AS e FROM lab.scalars
--> a STRING, b STRING, c TIMESTAMP, d DATETIME, e TIME
--| "", "apple", "2026-02-28T23:59:59.999999Z", "2026-02-28T23:59:59.999999", "00:00:00"

--- DISTINCT with ORDER BY in aggregate functions
SELECT STRING_AGG(DISTINCT x, '-' ORDER BY x DESC) AS down, STRING_AGG(DISTINCT x, '' ORDER BY x) AS up, ARRAY_AGG(DISTINCT x ORDER BY x DESC LIMIT 2) AS two, ARRAY_AGG(x ORDER BY x) AS all_of_them FROM UNNEST(['b', 'a', 'c', 'a']) AS x
--> down STRING, up STRING, two ARRAY<STRING>, all_of_them ARRAY<STRING>
--| "c-b-a", "abc", ["c","b"], ["a","a","b","c"]

--- DISTINCT and ORDER BY of another expression is an error
SELECT ARRAY_AGG(DISTINCT x ORDER BY -x) FROM UNNEST([1, 2]) AS x
--! invalidQuery: has both DISTINCT and ORDER BY arguments

--- DISTINCT without ORDER BY keeps the first occurrence
SELECT ARRAY_AGG(DISTINCT x) AS a, STRING_AGG(DISTINCT x, ' & ') AS s, STRING_AGG(x) AS all_of_them FROM UNNEST(['apple', 'pear', 'banana', 'pear']) AS x
--> a ARRAY<STRING>, s STRING, all_of_them STRING
--| ["apple","pear","banana"], "apple & pear & banana", "apple,pear,banana,pear"

--- ROLLUP with another grouping key
SELECT a, b, c, SUM(n) AS n FROM (SELECT 'x' AS a, 'p' AS b, 'q' AS c, 1 AS n UNION ALL SELECT 'x', 'p', 'r', 2) GROUP BY a, ROLLUP(b, c) ORDER BY a, b, c
--> a STRING, b STRING, c STRING, n INT64
--| "x", null, null, 3
--| "x", "p", null, 3
--| "x", "p", "q", 1
--| "x", "p", "r", 2

--- ROLLUP of a pair of columns
SELECT a, b, c, COUNT(*) AS n FROM (SELECT 1 AS a, 2 AS b, 3 AS c) GROUP BY ROLLUP((a, b), c) ORDER BY a, b, c
--> a INT64, b INT64, c INT64, n INT64
--| null, null, null, 1
--| 1, 2, null, 1
--| 1, 2, 3, 1

--- CUBE returns all combinations of the keys
SELECT a, b, COUNT(*) AS n FROM (SELECT 1 AS a, 2 AS b) GROUP BY CUBE(a, b) ORDER BY a, b
--> a INT64, b INT64, n INT64
--| null, null, 1
--| null, 2, 1
--| 1, null, 1
--| 1, 2, 1

--- GROUPING distinguishes a total from a NULL key
SELECT type, GROUPING(type) AS is_total, COUNT(*) AS n FROM UNNEST([STRUCT('a' AS type), STRUCT('b'), STRUCT('a')]) GROUP BY ROLLUP(type) ORDER BY is_total, type
--> type STRING, is_total INT64, n INT64
--| "a", 0, 2
--| "b", 0, 1
--| null, 1, 3

--- GROUP BY a subquery over an array of the row
SELECT (SELECT value FROM UNNEST(params) WHERE key = 'page') AS page, COUNT(*) AS n FROM (SELECT [STRUCT('page' AS key, '/a' AS value)] AS params UNION ALL SELECT [STRUCT('page' AS key, '/a' AS value)] UNION ALL SELECT [STRUCT('page' AS key, '/b' AS value)]) GROUP BY page ORDER BY n DESC
--> page STRING, n INT64
--| "/a", 2
--| "/b", 1

--- A constant grouping key is NULL in totals and sorts first
SELECT user_id, type, COUNT(*) AS n FROM pixel_ada_20260105 WHERE user_id = 'ada' AND type = 'open' GROUP BY ROLLUP(user_id, type) ORDER BY user_id, type
--> user_id STRING, type STRING, n INT64
--| null, null, 2
--| "ada", null, 2
--| "ada", "open", 2
