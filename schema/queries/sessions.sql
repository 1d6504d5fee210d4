-- Sessions
-- Groups the events of a user into sessions. A session ends after half an hour without events.
-- To change: 30, the number of minutes.
WITH events AS (
  SELECT
    user_id -- needs user_id SCALAR
    , event_id -- needs event_id SCALAR
    , event_timestamp -- needs event_timestamp TIMESTAMP
    , SAFE_CAST(type AS STRING) AS type -- if type SCALAR
  FROM `parsed_pixel.pixel*`
  QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY event_timestamp) = 1
), marked AS (
  SELECT *, TIMESTAMP_DIFF(event_timestamp, LAG(event_timestamp) OVER (PARTITION BY user_id ORDER BY event_timestamp), SECOND) > 30 * 60 AS after_silence
  FROM events
), numbered AS (
  SELECT *, 1 + COUNTIF(after_silence) OVER (PARTITION BY user_id ORDER BY event_timestamp) AS session
  FROM marked
)
SELECT
  user_id
  , session
  , MIN(event_timestamp) AS started
  , TIMESTAMP_DIFF(MAX(event_timestamp), MIN(event_timestamp), SECOND) AS seconds
  , COUNT(*) AS events
  , STRING_AGG(IFNULL(type, '?'), ' > ' ORDER BY event_timestamp) AS path -- if type SCALAR
FROM numbered
GROUP BY user_id, session
ORDER BY user_id, session
