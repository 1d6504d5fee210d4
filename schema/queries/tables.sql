-- Tables and their rows
-- Each generated table, newest day first. The pipeline creates one per user and day.
-- To change: add WHERE _TABLE_SUFFIX LIKE 'A_USER\\_%'.
SELECT
  CONCAT('pixel_', _TABLE_SUFFIX) AS table_name,
  ANY_VALUE(user_id) AS user_id,
  SAFE.PARSE_DATE('%Y%m%d', RIGHT(_TABLE_SUFFIX, 8)) AS day,
  COUNT(*) AS row_count,
  MAX(event_timestamp) AS last_event
FROM `parsed_pixel.pixel_*`
GROUP BY _TABLE_SUFFIX
ORDER BY day DESC, table_name
