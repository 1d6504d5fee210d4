-- INFORMATION_SCHEMA.
-- https://cloud.google.com/bigquery/docs/information-schema-tables
-- https://cloud.google.com/bigquery/docs/information-schema-columns
-- https://cloud.google.com/bigquery/docs/information-schema-table-storage

--- TABLES lists the tables of a dataset
SELECT table_catalog, table_schema, table_name, table_type FROM parsed_pixel.INFORMATION_SCHEMA.TABLES WHERE table_name LIKE 'pixel\\_bob%' ORDER BY table_name
--> table_catalog STRING, table_schema STRING, table_name STRING, table_type STRING
--| "test-project", "parsed_pixel", "pixel_bob_20260105", "BASE TABLE"
--| "test-project", "parsed_pixel", "pixel_bob_20260112", "BASE TABLE"

--- COUNT of the tables of a dataset
SELECT COUNT(*) AS n, COUNTIF(STARTS_WITH(table_name, 'pixel_')) AS generated FROM `test-project.parsed_pixel.INFORMATION_SCHEMA.TABLES`
--> n INT64, generated INT64
--| 8, 6

--- INFORMATION_SCHEMA is case-insensitive and may be quoted
SELECT COUNT(*) AS n FROM `lab`.information_schema.tables
--> n INT64
--| 1

--- COLUMNS lists the columns of a table
SELECT column_name, ordinal_position, is_nullable, data_type FROM parsed_pixel.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'pixel' ORDER BY ordinal_position
--> column_name STRING, ordinal_position INT64, is_nullable STRING, data_type STRING
--| "event_id", 1, "NO", "STRING"
--| "event_timestamp", 2, "NO", "TIMESTAMP"
--| "user_id", 3, "YES", "STRING"
--| "order_id", 4, "YES", "STRING"
--| "type", 5, "YES", "STRING"
--| "referer", 6, "YES", "STRING"
--| "user_agent", 7, "YES", "STRING"
--| "invalid_attributes", 8, "NO", "ARRAY<STRING>"

--- COLUMNS shows GoogleSQL type names
SELECT column_name, data_type FROM lab.INFORMATION_SCHEMA.COLUMNS WHERE table_name = 'scalars' AND column_name IN ('i', 'f', 'b', 'numbers', 'place', 'items') ORDER BY column_name
--> column_name STRING, data_type STRING
--| "b", "BOOL"
--| "f", "FLOAT64"
--| "i", "INT64"
--| "items", "ARRAY<STRUCT<sku STRING, price NUMERIC, quantity INT64>>"
--| "numbers", "ARRAY<INT64>"
--| "place", "STRUCT<city STRING, geo STRUCT<lat FLOAT64, lon FLOAT64>>"

--- TABLES shows the creation time
SELECT COUNTIF(creation_time > TIMESTAMP '2026-01-01 00:00:00+00') = COUNT(*) AS recent FROM shop.INFORMATION_SCHEMA.TABLES
--> recent BOOL
--| true

--- TABLE_STORAGE shows rows per table
SELECT table_name, total_rows FROM `region-us`.INFORMATION_SCHEMA.TABLE_STORAGE WHERE table_schema = 'shop' ORDER BY table_name
--> table_name STRING, total_rows INT64
--| "events_20260105", 7
--| "events_20260106", 7

--- __TABLES__ lists tables
SELECT table_id, row_count FROM lab.__TABLES__
--> table_id STRING, row_count INT64
--| "scalars", 4

--- SCHEMATA lists datasets
SELECT schema_name FROM INFORMATION_SCHEMA.SCHEMATA ORDER BY schema_name
--> schema_name STRING
--| "lab"
--| "parsed_pixel"
--| "shop"

--- COLUMN_FIELD_PATHS is not supported
SELECT field_path, data_type FROM lab.INFORMATION_SCHEMA.COLUMN_FIELD_PATHS WHERE column_name = 'place' ORDER BY field_path
--! invalidQuery: does not support INFORMATION_SCHEMA.COLUMN_FIELD_PATHS

--- An unknown view of INFORMATION_SCHEMA is an error
SELECT * FROM parsed_pixel.INFORMATION_SCHEMA.NOTHING
--! any: NOTHING
