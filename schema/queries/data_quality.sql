-- Data quality
-- Per day: events stored twice, empty columns, and values that could not be converted to the type of their column.
-- To change: add a COUNTIF for each of your columns.
SELECT
  DATE(event_timestamp) AS day,
  COUNT(*) AS row_count,
  COUNT(*) - COUNT(DISTINCT event_id) AS copies,
  COUNTIF(type IS NULL) AS without_type,
  COUNTIF(order_id IS NULL) AS without_order_id,
  COUNTIF(referer IS NULL) AS without_referer,
  COUNTIF(ARRAY_LENGTH(invalid_attributes) > 0) AS with_invalid_attributes
FROM `parsed_pixel.pixel_*`
GROUP BY day
ORDER BY day
