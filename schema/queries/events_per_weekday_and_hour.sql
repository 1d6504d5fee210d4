-- Events per weekday and hour
-- Events per hour of the day, with one column per weekday.
-- To change: the time zone, in both places.
SELECT * FROM (
  SELECT
    event_id, -- needs event_id SCALAR
    EXTRACT(HOUR FROM event_timestamp AT TIME ZONE 'UTC') AS hour, -- needs event_timestamp TIMESTAMP
    FORMAT_TIMESTAMP('%a', event_timestamp, 'UTC') AS weekday
  FROM `parsed_pixel.pixel*`
)
PIVOT (COUNT(DISTINCT event_id) FOR weekday IN ('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'))
ORDER BY hour
