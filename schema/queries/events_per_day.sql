-- Events per day and type
-- How many events of each type arrived on each day (UTC), each event once.
-- To change: for one month, add WHERE _TABLE_SUFFIX LIKE '%\\_202601__'; for another zone, DATE(event_timestamp, 'Europe/Berlin').
SELECT
  DATE(event_timestamp) AS day,
  IFNULL(type, '(none)') AS event_type,
  COUNT(DISTINCT event_id) AS events,
  COUNT(DISTINCT user_id) AS users
FROM `parsed_pixel.pixel_*`
GROUP BY day, event_type
ORDER BY day, events DESC, event_type
