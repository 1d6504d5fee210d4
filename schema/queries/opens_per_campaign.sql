-- Opens and clicks per campaign
-- Opens and clicks of each campaign. order_id is the name of the campaign.
-- To change: the column of the campaign, and the names of your types.
SELECT
  IFNULL(order_id, '(none)') AS campaign,
  COUNT(DISTINCT IF(type = 'open', event_id, NULL)) AS opens,
  COUNT(DISTINCT IF(type = 'open', user_id, NULL)) AS openers,
  COUNT(DISTINCT IF(type = 'click', user_id, NULL)) AS clickers,
  ROUND(100 * SAFE_DIVIDE(
    COUNT(DISTINCT IF(type = 'click', user_id, NULL)),
    COUNT(DISTINCT IF(type = 'open', user_id, NULL))), 1) AS click_to_open_percent
FROM `parsed_pixel.pixel_*`
GROUP BY campaign
ORDER BY opens DESC, campaign
