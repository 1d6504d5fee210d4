-- Dead letters by reason
-- Messages that could not become rows: count, time of the last one, and its text.
-- To change: add WHERE reason = 'required_column' and GROUP BY column as well.
SELECT
  reason,
  COUNT(*) AS messages,
  MAX(received_timestamp) AS last_received,
  MAX_BY(SAFE_CONVERT_BYTES_TO_STRING(SAFE.FROM_BASE64(data)), received_timestamp) AS latest
FROM `parsed_pixel.dead_letters`
GROUP BY reason
ORDER BY messages DESC, reason
