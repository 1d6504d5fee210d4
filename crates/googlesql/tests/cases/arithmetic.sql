-- Operators, division, overflow; mathematical functions.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/operators#arithmetic_operators
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions

--- The operator / returns FLOAT64, DIV returns INT64
SELECT 7 / 2 AS a, 6 / 3 AS b, -7 / 2 AS c, DIV(7, 2) AS d, DIV(-7, 2) AS e, MOD(7, 3) AS f, MOD(-7, 3) AS g
--> a FLOAT64, b FLOAT64, c FLOAT64, d INT64, e INT64, f INT64, g INT64
--| 3.5, 2.0, -3.5, 3, -3, 1, -1

--- Result types of addition and multiplication
SELECT 1 + 2 AS i, 1 + 2.5 AS f, 2 * 3 AS p, 2 * NUMERIC '1.5' AS n, NUMERIC '1.5' + CAST(2.5 AS FLOAT64) AS nf, -5 AS neg, 7 - 10 AS minus
--> i INT64, f FLOAT64, p INT64, n NUMERIC, nf FLOAT64, neg INT64, minus INT64
--| 3, 3.5, 6, "3", 4.0, -5, -3

--- Operator precedence
SELECT 2 + 3 * 4 AS a, (2 + 3) * 4 AS b, -2 * -3 AS c, 10 - 4 - 3 AS d, NOT FALSE AND FALSE AS e, TRUE OR TRUE AND FALSE AS f
--> a INT64, b INT64, c INT64, d INT64, e BOOL, f BOOL
--| 14, 20, 6, 3, false, true

--- Bitwise operators
SELECT 5 & 3 AS a, 5 | 3 AS b, 5 ^ 3 AS c, ~5 AS d, 1 << 4 AS e, 256 >> 4 AS f, BIT_COUNT(255) AS g
--> a INT64, b INT64, c INT64, d INT64, e INT64, f INT64, g INT64
--| 1, 7, 6, -6, 16, 16, 8

--- Division by zero is an error
SELECT x / 0 AS d FROM UNNEST([1]) AS x
--! invalidQuery: division by zero

--- Division of a FLOAT64 by zero is an error
SELECT 1.5 / 0.0 AS d
--! invalidQuery: division by zero

--- MOD by zero is an error
SELECT MOD(5, x) AS m FROM UNNEST([0]) AS x
--! invalidQuery: division by zero

--- SAFE_DIVIDE and IEEE_DIVIDE do not fail
SELECT SAFE_DIVIDE(1, 0) AS a, SAFE_DIVIDE(7, 2) AS b, SAFE_DIVIDE(NUMERIC '1', NUMERIC '4') AS n, IEEE_DIVIDE(1, 0) AS inf, IEEE_DIVIDE(-1, 0) AS minus, IEEE_DIVIDE(0, 0) AS nan
--> a FLOAT64, b FLOAT64, n NUMERIC, inf FLOAT64, minus FLOAT64, nan FLOAT64
--| null, 3.5, "0.25", "Infinity", "-Infinity", "NaN"

--- INT64 addition overflows with an error
SELECT x + 1 AS y FROM UNNEST([9223372036854775807]) AS x
--! invalidQuery: int64 overflow: 9223372036854775807 + 1

--- INT64 multiplication overflows with an error
SELECT x * 2 AS y FROM UNNEST([9223372036854775807]) AS x
--! invalidQuery: int64 overflow

--- SUM of INT64 overflows with an error
SELECT SUM(x) AS y FROM UNNEST([9223372036854775807, 1]) AS x
--! invalidQuery: int64 overflow

--- SAFE_ADD and similar functions return NULL on overflow
SELECT SAFE_ADD(9223372036854775807, 1) AS a, SAFE_MULTIPLY(9223372036854775807, 2) AS m, SAFE_SUBTRACT(-9223372036854775807, 2) AS s, SAFE_NEGATE(5) AS n
--> a INT64, m INT64, s INT64, n INT64
--| null, null, null, -5

--- Adding a number to a string is an error
SELECT s + 1 AS x FROM lab.scalars
--! invalidQuery: No matching signature for operator +

--- ROUND, TRUNC, CEIL and FLOOR
SELECT ROUND(2.5) AS a, ROUND(-2.5) AS b, ROUND(123.456, 2) AS c, ROUND(123.456, -1) AS d, TRUNC(-2.7) AS e, CEIL(2.1) AS f, FLOOR(-2.1) AS g, ROUND(5) AS h
--> a FLOAT64, b FLOAT64, c FLOAT64, d FLOAT64, e FLOAT64, f FLOAT64, g FLOAT64, h FLOAT64
--| 3.0, -3.0, 123.46, 120.0, -2.0, 3.0, -3.0, 5.0

--- ROUND of NUMERIC returns NUMERIC
SELECT ROUND(NUMERIC '2.345', 2) AS a, CEIL(NUMERIC '2.1') AS b, TRUNC(NUMERIC '-2.789', 1) AS c, ABS(NUMERIC '-1.5') AS d
--> a NUMERIC, b NUMERIC, c NUMERIC, d NUMERIC
--| "2.35", "3", "-2.7", "1.5"

--- ABS, SIGN, GREATEST and LEAST
SELECT ABS(-5) AS a, SIGN(-2.5) AS s, SIGN(7) AS i, GREATEST(1, 3, 2) AS g, LEAST('b', 'a') AS l, GREATEST(1, 2.5) AS mixed
--> a INT64, s FLOAT64, i INT64, g INT64, l STRING, mixed FLOAT64
--| 5, -1.0, 1, 3, "a", 2.5

--- GREATEST and LEAST return NULL if an argument is NULL
SELECT GREATEST(1, NULL, 3) AS g, LEAST(CAST(NULL AS STRING), 'a') AS l
--> g INT64, l STRING
--| null, null

--- Powers, roots and logarithms
SELECT POW(2, 10) AS p, SQRT(16) AS s, EXP(0) AS e, LN(1) AS ln, LOG(8, 2) AS l, LOG10(1000) AS l10, LOG(1) AS log1
--> p FLOAT64, s FLOAT64, e FLOAT64, ln FLOAT64, l FLOAT64, l10 FLOAT64, log1 FLOAT64
--| 1024.0, 4.0, 1.0, 0.0, 3.0, 3.0, 0.0

--- SQRT of a negative number is an error
SELECT SQRT(x) AS s FROM UNNEST([-1.0]) AS x
--! invalidQuery: SQRT

--- NaN and infinity
SELECT IS_NAN(CAST('nan' AS FLOAT64)) AS a, IS_INF(CAST('-inf' AS FLOAT64)) AS b, CAST('inf' AS FLOAT64) AS c, IS_NAN(1.0) AS d
--> a BOOL, b BOOL, c FLOAT64, d BOOL
--| true, true, "Infinity", false

--- RANGE_BUCKET finds the bucket of a value
SELECT RANGE_BUCKET(20, [0, 10, 20, 30]) AS a, RANGE_BUCKET(-1, [0, 10]) AS b, RANGE_BUCKET(35, [0, 10, 20, 30]) AS c, RANGE_BUCKET(15, [0, 10, 20]) AS d
--> a INT64, b INT64, c INT64, d INT64
--| 3, 0, 4, 2

--- GENERATE_ARRAY with positive and negative steps
SELECT GENERATE_ARRAY(1, 5) AS a, GENERATE_ARRAY(0, 10, 5) AS b, GENERATE_ARRAY(3, 1, -1) AS c, GENERATE_ARRAY(5, 1) AS d
--> a ARRAY<INT64>, b ARRAY<INT64>, c ARRAY<INT64>, d ARRAY<INT64>
--| [1, 2, 3, 4, 5], [0, 5, 10], [3, 2, 1], []

--- NUMERIC arithmetic is exact
SELECT SUM(n) AS numeric, SUM(CAST(n AS NUMERIC)) / 3 AS third, AVG(n) AS average FROM UNNEST([NUMERIC '0.1', NUMERIC '0.2', NUMERIC '0.3']) AS n
--> numeric NUMERIC, third NUMERIC, average NUMERIC
--| "0.6", "0.2", "0.2"

--- NULL arguments return NULL
SELECT 1 + CAST(NULL AS INT64) AS a, CAST(NULL AS INT64) / 2 AS b, ROUND(CAST(NULL AS FLOAT64)) AS c, SAFE_DIVIDE(NULL, 0) AS d
--> a INT64, b FLOAT64, c FLOAT64, d FLOAT64
--| null, null, null, null

--- RAND and GENERATE_UUID return random values
SELECT RAND() BETWEEN 0 AND 1 AS r, LENGTH(GENERATE_UUID()) AS n, REGEXP_CONTAINS(GENERATE_UUID(), r'^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$') AS v4
--> r BOOL, n INT64, v4 BOOL
--| true, 36, true

--- Shift precedence is between addition and comparison
SELECT 1 << 2 + 1 AS a, 1 << 4 = 16 AS b, 256 >> 4 AS c, 7 & 1 << 1 AS d
--> a INT64, b BOOL, c INT64, d INT64
--| 8, true, 16, 2
