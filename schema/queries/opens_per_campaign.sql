-- Opens and clicks per campaign
-- Opens and clicks of each campaign. order_id is the name of the campaign.
-- To change: the column of the campaign, and the names of your types.
SELECT
  IFNULL(SAFE_CAST(order_id AS STRING), '(none)') AS campaign, -- needs order_id SCALAR
  COUNT(DISTINCT IF(type = 'open', event_id, NULL)) AS opens, -- needs event_id SCALAR
  COUNT(DISTINCT IF(type = 'open', user_id, NULL)) AS openers, -- needs user_id SCALAR
  COUNT(DISTINCT IF(type = 'click', user_id, NULL)) AS clickers, -- needs type STRING
  ROUND(100 * SAFE_DIVIDE(
    COUNT(DISTINCT IF(type = 'click', user_id, NULL)),
    COUNT(DISTINCT IF(type = 'open', user_id, NULL))), 1) AS click_to_open_percent
FROM `parsed_pixel.pixel*`
GROUP BY ALL
ORDER BY opens DESC, campaign
