-- History of one user
-- All events of one user, with the time since the event before. By default, the user who was seen last.
-- To change: WHERE user_id = 'their id'. With a table for each user, FROM `parsed_pixel.pixel_THEIR_ID_*` reads less.
WITH events AS (
  SELECT
    event_id -- needs event_id SCALAR
    , event_timestamp -- needs event_timestamp TIMESTAMP
    , type -- if type
    , order_id -- if order_id
    , NET.HOST(referer) AS page_host -- if referer STRING
  FROM `parsed_pixel.pixel*`
  WHERE user_id = ( -- needs user_id SCALAR
    SELECT user_id FROM `parsed_pixel.pixel*` WHERE user_id IS NOT NULL ORDER BY event_timestamp DESC LIMIT 1
  )
  QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY event_timestamp) = 1
)
SELECT
  * EXCEPT (event_id),
  TIMESTAMP_DIFF(event_timestamp, LAG(event_timestamp) OVER (ORDER BY event_timestamp), SECOND) AS seconds_since_previous
FROM events
ORDER BY event_timestamp
