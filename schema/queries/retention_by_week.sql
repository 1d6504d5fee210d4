-- Retention by week
-- Of the users first seen in a week, the share that came back in each later week.
-- To change: WEEK(MONDAY) to ISOWEEK, MONTH or DAY, in all three places.
WITH active AS (
  SELECT DISTINCT
    user_id, -- needs user_id SCALAR
    DATE_TRUNC(DATE(event_timestamp), WEEK(MONDAY)) AS week -- needs event_timestamp TIMESTAMP
  FROM `parsed_pixel.pixel*`
  WHERE user_id IS NOT NULL
), first_seen AS (
  SELECT user_id, MIN(week) AS cohort FROM active GROUP BY user_id
), sizes AS (
  SELECT cohort, COUNT(*) AS size FROM first_seen GROUP BY cohort
)
SELECT
  cohort,
  size,
  DATE_DIFF(week, cohort, WEEK(MONDAY)) AS weeks_later,
  COUNT(*) AS users,
  ROUND(100 * COUNT(*) / size, 1) AS percent
FROM active JOIN first_seen USING (user_id) JOIN sizes USING (cohort)
GROUP BY cohort, size, weeks_later
ORDER BY cohort, weeks_later
