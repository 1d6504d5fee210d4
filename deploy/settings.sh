# shellcheck shell=bash
# shellcheck disable=SC2034 # The scripts that source this use the variables.
# Settings of the deployment and the names that follow from them. Sourced by deploy.sh and destroy.sh;
# changes nothing.
#
# Order of precedence: environment, deploy/pipeline.env (or the file that is given), default.
# Works with bash 3.2, which is what macOS has.

fail() {
  printf '%s\n' "$@" >&2
  exit 2
}

# Takes NAME=value lines for what the environment does not have. The file is read and not run, so that
# nothing in it can be a command.
read_settings() {
  local file=$1 line name number=0
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
    [[ $line =~ ^([A-Z][A-Z0-9_]*)=(.*)$ ]] || fail "$file:$number: \"$line\" is not NAME=value"
    name=${BASH_REMATCH[1]}
    is_setting "$name" || fail "$file:$number: there is no setting $name; deploy/pipeline.env.example lists all"
    [[ -n ${!name+set} ]] || printf -v "$name" '%s' "${BASH_REMATCH[2]}"
  done <"$file"
}

# The example file is the list of what there is.
is_setting() {
  grep -Eq "^#?$1=" deploy/pipeline.env.example
}

# Gives a setting the example's value unless it has one. Empty counts as not given, but for the suffix, which
# makes a single table of all events if it is empty.
default() {
  local name=$1 value
  [[ -z ${!name-} && ($name != TABLE_SUFFIX || -z ${!name+set}) ]] || return 0
  value=$(sed -n "s/^#\{0,1\}$name=//p" deploy/pipeline.env.example)
  printf -v "$name" '%s' "$value"
}

# The settings of the service itself, which are handed on to it.
SERVICE_SETTINGS='DATASET TABLE_NAME VALID_ATTRIBUTES TABLE_SUFFIX MAX_NEW_TABLES_PER_HOUR OVERFLOW_SUFFIX PIXEL_PATH
  IP_ANONYMIZATION HASH_ATTRIBUTES RESPECT_OPT_OUT SIGNATURE_MODE DEAD_LETTER_TABLE BATCH_MAX_ROWS BATCH_MAX_BYTES
  BATCH_MAX_INSERTS BATCH_GZIP MAX_IN_FLIGHT PUSH_DEADLINE LOG_FORMAT RUST_LOG'
DEPLOYMENT_SETTINGS='REGION LOCATION PIPELINE DOMAIN EXCLUDE_FROM_DEFAULT ARCHIVE ARCHIVE_DAYS TABLE_EXPIRATION_DAYS SCHEMA_FILE IMAGE
  CPU MEMORY CONCURRENCY MIN_INSTANCES MAX_INSTANCES ALERT_EMAIL'

# check NAME PATTERN WHAT: all mistakes are reported at once.
check() {
  [[ ${!1} =~ ^($2)$ ]] || mistakes+="$1: \"${!1}\" is not $3"$'\n'
}

check_settings() {
  mistakes=
  local number='[1-9][0-9]*' boolean='true|false' attribute
  check PROJECT_ID '[a-z][a-z0-9-]{4,28}[a-z0-9]|[a-z0-9.-]+:[a-z][a-z0-9-]+' 'a project id: set it to the id of your Google Cloud project'
  check REGION '[a-z]+-[a-z]+[0-9]+' 'a region, as us-central1 is'
  check LOCATION '[A-Za-z0-9-]+' 'a location, as US, EU or europe-west1 are'
  # The longest name that follows from it is a service account, which may have 30 characters.
  check PIPELINE '[a-z][a-z0-9-]{1,22}[a-z0-9]' '3 to 24 characters a-z, 0-9 and -, beginning with a letter'
  [[ $PIPELINE != *goog* ]] || mistakes+="PIPELINE: \"$PIPELINE\" has goog in it, which Google keeps for itself: choose another name"$'\n'
  check DOMAIN '|([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}' 'a host name, as track.example.com is'
  check EXCLUDE_FROM_DEFAULT "$boolean" 'true or false'
  check ARCHIVE "$boolean" 'true or false'
  check ARCHIVE_DAYS "$number" 'a number of days'
  check TABLE_EXPIRATION_DAYS "|$number" 'a number of days, or empty'
  check CONCURRENCY "$number" 'a number from 1 to 1000'
  check MIN_INSTANCES '[0-9]+' 'a number'
  check MAX_INSTANCES "$number" 'a number of 1 or more'
  check ALERT_EMAIL '|[^@[:space:]]+@[^@[:space:]]+' 'an address, as you@example.com is'
  check PIXEL_PATH '/[A-Za-z0-9._~/-]+(,/[A-Za-z0-9._~/-]+)*' 'a list of paths, each beginning with /, of letters, digits, . _ ~ / and -'
  check VALID_ATTRIBUTES '[A-Za-z0-9_, ]+' 'a list of columns, separated by commas'
  check IP_ANONYMIZATION 'drop|truncate|full' 'drop, truncate or full'
  check HASH_ATTRIBUTES '[A-Za-z0-9_, ]+' 'a list of attributes, separated by commas'
  check RESPECT_OPT_OUT "$boolean" 'true or false'
  check SIGNATURE_MODE 'require|mark' 'require or mark'
  check DATASET '[A-Za-z0-9_]{1,1024}' 'a name of letters, digits and _'
  check TABLE_NAME '[A-Za-z0-9_]{1,512}' 'a name of letters, digits and _'
  if [[ -f $SCHEMA_FILE ]]; then
    for attribute in ${VALID_ATTRIBUTES//,/ }; do
      grep -Eqi "\"name\" *: *\"$attribute\"" "$SCHEMA_FILE" ||
        mistakes+="VALID_ATTRIBUTES: $SCHEMA_FILE has no column $attribute: add one, or take it off the list"$'\n'
    done
  else
    mistakes+="SCHEMA_FILE: there is no file $SCHEMA_FILE below $PWD"$'\n'
  fi
  [[ events_daily != "$TABLE_NAME"* ]] ||
    mistakes+="TABLE_NAME: the views events and events_daily would be taken for generated tables of \"$TABLE_NAME\": choose a name that they do not begin with"$'\n'
  check DEAD_LETTER_TABLE '[A-Za-z0-9_-]{1,1024}' 'a name of letters, digits, _ and -'
  case $DEAD_LETTER_TABLE in
    events|events_daily) mistakes+="DEAD_LETTER_TABLE: a view is called $DEAD_LETTER_TABLE: choose another name"$'\n' ;;
    "$TABLE_NAME"*) mistakes+="DEAD_LETTER_TABLE: \"$DEAD_LETTER_TABLE\" would be taken for a generated table of \"$TABLE_NAME\": choose a name that does not begin with it"$'\n' ;;
  esac
  [[ -z $mistakes ]] || fail "The settings are wrong:" "${mistakes%$'\n'}"
}

load_settings() {
  local file=${1:-deploy/pipeline.env} name
  if [[ -f $file ]]; then
    read_settings "$file"
  elif [[ -n ${1-} ]]; then
    fail "there is no file $file below $PWD: copy deploy/pipeline.env.example to it"
  fi
  command -v gcloud >/dev/null || fail 'gcloud is missing: install the Google Cloud SDK, https://cloud.google.com/sdk/docs/install'
  command -v bq >/dev/null || fail 'bq is missing: it is a part of the Google Cloud SDK, `gcloud components install bq`'
  PROJECT_ID=${PROJECT_ID:-${GOOGLE_CLOUD_PROJECT:-$(gcloud config get-value project 2>/dev/null || true)}}
  for name in $DEPLOYMENT_SETTINGS $SERVICE_SETTINGS; do
    default "$name"
  done
  check_settings

  # Nothing asks, and everything is in the one project.
  export CLOUDSDK_CORE_PROJECT=$PROJECT_ID CLOUDSDK_RUN_REGION=$REGION CLOUDSDK_CORE_DISABLE_PROMPTS=1

  SERVICE=$PIPELINE-pipeline
  PIXEL_BUCKET=${PROJECT_ID/:/-}-$PIPELINE
  ARCHIVE_BUCKET=$PIXEL_BUCKET-archive
  PUSH_SUBSCRIPTION=$PIPELINE-push
  DEAD_LETTER=$PIPELINE-dead-letter
  CERTIFICATE=$(printf '%s-%s' "$PIPELINE" "${DOMAIN//./-}" | cut -c1-63)
  CERTIFICATE=${CERTIFICATE%-}
  local domain=iam.gserviceaccount.com account
  # domain-scoped projects: example.com:project has accounts at project.example.com
  account=$PROJECT_ID
  [[ $PROJECT_ID != *:* ]] || account=${PROJECT_ID#*:}.${PROJECT_ID%%:*}
  RUN_ACCOUNT=$PIPELINE-run@$account.$domain
  PUSH_ACCOUNT=$PIPELINE-push@$account.$domain
  BUILD_ACCOUNT=$PIPELINE-build@$account.$domain
}

# Log entries of the pixel: those of our load balancer, for one of our paths.
log_filter() {
  local path requests=
  for path in ${PIXEL_PATH//,/ }; do
    requests+="${requests:+ OR }httpRequest.requestUrl:\"$path\""
  done
  [[ $requests != *' OR '* ]] || requests="($requests)"
  printf 'resource.type="http_load_balancer" AND resource.labels.url_map_name="%s" AND %s' "$PIPELINE" "$requests"
}

# Runs bq in the project, without a word about its first start.
bq_() {
  bq --quiet --headless --project_id="$PROJECT_ID" "$@"
}
