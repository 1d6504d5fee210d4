# shellcheck shell=bash disable=SC2034
# Settings of the deployment and the names that follow from them. Sourced by deploy.sh and destroy.sh;
# changes nothing.
#
# Order of precedence: environment, deploy/pipeline.env (or the file that is given), default.
# Works with bash 3.2, the version of macOS.

# SERVICE_SETTINGS, DEPLOYMENT_SETTINGS and check_each, generated from src/config/settings.rs.
. deploy/checks.sh

# fail MESSAGE [LINE...]
fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '%s\n' "$@" >&2
  exit 2
}

# Reads NAME=value lines. Environment variables win. The file is read and not run, so that nothing in it can be a
# command.
read_settings() {
  local file=$1 line name number=0
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%$'\r'}
    [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
    [[ $line =~ ^([A-Z][A-Z0-9_]*)=(.*)$ ]] || fail "$file:$number: \"$line\" is not NAME=value"
    name=${BASH_REMATCH[1]}
    is_setting "$name" || fail "$file:$number: unknown setting $name: deploy/pipeline.env.example lists all settings"
    [[ -n ${!name+set} ]] || printf -v "$name" '%s' "${BASH_REMATCH[2]}"
  done <"$file"
}

# The example file lists all settings.
is_setting() {
  grep -Eq "^#?$1=" deploy/pipeline.env.example
}

# Gives a setting the example's value unless it has one. Empty counts as not given, except for TABLE_SUFFIX, where it
# means a single table.
default() {
  local name=$1 value
  [[ -z ${!name-} && ($name != TABLE_SUFFIX || -z ${!name+set}) ]] || return 0
  value=$(sed -n "s/^#\{0,1\}$name=//p" deploy/pipeline.env.example)
  printf -v "$name" '%s' "$value"
}

# check NAME PATTERN EXPECTED [MAX_LENGTH]: all mistakes are reported at once.
check() {
  local value=${!1}
  [[ $value =~ ^($2)$ && (-z ${4-} || ${#value} -le ${4-0}) ]] || mistakes+="$1: \"${!1}\" is not $3"$'\n'
}

# check_secret NAME PATTERN EXPECTED: the same without the value, which may be a key by mistake.
check_secret() {
  [[ ${!1} =~ ^($2)$ ]] || mistakes+="$1: it is not $3"$'\n'
}

# check_number NAME MIN MAX [optional]
check_number() {
  [[ -z ${!1} && ${4-} == optional ]] && return
  # More digits than bash can count with are too large.
  [[ ${!1} =~ ^(0|[1-9][0-9]{0,17})$ ]] && ((${!1} >= $2 && ${!1} <= $3)) ||
    mistakes+="$1: \"${!1}\" is not a whole number from $2 to $3"$'\n'
}

# names_of LIST: the names in a list with commas, a line each. A name may contain spaces.
names_of() {
  sed 's/^ *//; s/ *$//; s/ *, */,/g' <<<"$1" | tr , '\n'
}

check_settings() {
  mistakes=
  local attribute attributes
  attributes=$(names_of "$VALID_ATTRIBUTES")
  check_each
  # Comparisons of settings with each other, with the schema and with reserved names.
  [[ $PIPELINE != *goog* ]] || mistakes+="PIPELINE: \"$PIPELINE\" contains goog, which Google reserves: choose another name"$'\n'
  # MIN_INSTANCES and MAX_INSTANCES are numbers here only if there is no mistake yet.
  [[ -n $mistakes ]] || ((MIN_INSTANCES <= MAX_INSTANCES)) ||
    mistakes+="MIN_INSTANCES: $MIN_INSTANCES is more than MAX_INSTANCES, which is $MAX_INSTANCES"$'\n'
  check_memory
  attribute=$(tr '[:upper:]' '[:lower:]' <<<"$attributes" | sort | uniq -d | tr '\n' ' ')
  [[ -z $attribute ]] || mistakes+="VALID_ATTRIBUTES: $attribute is listed twice (BigQuery compares names without regard to case)"$'\n'
  attribute=$(grep -Fix -e "${FILLED_COLUMNS// /$'\n'}" <<<"$attributes" | tr '\n' ' ' || true)
  [[ -z $attribute ]] || mistakes+="VALID_ATTRIBUTES: $attribute cannot be an attribute: the service fills the column itself. Remove the name from the list"$'\n'
  if [[ -f $SCHEMA_FILE ]]; then
    while IFS= read -r attribute; do
      # Of the characters of a name, + and | have a meaning in the expression.
      grep -Eqi "\"name\" *: *\"$(sed 's/[+|]/[&]/g' <<<"$attribute")\"" "$SCHEMA_FILE" ||
        mistakes+="VALID_ATTRIBUTES: $SCHEMA_FILE has no column $attribute: add the column, or remove the attribute"$'\n'
    done <<<"$attributes"
  else
    mistakes+="SCHEMA_FILE: cannot read $SCHEMA_FILE: there is no such file in $PWD"$'\n'
  fi
  local rest=$TABLE_SUFFIX
  while [[ $rest =~ [{]([^{}]+)[}](.*)$ ]]; do
    attribute=${BASH_REMATCH[1]} rest=${BASH_REMATCH[2]}
    [[ $attribute == date || $attribute == date:* ]] || grep -Fqx -- "$attribute" <<<"$attributes" ||
      mistakes+="TABLE_SUFFIX: {$attribute} is not in VALID_ATTRIBUTES: add it, or use one of $VALID_ATTRIBUTES or {date}"$'\n'
  done
  # The default need not fit: it matters with HASH_USER_IDS only.
  if [[ $HASH_ATTRIBUTES != user_id ]]; then
    while IFS= read -r attribute; do
      grep -Fqx -- "$attribute" <<<"$attributes" ||
        mistakes+="HASH_ATTRIBUTES: $attribute is not in VALID_ATTRIBUTES: add it, or use one of $VALID_ATTRIBUTES"$'\n'
    done <<<"$(names_of "$HASH_ATTRIBUTES")"
  fi
  [[ events_daily != "$TABLE_NAME"* ]] || mistakes+="TABLE_NAME: the views events and events_daily would count as generated tables of \"$TABLE_NAME\": choose a name that they do not begin with"$'\n'
  [[ -z $DOMAIN || -z $URL_MAP ]] || mistakes+="DOMAIN: the load balancer of URL_MAP has its own certificates: leave DOMAIN empty"$'\n'
  [[ $OVERFLOW_SUFFIX != "$TABLE_SUFFIX" ]] || mistakes+="OVERFLOW_SUFFIX: \"$OVERFLOW_SUFFIX\" is also TABLE_SUFFIX: choose a suffix that no other table has"$'\n'
  case $DEAD_LETTER_TABLE in
    events|events_daily) mistakes+="DEAD_LETTER_TABLE: $DEAD_LETTER_TABLE is the name of a view: choose another name"$'\n' ;;
    "$TABLE_NAME"*) mistakes+="DEAD_LETTER_TABLE: \"$DEAD_LETTER_TABLE\" would count as a generated table of \"$TABLE_NAME\": choose a name that does not begin with it"$'\n' ;;
  esac
  [[ -z $mistakes ]] || fail "invalid settings:" "${mistakes%$'\n'}"
}

# Cloud Run's rules for MEMORY: https://cloud.google.com/run/docs/configuring/services/memory-limits
check_memory() {
  local mebibytes least=512
  [[ $MEMORY =~ ^([1-9][0-9]{0,5})(Mi|Gi)$ ]] || return 0
  mebibytes=${BASH_REMATCH[1]}
  [[ ${BASH_REMATCH[2]} == Mi ]] || mebibytes=$((mebibytes * 1024))
  case $CPU in
    4) least=2048 ;;
    6 | 8) least=4096 ;;
  esac
  ((mebibytes >= least)) || mistakes+="MEMORY: $MEMORY is less than Cloud Run needs for CPU=$CPU, which is ${least}Mi"$'\n'
  ((mebibytes <= 32768)) || mistakes+="MEMORY: $MEMORY is more than 32Gi, Cloud Run's maximum"$'\n'
}

load_settings() {
  local file=${1:-deploy/pipeline.env} name
  if [[ -f $file ]]; then
    read_settings "$file"
  elif [[ -n ${1-} ]]; then
    fail "cannot read $file: there is no such file in $PWD: copy deploy/pipeline.env.example to it"
  fi
  command -v gcloud >/dev/null || fail 'cannot find gcloud: install the Google Cloud SDK, https://cloud.google.com/sdk/docs/install'
  command -v bq >/dev/null || fail "cannot find bq: install it with 'gcloud components install bq'"
  PROJECT_ID=${PROJECT_ID:-${GOOGLE_CLOUD_PROJECT:-$(gcloud config get-value project 2>/dev/null || true)}}
  for name in $DEPLOYMENT_SETTINGS $SERVICE_SETTINGS; do
    default "$name"
  done
  check_settings

  # No prompts, and everything is in one project.
  export CLOUDSDK_CORE_PROJECT=$PROJECT_ID CLOUDSDK_RUN_REGION=$REGION CLOUDSDK_CORE_DISABLE_PROMPTS=1

  # Where the events are, unless LOCATION says it: the multi-region that contains the region, else the region.
  case $LOCATION,$REGION in
    ,europe-*) LOCATION=EU ;;
    ,us-*) LOCATION=US ;;
    ,*) LOCATION=$REGION ;;
  esac

  SERVICE=$PIPELINE-pipeline
  PIXEL_BUCKET=${PROJECT_ID/:/-}-$PIPELINE
  ARCHIVE_BUCKET=$PIXEL_BUCKET-archive
  PUSH_SUBSCRIPTION=$PIPELINE-push
  DEAD_LETTER=$PIPELINE-dead-letter
  local domain=iam.gserviceaccount.com account
  # domain-scoped projects: example.com:project has accounts at project.example.com
  account=$PROJECT_ID
  [[ $PROJECT_ID != *:* ]] || account=${PROJECT_ID#*:}.${PROJECT_ID%%:*}
  RUN_ACCOUNT=$PIPELINE-run@$account.$domain
  PUSH_ACCOUNT=$PIPELINE-push@$account.$domain
  BUILD_ACCOUNT=$PIPELINE-build@$account.$domain
  # Where gcloud uploads the sources of builds.
  SOURCES=gs://run-sources-${PROJECT_ID/:/-}-$REGION
}

# Filter of the pixel's log entries: those of the load balancer, for one of our paths, without the requests of Cloud CDN's
# own, by which it validates its copies.
log_filter() {
  local path requests=
  for path in ${PIXEL_PATH//,/ }; do
    requests+="${requests:+ OR }httpRequest.requestUrl:\"$path\""
  done
  [[ $requests != *' OR '* ]] || requests="($requests)"
  printf 'resource.type="http_load_balancer" AND resource.labels.url_map_name="%s" AND %s AND %s' "${URL_MAP:-$PIPELINE}" "$requests" \
    'NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:"Cloud-CDN-Google"'
}

# Runs bq in the project, without the messages of its first start.
bq_() {
  bq --quiet --headless --project_id="$PROJECT_ID" "$@"
}
