-- Top pages
-- The pages with the most events, without query strings.
-- To change: use NET.HOST(referer) to count sites.
SELECT
  IFNULL(REGEXP_EXTRACT(referer, r'^[^?#]+'), '(none)') AS page -- needs referer STRING
  , COUNT(DISTINCT event_id) AS events -- needs event_id SCALAR
  , COUNT(DISTINCT user_id) AS users -- if user_id SCALAR
  , ARRAY_AGG(DISTINCT type IGNORE NULLS ORDER BY type) AS types -- if type SCALAR
FROM `parsed_pixel.pixel*`
GROUP BY ALL
ORDER BY events DESC, page
LIMIT 50
