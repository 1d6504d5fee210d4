-- Subqueries: scalar, EXISTS, IN, ARRAY, correlated.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/subqueries

--- A scalar subquery without rows is NULL
SELECT (SELECT COUNT(*) FROM pixel_bob_20260112) AS n, (SELECT type FROM pixel_bob_20260112 WHERE event_id = 'none') AS none
--> n INT64, none STRING
--| 3, null

--- A scalar subquery with two rows is an error
SELECT (SELECT type FROM pixel_bob_20260112) AS t
--! invalidQuery: Scalar subquery produced more than one element

--- A correlated EXISTS
SELECT DISTINCT user_id FROM `pixel_*` AS o WHERE EXISTS (SELECT 1 FROM `pixel_*` AS p WHERE p.user_id = o.user_id AND p.type = 'purchase') ORDER BY user_id
--> user_id STRING
--| "ada"
--| "bob"

--- A correlated NOT EXISTS
SELECT DISTINCT user_id FROM `pixel_*` AS o WHERE NOT EXISTS (SELECT 1 FROM `pixel_*` AS p WHERE p.user_id = o.user_id AND p.type = 'purchase')
--> user_id STRING
--| "cara@example.com"

--- IN and NOT IN
SELECT COUNTIF(user_id IN (SELECT user_id FROM `pixel_*` WHERE type = 'click')) AS of_clickers, COUNTIF(user_id NOT IN (SELECT user_id FROM `pixel_*` WHERE type = 'click')) AS of_others FROM `pixel_*`
--> of_clickers INT64, of_others INT64
--| 12, 1

--- NOT IN returns no rows if the list has a NULL
SELECT COUNT(*) AS n FROM UNNEST([1, 2]) AS x WHERE x NOT IN (SELECT y FROM UNNEST([1, NULL]) AS y)
--> n INT64
--| 0

--- A correlated scalar subquery
SELECT user_id, (SELECT MAX(event_timestamp) FROM `pixel_*` AS b WHERE b.user_id = a.user_id) AS last FROM (SELECT DISTINCT user_id FROM `pixel_*`) AS a ORDER BY user_id
--> user_id STRING, last TIMESTAMP
--| "ada", "2026-01-13T12:00:00Z"
--| "bob", "2026-01-12T08:07:00Z"
--| "cara@example.com", "2026-01-12T23:59:59.999999Z"

--- A correlated COUNT without rows is 0
SELECT x, (SELECT COUNT(*) FROM UNNEST([1, 1, 3]) AS y WHERE y = x) AS n FROM UNNEST([1, 2, 3]) AS x ORDER BY x
--> x INT64, n INT64
--| 1, 2
--| 2, 0
--| 3, 1

--- ARRAY subquery with ORDER BY
SELECT ARRAY(SELECT type FROM pixel_bob_20260112 ORDER BY event_timestamp DESC) AS types, ARRAY(SELECT AS STRUCT event_id, type FROM pixel_bob_20260112 WHERE type = 'open') AS opens
--> types ARRAY<STRING>, opens ARRAY<STRUCT<event_id STRING, type STRING>>
--| ["purchase", "click", "open"], [{"event_id": "b4", "type": "open"}]

--- A subquery in FROM inside a subquery in FROM
SELECT AVG(n) AS per_user FROM (SELECT user_id, COUNT(*) AS n FROM (SELECT DISTINCT user_id, event_id FROM `pixel_*`) GROUP BY user_id)
--> per_user FLOAT64
--| 4.0

--- Comparison with a subquery
SELECT event_id FROM `pixel_*` WHERE event_timestamp = (SELECT MIN(event_timestamp) FROM `pixel_*`)
--> event_id STRING
--| "a1"

--- SELECT AS STRUCT returns a STRUCT value
SELECT (SELECT AS STRUCT 1 AS a, 'b' AS b) AS s, (SELECT AS STRUCT 1 AS a, 'b' AS b).b AS b
--> s STRUCT<a INT64, b STRING>, b STRING
--| {"a": 1, "b": "b"}, "b"

--- IN a list of STRUCTs
SELECT event_id FROM `pixel_*` WHERE (user_id, type) IN (('bob', 'click'), ('ada', 'purchase')) ORDER BY event_id
--> event_id STRING
--| "a5"
--| "b5"

--- A correlated EXISTS over an array
SELECT event_id FROM `pixel_*` WHERE EXISTS (SELECT 1 FROM UNNEST(invalid_attributes) AS a WHERE a = 'order_id') ORDER BY event_id
--> event_id STRING
--| "b3"
--| "c1"

--- Correlated EXISTS and scalar subqueries over tables
SELECT a.x, (SELECT COUNT(*) FROM UNNEST([1, 1, 2]) AS y WHERE y = a.x) AS n, EXISTS (SELECT 1 FROM (SELECT 2 AS z) AS b WHERE b.z = a.x) AS e FROM (SELECT 1 AS x UNION ALL SELECT 2 UNION ALL SELECT 3) AS a WHERE a.x IN (SELECT z FROM (SELECT 1 AS z UNION ALL SELECT 2)) ORDER BY x
--> x INT64, n INT64, e BOOL
--| 1, 2, false
--| 2, 1, true

--- The last event of each user with a correlated subquery
WITH e AS (SELECT 'u' AS u, 1 AS t UNION ALL SELECT 'u', 2 UNION ALL SELECT 'v', 5) SELECT u, t FROM e AS a WHERE t = (SELECT MAX(t) FROM e AS b WHERE b.u = a.u) ORDER BY u
--> u STRING, t INT64
--| "u", 2
--| "v", 5
