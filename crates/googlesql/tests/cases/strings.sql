-- String and bytes functions.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions

--- Lengths in characters and in bytes
SELECT LENGTH('héllo') AS l, CHAR_LENGTH('日本') AS c, BYTE_LENGTH('日本') AS b, LENGTH(b'abc') AS y, LENGTH('') AS z, LENGTH('👍') AS emoji
--> l INT64, c INT64, b INT64, y INT64, z INT64, emoji INT64
--| 5, 2, 6, 3, 0, 1

--- SUBSTR counts from 1, and from the end if negative
SELECT SUBSTR('apple', 2) AS a, SUBSTR('apple', 2, 2) AS b, SUBSTR('apple', -2) AS c, SUBSTR('apple', 0, 2) AS d, SUBSTR('apple', 9) AS e, SUBSTR('apple', -9, 2) AS f, SUBSTRING('été', 1, 2) AS g
--> a STRING, b STRING, c STRING, d STRING, e STRING, f STRING, g STRING
--| "pple", "pp", "le", "ap", "", "ap", "ét"

--- LEFT and RIGHT
SELECT LEFT('apple', 3) AS l, RIGHT('apple', 3) AS r, LEFT('ab', 5) AS all_, RIGHT('ab', 0) AS none
--> l STRING, r STRING, all_ STRING, none STRING
--| "app", "ple", "ab", ""

--- CONCAT and || return NULL if an argument is NULL
SELECT CONCAT('a', 'b', 'c') AS a, 'a' || 'b' AS b, CONCAT('a', NULL) AS c, 'a' || CAST(NULL AS STRING) AS d
--> a STRING, b STRING, c STRING, d STRING
--| "abc", "ab", null, null

--- UPPER, LOWER and INITCAP
SELECT UPPER('straße') AS u, LOWER('ÀB') AS l, INITCAP('hello wORLD-wide web') AS i
--> u STRING, l STRING, i STRING
--| "STRASSE", "àb", "Hello World-Wide Web"

--- TRIM of spaces, of a set of characters, of one side
SELECT TRIM('  a b ') AS a, TRIM('xxhixyx', 'xy') AS b, LTRIM('--a-', '-') AS c, RTRIM('--a-', '-') AS d, TRIM('\t\na\n') AS e
--> a STRING, b STRING, c STRING, d STRING, e STRING
--| "a b", "hi", "a-", "--a", "a"

--- LPAD, RPAD, REPEAT and REVERSE
SELECT LPAD('7', 3, '0') AS a, RPAD('abc', 6, '-+') AS b, LPAD('hello', 2) AS cut, LPAD('x', 3) AS spaces, REPEAT('ab', 3) AS c, REVERSE('été') AS d
--> a STRING, b STRING, cut STRING, spaces STRING, c STRING, d STRING
--| "007", "abc-+-", "he", "  x", "ababab", "été"

--- REPLACE and TRANSLATE
SELECT REPLACE('banana', 'an', 'AN') AS a, REPLACE('abc', '', 'x') AS b, TRANSLATE('hello', 'elo', 'ip') AS c
--> a STRING, b STRING, c STRING
--| "bANANa", "abc", "hipp"

--- SPLIT with and without a delimiter
SELECT SPLIT('a,b,,c') AS a, SPLIT('a b', ' ') AS b, SPLIT('', ',') AS c, SPLIT('abc', '') AS d, SPLIT('/x/y', '/')[SAFE_OFFSET(1)] AS e
--> a ARRAY<STRING>, b ARRAY<STRING>, c ARRAY<STRING>, d ARRAY<STRING>, e STRING
--| ["a", "b", "", "c"], ["a", "b"], [""], ["a", "b", "c"], "x"

--- STRPOS and INSTR
SELECT STRPOS('banana', 'na') AS a, STRPOS('banana', 'x') AS b, INSTR('banana', 'an', 3) AS c, INSTR('banana', 'a', -1) AS d, INSTR('banana', 'an', 1, 2) AS e
--> a INT64, b INT64, c INT64, d INT64, e INT64
--| 3, 0, 4, 6, 4

--- STARTS_WITH, ENDS_WITH and CONTAINS_SUBSTR
SELECT STARTS_WITH('pixel.png', 'pix') AS a, ENDS_WITH('pixel.png', '.png') AS b, CONTAINS_SUBSTR('Pixel', 'PIX') AS c, STARTS_WITH('a', NULL) AS d
--> a BOOL, b BOOL, c BOOL, d BOOL
--| true, true, true, null

--- Code point functions
SELECT ASCII('A') AS a, UNICODE('é') AS u, CHR(8364) AS c, TO_CODE_POINTS('aé') AS t, CODE_POINTS_TO_STRING([72, 105]) AS s
--> a INT64, u INT64, c STRING, t ARRAY<INT64>, s STRING
--| 65, 233, "€", [97, 233], "Hi"

--- Base64 and hexadecimal encodings
SELECT TO_HEX(b'\x00\xff') AS hex, FROM_HEX('00ff') AS unhex, TO_BASE64(b'abc') AS b64, FROM_BASE64('YWJj') AS unb64, SAFE_CONVERT_BYTES_TO_STRING(b'a\xffb') AS s
--> hex STRING, unhex BYTES, b64 STRING, unb64 BYTES, s STRING
--| "00ff", "AP8=", "YWJj", "YWJj", "a\ufffdb"

--- The payload of a dead letter is decoded
SELECT event_id, SAFE_CONVERT_BYTES_TO_STRING(SAFE.FROM_BASE64(data)) AS entry FROM dead_letters ORDER BY event_id
--> event_id STRING, entry STRING
--| "d1", "not json"
--| "d2", "{}"
--| "d3", "{"

--- String literals: quotes, raw, triple quotes, escapes
SELECT "it's" AS a, 'say "hi"' AS b, r'\d' AS c, '''two
lines''' AS d, 'tab\there' AS e, '\u00e9' AS f, "" AS g
--> a STRING, b STRING, c STRING, d STRING, e STRING, f STRING, g STRING
--| "it's", "say \"hi\"", "\\d", "two\nlines", "tab\there", "é", ""

--- EDIT_DISTANCE, SOUNDEX and NORMALIZE
SELECT EDIT_DISTANCE('kitten', 'sitting') AS e, SOUNDEX('Ashcraft') AS s, NORMALIZE('e\u0301') = 'é' AS n, NORMALIZE_AND_CASEFOLD('ÉA') AS c
--> e INT64, s STRING, n BOOL, c STRING
--| 3, "A261", true, "éa"

--- A string function with a number is an error
SELECT LENGTH(5) AS l
--! invalidQuery: No matching signature for function LENGTH

--- String functions with BYTES
SELECT SUBSTR(b'abcdef', 2, 3) AS s, CONCAT(b'a', b'b') AS c, UPPER(b'abc') AS u, REVERSE(b'abc') AS r
--> s BYTES, c BYTES, u BYTES, r BYTES
--| "YmNk", "YWI=", "QUJD", "Y2Jh"

--- Escape sequences in string literals
SELECT '\x41\102\u0043' AS a, 'it\'s' AS b, 'back\\slash' AS c, TO_HEX(b'\x0a\n') AS d, LENGTH('\t\r\n') AS e, '\U0001F44D' AS f
--> a STRING, b STRING, c STRING, d STRING, e INT64, f STRING
--| "ABC", "it's", "back\\slash", "0a0a", 3, "👍"

--- Escape sequences of code points and control characters
SELECT '\u00e9' AS u, '\U0001F44D' AS eight, '\x41\102' AS coded, '\a\b\f\v' = CODE_POINTS_TO_STRING([7, 8, 12, 11]) AS control, 'it\'s \"\`\?' AS quotes
--> u STRING, eight STRING, coded STRING, control BOOL, quotes STRING
--| "é", "👍", "AB", true, "it's \"`?"

--- Raw literals have no escape sequences
SELECT r'\u00e9\n' AS r, rb'\n' = b'\\n' AS bytes
--> r STRING, bytes BOOL
--| "\\u00e9\\n", true

--- An invalid escape sequence is an error
SELECT 'a\zb'
--! invalidQuery: Illegal escape sequence: \z at [1:8]

--- LIKE ANY, SOME and ALL
SELECT 'abc' LIKE ANY ('a%', 'x') AS a, 'abc' LIKE ALL ('a%', 'x') AS b, 'abc' LIKE SOME ('x') AS c, 'abc' NOT LIKE ALL ('x', 'y%') AS d, 'abc' LIKE ANY ('x', NULL) AS e, 'abc' LIKE ANY ('a%') AND TRUE AS f, 'a' NOT LIKE ANY ('a', 'b') AS g
--> a BOOL, b BOOL, c BOOL, d BOOL, e BOOL, f BOOL, g BOOL
--| true, false, false, true, null, true, true
