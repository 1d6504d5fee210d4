-- Purchase prediction with BigQuery ML
-- Predicts from the events of a user before a day whether the user purchases within the seven days from that day on.
-- To change: the type 'purchase'; the days to look ahead, which are the 7 of the cut-offs and the 6 of the buyers. It
-- needs three weeks of events with purchases, and at most 1,000 tables. Only BigQuery itself can train a model. The local
-- mode can run the part from WITH on.
--
-- A row of training is a user on a cut-off day. Its features are events before that day. Its label is a purchase on that day
-- or after it. Cut-off days are the same for all users, and the last one leaves seven whole days. The user and the day are
-- not features. The last cut-off day is not used for training, but to evaluate the model.
CREATE OR REPLACE MODEL `parsed_pixel.purchase_prediction`
OPTIONS (
  model_type = 'LOGISTIC_REG',
  input_label_cols = ['purchased'],
  auto_class_weights = TRUE,
  data_split_method = 'CUSTOM',
  data_split_col = 'is_for_evaluation'
) AS
WITH events AS (
  SELECT
    user_id, -- needs user_id SCALAR
    type, -- needs type STRING
    event_timestamp, -- needs event_timestamp TIMESTAMP
    DATE(event_timestamp) AS day
  FROM `parsed_pixel.pixel*`
  WHERE user_id IS NOT NULL
  QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY event_timestamp) = 1 -- needs event_id SCALAR
), cut_offs AS (
  SELECT cut_off
  FROM (SELECT MIN(day) AS first_day, MAX(day) AS last_day FROM events),
    UNNEST(GENERATE_DATE_ARRAY(DATE_SUB(last_day, INTERVAL 7 DAY), first_day, INTERVAL -7 DAY)) AS cut_off
), known AS (
  SELECT
    cut_off,
    user_id,
    COUNTIF(type = 'open') AS opens,
    COUNTIF(type = 'click') AS clicks,
    COUNTIF(type = 'purchase') AS purchases,
    COUNT(DISTINCT day) AS days_active,
    DATE_DIFF(cut_off, MIN(day), DAY) AS days_since_first,
    DATE_DIFF(cut_off, MAX(day), DAY) AS days_since_last,
    MAX_BY(FORMAT_DATE('%a', day), event_timestamp) AS last_weekday
  FROM cut_offs JOIN events ON day < cut_off
  GROUP BY cut_off, user_id
), buyers AS (
  SELECT DISTINCT cut_off, user_id
  FROM cut_offs JOIN events ON day BETWEEN cut_off AND DATE_ADD(cut_off, INTERVAL 6 DAY)
  WHERE type = 'purchase'
)
SELECT
  opens, clicks, purchases, days_active, days_since_first, days_since_last, last_weekday,
  buyers.user_id IS NOT NULL AS purchased,
  cut_off = MAX(cut_off) OVER () AS is_for_evaluation
FROM known LEFT JOIN buyers USING (cut_off, user_id)
-- Its quality on the cut-off day that was not used for training, and the weight of each feature:
--   SELECT * FROM ML.EVALUATE(MODEL `parsed_pixel.purchase_prediction`)
--   SELECT * FROM ML.WEIGHTS(MODEL `parsed_pixel.purchase_prediction`)
-- The users that it expects to buy. QUERY is the one above from WITH on, with two changes: cut_offs AS (SELECT MAX(day) AS cut_off
-- FROM events), and SELECT user_id, opens, … without the two columns after last_weekday:
--   SELECT user_id, predicted_purchased, predicted_purchased_probs
--   FROM ML.PREDICT(MODEL `parsed_pixel.purchase_prediction`, (QUERY))
