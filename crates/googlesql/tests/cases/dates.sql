-- DATE: parts, truncation, differences, arithmetic.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/date_functions
-- 5 January 2026 is a Monday; 1 January 2026, a Thursday, is in ISO week 1.

--- A week begins on Sunday, unless another day is named
SELECT DATE_TRUNC(DATE '2026-01-15', WEEK) AS sunday, DATE_TRUNC(DATE '2026-01-15', WEEK(MONDAY)) AS monday,
  DATE_TRUNC(DATE '2026-01-15', WEEK(THURSDAY)) AS thursday, DATE_TRUNC(DATE '2026-01-15', ISOWEEK) AS iso
--> sunday DATE, monday DATE, thursday DATE, iso DATE
--| "2026-01-11", "2026-01-12", "2026-01-15", "2026-01-12"

--- DATE_TRUNC to day, month, quarter and year
SELECT DATE_TRUNC(DATE '2026-05-15', DAY) AS d, DATE_TRUNC(DATE '2026-05-15', MONTH) AS m,
  DATE_TRUNC(DATE '2026-05-15', QUARTER) AS q, DATE_TRUNC(DATE '2026-05-15', YEAR) AS y
--> d DATE, m DATE, q DATE, y DATE
--| "2026-05-15", "2026-05-01", "2026-04-01", "2026-01-01"

--- An ISO year begins on the Monday of its first week
SELECT DATE_TRUNC(DATE '2026-01-15', ISOYEAR) AS this, DATE_TRUNC(DATE '2025-12-28', ISOYEAR) AS last
--> this DATE, last DATE
--| "2025-12-29", "2024-12-30"

--- DATE_DIFF in weeks counts the starts of weeks
SELECT DATE_DIFF(DATE '2026-01-05', DATE '2026-01-04', WEEK) AS sunday, DATE_DIFF(DATE '2026-01-05', DATE '2026-01-04', WEEK(MONDAY)) AS monday,
  DATE_DIFF(DATE '2026-01-05', DATE '2026-01-04', ISOWEEK) AS iso, DATE_DIFF(DATE '2026-01-04', DATE '2026-01-03', WEEK) AS saturday_to_sunday
--> sunday INT64, monday INT64, iso INT64, saturday_to_sunday INT64
--| 0, 1, 1, 1

--- DATE_DIFF in months, quarters and years counts boundaries
SELECT DATE_DIFF(DATE '2026-03-01', DATE '2026-01-31', MONTH) AS months, DATE_DIFF(DATE '2026-04-01', DATE '2026-03-31', QUARTER) AS quarters,
  DATE_DIFF(DATE '2026-01-01', DATE '2025-12-31', YEAR) AS years, DATE_DIFF(DATE '2025-12-29', DATE '2025-12-28', ISOYEAR) AS iso_years
--> months INT64, quarters INT64, years INT64, iso_years INT64
--| 2, 1, 1, 1

--- DATE_DIFF is negative if the first date is earlier
SELECT DATE_DIFF(DATE '2026-01-01', DATE '2026-03-01', DAY) AS days, DATE_DIFF(DATE '2025-12-31', DATE '2026-01-01', MONTH) AS months
--> days INT64, months INT64
--| -59, -1

--- Adding months keeps the day within the month
SELECT DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH) AS feb, DATE_SUB(DATE '2024-02-29', INTERVAL 1 YEAR) AS a_year_before,
  DATE_ADD(DATE '2025-11-30', INTERVAL 1 QUARTER) AS a_quarter_on, DATE_SUB(DATE '2026-03-31', INTERVAL 1 MONTH) AS a_month_before
--> feb DATE, a_year_before DATE, a_quarter_on DATE, a_month_before DATE
--| "2026-02-28", "2023-02-28", "2026-02-28", "2026-02-28"

--- DATE_ADD and DATE_SUB of days and weeks
SELECT DATE_ADD(DATE '2026-02-27', INTERVAL 2 DAY) AS d, DATE_ADD(DATE '2026-01-05', INTERVAL -1 WEEK) AS w, DATE '2026-01-05' + 30 AS plus, DATE '2026-01-05' - 5 AS minus
--> d DATE, w DATE, plus DATE, minus DATE
--| "2026-03-01", "2025-12-29", "2026-02-04", "2025-12-31"

--- The interval of DATE_ADD may be an expression
SELECT n, DATE_ADD(DATE '2026-01-01', INTERVAL n * 10 DAY) AS d FROM UNNEST([0, 1, 2]) AS n ORDER BY n
--> n INT64, d DATE
--| 0, "2026-01-01"
--| 1, "2026-01-11"
--| 2, "2026-01-21"

--- The difference of two dates is an INTERVAL
SELECT DATE '2026-03-01' - DATE '2026-02-01' AS apart
--> apart INTERVAL
--| "0-0 28 0:0:0"

--- A DATE plus an INTERVAL is a DATETIME
SELECT DATE '2026-01-05' + INTERVAL 12 HOUR AS noon
--> noon DATETIME
--| "2026-01-05T12:00:00"

--- EXTRACT returns the parts of a date
SELECT EXTRACT(YEAR FROM d) AS y, EXTRACT(QUARTER FROM d) AS q, EXTRACT(MONTH FROM d) AS m, EXTRACT(DAY FROM d) AS dd,
  EXTRACT(DAYOFWEEK FROM d) AS dow, EXTRACT(DAYOFYEAR FROM d) AS doy
FROM UNNEST([DATE '2026-01-04', DATE '2024-12-31']) AS d ORDER BY d
--> y INT64, q INT64, m INT64, dd INT64, dow INT64, doy INT64
--| 2024, 4, 12, 31, 3, 366
--| 2026, 1, 1, 4, 1, 4

--- Week numbers: WEEK starts at 0, ISOWEEK at 1
SELECT d, EXTRACT(WEEK FROM d) AS w, EXTRACT(WEEK(MONDAY) FROM d) AS w_monday, EXTRACT(ISOWEEK FROM d) AS iso, EXTRACT(ISOYEAR FROM d) AS iso_year
FROM UNNEST([DATE '2025-12-29', DATE '2026-01-03', DATE '2026-01-04', DATE '2026-01-05']) AS d ORDER BY d
--> d DATE, w INT64, w_monday INT64, iso INT64, iso_year INT64
--| "2025-12-29", 52, 52, 1, 2026
--| "2026-01-03", 0, 0, 1, 2026
--| "2026-01-04", 1, 0, 1, 2026
--| "2026-01-05", 1, 1, 2, 2026

--- LAST_DAY of month, quarter, year and week
SELECT LAST_DAY(DATE '2024-02-10') AS month, LAST_DAY(DATE '2026-01-15', QUARTER) AS quarter, LAST_DAY(DATE '2026-01-15', YEAR) AS year,
  LAST_DAY(DATE '2026-01-15', WEEK) AS week, LAST_DAY(DATE '2026-01-15', WEEK(MONDAY)) AS week_monday
--> month DATE, quarter DATE, year DATE, week DATE, week_monday DATE
--| "2024-02-29", "2026-03-31", "2026-12-31", "2026-01-17", "2026-01-18"

--- DATE from parts, DATETIME and TIMESTAMP with a time zone
SELECT DATE(2026, 1, 5) AS parts, DATE(DATETIME '2026-01-05 23:59:59') AS civil, DATE(TIMESTAMP '2026-01-05 03:00:00+00') AS utc,
  DATE(TIMESTAMP '2026-01-05 03:00:00+00', 'America/Los_Angeles') AS los_angeles, DATE(TIMESTAMP '2026-01-05 23:30:00+00', '+01:00') AS offset_
--> parts DATE, civil DATE, utc DATE, los_angeles DATE, offset_ DATE
--| "2026-01-05", "2026-01-05", "2026-01-05", "2026-01-04", "2026-01-06"

--- UNIX_DATE and DATE_FROM_UNIX_DATE
SELECT UNIX_DATE(DATE '1970-01-02') AS one, UNIX_DATE(DATE '1969-12-31') AS minus_one, DATE_FROM_UNIX_DATE(20458) AS d
--> one INT64, minus_one INT64, d DATE
--| 1, -1, "2026-01-05"

--- GENERATE_DATE_ARRAY includes both ends
SELECT GENERATE_DATE_ARRAY(DATE '2026-01-30', DATE '2026-02-01') AS days, GENERATE_DATE_ARRAY('2026-01-05', '2026-01-20', INTERVAL 1 WEEK) AS weeks,
  GENERATE_DATE_ARRAY(DATE '2026-01-01', DATE '2026-03-31', INTERVAL 1 MONTH) AS months
--> days ARRAY<DATE>, weeks ARRAY<DATE>, months ARRAY<DATE>
--| ["2026-01-30", "2026-01-31", "2026-02-01"], ["2026-01-05", "2026-01-12", "2026-01-19"], ["2026-01-01", "2026-02-01", "2026-03-01"]

--- GENERATE_DATE_ARRAY with a negative step, and empty
SELECT GENERATE_DATE_ARRAY(DATE '2026-01-03', DATE '2026-01-01', INTERVAL -1 DAY) AS back, GENERATE_DATE_ARRAY(DATE '2026-01-03', DATE '2026-01-01') AS none
--> back ARRAY<DATE>, none ARRAY<DATE>
--| ["2026-01-03", "2026-01-02", "2026-01-01"], []

--- NULL arguments return NULL
SELECT DATE_ADD(CAST(NULL AS DATE), INTERVAL 1 DAY) AS a, DATE_DIFF(NULL, DATE '2026-01-01', DAY) AS b, DATE_TRUNC(CAST(NULL AS DATE), MONTH) AS c, EXTRACT(YEAR FROM CAST(NULL AS DATE)) AS d
--> a DATE, b INT64, c DATE, d INT64
--| null, null, null, null

--- A string literal is coerced to DATE
SELECT DATE '2026-01-05' = '2026-01-05' AS equal, DATE_DIFF('2026-01-05', '2026-01-01', DAY) AS days
--> equal BOOL, days INT64
--| true, 4

--- DATE '2026-02-30' is an error
SELECT DATE '2026-02-30'
--! invalidQuery: Invalid DATE literal

--- DATE(2026, 2, 30) is an error
SELECT DATE(2026, 2, 30) AS d
--! invalidQuery: 2026-02-30

--- A date after the year 9999 is an error
SELECT DATE_ADD(DATE '9999-12-31', INTERVAL 1 DAY) AS d
--! invalidQuery: overflow

--- A part that DATE does not have is an error
SELECT DATE_TRUNC(DATE '2026-01-05', HOUR) AS h
--! invalidQuery: HOUR

--- Dates are compared and sorted
SELECT MIN(d) AS first, MAX(d) AS last, COUNT(DISTINCT DATE_TRUNC(d, MONTH)) AS months, COUNTIF(d BETWEEN '2026-01-01' AND '2026-01-31') AS january
FROM lab.scalars
--> first DATE, last DATE, months INT64, january INT64
--| "2024-02-29", "2026-02-28", 3, 1

--- INTERVALs are compared by length
SELECT INTERVAL 24 HOUR = INTERVAL 1 DAY AS a, INTERVAL 31 DAY > INTERVAL 1 MONTH AS b, INTERVAL 1 YEAR BETWEEN INTERVAL 360 DAY AND INTERVAL 361 DAY AS c
--> a BOOL, b BOOL, c BOOL
--| true, true, true

--- INTERVAL literals with a range of parts
SELECT DATE '2026-01-15' + INTERVAL '1-2' YEAR TO MONTH AS a, CAST(INTERVAL '1-2 3 4:5:6.5' YEAR TO SECOND AS STRING) AS b, CAST(INTERVAL '-2 10:30' DAY TO MINUTE AS STRING) AS c, CAST(INTERVAL '1:30' MINUTE TO SECOND AS STRING) AS d
--> a DATETIME, b STRING, c STRING, d STRING
--| "2027-03-15T00:00:00", "1-2 3 4:5:6.500", "0-0 -2 10:30:0", "0-0 0 0:1:30"

--- INTERVAL with an invalid range of parts is an error
SELECT INTERVAL '1' YEAR TO MONTH
--! invalidQuery: Invalid INTERVAL value
