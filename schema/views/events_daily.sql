-- Events and users per day (UTC) and type, each event once. The type is NULL for events that name none.
--
-- The users of a day are not the sum of its rows: someone who opened and clicked is in both. Every query reads every
-- table, as one of the view events does, which this one is made of.
SELECT
  DATE(event_timestamp) AS day,
  type,
  COUNT(*) AS events,
  COUNT(DISTINCT user_id) AS users
FROM `${PROJECT_ID}.${DATASET}.events`
GROUP BY day, type
