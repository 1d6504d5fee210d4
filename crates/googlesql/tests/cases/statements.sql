-- The supported statements besides queries: DELETE and CREATE VIEW.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#delete_statement
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#create_view_statement
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language#drop_table_statement
-- A semicolon at the end of a line ends a request. The expected answer is that of the last request.

--- A view can be queried
CREATE VIEW parsed_pixel.opens AS SELECT user_id, event_id FROM `test-project.parsed_pixel.pixel_*` WHERE type = 'open';
SELECT user_id, COUNT(*) AS n FROM parsed_pixel.opens GROUP BY user_id ORDER BY user_id
--> user_id STRING, n INT64
--| "ada", 3
--| "bob", 3
--| "cara@example.com", 1

--- CREATE VIEW returns no rows
CREATE OR REPLACE VIEW lab.numbers AS SELECT i FROM `test-project.lab.scalars` WHERE i > 0
--> (nothing)

--- CREATE VIEW of an existing view is an error
CREATE VIEW lab.numbers AS SELECT 1 AS x
--! duplicate: Already Exists: Table test-project:lab.numbers

--- CREATE VIEW IF NOT EXISTS keeps the existing view
CREATE VIEW IF NOT EXISTS lab.numbers AS SELECT 1 AS x;
SELECT * FROM lab.numbers
--> i INT64
--| 10
--| 10

--- INFORMATION_SCHEMA.VIEWS lists a view
SELECT table_name, table_type FROM lab.INFORMATION_SCHEMA.TABLES ORDER BY table_name
--> table_name STRING, table_type STRING
--| "numbers", "VIEW"
--| "scalars", "BASE TABLE"

--- A wildcard that matches a view is an error
SELECT i FROM `lab.*` WHERE _TABLE_SUFFIX = 'scalars'
--! any: Views cannot be queried through prefix. First view test-project:lab.numbers.

--- CREATE VIEW over an unknown table is an error
CREATE VIEW lab.nothing AS SELECT * FROM lab.missing
--! notFound: lab.missing

--- DELETE returns the number of deleted rows
DELETE FROM pixel_bob_20260112 WHERE type = 'click'
--> (1 rows affected)

--- Deleted rows are not returned by later queries
SELECT event_id FROM pixel_bob_20260112 ORDER BY event_id
--> event_id STRING
--| "b4"
--| "b6"

--- DELETE without a matching row deletes 0 rows
DELETE parsed_pixel.pixel_bob_20260112 WHERE user_id = 'nobody'
--> (0 rows affected)

--- DELETE keeps rows whose condition is NULL
DELETE FROM pixel_bob_20260105 WHERE order_id = 'spring';
SELECT event_id FROM pixel_bob_20260105
--> event_id STRING
--| "b3"

--- DELETE with a subquery
DELETE FROM pixel_ada_20260105 WHERE event_id IN (SELECT event_id FROM pixel_ada_20260105 GROUP BY event_id HAVING COUNT(*) > 1)
--> (2 rows affected)

--- DELETE with a parameter deletes a user's rows
--@ user STRING = "cara@example.com"
DELETE FROM `parsed_pixel.pixel_cara__40example__2ecom_20260112` WHERE user_id = @user
--> (1 rows affected)

--- DELETE WHERE TRUE deletes all rows
DELETE FROM pixel_ada_20260104 WHERE TRUE;
SELECT COUNT(*) AS n FROM pixel_ada_20260104
--> n INT64
--| 0

--- DELETE without WHERE is an error
DELETE FROM pixel_ada_20260105
--! invalidQuery: WHERE

--- DELETE from a wildcard table is an error
DELETE FROM `pixel_*` WHERE TRUE
--! any: pixel_*

--- DELETE from a view is an error
DELETE FROM lab.numbers WHERE TRUE
--! invalidQuery: numbers

--- DELETE from an unknown table is an error
DELETE FROM parsed_pixel.nothing WHERE TRUE
--! notFound: parsed_pixel.nothing

--- DROP TABLE is not supported; tables.delete deletes tables
DROP TABLE shop.events_20260105
--! invalidQuery: `bq rm`

--- DROP VIEW is not supported
DROP VIEW IF EXISTS lab.numbers
--! invalidQuery: DROP VIEW

--- DELETE with subqueries over another and the same table
DELETE FROM pixel_bob_20260112 WHERE user_id IN (SELECT user_id FROM pixel_ada_20260105);
DELETE FROM pixel_bob_20260112 WHERE EXISTS (SELECT 1 FROM pixel_ada_20260105) AND event_timestamp < (SELECT MIN(event_timestamp) FROM pixel_bob_20260112);
SELECT (SELECT COUNT(*) FROM pixel_bob_20260112) > 0 AS kept
--> kept BOOL
--| true

--- DELETE of rows older than a number of days
DELETE FROM pixel_bob_20260112 WHERE DATE(event_timestamp) > CURRENT_DATE() OR event_timestamp > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL -1 DAY);
SELECT COUNT(*) > 0 AS kept FROM pixel_bob_20260112
--> kept BOOL
--| true
