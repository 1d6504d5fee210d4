-- Regular expressions.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#regexp_contains

--- REGEXP_CONTAINS matches at any position
SELECT REGEXP_CONTAINS('pixel.png', r'\.png$') AS a, REGEXP_CONTAINS('pixel.png', 'xel') AS b, REGEXP_CONTAINS('ABC', '(?i)b') AS c, REGEXP_CONTAINS('abc', '^b') AS d, REGEXP_CONTAINS(NULL, 'a') AS e
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL
--| true, true, true, false, null

--- REGEXP_EXTRACT returns the match, its group, or NULL
SELECT REGEXP_EXTRACT('order-42-b', r'\d+') AS whole, REGEXP_EXTRACT('order-42-b', r'order-(\d+)') AS group_, REGEXP_EXTRACT('order', r'\d+') AS none
--> whole STRING, group_ STRING, none STRING
--| "42", "42", null

--- REGEXP_EXTRACT from a position and of an occurrence
SELECT REGEXP_EXTRACT('a1b22c333', r'\d+', 3) AS later, REGEXP_EXTRACT('a1b22c333', r'\d+', 1, 3) AS third, REGEXP_SUBSTR('a1b22', r'[a-z]\d', 1, 2) AS second
--> later STRING, third STRING, second STRING
--| "22", "333", "b2"

--- REGEXP_EXTRACT_ALL returns all matches
SELECT REGEXP_EXTRACT_ALL('a1b22c333', r'\d+') AS a, REGEXP_EXTRACT_ALL('k=v;x=y', r'(\w)=\w') AS keys, REGEXP_EXTRACT_ALL('none', r'\d') AS none
--> a ARRAY<STRING>, keys ARRAY<STRING>, none ARRAY<STRING>
--| ["1", "22", "333"], ["k", "x"], []

--- REGEXP_REPLACE with groups
SELECT REGEXP_REPLACE('2026-01-05', r'(\d+)-(\d+)-(\d+)', r'\3.\2.\1') AS a, REGEXP_REPLACE('aaa', 'a', 'b') AS b, REGEXP_REPLACE('abc', r'[ac]', '') AS c, REGEXP_REPLACE('x', 'x', r'[\0]') AS d
--> a STRING, b STRING, c STRING, d STRING
--| "05.01.2026", "bbb", "b", "[x]"

--- REGEXP_INSTR returns positions
SELECT REGEXP_INSTR('ab12cd', r'\d+') AS a, REGEXP_INSTR('ab', r'\d') AS none, REGEXP_INSTR('a1b2', r'\d', 1, 2) AS second, REGEXP_INSTR('ab12cd', r'\d+', 1, 1, 1) AS after
--> a INT64, none INT64, second INT64, after INT64
--| 3, 0, 4, 5

--- REGEXP_EXTRACT of a URL parameter
SELECT REGEXP_EXTRACT(value.string_value, r'[?&]utm_source=([^&]+)') AS source FROM shop.events_20260105, UNNEST(event_params) WHERE key = 'page_location' AND value.string_value LIKE '%utm%'
--> source STRING
--| "news"

--- REGEXP_EXTRACT with two groups is an error
SELECT REGEXP_EXTRACT('ab', '(a)(b)') AS x
--! invalidQuery: capturing group

--- An invalid regular expression is an error
SELECT REGEXP_CONTAINS('a', '(') AS x
--! invalidQuery: Cannot parse regular expression

--- A feature that RE2 does not support is an error
SELECT REGEXP_CONTAINS('ab', '(?=b)') AS x
--! invalidQuery: Cannot parse regular expression
