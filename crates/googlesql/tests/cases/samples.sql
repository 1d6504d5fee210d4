-- The sample queries of schema/queries, run over the tables of this folder.
-- Event a3 is stored twice.

--- Events per day and type
--< schema/queries/events_per_day.sql
--> day DATE, event_type STRING, events INT64, users INT64
--| "2026-01-04", "open", 1, 1
--| "2026-01-05", "open", 3, 2
--| "2026-01-05", "click", 2, 1
--| "2026-01-05", "(none)", 1, 1
--| "2026-01-12", "open", 2, 2
--| "2026-01-12", "click", 1, 1
--| "2026-01-12", "purchase", 1, 1
--| "2026-01-13", "purchase", 1, 1

--- Opens and clicks per campaign
--< schema/queries/opens_per_campaign.sql
--> campaign STRING, opens INT64, openers INT64, clickers INT64, click_to_open_percent FLOAT64
--| "spring", 4, 2, 1, 50.0
--| "(none)", 1, 1, 0, 0.0
--| "winter", 1, 1, 1, 100.0
--| "summer", 0, 0, 1, null

--- Funnel
--< schema/queries/funnel.sql
--> step INT64, name STRING, users INT64, percent_of_first FLOAT64, percent_of_previous FLOAT64
--| 1, "open", 3, 100.0, null
--| 2, "click", 2, 66.7, 66.7
--| 3, "purchase", 2, 66.7, 100.0

--- Retention by week
--< schema/queries/retention_by_week.sql
--> cohort DATE, size INT64, weeks_later INT64, users INT64, percent FLOAT64
--| "2025-12-29", 1, 0, 1, 100.0
--| "2025-12-29", 1, 1, 1, 100.0
--| "2025-12-29", 1, 2, 1, 100.0
--| "2026-01-05", 1, 0, 1, 100.0
--| "2026-01-05", 1, 1, 1, 100.0
--| "2026-01-12", 1, 0, 1, 100.0

--- History of one user
--< schema/queries/history_of_one_user.sql
--> event_timestamp TIMESTAMP, type STRING, order_id STRING, page_host STRING, seconds_since_previous INT64
--| "2026-01-04T23:50:00Z", "open", "spring", "mail.example.com", null
--| "2026-01-05T00:10:00Z", "click", "spring", "www.example.com", 1200
--| "2026-01-05T09:00:00Z", "open", "spring", "mail.example.com", 31800
--| "2026-01-05T09:20:30.5Z", "click", "summer", "www.example.com", 1230
--| "2026-01-13T12:00:00Z", "purchase", "summer", null, 700769

--- Top pages
--< schema/queries/top_pages.sql
--> page STRING, events INT64, users INT64, types ARRAY<STRING>
--| "https://mail.example.com/inbox", 4, 3, ["open"]
--| "(none)", 3, 2, ["open", "purchase"]
--| "https://www.example.com/pricing", 3, 2, ["click"]
--| "https://www.example.com/", 1, 1, ["click"]
--| "https://www.example.com/cart", 1, 1, ["purchase"]

--- Sessions
--< schema/queries/sessions.sql
--> user_id STRING, session INT64, started TIMESTAMP, seconds INT64, events INT64, path STRING
--| "ada", 1, "2026-01-04T23:50:00Z", 1200, 2, "open > click"
--| "ada", 2, "2026-01-05T09:00:00Z", 1230, 2, "open > click"
--| "ada", 3, "2026-01-13T12:00:00Z", 0, 1, "purchase"
--| "bob", 1, "2026-01-05T10:00:00Z", 0, 1, "open"
--| "bob", 2, "2026-01-05T10:31:00Z", 840, 2, "open > ?"
--| "bob", 3, "2026-01-12T08:00:00Z", 420, 3, "open > click > purchase"
--| "cara@example.com", 1, "2026-01-12T23:59:59.999999Z", 0, 1, "open"

--- Data quality
--< schema/queries/data_quality.sql
--> day DATE, row_count INT64, copies INT64, without_type INT64, without_order_id INT64, without_referer INT64, with_invalid_attributes INT64
--| "2026-01-04", 1, 0, 0, 0, 0, 0
--| "2026-01-05", 7, 1, 1, 1, 2, 1
--| "2026-01-12", 4, 0, 0, 1, 0, 1
--| "2026-01-13", 1, 0, 0, 0, 1, 0

--- Attributes with invalid values
--< schema/queries/invalid_attributes.sql
--> attribute STRING, events INT64, users STRING
--| "order_id", 2, "bob,cara@example.com"
--| "amount", 1, "cara@example.com"

--- Dead letters by reason
--< schema/queries/dead_letters.sql
--> reason STRING, messages INT64, last_received TIMESTAMP, latest STRING
--| "bad_json", 2, "2026-01-06T11:00:01Z", "{"
--| "no_request_url", 1, "2026-01-06T10:00:01Z", "{}"

--- Tables and their rows
--< schema/queries/tables.sql
--> table_name STRING, user_id STRING, day DATE, row_count INT64, last_event TIMESTAMP
--| "pixel_ada_20260113", "ada", "2026-01-13", 1, "2026-01-13T12:00:00Z"
--| "pixel_bob_20260112", "bob", "2026-01-12", 3, "2026-01-12T08:07:00Z"
--| "pixel_cara__40example__2ecom_20260112", "cara@example.com", "2026-01-12", 1, "2026-01-12T23:59:59.999999Z"
--| "pixel_ada_20260105", "ada", "2026-01-05", 4, "2026-01-05T09:20:30.5Z"
--| "pixel_bob_20260105", "bob", "2026-01-05", 3, "2026-01-05T10:45:00.123456Z"
--| "pixel_ada_20260104", "ada", "2026-01-04", 1, "2026-01-04T23:50:00Z"

--- Browsers, phones, mail proxies, bots
--< schema/queries/programs.sql
--> program STRING, events INT64, users INT64, clicks INT64
--| "phone", 5, 2, 2
--| "computer", 4, 2, 1
--| "mail proxy", 2, 1, 0
--| "(none)", 1, 1, 0

--- Weekday and hour
--< schema/queries/events_per_weekday_and_hour.sql
--> hour INT64, Mon INT64, Tue INT64, Wed INT64, Thu INT64, Fri INT64, Sat INT64, Sun INT64
--| 0, 1, 0, 0, 0, 0, 0, 0
--| 8, 3, 0, 0, 0, 0, 0, 0
--| 9, 2, 0, 0, 0, 0, 0, 0
--| 10, 3, 0, 0, 0, 0, 0, 0
--| 12, 0, 1, 0, 0, 0, 0, 0
--| 23, 1, 0, 0, 0, 0, 0, 1

--- CREATE MODEL is not supported
--< schema/queries/purchase_prediction.sql
--! invalidQuery: does not support CREATE MODEL
