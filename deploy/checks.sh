# The settings of a deployment and the check of each. Generated from src/config/settings.rs; sourced by settings.sh.
# shellcheck shell=bash disable=SC2034

SERVICE_SETTINGS='
  DATASET
  TABLE_NAME
  VALID_ATTRIBUTES
  TABLE_SUFFIX
  MAX_NEW_TABLES_PER_HOUR
  OVERFLOW_SUFFIX
  PIXEL_PATH
  PIXEL_METHODS
  STATUS
  IP_ANONYMIZATION
  HASH_ATTRIBUTES
  RESPECT_OPT_OUT
  SIGNATURE_MODE
  DEAD_LETTER_TABLE
  BATCH_MAX_ROWS
  BATCH_MAX_BYTES
  BATCH_MAX_INSERTS
  BATCH_MAX_LINGER
  BATCH_GZIP
  MAX_IN_FLIGHT
  MAX_IN_FLIGHT_BYTES
  PUSH_DEADLINE
  LOG_FORMAT
  RUST_LOG
'

DEPLOYMENT_SETTINGS='
  REGION
  LOCATION
  PIPELINE
  ADOPT
  DOMAIN
  REMOVE_DOMAIN
  URL_MAP
  EXCLUDE_FROM_DEFAULT
  ARCHIVE
  ARCHIVE_DAYS
  TABLE_EXPIRATION_DAYS
  SHARE_DATASET
  IMAGE
  CPU
  MEMORY
  CONCURRENCY
  MIN_INSTANCES
  MAX_INSTANCES
  ALERT_EMAIL
  ALERT_CHANNELS
  NO_EVENTS_AFTER
  BUDGET
  SCHEMA_FILE
  HASH_USER_IDS
  URL_SIGNING_KEY
'

FILLED_COLUMNS='event_id event_timestamp received_timestamp request_method request_url host path status referer user_agent remote_ip cache_hit latency_seconds trace pubsub_message_id signed invalid_attributes'

# Calls check NAME PATTERN EXPECTED [MAX_LENGTH], check_secret NAME PATTERN EXPECTED or check_number NAME MIN MAX for each setting.
check_each() {
  check PROJECT_ID '[a-z][a-z0-9-]{4,28}[a-z0-9]|[a-z0-9.-]+:[a-z][a-z0-9-]+' 'a project id such as my-project-123 (not the project'\''s name or number)'
  check REGION '[a-z]+-[a-z]+[0-9]+' 'a region such as us-central1 or europe-west1'
  check LOCATION '(US|EU|[a-z]+-[a-z]+[0-9]+)?' 'US, EU or a region such as europe-west1'
  check PIPELINE '[a-z][a-z0-9-]{1,22}[a-z0-9]' '3 to 24 characters a-z, 0-9 and -, beginning with a letter and not ending with -'
  check ADOPT '([a-z-]+/[^,[:space:]]+(,[a-z-]+/[^,[:space:]]+)*)?' 'a list of resources as deploy.sh lists them, separated by commas, such as topic/pixel,sink/pixel'
  check DOMAIN '( *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *(, *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *)*)?' 'a list of host names in lower case, separated by commas, without https:// and path, such as track.example.com,pixel.example.org'
  check REMOVE_DOMAIN '( *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *(, *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *)*)?' 'a list of host names in lower case, separated by commas, such as track.example.com,pixel.example.org'
  check URL_MAP '([a-z]([a-z0-9-]{0,61}[a-z0-9])?)?' 'the name of a URL map: 1 to 63 characters a-z, 0-9 and -, beginning with a letter and not ending with -'
  check EXCLUDE_FROM_DEFAULT 'true|false' 'true or false'
  check ARCHIVE 'true|false' 'true or false'
  check_number ARCHIVE_DAYS 1 36500
  check_number TABLE_EXPIRATION_DAYS 1 36500 optional
  check SHARE_DATASET 'true|false' 'true or false'
  check IMAGE '([^[:space:]/]+(/[^[:space:]/]+)+)?' 'the full name of an image, such as ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0'
  check CPU '1|2|4|6|8' 'one of 1, 2, 4, 6, 8'
  check MEMORY '[1-9][0-9]*(Mi|Gi)' 'an amount of memory such as 512Mi or 1Gi'
  check_number CONCURRENCY 1 1000
  check_number MIN_INSTANCES 0 10000
  check_number MAX_INSTANCES 1 10000
  check ALERT_EMAIL '([^@,[:space:]]+@[^@,[:space:]]+( *, *[^@,[:space:]]+@[^@,[:space:]]+)*)?' 'a list of email addresses separated by commas, such as you@example.com,ops@example.com'
  check ALERT_CHANNELS '(projects/[^/,[:space:]]+/notificationChannels/[0-9]+( *, *projects/[^/,[:space:]]+/notificationChannels/[0-9]+)*)?' 'a list of names separated by commas, such as projects/my-project/notificationChannels/123'
  check NO_EVENTS_AFTER 'off|[1-9][0-9]{0,3}m|([1-9][0-9]?|[1-4][0-9]{2})h|([1-9]|1[0-9]|2[01])d' 'off, or a number of minutes, hours or days up to 21d, such as 90m, 24h or 7d'
  check_number BUDGET 1 1000000000 optional
  check DATASET '[A-Za-z0-9_]+' 'a name of at most 1024 letters, digits and _' 1024
  check TABLE_NAME '[A-Za-z0-9_]+' 'a name of at most 512 letters, digits and _' 512
  check VALID_ATTRIBUTES '([A-Za-z0-9_&%=+:'\''<>#| -]|[^ -~[:cntrl:]])+(,([A-Za-z0-9_&%=+:'\''<>#| -]|[^ -~[:cntrl:]])+)*' 'a list of names of columns, separated by commas, such as order_id,type,user_id'
  check TABLE_SUFFIX '([A-Za-z0-9_]|[{][^{}:]+[}]|[{]date:[^{}%]*%[^{}]+[}])*' 'letters, digits and _ with fields in braces between them, such as _{user_id}_{date} or _{date:%Y%m}'
  check_number MAX_NEW_TABLES_PER_HOUR 1 1000000
  check OVERFLOW_SUFFIX '([A-Za-z0-9_]|[{]date(:[^{}%]*%[^{}]+)?[}])+' 'letters, digits, _ and dates, without an attribute, such as _overflow_{date}'
  check PIXEL_PATH ' *(/[A-Za-z0-9._~-]+)+ *(, *(/[A-Za-z0-9._~-]+)+ *)*' 'a list of paths separated by commas, each beginning with /, of letters, digits, . _ ~ / and -, such as /pixel.png,/p.png'
  check PIXEL_METHODS '(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)( *, *(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS))*' 'a list of methods separated by commas, such as GET,POST'
  check STATUS 'any|([1-5](xx|[0-9][0-9])|none)( *, *([1-5](xx|[0-9][0-9])|none))*' 'any, or a list of codes, classes and none, such as 2xx,304,none'
  check IP_ANONYMIZATION 'drop|truncate|full' 'one of drop, truncate, full'
  check_secret HASH_USER_IDS '(generate|[A-Za-z0-9_-]{1,31})?' 'generate or the name of a secret in Secret Manager, of at most 31 characters. A key itself does not belong in the settings: store it with `gcloud secrets create NAME --data-file=-`, and set this to NAME'
  check HASH_ATTRIBUTES '([A-Za-z0-9_&%=+:'\''<>#| -]|[^ -~[:cntrl:]])+(,([A-Za-z0-9_&%=+:'\''<>#| -]|[^ -~[:cntrl:]])+)*' 'a list of names of columns, separated by commas, such as order_id,type,user_id'
  check RESPECT_OPT_OUT 'true|false' 'true or false'
  check_secret URL_SIGNING_KEY '(generate|[A-Za-z0-9_-]{1,31})?' 'generate or the name of a secret in Secret Manager, of at most 31 characters. A key itself does not belong in the settings: store it with `gcloud secrets create NAME --data-file=-`, and set this to NAME'
  check SIGNATURE_MODE 'require|mark' 'one of require, mark'
  check DEAD_LETTER_TABLE '[A-Za-z0-9_]+' 'a name of at most 1024 letters, digits and _' 1024
  check_number BATCH_MAX_ROWS 1 50000
  check_number BATCH_MAX_BYTES 1 9000000
  check_number BATCH_MAX_INSERTS 1 10000
  check BATCH_MAX_LINGER '(0|[1-9][0-9]{0,4})ms|([0-9]|[1-5][0-9])([.][0-9]+)?s' 'a duration from 0ms to less than 60s, such as 16ms'
  check BATCH_GZIP 'true|false' 'true or false'
  check_number MAX_IN_FLIGHT 1 1000000
  check_number MAX_IN_FLIGHT_BYTES 1 1099511627776 optional
  check PUSH_DEADLINE '[1-9][0-9]{2,3}ms|[1-5][0-9]{4}ms|([1-9]|[1-5][0-9])([.][0-9]+)?s|0[.][1-9][0-9]*s' 'a duration from 100ms to less than 60s, the subscription'\''s ack deadline, such as 50s'
  check LOG_FORMAT 'auto|json|text' 'one of auto, json, text'
  check RUST_LOG '[A-Za-z0-9_:-]+(=(off|error|warn|info|debug|trace|[0-5]))?(,[A-Za-z0-9_:-]+(=(off|error|warn|info|debug|trace|[0-5]))?)*' 'a level such as error, warn, info, debug or trace, also by module, such as warn,pixel_pipeline=debug'
}
