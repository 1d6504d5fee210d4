-- PIVOT and UNPIVOT.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#pivot_operator
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#unpivot_operator

--- PIVOT turns values into columns
SELECT * FROM (SELECT user_id, type FROM `pixel_*`) PIVOT (COUNT(*) FOR type IN ('open', 'click', 'purchase')) ORDER BY user_id
--> user_id STRING, open INT64, click INT64, purchase INT64
--| "ada", 3, 2, 1
--| "bob", 3, 1, 1
--| "cara@example.com", 1, 0, 0

--- PIVOT with aliases and several aggregate functions
SELECT * FROM (SELECT user_id, type, event_id FROM `pixel_*`) PIVOT (COUNT(*) AS n, MIN(event_id) AS first FOR type IN ('open' AS o, 'click' AS c)) ORDER BY user_id
--> user_id STRING, n_o INT64, first_o STRING, n_c INT64, first_c STRING
--| "ada", 3, "a1", 2, "a2"
--| "bob", 3, "b1", 1, "b5"
--| "cara@example.com", 1, "c1", 0, null

--- PIVOT returns NULL for an aggregate without rows
SELECT * FROM (SELECT 'a' AS k, 1 AS q, 10 AS v UNION ALL SELECT 'a', 1, 5 UNION ALL SELECT 'b', 2, 7) PIVOT (SUM(v) FOR q IN (1, 2)) ORDER BY k
--> k STRING, _1 INT64, _2 INT64
--| "a", 15, null
--| "b", null, 7

--- PIVOT of a common table expression without other columns
WITH e AS (SELECT type FROM `pixel_*`) SELECT open, click FROM e PIVOT (COUNT(*) FOR type IN ('open', 'click'))
--> open INT64, click INT64
--| 7, 3

--- UNPIVOT excludes NULLs
SELECT * FROM (SELECT 'ada' AS who, 3 AS open, 2 AS click, CAST(NULL AS INT64) AS purchase) UNPIVOT (n FOR type IN (open, click, purchase)) ORDER BY type
--> who STRING, n INT64, type STRING
--| "ada", 2, "click"
--| "ada", 3, "open"

--- UNPIVOT INCLUDE NULLS keeps NULLs
SELECT who, type, n FROM (SELECT 'ada' AS who, 3 AS open, CAST(NULL AS INT64) AS click) UNPIVOT INCLUDE NULLS (n FOR type IN (open AS 'O', click AS 'C')) ORDER BY type
--> who STRING, type STRING, n INT64
--| "ada", "C", null
--| "ada", "O", 3
