-- Attributes with invalid values
-- Columns that are NULL because the value in the URL has the wrong type, and the users of those events.
-- To find the cause, run `pixel-pipeline explain` with the URL of such a page.
SELECT attribute, COUNT(*) AS events, STRING_AGG(DISTINCT user_id ORDER BY user_id) AS users
FROM `parsed_pixel.pixel_*`, UNNEST(invalid_attributes) AS attribute
GROUP BY attribute
ORDER BY events DESC, attribute
