# shellcheck shell=bash disable=SC2154
# Log routing: a sink to the topic, an exclusion from the _Default bucket, and a sink to the archive with its bucket.

look_logs() {
  # Names that the settings do not need may belong to something else.
  local archive=look exclusion=look
  [[ $ARCHIVE != true ]] || archive=look_own
  [[ $EXCLUDE_FROM_DEFAULT != true ]] || exclusion=look_own
  look_storage "$archive" "$ARCHIVE_BUCKET"
  is_enabled logging || return 0
  look_own "sink/$PIPELINE" describe_sink "$PIPELINE"
  $archive "sink/$PIPELINE-archive" describe_sink "$PIPELINE-archive"
  $exclusion "exclusion/$PIPELINE" describe_exclusion "$PIPELINE"
}

describe_sink() {
  gcloud logging sinks describe "$1" --format='value[separator="|"](description,writerIdentity,disabled.yesno(yes=disabled,no=enabled),destination,filter)'
}

# describe_exclusion NAME: an exclusion of the sink _Default.
describe_exclusion() {
  local exclusions
  exclusions=$(gcloud logging sinks describe _Default --flatten='exclusions[]' \
    --format='value[separator="|"](exclusions.name,exclusions.description,exclusions.disabled.yesno(yes=disabled,no=enabled),exclusions.filter)')
  if [[ $'\n'$exclusions != *$'\n'"$1|"* ]]; then
    echo "exclusion $1 was not found" >&2
    return 1
  fi
  sed -n "s/^$1|//p" <<<"$exclusions"
}

# The filter of this pipeline names its URL map.
claim_logs() {
  local key
  for key in "sink/$PIPELINE" "sink/$PIPELINE-archive" "exclusion/$PIPELINE"; do
    ! found "$key" || [[ $(text "$key") != *'resource.type="http_load_balancer" AND resource.labels.url_map_name="'"$PIPELINE\" AND "* ]] ||
      claim_unmarked "$key"
  done
  # Objects of other writers would be lost with the archive.
  ! found "sink/$PIPELINE-archive" || ! is_ours "sink/$PIPELINE-archive" ||
    [[ $(field "sink/$PIPELINE-archive" 4) != "storage.googleapis.com/$ARCHIVE_BUCKET" ]] || claim_unmarked "bucket/$ARCHIVE_BUCKET"
}

decide_logs() {
  step "Logs: sink $PIPELINE"
  local filter
  filter=$(log_filter)
  decide_sink "$PIPELINE" "pubsub.googleapis.com/projects/$PROJECT_ID/topics/$PIPELINE" "$filter"
  grant_to_writer "$PIPELINE" "topic/$PIPELINE" roles/pubsub.publisher "$PIPELINE" gcloud pubsub topics
  decide_exclusion "$filter"
  if [[ $ARCHIVE == true ]]; then
    decide_archive "$filter"
  else
    remove_own "sink/$PIPELINE-archive" "the archive's sink $PIPELINE-archive (the files in gs://$ARCHIVE_BUCKET are kept)" gcloud logging sinks delete "$PIPELINE-archive"
  fi
}

# decide_sink NAME DESTINATION FILTER
decide_sink() {
  if ! found "sink/$1"; then
    create "sink $1 to $2" gcloud logging sinks create "$1" "$2" --log-filter="$3" --description="$MARK"
  elif [[ $(text "sink/$1") != "$MARK|$(field "sink/$1" 2)|enabled|$2|$3" ]]; then
    update "sink $1 to $2" gcloud logging sinks update "$1" "$2" --log-filter="$3" --description="$MARK" --no-disabled
  fi
}

# grant_to_writer SINK KEY ROLE NAME COMMAND...: adds the binding for the account with which the sink writes. It is
# known when the sink exists.
grant_to_writer() {
  local writer
  writer=$(field "sink/$1" 2)
  [[ -n $writer ]] && has_line "policy/$2" "$3 $writer" ||
    create "$3 on $4 for the writer of sink $1" bind_writer "$1" "${@:3}"
}

# bind_writer SINK ROLE NAME COMMAND...
bind_writer() {
  local writer
  writer=$(gcloud logging sinks describe "$1" --format='value(writerIdentity)')
  "${@:4}" add-iam-policy-binding "$3" --member="$writer" --role="$2"
}

# decide_exclusion FILTER: the sink reads the entries before exclusions apply.
decide_exclusion() {
  local what="exclusion $PIPELINE of the pixel's entries from the _Default bucket"
  if [[ $EXCLUDE_FROM_DEFAULT != true ]]; then
    remove_exclusion
  elif ! found "exclusion/$PIPELINE"; then
    create "$what" gcloud logging sinks update _Default --add-exclusion="name=$PIPELINE,description=$MARK,filter=$1"
  elif [[ $(text "exclusion/$PIPELINE") != "$MARK|enabled|$1" ]]; then
    # gcloud enables an exclusion by an empty value; any other, also false, disables it.
    update "$what" gcloud logging sinks update _Default --update-exclusion="name=$PIPELINE,description=$MARK,disabled=,filter=$1"
  fi
}

remove_exclusion() {
  remove_own "exclusion/$PIPELINE" "exclusion $PIPELINE: the _Default bucket includes the pixel's entries" gcloud logging sinks update _Default --remove-exclusions="$PIPELINE"
}

# decide_archive FILTER
decide_archive() {
  decide_storage "$ARCHIVE_BUCKET" enforced
  [[ $(field "bucket/$ARCHIVE_BUCKET" 3) == "$ARCHIVE_DAYS" ]] ||
    update "archived files are deleted after $ARCHIVE_DAYS days" set_archive_days
  decide_sink "$PIPELINE-archive" "storage.googleapis.com/$ARCHIVE_BUCKET" "$1"
  grant_to_writer "$PIPELINE-archive" "bucket/$ARCHIVE_BUCKET" roles/storage.objectCreator "gs://$ARCHIVE_BUCKET" gcloud storage buckets
}

set_archive_days() {
  printf '{"rule": [{"action": {"type": "Delete"}, "condition": {"age": %s}}]}' "$ARCHIVE_DAYS" >"$tmp/lifecycle.json"
  gcloud storage buckets update "gs://$ARCHIVE_BUCKET" --lifecycle-file="$tmp/lifecycle.json"
}

remove_logs() {
  step 'Logs'
  local sink
  # First, so that entries are always kept somewhere.
  remove_exclusion
  for sink in "$PIPELINE" "$PIPELINE-archive"; do
    remove_own "sink/$sink" "sink $sink" gcloud logging sinks delete "$sink"
  done
}

# The archived files are data: destroy.sh keeps them without --delete-data.
remove_archive() {
  step 'Archive'
  if [[ $delete_data == true ]]; then
    remove_storage "$ARCHIVE_BUCKET"
  elif found "bucket/$ARCHIVE_BUCKET"; then
    note "bucket gs://$ARCHIVE_BUCKET is kept; use --delete-data to delete it"
  fi
}
