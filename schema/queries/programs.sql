-- Browsers, phones, mail proxies, bots
-- Programs that requested the pixel, by user agent. A request of a mail proxy does not show when a person opened the mail.
-- To change: the patterns. The first match counts.
SELECT
  CASE
    WHEN user_agent IS NULL THEN '(none)' -- needs user_agent STRING
    WHEN REGEXP_CONTAINS(user_agent, r'(?i)googleimageproxy|yahoomailproxy') THEN 'mail proxy'
    WHEN REGEXP_CONTAINS(user_agent, r'(?i)bot|crawl|spider|curl|python') THEN 'bot'
    WHEN REGEXP_CONTAINS(user_agent, r'iPhone|iPad|Android|Mobile') THEN 'phone'
    ELSE 'computer'
  END AS program
  , COUNT(DISTINCT event_id) AS events -- needs event_id SCALAR
  , COUNT(DISTINCT user_id) AS users -- if user_id SCALAR
  , COUNTIF(type = 'click') AS clicks -- if type STRING
FROM `parsed_pixel.pixel*`
GROUP BY ALL
ORDER BY events DESC, program
