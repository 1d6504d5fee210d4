-- Errors: BigQuery's messages for invalid queries, and unsupported statements and functions.
-- https://cloud.google.com/bigquery/docs/error-messages

--- An unknown column is an error with its location
SELECT type, colour FROM pixel_bob_20260112
--! invalidQuery: Unrecognized name: colour at [1:14]

--- An error location on another line
SELECT type
FROM pixel_bob_20260112
WHERE colour = 'red'
--! invalidQuery: Unrecognized name: colour at [3:7]

--- An unknown column of an alias is an error
SELECT b.colour FROM pixel_bob_20260112 AS b
--! invalidQuery: Name colour not found inside b at [1:10]

--- An unknown function is an error with its location
SELECT 1 AS a, FROBNICATE(2) AS b
--! invalidQuery: Function not found: FROBNICATE at [1:16]

--- An unknown table is an error
SELECT * FROM parsed_pixel.nothing
--! notFound: Not found: Table test-project:parsed_pixel.nothing was not found in location US

--- An unknown dataset is an error
SELECT * FROM nowhere.nothing
--! notFound: Not found: Dataset test-project:nowhere

--- A table of an unknown project is an error
SELECT * FROM `another-project.parsed_pixel.pixel`
--! any: another-project

--- An empty query is an error
SELECT
--! invalidQuery: Syntax error

--- An incomplete query is an error
SELECT 1 FROM
--! invalidQuery: Syntax error

--- A misplaced keyword is an error
SELEC 1
--! invalidQuery: Syntax error

--- An unterminated string is an error
SELECT 'abc
--! invalidQuery: Syntax error

--- INSERT is not supported
INSERT INTO pixel_bob_20260112 (event_id) VALUES ('x')
--! invalidQuery: INSERT

--- UPDATE is not supported
UPDATE pixel_bob_20260112 SET type = 'x' WHERE TRUE
--! invalidQuery: UPDATE

--- MERGE is not supported
MERGE pixel_bob_20260112 AS t USING pixel_bob_20260105 AS s ON t.event_id = s.event_id WHEN MATCHED THEN DELETE
--! invalidQuery: MERGE

--- TRUNCATE is not supported
TRUNCATE TABLE pixel_bob_20260112
--! invalidQuery: TRUNCATE

--- CREATE TABLE is not supported
CREATE TABLE parsed_pixel.x AS SELECT 1 AS a
--! invalidQuery: CREATE TABLE

--- DROP SCHEMA is not supported
DROP SCHEMA parsed_pixel CASCADE
--! invalidQuery: DROP

--- ALTER is not supported
ALTER TABLE pixel_bob_20260112 ADD COLUMN x STRING
--! invalidQuery: ALTER

--- CREATE EXTERNAL TABLE over a local file is not supported
CREATE EXTERNAL TABLE passwords STORED AS CSV LOCATION '/etc/passwd'
--! any:

--- COPY to a local file is not supported
COPY (SELECT 1) TO '/tmp/x.csv'
--! any:

--- A file name is not a table
SELECT * FROM '/etc/passwd'
--! invalidQuery: Syntax error

--- A file name in backticks is not a table
SELECT * FROM `/etc/passwd`
--! any: /etc/passwd

--- EXPORT DATA is not supported
EXPORT DATA OPTIONS (uri = 'gs://x/*.csv', format = 'CSV') AS SELECT 1
--! invalidQuery: EXPORT

--- SET of a DataFusion setting is not supported
SET datafusion.execution.batch_size = 1
--! invalidQuery: SET

--- SHOW is not supported
SHOW TABLES
--! invalidQuery: SHOW

--- EXPLAIN is not supported
EXPLAIN SELECT 1
--! invalidQuery: EXPLAIN

--- DECLARE and scripts are not supported
DECLARE x INT64 DEFAULT 5
--! invalidQuery: DECLARE

--- Two statements in one request are an error
SELECT 1 AS a; SELECT 2 AS b
--! any:

--- BEGIN is not supported
BEGIN SELECT 1; END
--! invalidQuery: BEGIN

--- EXECUTE IMMEDIATE is not supported
EXECUTE IMMEDIATE 'SELECT 1'
--! invalidQuery: EXECUTE

--- CREATE FUNCTION is not supported
CREATE TEMP FUNCTION f(x INT64) AS (x + 1); SELECT f(1)
--! any:

--- A function that only DataFusion has is an error
SELECT ARRAY_SORT([2, 1]) AS a
--! invalidQuery: Function not found: ARRAY_SORT at [1:8]

--- An operator that only DataFusion has is an error
SELECT '5'::INT64 AS a
--! invalidQuery: Syntax error

--- ILIKE is an error
SELECT 'a' ILIKE 'A' AS a
--! invalidQuery: ILIKE

--- FILTER is an error
SELECT COUNT(*) FILTER (WHERE type = 'open') AS n FROM pixel_bob_20260112
--! invalidQuery: Syntax error

--- DataFusion's information_schema is not accessible
SELECT * FROM information_schema.df_settings
--! any:

--- Legacy SQL brackets are an error
SELECT COUNT(*) FROM [parsed_pixel.pixel]
--! invalidQuery: Syntax error

--- A wrong number of arguments is an error
SELECT UPPER('a', 'b') AS a
--! invalidQuery: No matching signature for function UPPER

--- An argument of a wrong type is an error
SELECT DATE_ADD(5, INTERVAL 1 DAY) AS a
--! invalidQuery: No matching signature for function DATE_ADD

--- ERROR fails with its argument
SELECT IF(type = 'open', ERROR(CONCAT('no ', event_id)), type) AS t FROM pixel_bob_20260112
--! invalidQuery: no b4

--- An unsupported feature is an error with its name
SELECT HLL_COUNT.INIT(event_id) AS h FROM pixel_bob_20260112
--! invalidQuery: HLL_COUNT.INIT

--- Geography functions are not supported
SELECT ST_GEOGPOINT(13.4, 52.5) AS g
--! invalidQuery: ST_GEOGPOINT

--- WHERE requires a BOOL
SELECT 1 AS a FROM pixel_bob_20260112 WHERE event_id
--! invalidQuery: WHERE clause should return type BOOL, but returns STRING at [1:45]

--- Deep nesting is an error
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1 + 'a'))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
--! any:
