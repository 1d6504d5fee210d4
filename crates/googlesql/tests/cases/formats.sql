-- FORMAT_* and PARSE_*, and FORMAT.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#format_string

--- FORMAT_DATE with many format elements
SELECT FORMAT_DATE('%Y%m%d', d) AS a, FORMAT_DATE('%d.%m.%y', d) AS b, FORMAT_DATE('%A, %e %B %Y', d) AS c, FORMAT_DATE('%a %b %j', d) AS e, FORMAT_DATE('%F', d) AS f, FORMAT_DATE('%D', d) AS g
FROM (SELECT DATE '2026-01-05' AS d)
--> a STRING, b STRING, c STRING, e STRING, f STRING, g STRING
--| "20260105", "05.01.26", "Monday,  5 January 2026", "Mon Jan 005", "2026-01-05", "01/05/26"

--- FORMAT_DATE with weeks, weekdays and quarters
SELECT FORMAT_DATE('%G-W%V', d) AS iso, FORMAT_DATE('%U %W', d) AS weeks, FORMAT_DATE('%u %w', d) AS days, FORMAT_DATE('%Y-Q%Q', d) AS quarter
FROM UNNEST([DATE '2025-12-29', DATE '2026-01-04']) AS d ORDER BY d
--> iso STRING, weeks STRING, days STRING, quarter STRING
--| "2026-W01", "52 52", "1 1", "2025-Q4"
--| "2026-W01", "01 00", "7 0", "2026-Q1"

--- FORMAT_TIMESTAMP with fractional seconds
SELECT FORMAT_TIMESTAMP('%Y-%m-%dT%H:%M:%SZ', ts) AS a, FORMAT_TIMESTAMP('%H:%M:%E3S', ts) AS ms, FORMAT_TIMESTAMP('%H:%M:%E*S', ts) AS all_, FORMAT_TIMESTAMP('%T', ts) AS t, FORMAT_TIMESTAMP('%R', ts) AS r, FORMAT_TIMESTAMP('%s', ts) AS epoch
FROM (SELECT TIMESTAMP '2026-01-05 09:20:30.500000+00' AS ts)
--> a STRING, ms STRING, all_ STRING, t STRING, r STRING, epoch STRING
--| "2026-01-05T09:20:30Z", "09:20:30.500", "09:20:30.5", "09:20:30", "09:20", "1767604830"

--- FORMAT_TIMESTAMP in a time zone
SELECT FORMAT_TIMESTAMP('%F %H:%M %Ez', ts, 'Asia/Kolkata') AS kolkata, FORMAT_TIMESTAMP('%F %H:%M %z', ts, 'America/New_York') AS new_york, FORMAT_TIMESTAMP('%I:%M %p', ts) AS half, FORMAT_TIMESTAMP('%F %T %Z', ts) AS utc
FROM (SELECT TIMESTAMP '2026-01-05 20:20:30+00' AS ts)
--> kolkata STRING, new_york STRING, half STRING, utc STRING
--| "2026-01-06 01:50 +05:30", "2026-01-05 15:20 -0500", "08:20 PM", "2026-01-05 20:20:30 UTC"

--- FORMAT_DATETIME and FORMAT_TIME
SELECT FORMAT_DATETIME('%c', DATETIME '2026-01-05 09:20:30') AS c, FORMAT_DATETIME('%B %Y', DATETIME '2026-01-05 09:20:30') AS month, FORMAT_TIME('%H.%M', TIME '09:20:30') AS t, FORMAT_DATE('100%%', DATE '2026-01-05') AS percent
--> c STRING, month STRING, t STRING, percent STRING
--| "Mon Jan  5 09:20:30 2026", "January 2026", "09.20", "100%"

--- PARSE_DATE with several formats
SELECT PARSE_DATE('%Y%m%d', '20260105') AS a, PARSE_DATE('%d/%m/%Y', '5/1/2026') AS b, PARSE_DATE('%b %e, %Y', 'Jan 5, 2026') AS c, PARSE_DATE('%F', '2026-01-05') AS d, PARSE_DATE('%m/%d/%y', '01/05/26') AS e, PARSE_DATE('%Y-%m', '2026-03') AS f
--> a DATE, b DATE, c DATE, d DATE, e DATE, f DATE
--| "2026-01-05", "2026-01-05", "2026-01-05", "2026-01-05", "2026-01-05", "2026-03-01"

--- PARSE_TIMESTAMP with a default time zone
SELECT PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%S', '2026-01-05 10:00:00') AS utc, PARSE_TIMESTAMP('%F %T', '2026-01-05 10:00:00', 'Europe/Berlin') AS berlin,
  PARSE_TIMESTAMP('%Y-%m-%dT%H:%M:%E*S%Ez', '2026-01-05T10:00:00.25+02:00') AS own, PARSE_TIMESTAMP('%s', '1767571200') AS epoch
--> utc TIMESTAMP, berlin TIMESTAMP, own TIMESTAMP, epoch TIMESTAMP
--| "2026-01-05T10:00:00Z", "2026-01-05T09:00:00Z", "2026-01-05T08:00:00.25Z", "2026-01-05T00:00:00Z"

--- PARSE_DATETIME and PARSE_TIME
SELECT PARSE_DATETIME('%Y-%m-%d %H:%M:%S', '2026-01-05 10:00:00') AS dt, PARSE_TIME('%I:%M:%S %p', '2:30:00 PM') AS t, PARSE_DATETIME('%m/%d/%Y %I:%M %p', '1/5/2026 11:05 PM') AS american
--> dt DATETIME, t TIME, american DATETIME
--| "2026-01-05T10:00:00", "14:30:00", "2026-01-05T23:05:00"

--- PARSE_DATE of text that does not match is an error
SELECT PARSE_DATE('%Y%m%d', '2026-13-45') AS d
--! invalidQuery: Failed to parse input string "2026-13-45"

--- SAFE.PARSE_DATE returns NULL for text that does not match
SELECT SAFE.PARSE_DATE('%Y%m%d', 'today') AS d, SAFE.PARSE_TIMESTAMP('%F', '2026-01-05') AS ts
--> d DATE, ts TIMESTAMP
--| null, "2026-01-05T00:00:00Z"

--- FORMAT with integers
SELECT FORMAT('%d', 42) AS d, FORMAT('%05d', 42) AS zeros, FORMAT('%+d', 42) AS plus, FORMAT("%'d", 1234567) AS grouped, FORMAT('%5d|%-5d|', 42, 42) AS wide, FORMAT('%x %X %o', 255, 255, 8) AS bases
--> d STRING, zeros STRING, plus STRING, grouped STRING, wide STRING, bases STRING
--| "42", "00042", "+42", "1,234,567", "   42|42   |", "ff FF 10"

--- FORMAT with fractional numbers
SELECT FORMAT('%.2f', 3.14159) AS f, FORMAT('%f', 1.5) AS six, FORMAT('%8.3f|', 3.14159) AS wide, FORMAT('%e', 12345.678) AS e, FORMAT('%g', 0.5) AS g, FORMAT('%.1f%%', 12.345) AS percent
--> f STRING, six STRING, wide STRING, e STRING, g STRING, percent STRING
--| "3.14", "1.500000", "   3.142|", "1.234568e+04", "0.5", "12.3%"

--- FORMAT with strings, %t and %T
SELECT FORMAT('%s-%s', 'a', 'b') AS s, FORMAT('%-4s|%4s|', 'a', 'b') AS wide, FORMAT('%t', DATE '2026-01-05') AS t, FORMAT('%T', 'it') AS quoted, FORMAT('%T', DATE '2026-01-05') AS literal, FORMAT('%t', [1, 2]) AS list
--> s STRING, wide STRING, t STRING, quoted STRING, literal STRING, list STRING
--| "a-b", "a   |   b|", "2026-01-05", "\"it\"", "DATE \"2026-01-05\"", "[1, 2]"

--- FORMAT of NULL is NULL, except %t and %T
SELECT FORMAT('%d', CAST(NULL AS INT64)) AS d, FORMAT('%t', CAST(NULL AS STRING)) AS t
--> d STRING, t STRING
--| null, "NULL"

--- FORMAT with an argument of a wrong type is an error
SELECT FORMAT('%d', 'text') AS f
--! invalidQuery: FORMAT
