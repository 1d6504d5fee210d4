-- Browsers, phones, mail proxies, bots
-- Programs that requested the pixel, by user agent. A request of a mail proxy does not show when a person opened the mail.
-- To change: the patterns. The first match counts.
SELECT
  CASE
    WHEN user_agent IS NULL THEN '(none)'
    WHEN REGEXP_CONTAINS(user_agent, r'(?i)googleimageproxy|yahoomailproxy') THEN 'mail proxy'
    WHEN REGEXP_CONTAINS(user_agent, r'(?i)bot|crawl|spider|curl|python') THEN 'bot'
    WHEN REGEXP_CONTAINS(user_agent, r'iPhone|iPad|Android|Mobile') THEN 'phone'
    ELSE 'computer'
  END AS program,
  COUNT(DISTINCT event_id) AS events,
  COUNT(DISTINCT user_id) AS users,
  COUNTIF(type = 'click') AS clicks
FROM `parsed_pixel.pixel_*`
GROUP BY program
ORDER BY events DESC, program
