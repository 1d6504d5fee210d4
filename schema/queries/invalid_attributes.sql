-- Attributes with invalid values
-- Columns that are NULL because the value in the URL has the wrong type, and the users of those events.
-- To find the cause, run `pixel-pipeline explain` with the URL of such a page.
SELECT
  attribute
  , COUNT(*) AS events
  , STRING_AGG(DISTINCT SAFE_CAST(user_id AS STRING) ORDER BY SAFE_CAST(user_id AS STRING)) AS users -- if user_id SCALAR
FROM (
  SELECT
    invalid_attributes -- needs invalid_attributes STRINGS
    , user_id -- if user_id SCALAR
  FROM `parsed_pixel.pixel*`
), UNNEST(invalid_attributes) AS attribute
GROUP BY attribute
ORDER BY events DESC, attribute
