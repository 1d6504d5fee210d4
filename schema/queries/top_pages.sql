-- Top pages
-- The pages with the most events, without query strings.
-- To change: use NET.HOST(referer) to count sites.
SELECT
  IFNULL(REGEXP_EXTRACT(referer, r'^[^?#]+'), '(none)') AS page,
  COUNT(DISTINCT event_id) AS events,
  COUNT(DISTINCT user_id) AS users,
  ARRAY_AGG(DISTINCT type IGNORE NULLS ORDER BY type) AS types
FROM `parsed_pixel.pixel_*`
GROUP BY page
ORDER BY events DESC, page
LIMIT 50
