-- Window functions and QUALIFY.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/window-function-calls
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/numbering_functions
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/navigation_functions

--- ROW_NUMBER, RANK and DENSE_RANK with ties
SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS rn, RANK() OVER (ORDER BY x) AS r, DENSE_RANK() OVER (ORDER BY x) AS d FROM UNNEST([10, 20, 20, 30]) AS x ORDER BY rn
--> x INT64, rn INT64, r INT64, d INT64
--| 10, 1, 1, 1
--| 20, 2, 2, 2
--| 20, 3, 2, 2
--| 30, 4, 4, 3

--- PERCENT_RANK, CUME_DIST and NTILE
SELECT x, PERCENT_RANK() OVER (ORDER BY x) AS p, CUME_DIST() OVER (ORDER BY x) AS c, NTILE(2) OVER (ORDER BY x) AS n FROM UNNEST([1, 2, 3, 4, 5]) AS x ORDER BY x
--> x INT64, p FLOAT64, c FLOAT64, n INT64
--| 1, 0.0, 0.2, 1
--| 2, 0.25, 0.4, 1
--| 3, 0.5, 0.6, 1
--| 4, 0.75, 0.8, 2
--| 5, 1.0, 1.0, 2

--- LAG and LEAD with offset and default
SELECT x, LAG(x) OVER w AS before, LEAD(x) OVER w AS after, LAG(x, 2, -1) OVER w AS two_before FROM UNNEST([1, 2, 3]) AS x WINDOW w AS (ORDER BY x) ORDER BY x
--> x INT64, before INT64, after INT64, two_before INT64
--| 1, null, 2, -1
--| 2, 1, 3, -1
--| 3, 2, null, 1

--- FIRST_VALUE, LAST_VALUE and NTH_VALUE over the partition
SELECT event_id, FIRST_VALUE(type) OVER w AS first, LAST_VALUE(type) OVER w AS last, NTH_VALUE(type, 2) OVER w AS second FROM pixel_bob_20260112
WINDOW w AS (PARTITION BY user_id ORDER BY event_timestamp ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY event_id
--> event_id STRING, first STRING, last STRING, second STRING
--| "b4", "open", "purchase", "click"
--| "b5", "open", "purchase", "click"
--| "b6", "open", "purchase", "click"

--- The default frame of LAST_VALUE ends at the current row
SELECT x, LAST_VALUE(x) OVER (ORDER BY x) AS l FROM UNNEST([1, 2, 3]) AS x ORDER BY x
--> x INT64, l INT64
--| 1, 1
--| 2, 2
--| 3, 3

--- LAST_VALUE IGNORE NULLS fills forward
SELECT n, LAST_VALUE(v IGNORE NULLS) OVER (ORDER BY n) AS filled FROM UNNEST([STRUCT(1 AS n, 'a' AS v), (2, NULL), (3, 'b'), (4, NULL)]) ORDER BY n
--> n INT64, filled STRING
--| 1, "a"
--| 2, "a"
--| 3, "b"
--| 4, "b"

--- A running sum, a share of the total and a moving average
SELECT x, SUM(x) OVER (ORDER BY x) AS running, x / SUM(x) OVER () AS share, AVG(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS moving FROM UNNEST([1, 2, 3, 4]) AS x ORDER BY x
--> x INT64, running INT64, share FLOAT64, moving FLOAT64
--| 1, 1, 0.1, 1.5
--| 2, 3, 0.2, 2.0
--| 3, 6, 0.3, 3.0
--| 4, 10, 0.4, 3.5

--- RANGE includes ties, ROWS does not
SELECT x, SUM(x) OVER (ORDER BY x) AS ranged, COUNT(*) OVER (ORDER BY x ROWS UNBOUNDED PRECEDING) AS rowed FROM UNNEST([1, 2, 2, 3]) AS x ORDER BY rowed
--> x INT64, ranged INT64, rowed INT64
--| 1, 1, 1
--| 2, 5, 2
--| 2, 5, 3
--| 3, 8, 4

--- RANGE frames by value
SELECT x, COUNT(*) OVER (ORDER BY x RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS near FROM UNNEST([1, 2, 3, 10]) AS x ORDER BY x
--> x INT64, near INT64
--| 1, 2
--| 2, 3
--| 3, 2
--| 10, 1

--- NULLs sort first in a window
SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS rn, ROW_NUMBER() OVER (ORDER BY x DESC) AS back FROM UNNEST([2, NULL, 1]) AS x ORDER BY rn
--> x INT64, rn INT64, back INT64
--| null, 1, 3
--| 1, 2, 2
--| 2, 3, 1

--- QUALIFY keeps one row per event
SELECT event_id, type FROM pixel_ada_20260105 QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY event_timestamp) = 1 ORDER BY event_id
--> event_id STRING, type STRING
--| "a2", "click"
--| "a3", "open"
--| "a4", "click"

--- QUALIFY with an alias and WHERE
SELECT user_id, event_id, RANK() OVER (PARTITION BY user_id ORDER BY event_timestamp DESC) AS latest FROM `pixel_*` WHERE type = 'open' QUALIFY latest = 1 ORDER BY user_id, event_id
--> user_id STRING, event_id STRING, latest INT64
--| "ada", "a3", 1
--| "ada", "a3", 1
--| "bob", "b4", 1
--| "cara@example.com", "c1", 1

--- A window function over groups
SELECT type, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*) DESC) AS place, SUM(COUNT(*)) OVER () AS total FROM `pixel_*` WHERE type IS NOT NULL GROUP BY type ORDER BY place
--> type STRING, n INT64, place INT64, total INT64
--| "open", 7, 1, 12
--| "click", 3, 2, 12
--| "purchase", 2, 3, 12

--- COUNTIF and COUNT(DISTINCT) over a window
SELECT event_id, COUNTIF(type = 'open') OVER (PARTITION BY user_id) AS opens, COUNT(DISTINCT type) OVER (PARTITION BY user_id) AS types FROM pixel_bob_20260105 ORDER BY event_id
--> event_id STRING, opens INT64, types INT64
--| "b1", 2, 1
--| "b2", 2, 1
--| "b3", 2, 1

--- Sessions: a new session after 30 minutes of inactivity
WITH gaps AS (
  SELECT user_id, event_id, event_timestamp,
    TIMESTAMP_DIFF(event_timestamp, LAG(event_timestamp) OVER (PARTITION BY user_id ORDER BY event_timestamp), MINUTE) > 30 AS pause
  FROM pixel_bob_20260105)
SELECT event_id, 1 + COUNTIF(pause) OVER (PARTITION BY user_id ORDER BY event_timestamp) AS session FROM gaps ORDER BY event_id
--> event_id STRING, session INT64
--| "b1", 1
--| "b2", 2
--| "b3", 2

--- PERCENTILE_CONT interpolates, PERCENTILE_DISC does not
SELECT DISTINCT PERCENTILE_CONT(x, 0.5) OVER () AS cont, PERCENTILE_DISC(x, 0.5) OVER () AS disc, PERCENTILE_CONT(x, 0.25) OVER () AS quarter FROM UNNEST([0, 3, NULL, 1, 2]) AS x
--> cont FLOAT64, disc INT64, quarter FLOAT64
--| 1.5, 1, 0.75

--- A window function in WHERE is an error
SELECT type FROM `pixel_*` WHERE ROW_NUMBER() OVER (ORDER BY event_id) = 1
--! invalidQuery: not allowed in WHERE clause

--- STRING_AGG over a window
SELECT event_id, STRING_AGG(type, '>') OVER (PARTITION BY user_id ORDER BY event_timestamp) AS path FROM pixel_bob_20260112 ORDER BY event_id
--> event_id STRING, path STRING
--| "b4", "open"
--| "b5", "open>click"
--| "b6", "open>click>purchase"

--- PERCENTILE functions with RESPECT NULLS
SELECT DISTINCT PERCENTILE_CONT(x, 0 RESPECT NULLS) OVER () AS least, PERCENTILE_CONT(x, 0.5 RESPECT NULLS) OVER () AS middle, PERCENTILE_DISC(x, 0.2 IGNORE NULLS) OVER () AS low FROM UNNEST([10, NULL, 20, NULL, 30]) AS x
--> least FLOAT64, middle FLOAT64, low INT64
--| null, 10.0, 10

--- FIRST_VALUE IGNORE NULLS over an array of STRUCTs
SELECT k, FIRST_VALUE(v IGNORE NULLS) OVER (ORDER BY k ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_known FROM UNNEST([STRUCT('a' AS k, NULL AS v), ('b', 2), ('c', NULL)]) ORDER BY k
--> k STRING, next_known INT64
--| "a", 2
--| "b", 2
--| "c", null

--- A named window that extends another one
SELECT event_id, COUNT(*) OVER users AS all_, COUNT(*) OVER (users ORDER BY event_timestamp) AS so_far FROM pixel_bob_20260112 WINDOW users AS (PARTITION BY user_id) ORDER BY event_id
--> event_id STRING, all_ INT64, so_far INT64
--| "b4", 3, 1
--| "b5", 3, 2
--| "b6", 3, 3

--- Named windows over aggregate functions
SELECT k, SUM(COUNT(*)) OVER () AS total, ROUND(COUNT(*) / SUM(COUNT(*)) OVER (), 2) AS share, RANK() OVER w AS r FROM UNNEST(['a', 'b', 'a']) AS k GROUP BY k WINDOW w AS (ORDER BY COUNT(*) DESC) ORDER BY r
--> k STRING, total INT64, share FLOAT64, r INT64
--| "a", 3, 0.67, 1
--| "b", 3, 0.33, 2

--- A window can be ordered by TIME: rows with equal times are peers
SELECT n, SUM(n) OVER (ORDER BY t) AS so_far, COUNT(*) OVER (ORDER BY t DESC RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS up_to_here FROM UNNEST([STRUCT(1 AS n, TIME '09:30:00' AS t), (2, TIME '08:00:00.5'), (4, TIME '09:30:00'), (8, NULL)]) ORDER BY n
--> n INT64, so_far INT64, up_to_here INT64
--| 1, 15, 4
--| 2, 10, 2
--| 4, 15, 4
--| 8, 8, 1

--- A window can be ordered by BYTES: rows with equal bytes are peers
SELECT n, SUM(n) OVER (ORDER BY b) AS so_far, FIRST_VALUE(n) OVER (ORDER BY b, n) AS first, LAG(b) OVER (ORDER BY b, n) AS before FROM UNNEST([STRUCT(1 AS n, b'b' AS b), (2, b'a\xff'), (4, b'b'), (8, b'')]) ORDER BY n
--> n INT64, so_far INT64, first INT64, before BYTES
--| 1, 15, 8, "Yf8="
--| 2, 10, 8, ""
--| 4, 15, 8, "Yg=="
--| 8, 8, 8, null

--- A window with a distance needs a numeric ORDER BY: not TIME
SELECT SUM(n) OVER (ORDER BY t RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM UNNEST([STRUCT(1 AS n, TIME '09:30:00' AS t)])
--! invalidQuery: ORDER BY key must be numeric in a RANGE-based window with OFFSET PRECEDING or FOLLOWING boundaries, but has type TIME

--- A window with a distance needs a numeric ORDER BY: not BYTES
SELECT SUM(n) OVER (ORDER BY b RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM UNNEST([STRUCT(1 AS n, b'a' AS b)])
--! invalidQuery: ORDER BY key must be numeric in a RANGE-based window with OFFSET PRECEDING or FOLLOWING boundaries, but has type BYTES
