-- CAST, SAFE_CAST and SAFE.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_functions

--- CAST to INT64 rounds half away from zero
SELECT CAST(1.5 AS INT64) AS a, CAST(2.5 AS INT64) AS b, CAST(-0.5 AS INT64) AS c, CAST(1.4 AS INT64) AS d, CAST(NUMERIC '2.5' AS INT64) AS e
--> a INT64, b INT64, c INT64, d INT64, e INT64
--| 2, 3, -1, 1, 3

--- CAST from STRING to numbers, also hexadecimal
SELECT CAST('42' AS INT64) AS a, CAST('-7' AS INT64) AS b, CAST('0x1F' AS INT64) AS c, CAST('1.5' AS FLOAT64) AS d, CAST('1e3' AS FLOAT64) AS e, CAST('12.345' AS NUMERIC) AS f
--> a INT64, b INT64, c INT64, d FLOAT64, e FLOAT64, f NUMERIC
--| 42, -7, 31, 1.5, 1000.0, "12.345"

--- CAST from numbers to STRING
SELECT CAST(42 AS STRING) AS i, CAST(1.5 AS STRING) AS f, CAST(NUMERIC '12.50' AS STRING) AS n, CAST(TRUE AS STRING) AS b
--> i STRING, f STRING, n STRING, b STRING
--| "42", "1.5", "12.5", "true"

--- CAST from dates and times to STRING
SELECT CAST(DATE '2026-01-05' AS STRING) AS d, CAST(TIMESTAMP '2026-01-05 09:20:30+00' AS STRING) AS ts, CAST(DATETIME '2026-01-05 09:20:30' AS STRING) AS dt, CAST(TIME '09:20:30' AS STRING) AS t
--> d STRING, ts STRING, dt STRING, t STRING
--| "2026-01-05", "2026-01-05 09:20:30+00", "2026-01-05 09:20:30", "09:20:30"

--- CAST from STRING to dates and times
SELECT CAST('2026-01-05' AS DATE) AS d, CAST('2026-01-05 09:20:30+02' AS TIMESTAMP) AS ts, CAST('2026-01-05T09:20:30' AS DATETIME) AS dt, CAST('09:20:30.123456' AS TIME) AS t
--> d DATE, ts TIMESTAMP, dt DATETIME, t TIME
--| "2026-01-05", "2026-01-05T07:20:30Z", "2026-01-05T09:20:30", "09:20:30.123456"

--- CAST between dates and times uses UTC
SELECT CAST(TIMESTAMP '2026-01-05 23:20:30+00' AS DATE) AS d, CAST(DATE '2026-01-05' AS TIMESTAMP) AS ts, CAST(DATE '2026-01-05' AS DATETIME) AS dt, CAST(DATETIME '2026-01-05 09:20:30' AS TIME) AS t
--> d DATE, ts TIMESTAMP, dt DATETIME, t TIME
--| "2026-01-05", "2026-01-05T00:00:00Z", "2026-01-05T00:00:00", "09:20:30"

--- CAST from and to BOOL
SELECT CAST('TRUE' AS BOOL) AS a, CAST('false' AS BOOL) AS b, CAST(0 AS BOOL) AS c, CAST(-5 AS BOOL) AS d, CAST(TRUE AS INT64) AS e
--> a BOOL, b BOOL, c BOOL, d BOOL, e INT64
--| true, false, false, true, 1

--- CAST between BYTES and STRING uses UTF-8
SELECT CAST('é' AS BYTES) AS y, CAST(b'abc' AS STRING) AS s
--> y BYTES, s STRING
--| "w6k=", "abc"

--- CAST of NULL keeps the target type
SELECT CAST(NULL AS INT64) AS i, CAST(NULL AS STRING) AS s, CAST(NULL AS TIMESTAMP) AS ts, CAST(NULL AS ARRAY<STRING>) AS a
--> i INT64, s STRING, ts TIMESTAMP, a ARRAY<STRING>
--| null, null, null, []

--- SAFE_CAST returns NULL for invalid values
SELECT SAFE_CAST('abc' AS INT64) AS i, SAFE_CAST('1.5' AS INT64) AS fraction, SAFE_CAST('2026-02-30' AS DATE) AS d, SAFE_CAST('yes' AS BOOL) AS b, SAFE_CAST('7' AS INT64) AS seven, SAFE_CAST(1e300 AS INT64) AS large
--> i INT64, fraction INT64, d DATE, b BOOL, seven INT64, large INT64
--| null, null, null, null, 7, null

--- CAST reports the invalid value
SELECT CAST('abc' AS INT64) AS i
--! invalidQuery: Bad int64 value: abc

--- CAST of a decimal string to INT64 is an error
SELECT CAST('1.5' AS INT64) AS i
--! invalidQuery: Bad int64 value: 1.5

--- CAST reports the invalid date
SELECT CAST(s AS DATE) AS d FROM UNNEST(['2026-02-30']) AS s
--! invalidQuery: Invalid date: '2026-02-30'

--- CAST of an invalid boolean string is an error
SELECT CAST(s AS BOOL) AS b FROM UNNEST(['yes']) AS s
--! invalidQuery: Bad bool value: yes

--- CAST between incompatible types is an error without rows
SELECT CAST(DATE '2026-01-05' AS INT64) AS i
--! invalidQuery: Invalid cast from DATE to INT64

--- SAFE. before a function returns NULL for errors
SELECT SAFE.SUBSTR('abc', 1, -2) AS a, SAFE.PARSE_DATE('%F', 'x') AS b, SAFE.LOG(0) AS c, SAFE.SUBSTR('abc', 2) AS d
--> a STRING, b DATE, c FLOAT64, d STRING
--| null, null, null, "bc"

--- SUM of SAFE_CAST values
SELECT SUM(SAFE_CAST(x AS INT64)) AS total, COUNT(SAFE_CAST(x AS INT64)) AS numbers, COUNT(*) AS rows_ FROM UNNEST(['1', '2', 'three', NULL]) AS x
--> total INT64, numbers INT64, rows_ INT64
--| 3, 2, 4

--- CAST with FORMAT formats and parses dates
SELECT CAST(DATE '2026-01-05' AS STRING FORMAT 'YYYY/MM/DD') AS s, CAST('05.01.2026' AS DATE FORMAT 'DD.MM.YYYY') AS d
--> s STRING, d DATE
--| "2026/01/05", "2026-01-05"

--- PARSE_NUMERIC accepts spaces, commas and exponents
SELECT PARSE_NUMERIC('1,234.5') AS a, PARSE_NUMERIC(' - 12 ') AS b, PARSE_BIGNUMERIC('1e-3') AS c
--> a NUMERIC, b NUMERIC, c BIGNUMERIC
--| "1234.5", "-12", "0.001"
