-- Events per day and type
-- How many events of each type arrived on each day (UTC), each event once.
-- To change: for one month, add WHERE _TABLE_SUFFIX LIKE '%\\_202601__'; for another zone, DATE(event_timestamp, 'Europe/Berlin').
SELECT
  DATE(event_timestamp) AS day -- needs event_timestamp TIMESTAMP
  , IFNULL(SAFE_CAST(type AS STRING), '(none)') AS event_type -- if type SCALAR
  , COUNT(DISTINCT event_id) AS events -- needs event_id SCALAR
  , COUNT(DISTINCT user_id) AS users -- if user_id SCALAR
FROM `parsed_pixel.pixel*`
GROUP BY ALL
ORDER BY
  day
  , events DESC
  , event_type -- if type SCALAR
