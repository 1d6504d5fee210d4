-- All events: the rows of every generated table, exactly one row per event_id.
--
-- Pub/Sub delivers at least once, and BigQuery drops a second copy for about a minute only. A copy can be in the same
-- table, or in another one if TABLE_SUFFIX was changed in between. The view shows the copy with the earliest
-- event_timestamp, then the one whose table_suffix is first. Copies within one table come from the same log entry.
--
-- table_suffix is the part after ${TABLE_NAME} in the name of the row's table: _507f1f77bcf86cd799439011_20260102, or
-- empty for a row of ${TABLE_NAME} itself. The wildcard includes the template table because BigQuery refuses a view that
-- matches no table, and no table has been generated when the view is created.
--
-- Cost: every query of this view reads every table, whatever its WHERE clause. A condition on table_suffix does not
-- exclude a table, because any table can hold the copy that is shown. Only event_id, event_timestamp and the columns that
-- the query uses are read. BigQuery reads at most 1,000 tables through a wildcard and refuses a query over more. For one
-- user or one day, query the tables themselves. With the default TABLE_SUFFIX:
--   SELECT * FROM `${PROJECT_ID}.${DATASET}.${TABLE_NAME}_507f1f77bcf86cd799439011_*`
--   SELECT * FROM `${PROJECT_ID}.${DATASET}.${TABLE_NAME}*` WHERE _TABLE_SUFFIX LIKE '%\\_20260102'
SELECT
  *
  , _TABLE_SUFFIX AS table_suffix -- unless table_suffix
FROM `${PROJECT_ID}.${DATASET}.${TABLE_NAME}*`
QUALIFY ROW_NUMBER() OVER (
  PARTITION BY event_id -- needs event_id SCALAR
  ORDER BY
    event_timestamp, -- if event_timestamp TIMESTAMP
    _TABLE_SUFFIX
) = 1
