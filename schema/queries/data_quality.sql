-- Data quality
-- Per day: events stored twice, empty columns, and values that could not be converted to the type of their column.
-- To change: add a COUNTIF for each of your columns.
SELECT
  DATE(event_timestamp) AS day -- needs event_timestamp TIMESTAMP
  , COUNT(*) AS row_count
  , COUNT(*) - COUNT(DISTINCT event_id) AS copies -- needs event_id SCALAR
  , COUNTIF(type IS NULL) AS without_type -- if type
  , COUNTIF(order_id IS NULL) AS without_order_id -- if order_id
  , COUNTIF(referer IS NULL) AS without_referer -- if referer
  , COUNTIF(ARRAY_LENGTH(invalid_attributes) > 0) AS with_invalid_attributes -- if invalid_attributes STRINGS
FROM `parsed_pixel.pixel*`
GROUP BY ALL
ORDER BY day
