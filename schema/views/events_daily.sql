-- Events and users per day (UTC) and type, each event once. The type is NULL for events without one. The view has no
-- column type or users if the template table has no column type or user_id.
--
-- Do not add up the users of a day's rows: a user who opened and clicked is in both. Every query reads every table, because
-- this view reads the view events.
SELECT
  DATE(event_timestamp) AS day -- needs event_timestamp TIMESTAMP
  , type -- if type SCALAR
  , COUNT(*) AS events
  , COUNT(DISTINCT user_id) AS users -- if user_id SCALAR
FROM `${PROJECT_ID}.${DATASET}.events` -- needs event_id SCALAR
GROUP BY ALL
