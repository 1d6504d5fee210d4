-- Tables and their rows
-- Each table with events, newest day first. The default TABLE_SUFFIX creates one per user and day.
-- To change: add WHERE _TABLE_SUFFIX LIKE '\\_A_USER\\_%'.
SELECT
  CONCAT('pixel', _TABLE_SUFFIX) AS table_name
  , ANY_VALUE(user_id) AS user_id -- if user_id
  , SAFE.PARSE_DATE('%Y%m%d', RIGHT(_TABLE_SUFFIX, 8)) AS day
  , COUNT(*) AS row_count
  , MAX(event_timestamp) AS last_event -- if event_timestamp TIMESTAMP
FROM `parsed_pixel.pixel*`
GROUP BY _TABLE_SUFFIX
ORDER BY day DESC, table_name
