-- TIMESTAMP, DATETIME and TIME.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/timestamp_functions
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/datetime_functions
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/time_functions

--- A timestamp is truncated to its hour, minute, day
SELECT TIMESTAMP_TRUNC(ts, HOUR) AS h, TIMESTAMP_TRUNC(ts, MINUTE) AS m, TIMESTAMP_TRUNC(ts, DAY) AS d, TIMESTAMP_TRUNC(ts, MONTH) AS mo
FROM (SELECT TIMESTAMP '2026-01-15 09:20:30.5+00' AS ts)
--> h TIMESTAMP, m TIMESTAMP, d TIMESTAMP, mo TIMESTAMP
--| "2026-01-15T09:00:00Z", "2026-01-15T09:20:00Z", "2026-01-15T00:00:00Z", "2026-01-01T00:00:00Z"

--- A day begins at midnight of its time zone
SELECT TIMESTAMP_TRUNC(TIMESTAMP '2026-01-05 00:10:00+00', DAY, 'America/New_York') AS new_york, TIMESTAMP_TRUNC(TIMESTAMP '2026-01-04 23:50:00+00', WEEK(MONDAY), 'Europe/Berlin') AS berlin
--> new_york TIMESTAMP, berlin TIMESTAMP
--| "2026-01-04T05:00:00Z", "2026-01-04T23:00:00Z"

--- A difference of timestamps counts whole units: 33 hours are one day
SELECT TIMESTAMP_DIFF(b, a, DAY) AS days, TIMESTAMP_DIFF(b, a, HOUR) AS hours, TIMESTAMP_DIFF(b, a, MINUTE) AS minutes, TIMESTAMP_DIFF(b, a, SECOND) AS seconds, TIMESTAMP_DIFF(a, b, DAY) AS back
FROM (SELECT TIMESTAMP '2026-01-05 23:59:59+00' AS a, TIMESTAMP '2026-01-07 09:00:00+00' AS b)
--> days INT64, hours INT64, minutes INT64, seconds INT64, back INT64
--| 1, 33, 1980, 118801, -1

--- Small units
SELECT TIMESTAMP_DIFF(TIMESTAMP '2026-01-05 00:00:00.123456+00', TIMESTAMP '2026-01-05', MILLISECOND) AS ms, TIMESTAMP_DIFF(TIMESTAMP '2026-01-05 00:00:00.123456+00', TIMESTAMP '2026-01-05', MICROSECOND) AS us
--> ms INT64, us INT64
--| 123, 123456

--- A difference of datetimes counts boundaries
SELECT DATETIME_DIFF(b, a, DAY) AS days, DATETIME_DIFF(b, a, HOUR) AS hours, DATETIME_DIFF(b, a, YEAR) AS years, DATETIME_DIFF(b, a, WEEK) AS weeks
FROM (SELECT DATETIME '2025-12-31 23:59:59' AS a, DATETIME '2026-01-01 00:00:01' AS b)
--> days INT64, hours INT64, years INT64, weeks INT64
--| 1, 1, 1, 0

--- Intervals are added to timestamps
SELECT TIMESTAMP_ADD(ts, INTERVAL 90 MINUTE) AS later, TIMESTAMP_SUB(ts, INTERVAL 1 DAY) AS before, ts + INTERVAL 1 HOUR AS plus, TIMESTAMP_ADD(ts, INTERVAL 250 MILLISECOND) AS ms
FROM (SELECT TIMESTAMP '2026-03-01 00:30:00+00' AS ts)
--> later TIMESTAMP, before TIMESTAMP, plus TIMESTAMP, ms TIMESTAMP
--| "2026-03-01T02:00:00Z", "2026-02-28T00:30:00Z", "2026-03-01T01:30:00Z", "2026-03-01T00:30:00.25Z"

--- Months have no length, so that a timestamp has none to add
SELECT TIMESTAMP_ADD(TIMESTAMP '2026-01-31 00:00:00+00', INTERVAL 1 MONTH) AS ts
--! invalidQuery: TIMESTAMP_ADD does not support

--- A datetime can add them
SELECT DATETIME_ADD(DATETIME '2026-01-31 10:00:00', INTERVAL 1 MONTH) AS m, DATETIME_SUB(DATETIME '2026-01-01 00:00:00', INTERVAL 1 SECOND) AS s
--> m DATETIME, s DATETIME
--| "2026-02-28T10:00:00", "2025-12-31T23:59:59"

--- EXTRACT takes the parts of a timestamp, in UTC or elsewhere
SELECT EXTRACT(HOUR FROM ts) AS h, EXTRACT(HOUR FROM ts AT TIME ZONE 'America/New_York') AS new_york, EXTRACT(DAY FROM ts AT TIME ZONE 'America/New_York') AS day_there,
  EXTRACT(MINUTE FROM ts) AS m, EXTRACT(SECOND FROM ts) AS s, EXTRACT(MILLISECOND FROM ts) AS ms, EXTRACT(MICROSECOND FROM ts) AS us
FROM (SELECT TIMESTAMP '2026-01-05 03:20:30.456789+00' AS ts)
--> h INT64, new_york INT64, day_there INT64, m INT64, s INT64, ms INT64, us INT64
--| 3, 22, 4, 20, 30, 456, 456789

--- EXTRACT of date, time and datetime keeps their types
SELECT EXTRACT(DATE FROM ts) AS d, EXTRACT(TIME FROM ts) AS t, EXTRACT(DATETIME FROM ts AT TIME ZONE 'Asia/Kolkata') AS dt
FROM (SELECT TIMESTAMP '2026-01-05 20:00:00+00' AS ts)
--> d DATE, t TIME, dt DATETIME
--| "2026-01-05", "20:00:00", "2026-01-06T01:30:00"

--- A timestamp is made of text, which may have its own zone, or be given one
SELECT TIMESTAMP('2026-01-05 10:00:00') AS utc, TIMESTAMP('2026-01-05T10:00:00+02:00') AS own, TIMESTAMP('2026-07-05 10:00:00', 'Europe/Berlin') AS summer,
  TIMESTAMP('2026-01-05 10:00:00', 'Europe/Berlin') AS winter, TIMESTAMP('2026-01-05 10:00:00 America/New_York') AS named
--> utc TIMESTAMP, own TIMESTAMP, summer TIMESTAMP, winter TIMESTAMP, named TIMESTAMP
--| "2026-01-05T10:00:00Z", "2026-01-05T08:00:00Z", "2026-07-05T08:00:00Z", "2026-01-05T09:00:00Z", "2026-01-05T15:00:00Z"

--- A timestamp is made of a date and of a datetime
SELECT TIMESTAMP(DATE '2026-01-05') AS d, TIMESTAMP(DATE '2026-01-05', 'Asia/Tokyo') AS tokyo, TIMESTAMP(DATETIME '2026-01-05 10:00:00', 'America/New_York') AS new_york
--> d TIMESTAMP, tokyo TIMESTAMP, new_york TIMESTAMP
--| "2026-01-05T00:00:00Z", "2026-01-04T15:00:00Z", "2026-01-05T15:00:00Z"

--- DATETIME and TIME of a timestamp, in a zone
SELECT DATETIME(ts) AS utc, DATETIME(ts, 'Europe/Berlin') AS berlin, TIME(ts, 'Europe/Berlin') AS t, DATETIME(DATE '2026-01-05', TIME '10:30:00') AS joined, DATETIME(2026, 1, 5, 10, 30, 0) AS parts
FROM (SELECT TIMESTAMP '2026-01-05 23:30:00+00' AS ts)
--> utc DATETIME, berlin DATETIME, t TIME, joined DATETIME, parts DATETIME
--| "2026-01-05T23:30:00", "2026-01-06T00:30:00", "00:30:00", "2026-01-05T10:30:00", "2026-01-05T10:30:00"

--- Seconds since 1970 are rounded down
SELECT UNIX_SECONDS(ts) AS s, UNIX_MILLIS(ts) AS ms, UNIX_MICROS(ts) AS us, UNIX_SECONDS(TIMESTAMP '1969-12-31 23:59:58.500000+00') AS negative
FROM (SELECT TIMESTAMP '2026-01-05 00:00:00.987654+00' AS ts)
--> s INT64, ms INT64, us INT64, negative INT64
--| 1767571200, 1767571200987, 1767571200987654, -2

--- And back
SELECT TIMESTAMP_SECONDS(1767571200) AS s, TIMESTAMP_MILLIS(1767571200987) AS ms, TIMESTAMP_MICROS(-1) AS us
--> s TIMESTAMP, ms TIMESTAMP, us TIMESTAMP
--| "2026-01-05T00:00:00Z", "2026-01-05T00:00:00.987Z", "1969-12-31T23:59:59.999999Z"

--- Datetimes and times are truncated
SELECT DATETIME_TRUNC(DATETIME '2026-05-15 10:20:30', QUARTER) AS q, DATETIME_TRUNC(DATETIME '2026-05-15 10:20:30', HOUR) AS h, TIME_TRUNC(TIME '10:20:30', MINUTE) AS t
--> q DATETIME, h DATETIME, t TIME
--| "2026-04-01T00:00:00", "2026-05-15T10:00:00", "10:20:00"

--- A time wraps at midnight
SELECT TIME_ADD(TIME '23:30:00', INTERVAL 45 MINUTE) AS added, TIME_SUB(TIME '00:10:00', INTERVAL 1 HOUR) AS subtracted, TIME_DIFF(TIME '12:00:00', TIME '11:59:30', SECOND) AS seconds, TIME(9, 5, 0) AS parts
--> added TIME, subtracted TIME, seconds INT64, parts TIME
--| "00:15:00", "23:10:00", 30, "09:05:00"

--- GENERATE_TIMESTAMP_ARRAY
SELECT GENERATE_TIMESTAMP_ARRAY(TIMESTAMP '2026-01-05 22:00:00+00', TIMESTAMP '2026-01-06 01:00:00+00', INTERVAL 90 MINUTE) AS a
--> a ARRAY<TIMESTAMP>
--| ["2026-01-05T22:00:00Z", "2026-01-05T23:30:00Z", "2026-01-06T01:00:00Z"]

--- The time is told, with and without parentheses, as four types
SELECT CURRENT_DATE > DATE '2026-01-01' AS d, CURRENT_TIMESTAMP() > TIMESTAMP '2026-01-01 00:00:00+00' AS ts, CURRENT_DATETIME('Asia/Tokyo') > CURRENT_DATETIME() AS dt, CURRENT_DATE() = DATE(CURRENT_TIMESTAMP()) AS same
--> d BOOL, ts BOOL, dt BOOL, same BOOL
--| true, true, true, true

--- The time is the same everywhere in a query
SELECT COUNT(DISTINCT CURRENT_TIMESTAMP()) AS times FROM lab.scalars
--> times INT64
--| 1

--- A zone that is not known is named
SELECT DATE(TIMESTAMP '2026-01-05 00:00:00+00', 'Mars/Olympus') AS d
--! invalidQuery: Mars/Olympus

--- Microseconds survive
SELECT event_timestamp, DATETIME(event_timestamp) AS civil FROM pixel_bob_20260105 WHERE event_id = 'b3'
--> event_timestamp TIMESTAMP, civil DATETIME
--| "2026-01-05T10:45:00.123456Z", "2026-01-05T10:45:00.123456"

--- A timestamp column is compared to a literal string
SELECT COUNT(*) AS n FROM pixel_bob_20260105 WHERE event_timestamp >= '2026-01-05 10:31:00'
--> n INT64
--| 2

--- DATE_TRUNC and DATE_DIFF over the dates of timestamps
SELECT DATE_TRUNC(DATE(event_timestamp), WEEK(MONDAY)) AS week, COUNT(*) AS events FROM `pixel_*` GROUP BY week ORDER BY week
--> week DATE, events INT64
--| "2025-12-29", 1
--| "2026-01-05", 7
--| "2026-01-12", 5

--- INTERVAL between timestamps, and its parts
SELECT EXTRACT(HOUR FROM i) AS h, EXTRACT(MINUTE FROM i) AS m FROM (SELECT TIMESTAMP '2026-01-06 01:30:00+00' - TIMESTAMP '2026-01-05 00:00:00+00' AS i)
--> h INT64, m INT64
--| 25, 30

--- EXTRACT in a zone
SELECT EXTRACT(HOUR FROM TIMESTAMP '2026-01-01 12:00:00+00' AT TIME ZONE 'Europe/Berlin') AS h, EXTRACT(DATE FROM TIMESTAMP '2026-01-01 23:30:00+00' AT TIME ZONE 'Asia/Tokyo') AS d
--> h INT64, d DATE
--| 13, "2026-01-02"
