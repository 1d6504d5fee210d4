#!/usr/bin/env bash
# A game day: breaks a pipeline on this machine in the ways of docs/operations.md, shows the symptom, does what the runbook
# says, and verifies that every event is stored. Needs no account and touches nothing but a temporary directory.
#
#   deploy/game-day.sh [--pause] [SCENARIO...]     all scenarios, or those; --pause waits for Enter before each action
#   deploy/game-day.sh --list                      the names of the scenarios
#
# PIXEL_PIPELINE is the path of the program; without it, the program is built. Exit code: 0 if every scenario recovered, 1 if
# one did not, 2 if the arguments are wrong.
set -euo pipefail
cd "$(dirname "$0")/.."

# --- Scenarios. The comment is the runbook.

# dead-letters
dead_letters() {
  start
  fault 'Something other than the load balancer publishes to the topic, and one real event arrives as a dead letter.'
  push 'not JSON'
  push '{"httpRequest": {"requestUrl": "http://x/pixel.png?user_id=u1&type=open"}, "timestamp": "2001-01-01T00:00:00Z"}'
  symptom 'The dead-letter table has two messages.' rows_are 2 'SELECT COUNT(*) FROM parsed_pixel.dead_letters'
  sql 'SELECT reason, detail FROM parsed_pixel.dead_letters ORDER BY reason'
  action 'Publish the real event again with its right time. Replay the other one to see that it stays a dead letter.'
  push "$(entry 'http://x/pixel.png?user_id=u1&type=open' right)"
  BIGQUERY_EMULATOR_HOST=$bigquery "$program" replay --dead-letters --reason bad_json --project-id local
  recovered 'The event is stored once, and nothing was added to the dead-letter table.' rows_are 1,2 \
    'SELECT (SELECT COUNT(*) FROM parsed_pixel.events), (SELECT COUNT(*) FROM parsed_pixel.dead_letters)'
}

# table-refused
table_refused() {
  local table
  start
  table=pixel_u1_$(date -u +%Y%m%d)
  fault "A view has the name of the table of a user: $table."
  api POST tables "{\"tableReference\": {\"projectId\": \"local\", \"datasetId\": \"parsed_pixel\", \"tableId\": \"$table\"}, \"view\": {\"query\": \"SELECT 1 AS x\", \"useLegacySql\": false}}"
  request 'user_id=u1&type=open'
  request 'user_id=u2&type=open'
  symptom 'The message of u1 is not acknowledged; that of u2 is stored.' has_retried table_refused
  action 'Delete the view.'
  api DELETE "tables/$table"
  recovered 'Pub/Sub delivers the message again, and both events are stored.' rows_are 2 'SELECT COUNT(*) FROM parsed_pixel.events'
}

# configuration
no_template() {
  local template
  start
  template=$(api GET tables/pixel)
  fault 'Somebody deletes the template table.'
  api DELETE tables/pixel
  request 'user_id=new&type=open'
  symptom 'No message for a new table is acknowledged.' has_retried '[a-z_]*'
  symptom 'The log says that the template table does not exist.' has_logged 'the template table does not exist'
  action 'Create the template table again, as deploy.sh does.'
  api POST tables "{\"tableReference\": {\"projectId\": \"local\", \"datasetId\": \"parsed_pixel\", \"tableId\": \"pixel\"}, \"schema\": $(schema_of "$template")}"
  recovered 'The message is delivered again and stored.' rows_are 1 'SELECT COUNT(*) FROM `parsed_pixel.pixel_new_*`'
}

# overflow
overflow() {
  local i
  MAX_NEW_TABLES_PER_HOUR=3 start
  fault 'Somebody requests the pixel with made-up user ids.'
  for i in 1 2 3 4 5 6; do request "user_id=made-up-$i&type=open"; done
  symptom 'Three events are in the overflow table.' rows_are 3 'SELECT COUNT(*) FROM `parsed_pixel.pixel_overflow_*`'
  action 'Raise MAX_NEW_TABLES_PER_HOUR, which restarts the service.'
  stop
  MAX_NEW_TABLES_PER_HOUR=1000 start
  request 'user_id=real&type=open'
  recovered 'New users have tables again, and the view events has all events.' rows_are 7,1 \
    'SELECT (SELECT COUNT(*) FROM parsed_pixel.events), (SELECT COUNT(*) FROM `parsed_pixel.pixel_real_*`)'
}

# unstored
all_filtered() {
  local url='http://x/pixel.png?uid=u1&type=open'
  start
  fault 'A new template of the newsletter names the parameter uid instead of user_id.'
  request 'uid=u1&type=open'
  symptom 'The requests are acknowledged and filtered.' has_counted filtered missing_attribute
  "$program" explain "$url"
  action 'Correct the URL. Replay the log entries of the time in between with the corrected parameter.'
  entry "${url/uid=/user_id=}" corrected | BIGQUERY_EMULATOR_HOST=$bigquery "$program" replay --project-id local -
  request 'user_id=u2&type=open'
  recovered 'The lost event and the new one are stored.' rows_are 2 'SELECT COUNT(*) FROM parsed_pixel.events'
}

# unpublished
sink_deleted() {
  local i
  start
  fault 'The log sink is deleted for a while. The log entries are still in Cloud Logging, or in the archive.'
  for i in 1 2 3; do entry "http://x/pixel.png?user_id=u$i&type=open" "lost-$i"; done >"$work/entries.jsonl"
  symptom 'The requests do not reach the tables.' rows_are 0 'SELECT COUNT(*) FROM parsed_pixel.events'
  action 'Create the sink again, and replay the entries. A second replay by mistake changes nothing.'
  for i in 1 2; do BIGQUERY_EMULATOR_HOST=$bigquery "$program" replay --project-id local "$work/entries.jsonl"; done
  recovered 'Each event is stored once.' rows_are 3 'SELECT COUNT(*) FROM parsed_pixel.events'
}

# An instance ends without a warning: nothing that was acknowledged is lost.
killed() {
  local i
  start
  for i in 1 2 3 4 5; do request "user_id=u$i&type=open"; done
  wait_for rows_are 5 'SELECT COUNT(*) FROM parsed_pixel.events'
  fault 'The process is killed.'
  stop KILL
  symptom 'It does not answer.' is_down
  action 'Start it again, as Cloud Run does.'
  start
  request 'user_id=u6&type=open'
  recovered 'All events are there, also the new one.' rows_are 6 'SELECT COUNT(*) FROM parsed_pixel.events'
}

# Change TABLE_SUFFIX
new_suffix() {
  start
  request 'user_id=u1&type=open'
  wait_for rows_are 1 'SELECT COUNT(*) FROM parsed_pixel.events'
  fault 'There are too many tables: a table for each user and day.'
  symptom 'The table is named after the user.' rows_are 1 'SELECT COUNT(*) FROM `parsed_pixel.pixel_u1_*`'
  action 'Set TABLE_SUFFIX=_{date}, which restarts the service.'
  stop
  TABLE_SUFFIX='_{date}' start
  request 'user_id=u2&type=open'
  recovered 'The view events has the events of the old and the new tables.' rows_are 2,1 \
    "SELECT (SELECT COUNT(*) FROM parsed_pixel.events), (SELECT COUNT(*) FROM parsed_pixel.pixel_$(date -u +%Y%m%d))"
}

SCENARIOS='dead_letters table_refused no_template overflow all_filtered sink_deleted killed new_suffix'

# --- What the scenarios use

fail() {
  printf 'error: %s\n' "$1" >&2
  exit "${2:-1}"
}

fault() { printf '\nFault     %s\n' "$1"; }

# symptom TEXT COMMAND...: waits for what an operator would see.
symptom() {
  printf 'Symptom   %s\n' "$1"
  wait_for "${@:2}"
}

action() {
  printf 'Action    %s\n' "$1"
  [[ $pause == false ]] || read -rp '          Press Enter ' _
}

recovered() {
  printf 'Recovery  %s\n' "$1"
  wait_for "${@:2}"
}

# wait_for COMMAND...: for at most WAIT_SECONDS.
wait_for() {
  local deadline=$((SECONDS + ${WAIT_SECONDS:=120}))
  until "$@"; do
    ((SECONDS < deadline)) || fail "this did not become true within $WAIT_SECONDS seconds: $*"
    sleep 0.2
  done
}

# start: the pipeline of this scenario, with the settings of the environment. The tables are created at the first start only, as
# in a deployment.
start() {
  local create=true
  [[ ! -d $work/data ]] || create=false
  if [[ $create == true ]]; then
    run_local true
    stop
  fi
  run_local false
}

# run_local AUTO_CREATE
run_local() {
  : >"$work/addresses"
  AUTO_CREATE=$1 "$program" local --data-dir "$work/data" --port 0 --pixel-port 0 --bigquery-port 0 >"$work/addresses" 2>>"$work/log" &
  process=$!
  wait_for is_up
  pixel=$(sed -n 's/^pixel  *//p' "$work/addresses")
  service=$(sed -n 's/^push  *//p' "$work/addresses")
  bigquery=$(sed -n 's/^BigQuery  *//p' "$work/addresses")
}

is_up() {
  kill -0 "$process" 2>/dev/null || fail "the program ended: $(tail -3 "$work/log")"
  grep -q '^Stop with' "$work/addresses"
}

is_down() { ! curl --silent --output /dev/null "${service}health"; }

# stop [SIGNAL]
stop() {
  kill -s "${1:-TERM}" "$process"
  wait "$process" 2>/dev/null || true
  process=
}

request() { curl --silent --show-error --fail --output /dev/null "$pixel?$1"; }

# push TEXT: one message to the service, as Pub/Sub sends it.
push() {
  local data
  data=$(printf '%s' "$1" | base64 | tr -d '\n')
  curl --silent --show-error --fail --output /dev/null --header 'Content-Type: application/json' \
    --data "{\"message\": {\"data\": \"$data\", \"messageId\": \"$RANDOM\"}, \"subscription\": \"projects/local/subscriptions/pixel-push\"}" "$service"
}

# entry URL ID: the log entry of a request.
entry() {
  printf '{"insertId": "%s", "timestamp": "%s", "httpRequest": {"requestMethod": "GET", "status": 200, "requestUrl": "%s"}}\n' \
    "$2" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1"
}

# sql QUERY: the rows, with commas between the columns.
sql() { "$program" query --local="${bigquery##*:}" --format csv "$1" | tail -n +2; }

# rows_are TEXT QUERY: a table that does not exist yet has no rows.
rows_are() { [[ $(sql "$2" 2>/dev/null || echo 0) == "$1" ]]; }

# api METHOD PATH [BODY]: BigQuery's API, for the dataset.
api() {
  curl --silent --show-error --fail --request "$1" --header 'Content-Type: application/json' ${3:+--data "$3"} \
    "$bigquery/bigquery/v2/projects/local/datasets/parsed_pixel/$2" | { [[ $1 == GET ]] && cat || cat >/dev/null; }
}

# schema_of TABLE: the member `schema` of the JSON of a table.
schema_of() { tr -d '\n' <<<"$1" | sed 's/.*"schema": *\({"fields": *\[[^]]*\]}\).*/\1/'; }

# has_counted OUTCOME REASON: whether the metrics of the service count such a delivery. REASON may be a pattern.
has_counted() {
  curl --silent --fail "${service}metrics" | grep "^pixel_pipeline_deliveries_total{outcome=\"$1\",reason=\"$2\"} [1-9]" >/dev/null
}

has_retried() { has_counted retry "$1"; }
has_logged() { grep -F -- "$1" "$work/log" >/dev/null; }

# --- Run

pause=false names=()
for argument in "$@"; do
  case $argument in
    --list) printf '%s\n' $SCENARIOS; exit ;;
    --pause) pause=true ;;
    *) [[ " $SCENARIOS " == *" $argument "* ]] || fail "unknown scenario $argument: choose from $SCENARIOS" 2
       names+=("$argument") ;;
  esac
done
# shellcheck disable=SC2206 # The names have no spaces.
[[ ${#names[@]} != 0 ]] || names=($SCENARIOS)

if [[ -z ${PIXEL_PIPELINE-} ]]; then
  cargo build --quiet
  PIXEL_PIPELINE=${CARGO_TARGET_DIR:-target}/debug/pixel-pipeline
fi
program=$(cd "$(dirname "$PIXEL_PIPELINE")" && pwd)/$(basename "$PIXEL_PIPELINE")
# The default settings, whatever the environment has.
for setting in $(sed -n 's/^#\{0,1\}\([A-Z_][A-Z_]*\)=.*/\1/p' deploy/pipeline.env.example) HASH_USER_IDS URL_SIGNING_KEY; do
  unset "$setting"
done
root=$(mktemp -d)
process=
# Away from deploy/pipeline.env, which the commands would read.
cd "$root"
trap '[[ -z $process ]] || kill -KILL "$process"; rm -rf "$root"' EXIT
for name in "${names[@]}"; do
  printf '\n=== %s\n' "$name"
  work=$root/$name
  mkdir "$work"
  "$name"
  stop
done
printf '\nAll %s scenarios recovered.\n' "${#names[@]}"
