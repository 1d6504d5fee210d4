-- What is refused, and how: with BigQuery's words where BigQuery refuses it too.
-- https://cloud.google.com/bigquery/docs/error-messages

--- An unknown column, with its place
SELECT type, colour FROM pixel_bob_20260112
--! invalidQuery: Unrecognized name: colour at [1:14]

--- On another line
SELECT type
FROM pixel_bob_20260112
WHERE colour = 'red'
--! invalidQuery: Unrecognized name: colour at [3:7]

--- An unknown column of an alias
SELECT b.colour FROM pixel_bob_20260112 AS b
--! invalidQuery: Name colour not found inside b at [1:10]

--- An unknown function, with its place
SELECT 1 AS a, FROBNICATE(2) AS b
--! invalidQuery: Function not found: FROBNICATE at [1:16]

--- An unknown table
SELECT * FROM parsed_pixel.nothing
--! notFound: Not found: Table test-project:parsed_pixel.nothing was not found in location US

--- An unknown dataset
SELECT * FROM nowhere.nothing
--! notFound: Not found: Dataset test-project:nowhere

--- A table of another project
SELECT * FROM `another-project.parsed_pixel.pixel`
--! any: another-project

--- Nothing at all
SELECT
--! invalidQuery: Syntax error

--- Half a query
SELECT 1 FROM
--! invalidQuery: Syntax error

--- A word in the wrong place
SELEC 1
--! invalidQuery: Syntax error

--- A quote that does not end
SELECT 'abc
--! invalidQuery: Syntax error

--- No INSERT
INSERT INTO pixel_bob_20260112 (event_id) VALUES ('x')
--! invalidQuery: INSERT

--- No UPDATE
UPDATE pixel_bob_20260112 SET type = 'x' WHERE TRUE
--! invalidQuery: UPDATE

--- No MERGE
MERGE pixel_bob_20260112 AS t USING pixel_bob_20260105 AS s ON t.event_id = s.event_id WHEN MATCHED THEN DELETE
--! invalidQuery: MERGE

--- No TRUNCATE
TRUNCATE TABLE pixel_bob_20260112
--! invalidQuery: TRUNCATE

--- No CREATE TABLE
CREATE TABLE parsed_pixel.x AS SELECT 1 AS a
--! invalidQuery: CREATE TABLE

--- No DROP of a dataset
DROP SCHEMA parsed_pixel CASCADE
--! invalidQuery: DROP

--- No ALTER
ALTER TABLE pixel_bob_20260112 ADD COLUMN x STRING
--! invalidQuery: ALTER

--- No local files
CREATE EXTERNAL TABLE passwords STORED AS CSV LOCATION '/etc/passwd'
--! any:

--- None written either
COPY (SELECT 1) TO '/tmp/x.csv'
--! any:

--- A file is no table
SELECT * FROM '/etc/passwd'
--! invalidQuery: Syntax error

--- Nor in backticks
SELECT * FROM `/etc/passwd`
--! any: /etc/passwd

--- EXPORT DATA, LOAD DATA
EXPORT DATA OPTIONS (uri = 'gs://x/*.csv', format = 'CSV') AS SELECT 1
--! invalidQuery: EXPORT

--- The engine's own settings are not to be set
SET datafusion.execution.batch_size = 1
--! invalidQuery: SET

--- Nor shown
SHOW TABLES
--! invalidQuery: SHOW

--- EXPLAIN is none of BigQuery's
EXPLAIN SELECT 1
--! invalidQuery: EXPLAIN

--- No scripts
DECLARE x INT64 DEFAULT 5
--! invalidQuery: DECLARE

--- Nor two statements
SELECT 1 AS a; SELECT 2 AS b
--! any:

--- BEGIN
BEGIN SELECT 1; END
--! invalidQuery: BEGIN

--- EXECUTE IMMEDIATE
EXECUTE IMMEDIATE 'SELECT 1'
--! invalidQuery: EXECUTE

--- CREATE FUNCTION
CREATE TEMP FUNCTION f(x INT64) AS (x + 1); SELECT f(1)
--! any:

--- Functions of the engine that are none of BigQuery's are not known
SELECT ARRAY_SORT([2, 1]) AS a
--! invalidQuery: Function not found: ARRAY_SORT at [1:8]

--- Its operators neither
SELECT '5'::INT64 AS a
--! invalidQuery: Syntax error

--- ILIKE
SELECT 'a' ILIKE 'A' AS a
--! invalidQuery: ILIKE

--- FILTER
SELECT COUNT(*) FILTER (WHERE type = 'open') AS n FROM pixel_bob_20260112
--! invalidQuery: Syntax error

--- Its information is not there
SELECT * FROM information_schema.df_settings
--! any:

--- Legacy SQL's brackets
SELECT COUNT(*) FROM [parsed_pixel.pixel]
--! invalidQuery: Syntax error

--- Wrong number of arguments
SELECT UPPER('a', 'b') AS a
--! invalidQuery: No matching signature for function UPPER

--- A wrong type
SELECT DATE_ADD(5, INTERVAL 1 DAY) AS a
--! invalidQuery: No matching signature for function DATE_ADD

--- ERROR says what it is told
SELECT IF(type = 'open', ERROR(CONCAT('no ', event_id)), type) AS t FROM pixel_bob_20260112
--! invalidQuery: no b4

--- What is not here is said by its name
SELECT HLL_COUNT.INIT(event_id) AS h FROM pixel_bob_20260112
--! invalidQuery: HLL_COUNT.INIT

--- Geography
SELECT ST_GEOGPOINT(13.4, 52.5) AS g
--! invalidQuery: ST_GEOGPOINT

--- WHERE wants a boolean
SELECT 1 AS a FROM pixel_bob_20260112 WHERE event_id
--! invalidQuery: WHERE clause should return type BOOL, but returns STRING at [1:45]

--- Deep nesting ends in an error, not in a crash
SELECT ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1 + 'a'))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))
--! any:
