-- NET functions and hash functions.
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/net_functions
-- https://cloud.google.com/bigquery/docs/reference/standard-sql/hash_functions

--- NET.HOST parses valid and invalid URLs
SELECT NET.HOST('https://www.Example.com:8080/a?b#c') AS a, NET.HOST('//user:pw@host.example/x') AS b, NET.HOST('mailto:?to=&subject=&body=') AS c, NET.HOST('') AS d
--> a STRING, b STRING, c STRING, d STRING
--| "www.Example.com", "host.example", "mailto", null

--- Top referring hosts
SELECT NET.HOST(referer) AS host, COUNT(*) AS n FROM `pixel_*` WHERE referer IS NOT NULL GROUP BY host ORDER BY n DESC, host
--> host STRING, n INT64
--| "mail.example.com", 5
--| "www.example.com", 5

--- NET functions for IP addresses
SELECT NET.IP_TO_STRING(NET.IP_FROM_STRING('203.0.113.7')) AS v4, NET.IP_FROM_STRING('203.0.113.7') AS y, NET.IP_TO_STRING(NET.IP_TRUNC(NET.IP_FROM_STRING('203.0.113.7'), 24)) AS truncated, NET.SAFE_IP_FROM_STRING('x') AS bad, NET.IPV4_TO_INT64(b'\x00\x00\x01\x00') AS i
--> v4 STRING, y BYTES, truncated STRING, bad BYTES, i INT64
--| "203.0.113.7", "ywBxBw==", "203.0.113.0", null, 256

--- Hash functions return BYTES
SELECT TO_HEX(MD5('a')) AS md5, TO_HEX(SHA1('a')) AS sha1, TO_HEX(SHA256('a')) AS sha256, BYTE_LENGTH(SHA512('a')) AS sha512
--> md5 STRING, sha1 STRING, sha256 STRING, sha512 INT64
--| "0cc175b9c0f1b6a831c399e269772661", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", 64

--- The result types of hash functions
SELECT MD5('a') AS y
--> y BYTES
--| "DMF1ucDxtqgxw5niaXcmYQ=="

--- FARM_FINGERPRINT returns the documented values
SELECT FARM_FINGERPRINT(CONCAT(CAST(x AS STRING), y, CAST(z AS STRING))) AS f FROM (SELECT 1 AS x, 'foo' AS y, TRUE AS z UNION ALL SELECT 2, 'apple', FALSE UNION ALL SELECT 3, '', TRUE) ORDER BY x
--> f INT64
--| -1541654101129638711
--| 2794438866806483259
--| -4880158226897771312

--- A sample by FARM_FINGERPRINT is repeatable
SELECT COUNT(*) = (SELECT COUNT(*) FROM `pixel_*` WHERE MOD(ABS(FARM_FINGERPRINT(event_id)), 2) = 0) AS same FROM `pixel_*` WHERE MOD(ABS(FARM_FINGERPRINT(event_id)), 2) = 0
--> same BOOL
--| true
