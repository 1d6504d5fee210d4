-- Typical analytics queries: sessions, retention, deduplication, date spines.

--- Sessions split at gaps between events
WITH e AS (SELECT 'u' AS u, TIMESTAMP '2026-01-01 00:00:00+00' AS ts UNION ALL SELECT 'u', TIMESTAMP '2026-01-01 00:10:00+00' UNION ALL SELECT 'u', TIMESTAMP '2026-01-01 02:00:00+00'), f AS (SELECT *, IF(TIMESTAMP_DIFF(ts, LAG(ts) OVER (PARTITION BY u ORDER BY ts), MINUTE) <= 30, 0, 1) AS is_new FROM e) SELECT u, SUM(is_new) OVER (PARTITION BY u ORDER BY ts ROWS UNBOUNDED PRECEDING) AS session, ts FROM f ORDER BY ts
--> u STRING, session INT64, ts TIMESTAMP
--| "u", 1, "2026-01-01T00:00:00Z"
--| "u", 1, "2026-01-01T00:10:00Z"
--| "u", 2, "2026-01-01T02:00:00Z"

--- A sum over a range of days
SELECT d, SUM(n) OVER (ORDER BY UNIX_DATE(d) RANGE BETWEEN 6 PRECEDING AND CURRENT ROW) AS w FROM UNNEST([STRUCT(DATE '2026-01-01' AS d, 1 AS n), (DATE '2026-01-05', 2), (DATE '2026-01-09', 4)]) ORDER BY d
--> d DATE, w INT64
--| "2026-01-01", 1
--| "2026-01-05", 3
--| "2026-01-09", 6

--- A date spine with a LEFT JOIN
SELECT day, COUNT(x.d) AS n FROM UNNEST(GENERATE_DATE_ARRAY('2026-01-01', '2026-01-03')) AS day LEFT JOIN (SELECT DATE '2026-01-02' AS d) AS x ON x.d = day GROUP BY day ORDER BY day
--> day DATE, n INT64
--| "2026-01-01", 0
--| "2026-01-02", 1
--| "2026-01-03", 0

--- The last source per user
SELECT u, ARRAY_AGG(src IGNORE NULLS ORDER BY t DESC LIMIT 1)[SAFE_OFFSET(0)] AS last_src FROM UNNEST([STRUCT('a' AS u, 1 AS t, 'g' AS src), ('a', 2, NULL), ('b', 1, NULL)]) GROUP BY u ORDER BY u
--> u STRING, last_src STRING
--| "a", "g"
--| "b", null

--- Deduplicate rows with QUALIFY
SELECT u, t FROM UNNEST([STRUCT('a' AS u, 1 AS t), ('a', 2), ('b', 3)]) WHERE TRUE QUALIFY ROW_NUMBER() OVER (PARTITION BY u ORDER BY t DESC) = 1 ORDER BY u
--> u STRING, t INT64
--| "a", 2
--| "b", 3

--- Find the latest row per user
SELECT latest.* FROM (SELECT ARRAY_AGG(r ORDER BY t DESC LIMIT 1)[OFFSET(0)] AS latest FROM (SELECT 'a' AS u, 1 AS t UNION ALL SELECT 'a', 2 UNION ALL SELECT 'b', 3) AS r GROUP BY u) ORDER BY u
--> u STRING, t INT64
--| "a", 2
--| "b", 3

--- Read a parameter as a column with COALESCE
SELECT (SELECT COALESCE(p.value.s, CAST(p.value.i AS STRING)) FROM UNNEST(ps) AS p WHERE p.key = 'id') AS id FROM (SELECT [STRUCT('id' AS key, STRUCT(CAST(NULL AS STRING) AS s, 7 AS i) AS value)] AS ps)
--> id STRING
--| "7"

--- Pivot with conditional aggregation
SELECT u, COUNTIF(k = 'view') AS views, MAX(IF(k = 'buy', 1, 0)) AS bought, SAFE_DIVIDE(COUNTIF(k = 'buy'), COUNTIF(k = 'view')) AS rate FROM UNNEST([STRUCT('a' AS u, 'view' AS k), ('a', 'buy'), ('b', 'buy')]) GROUP BY 1 ORDER BY 1
--> u STRING, views INT64, bought INT64, rate FLOAT64
--| "a", 1, 1, 1.0
--| "b", 0, 1, null

--- Retention with a self-join
WITH a AS (SELECT * FROM UNNEST([STRUCT('u' AS u, DATE '2026-01-01' AS d), ('u', DATE '2026-01-02'), ('v', DATE '2026-01-01')])), f AS (SELECT u, MIN(d) AS d0 FROM a GROUP BY u) SELECT d0, DATE_DIFF(a.d, d0, DAY) AS n, COUNT(DISTINCT a.u) AS users, ROUND(COUNT(DISTINCT a.u) / MAX(COUNT(DISTINCT a.u)) OVER (PARTITION BY d0), 2) AS r FROM a JOIN f USING (u) GROUP BY d0, n ORDER BY n
--> d0 DATE, n INT64, users INT64, r FLOAT64
--| "2026-01-01", 0, 2, 1.0
--| "2026-01-01", 1, 1, 0.5

--- NOT IN and NOT EXISTS with another table
WITH a AS (SELECT 1 AS x UNION ALL SELECT 2), b AS (SELECT 2 AS x) SELECT x FROM a WHERE x NOT IN (SELECT x FROM b) AND NOT EXISTS (SELECT 1 FROM b WHERE b.x = a.x)
--> x INT64
--| 1

--- COUNT DISTINCT of an expression, and a median
SELECT COUNT(DISTINCT CONCAT(u, CAST(s AS STRING))) AS sessions, APPROX_QUANTILES(s, 2)[OFFSET(1)] AS median FROM UNNEST([STRUCT('a' AS u, 1 AS s), ('a', 2), ('a', 3)])
--> sessions INT64, median INT64
--| 3, 2

--- GROUP BY ALL with an expression
SELECT MOD(x, 2) AS m, COUNT(*) AS n FROM UNNEST([1,2,3]) AS x GROUP BY ALL ORDER BY m
--> m INT64, n INT64
--| 0, 1
--| 1, 2

--- Extract parts of a URL
SELECT REGEXP_EXTRACT('https://a.b/c?utm_source=x&y=1', r'[?&]utm_source=([^&]+)') AS s, SPLIT('a/b/c', '/')[SAFE_ORDINAL(2)] AS p, NET.REG_DOMAIN('https://www.a.co.uk/x') AS d
--> s STRING, p STRING, d STRING
--| "x", "b", "a.co.uk"
