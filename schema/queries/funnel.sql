-- Funnel: open, click, purchase
-- Number of users who reached each step. A step counts only after the step before it.
-- To change: the three types; for a fourth step, another MIN over the step before.
WITH opened AS (
  SELECT
    user_id, -- needs user_id SCALAR
    MIN(event_timestamp) AS first_at -- needs event_timestamp TIMESTAMP
  FROM `parsed_pixel.pixel*`
  WHERE type = 'open' -- needs type STRING
  GROUP BY user_id
), clicked AS (
  SELECT user_id, MIN(event_timestamp) AS first_at
  FROM `parsed_pixel.pixel*` JOIN opened USING (user_id)
  WHERE type = 'click' AND event_timestamp >= opened.first_at GROUP BY user_id
), purchased AS (
  SELECT user_id, MIN(event_timestamp) AS first_at
  FROM `parsed_pixel.pixel*` JOIN clicked USING (user_id)
  WHERE type = 'purchase' AND event_timestamp >= clicked.first_at GROUP BY user_id
), steps AS (
  SELECT 1 AS step, 'open' AS name, COUNT(*) AS users FROM opened
  UNION ALL SELECT 2, 'click', COUNT(*) FROM clicked
  UNION ALL SELECT 3, 'purchase', COUNT(*) FROM purchased
)
SELECT
  step, name, users,
  ROUND(100 * SAFE_DIVIDE(users, FIRST_VALUE(users) OVER (ORDER BY step)), 1) AS percent_of_first,
  ROUND(100 * SAFE_DIVIDE(users, LAG(users) OVER (ORDER BY step)), 1) AS percent_of_previous
FROM steps
ORDER BY step
