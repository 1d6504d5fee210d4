-- Stored values of every type, and the types of literals.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types

--- Stored values of each type are returned unchanged
SELECT i, f, n, bn, b, s, y, d, dt, t, ts, j, tags, numbers, items FROM lab.scalars WHERE id = 1
--> i INT64, f FLOAT64, n NUMERIC, bn BIGNUMERIC, b BOOL, s STRING, y BYTES, d DATE, dt DATETIME, t TIME, ts TIMESTAMP, j JSON, tags ARRAY<STRING>, numbers ARRAY<INT64>, items ARRAY<STRUCT<sku STRING, price NUMERIC, quantity INT64>>
--| 10, 1.5, "12.34", "0.5", true, "apple", "YWJj", "2026-01-05", "2026-01-05T12:30:00", "12:30:00", "2026-01-05T12:30:00Z", "{\"a\":1,\"b\":[true,null,\"x\"],\"c\":{\"d\":\"e\"}}", ["a", "b"], [3, 1, 2], [{"sku": "A", "price": "9.99", "quantity": 2}, {"sku": "B", "price": "5", "quantity": 1}]

--- Stored NULLs are returned, and a NULL array is empty
SELECT * EXCEPT (id) FROM lab.scalars WHERE id = 3
--> i INT64, f FLOAT64, n NUMERIC, bn BIGNUMERIC, b BOOL, s STRING, y BYTES, d DATE, dt DATETIME, t TIME, ts TIMESTAMP, j JSON, tags ARRAY<STRING>, numbers ARRAY<INT64>, place STRUCT<city STRING, geo STRUCT<lat FLOAT64, lon FLOAT64>>, items ARRAY<STRUCT<sku STRING, price NUMERIC, quantity INT64>>
--| null, null, null, null, null, null, null, null, null, null, null, null, [], [], null, []

--- Microseconds, negative numbers and times before 1970
SELECT id, bn, y, dt, t, ts FROM lab.scalars WHERE id IN (2, 4) ORDER BY id
--> id INT64, bn BIGNUMERIC, y BYTES, dt DATETIME, t TIME, ts TIMESTAMP
--| 2, "-2.5", "", "2026-02-28T23:59:59.999999", "23:59:59.999999", "2026-02-28T23:59:59.999999Z"
--| 4, null, "/w==", "2024-02-29T00:00:00", "00:00:00", "1969-12-31T23:59:59Z"

--- Literals of numbers, strings, bytes and JSON
SELECT 1 AS i, 0xff AS hex, 1.5 AS f, 1e3 AS e, .5 AS half, TRUE AS b, 'x' AS s, b'x' AS y, NUMERIC '1.10' AS n, BIGNUMERIC '2.50' AS bn, JSON '{"a": 1}' AS j
--> i INT64, hex INT64, f FLOAT64, e FLOAT64, half FLOAT64, b BOOL, s STRING, y BYTES, n NUMERIC, bn BIGNUMERIC, j JSON
--| 1, 255, 1.5, 1000.0, 0.5, true, "x", "eA==", "1.1", "2.5", "{\"a\":1}"

--- Literals of dates and times
SELECT DATE '2026-01-05' AS d, DATE "2026-1-5" AS short, DATETIME '2026-01-05 09:20:30' AS dt, TIME '09:20:30' AS t, TIMESTAMP '2026-01-05 09:20:30 Europe/Berlin' AS ts, TIMESTAMP '2026-01-05' AS midnight
--> d DATE, short DATE, dt DATETIME, t TIME, ts TIMESTAMP, midnight TIMESTAMP
--| "2026-01-05", "2026-01-05", "2026-01-05T09:20:30", "09:20:30", "2026-01-05T08:20:30Z", "2026-01-05T00:00:00Z"

--- INTERVAL literals
SELECT INTERVAL 1 DAY AS d, INTERVAL -3 HOUR AS h, INTERVAL 14 MONTH AS m, INTERVAL 90 SECOND AS s
--> d INTERVAL, h INTERVAL, m INTERVAL, s INTERVAL
--| "0-0 1 0:0:0", "0-0 0 -3:0:0", "1-2 0 0:0:0", "0-0 0 0:1:30"

--- The largest and the smallest values
SELECT 9223372036854775807 AS a, -9223372036854775808 AS b, NUMERIC '99999999999999999999999999999.999999999' AS n, DATE '9999-12-31' AS d, DATE '0001-01-01' AS e
--> a INT64, b INT64, n NUMERIC, d DATE, e DATE
--| 9223372036854775807, -9223372036854775808, "99999999999999999999999999999.999999999", "9999-12-31", "0001-01-01"

--- An integer literal out of range is an error
SELECT 9223372036854775808 AS a
--! invalidQuery: Invalid integer literal

--- An untyped NULL is an INT64
SELECT NULL AS n
--> n INT64
--| null

--- INT64, FLOAT64 and NUMERIC are compared by value
SELECT 1 = 1.0 AS a, NUMERIC '1.5' = 1.5 AS b, 2 > 1.5 AS c, 'a' < 'b' AS d, b'a' < b'b' AS e, FALSE < TRUE AS f
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL, f BOOL
--| true, true, true, true, true, true

--- Comparison of a string and a number is an error
SELECT COUNT(*) AS n FROM lab.scalars WHERE s = i
--! invalidQuery: No matching signature for operator =

--- Large and small FLOAT64 values
SELECT 1e15 AS a, 1e-7 AS b, 123456789.125 AS c, 0.1 + 0.2 AS d
--> a FLOAT64, b FLOAT64, c FLOAT64, d FLOAT64
--| 1e15, 1e-7, 123456789.125, 0.30000000000000004

--- Unicode strings are returned unchanged
SELECT '日本語 ✓ 👍' AS s, LENGTH('日本語 ✓ 👍') AS n
--> s STRING, n INT64
--| "日本語 ✓ 👍", 7
