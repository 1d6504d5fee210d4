-- Events and users per day (UTC) and type, each event once. The type is NULL for events without one.
--
-- Do not add up the users of a day's rows: a user who opened and clicked is in both. Every query reads every table, because
-- this view reads the view events.
SELECT
  DATE(event_timestamp) AS day,
  type,
  COUNT(*) AS events,
  COUNT(DISTINCT user_id) AS users
FROM `${PROJECT_ID}.${DATASET}.events`
GROUP BY day, type
