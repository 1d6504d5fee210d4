-- History of one user
-- All events of one user, with the time since the event before. By default, the user who was seen last.
-- To change: WHERE user_id = 'their id'. On the real service, FROM `parsed_pixel.pixel_THEIR_ID_*` reads less.
WITH events AS (
  SELECT event_id, event_timestamp, type, order_id, referer
  FROM `parsed_pixel.pixel_*`
  WHERE user_id = (SELECT user_id FROM `parsed_pixel.pixel_*` ORDER BY event_timestamp DESC LIMIT 1)
  QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY event_timestamp) = 1
)
SELECT
  event_timestamp,
  type,
  order_id,
  NET.HOST(referer) AS page_host,
  TIMESTAMP_DIFF(event_timestamp, LAG(event_timestamp) OVER (ORDER BY event_timestamp), SECOND) AS seconds_since_previous
FROM events
ORDER BY event_timestamp
