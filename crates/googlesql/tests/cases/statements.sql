-- The statements that are let through beside queries: DELETE and CREATE VIEW.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#delete_statement
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_view_statement
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#drop_table_statement
-- A semicolon that ends a line ends a request; the answer is that of the last.

--- A view is a query by a name
CREATE VIEW parsed_pixel.opens AS SELECT user_id, event_id FROM `test-project.parsed_pixel.pixel_*` WHERE type = 'open';
SELECT user_id, COUNT(*) AS n FROM parsed_pixel.opens GROUP BY user_id ORDER BY user_id
--> user_id STRING, n INT64
--| "ada", 3
--| "bob", 3
--| "cara@example.com", 1

--- Making one says nothing
CREATE OR REPLACE VIEW lab.numbers AS SELECT i FROM `test-project.lab.scalars` WHERE i > 0
--> (nothing)

--- There is only one of a name
CREATE VIEW lab.numbers AS SELECT 1 AS x
--! duplicate: Already Exists: Table test-project:lab.numbers

--- IF NOT EXISTS leaves the old one
CREATE VIEW IF NOT EXISTS lab.numbers AS SELECT 1 AS x;
SELECT * FROM lab.numbers
--> i INT64
--| 10
--| 10

--- A view is in INFORMATION_SCHEMA
SELECT table_name, table_type FROM lab.INFORMATION_SCHEMA.TABLES ORDER BY table_name
--> table_name STRING, table_type STRING
--| "numbers", "VIEW"
--| "scalars", "BASE TABLE"

--- A wildcard that matches a view is refused, even if WHERE leaves it out
SELECT i FROM `lab.*` WHERE _TABLE_SUFFIX = 'scalars'
--! any: Views cannot be queried through prefix. First view test-project:lab.numbers.

--- A view of what is not there is refused when it is made
CREATE VIEW lab.nothing AS SELECT * FROM lab.missing
--! notFound: lab.missing

--- DELETE says how many rows went
DELETE FROM pixel_bob_20260112 WHERE type = 'click'
--> (1 rows affected)

--- And they are gone
SELECT event_id FROM pixel_bob_20260112 ORDER BY event_id
--> event_id STRING
--| "b4"
--| "b6"

--- DELETE of what is not there
DELETE parsed_pixel.pixel_bob_20260112 WHERE user_id = 'nobody'
--> (0 rows affected)

--- A row for which the condition is NULL stays
DELETE FROM pixel_bob_20260105 WHERE order_id = 'spring';
SELECT event_id FROM pixel_bob_20260105
--> event_id STRING
--| "b3"

--- DELETE with a subquery
DELETE FROM pixel_ada_20260105 WHERE event_id IN (SELECT event_id FROM pixel_ada_20260105 GROUP BY event_id HAVING COUNT(*) > 1)
--> (2 rows affected)

--- With a parameter: forget a user
--@ user STRING = "cara@example.com"
DELETE FROM `parsed_pixel.pixel_cara__40example__2ecom_20260112` WHERE user_id = @user
--> (1 rows affected)

--- WHERE TRUE empties a table
DELETE FROM pixel_ada_20260104 WHERE TRUE;
SELECT COUNT(*) AS n FROM pixel_ada_20260104
--> n INT64
--| 0

--- DELETE has to have a WHERE
DELETE FROM pixel_ada_20260105
--! invalidQuery: WHERE

--- No DELETE from a wildcard
DELETE FROM `pixel_*` WHERE TRUE
--! any: pixel_*

--- No DELETE from a view
DELETE FROM lab.numbers WHERE TRUE
--! invalidQuery: numbers

--- DELETE from what is not there
DELETE FROM parsed_pixel.nothing WHERE TRUE
--! notFound: parsed_pixel.nothing

--- No DROP TABLE: tables are deleted by tables.delete
DROP TABLE shop.events_20260105
--! invalidQuery: `bq rm`

--- Nor DROP VIEW
DROP VIEW IF EXISTS lab.numbers
--! invalidQuery: DROP VIEW

--- DELETE by what another table has, and by what a table's own rows come to
DELETE FROM pixel_bob_20260112 WHERE user_id IN (SELECT user_id FROM pixel_ada_20260105);
DELETE FROM pixel_bob_20260112 WHERE EXISTS (SELECT 1 FROM pixel_ada_20260105) AND event_timestamp < (SELECT MIN(event_timestamp) FROM pixel_bob_20260112);
SELECT (SELECT COUNT(*) FROM pixel_bob_20260112) > 0 AS kept
--> kept BOOL
--| true

--- DELETE of what is older than some days, counted from now
DELETE FROM pixel_bob_20260112 WHERE DATE(event_timestamp) > CURRENT_DATE() OR event_timestamp > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL -1 DAY);
SELECT COUNT(*) > 0 AS kept FROM pixel_bob_20260112
--> kept BOOL
--| true
