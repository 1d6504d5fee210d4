-- Wildcard tables and _TABLE_SUFFIX.
-- https://cloud.google.com/bigquery/docs/querying-wildcard-tables
-- The template table is named pixel, and the dead-letter table dead_letters. `pixel_*` does not match them.

--- A wildcard table reads all generated tables
SELECT COUNT(*) AS n, COUNT(DISTINCT _TABLE_SUFFIX) AS tables FROM `parsed_pixel.pixel_*`
--> n INT64, tables INT64
--| 13, 6

--- _TABLE_SUFFIX is the part that * matches
SELECT _TABLE_SUFFIX AS suffix, COUNT(*) AS n FROM `pixel_*` GROUP BY suffix ORDER BY suffix
--> suffix STRING, n INT64
--| "ada_20260104", 1
--| "ada_20260105", 4
--| "ada_20260113", 1
--| "bob_20260105", 3
--| "bob_20260112", 3
--| "cara__40example__2ecom_20260112", 1

--- Filter by the end of _TABLE_SUFFIX
SELECT user_id, COUNT(*) AS n FROM `parsed_pixel.pixel_*` WHERE _TABLE_SUFFIX LIKE '%\\_20260105' GROUP BY user_id ORDER BY user_id
--> user_id STRING, n INT64
--| "ada", 4
--| "bob", 3

--- Filter by a longer prefix
SELECT _TABLE_SUFFIX AS day, COUNT(*) AS n FROM `parsed_pixel.pixel_ada_*` GROUP BY day ORDER BY day
--> day STRING, n INT64
--| "20260104", 1
--| "20260105", 4
--| "20260113", 1

--- Filter by a range of _TABLE_SUFFIX
SELECT event_id FROM `pixel_bob_*` WHERE _TABLE_SUFFIX BETWEEN '20260106' AND '20260131' ORDER BY event_id
--> event_id STRING
--| "b4"
--| "b5"
--| "b6"

--- Parse the date in _TABLE_SUFFIX
SELECT PARSE_DATE('%Y%m%d', REGEXP_EXTRACT(_TABLE_SUFFIX, r'(\d{8})$')) AS day, COUNT(*) AS n FROM `pixel_*` GROUP BY day ORDER BY day
--> day DATE, n INT64
--| "2026-01-04", 1
--| "2026-01-05", 7
--| "2026-01-12", 4
--| "2026-01-13", 1

--- SELECT * does not include _TABLE_SUFFIX
SELECT * FROM `pixel_cara*`
--> event_id STRING, event_timestamp TIMESTAMP, user_id STRING, order_id STRING, type STRING, referer STRING, user_agent STRING, invalid_attributes ARRAY<STRING>
--| "c1", "2026-01-12T23:59:59.999999Z", "cara@example.com", null, "open", "https://mail.example.com/inbox", "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0", ["amount", "order_id"]

--- _TABLE_SUFFIX can be selected together with *
SELECT * EXCEPT (event_timestamp, referer, user_agent, order_id), _TABLE_SUFFIX AS suffix FROM `pixel_*` WHERE _TABLE_SUFFIX LIKE 'cara%'
--> event_id STRING, user_id STRING, type STRING, invalid_attributes ARRAY<STRING>, suffix STRING
--| "c1", "cara@example.com", "open", ["amount", "order_id"], "cara__40example__2ecom_20260112"

--- A project in one pair of backticks and in three
SELECT (SELECT COUNT(*) FROM `test-project.parsed_pixel.pixel_*`) AS a, (SELECT COUNT(*) FROM `test-project`.parsed_pixel.`pixel_*`) AS b
--> a INT64, b INT64
--| 13, 13

--- A project with dashes needs no backticks
SELECT COUNT(*) AS n FROM test-project.parsed_pixel.pixel_bob_20260112
--> n INT64
--| 3

--- _TABLE_SUFFIX qualified by an alias
SELECT DISTINCT e._TABLE_SUFFIX AS s FROM `pixel_bob_*` AS e ORDER BY s
--> s STRING
--| "20260105"
--| "20260112"

--- _TABLE_SUFFIX in IN, in OR and in an expression
SELECT COUNTIF(_TABLE_SUFFIX IN ('bob_20260105', 'ada_20260104')) AS a, COUNTIF(STARTS_WITH(_TABLE_SUFFIX, 'ada')) AS b FROM `pixel_*` WHERE _TABLE_SUFFIX > 'ada_20260104' OR _TABLE_SUFFIX = 'ada_20260104'
--> a INT64, b INT64
--| 4, 6

--- _TABLE_SUFFIX compared with a subquery
SELECT COUNT(*) AS n FROM `pixel_bob_*` WHERE _TABLE_SUFFIX = (SELECT MAX(_TABLE_SUFFIX) FROM `pixel_bob_*`)
--> n INT64
--| 3

--- A suffix that no table has returns no rows
SELECT event_id FROM `pixel_*` WHERE _TABLE_SUFFIX = 'nobody_20260105'
--> event_id STRING

--- A wildcard that matches no table is an error
SELECT * FROM `parsed_pixel.nothing_*`
--! any: does not match any table

--- A * before the end of the name is not a wildcard
SELECT * FROM `parsed_pixel.pixel_*_20260105`
--! any: pixel_*_20260105

--- _TABLE_SUFFIX without a wildcard is an error
SELECT _TABLE_SUFFIX FROM pixel_bob_20260112
--! invalidQuery: Unrecognized name: _TABLE_SUFFIX at [1:8]

--- A wildcard matches an empty suffix
SELECT COUNT(*) AS n FROM `parsed_pixel.pixel_bob_20260112*`
--> n INT64
--| 3

--- A wildcard table in another dataset
SELECT _TABLE_SUFFIX AS day, COUNT(*) AS n FROM `shop.events_*` WHERE _TABLE_SUFFIX BETWEEN '20260105' AND '20260106' GROUP BY 1 ORDER BY 1
--> day STRING, n INT64
--| "20260105", 7
--| "20260106", 7
