-- Attributes that did not fit
-- Which columns are NULL because the URL's value was not of their type, and in whose events.
-- To change: nothing; look at the URLs of those users' pages with `pixel-pipeline explain`.
SELECT attribute, COUNT(*) AS events, STRING_AGG(DISTINCT user_id ORDER BY user_id) AS users
FROM `parsed_pixel.pixel_*`, UNNEST(invalid_attributes) AS attribute
GROUP BY attribute
ORDER BY events DESC, attribute
