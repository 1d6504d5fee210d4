# shellcheck shell=bash disable=SC2154
# The dataset, the template table, the table of dead letters, and the views. Labels of tables and views have the checksums
# of the files from which they were made.

. deploy/views.sh
. deploy/shared_dataset.sh
. deploy/new_columns.sh

look_bigquery() {
  is_enabled bigquery || return 0
  local name
  # Whose the dataset is does not matter if it is shared.
  if [[ $SHARE_DATASET == true ]]; then look "dataset/$DATASET" show_dataset; else look_own "dataset/$DATASET" show_dataset; fi
  ! is_shared_or_doomed || look "owners/$DATASET" show_owners
  for name in "$TABLE_NAME" "$DEAD_LETTER_TABLE"; do
    look_own "table/$name" show_table "$name"
  done
  for name in events events_daily; do
    look_own "view/$(view_name "$name")" show_table "$(view_name "$name")"
  done
}

# Whether the owners of all tables matter.
is_shared_or_doomed() { [[ $SHARE_DATASET == true || ${delete_data-} == true ]]; }

# show_dataset: a line "PIPELINE|LOCATION|EXPIRATION", and a line "ROLE MEMBER" for each account with access.
show_dataset() {
  local json
  json=$(bq_json --dataset "$DATASET")
  printf '%s|%s|%s\n' "$(json_member pipeline <<<"$json")" "$(json_member location <<<"$json")" "$(json_member defaultTableExpirationMs <<<"$json")"
  awk -F'"' '/"role": / { role = $4 } /"userByEmail": / { print role, $4 } /[}]/ { role = "" }' <<<"$json"
}

# show_table NAME: a line "PIPELINE|CHECKSUM|EXPIRATION".
show_table() {
  local json label
  json=$(bq_json "$DATASET.$1")
  label=$(json_member schema <<<"$json")
  printf '%s|%s|%s\n' "$(json_member pipeline <<<"$json")" "${label:-$(json_member text <<<"$json")}" "$(json_member expirationTime <<<"$json")"
}

# bq prints its errors to standard output.
bq_json() {
  local json
  json=$(bq_ show --format=prettyjson "$@") || { printf '%s\n' "$json" >&2; return 1; }
  printf '%s\n' "$json"
}

# json_member NAME: the text or number of the member of that name.
json_member() {
  sed -n 's/^ *"'"$1"'": "\{0,1\}\([^",{]*\)"\{0,1\},\{0,1\}$/\1/p' | sed -n 1p
}

decide_bigquery() {
  step "BigQuery: dataset $DATASET"
  local sql view
  found "dataset/$DATASET" ||
    create "dataset $DATASET in $LOCATION" bq_ --location="$LOCATION" mk --dataset --label="pipeline:$PIPELINE" \
      --description="Events of the pixel $PIPELINE" "$DATASET"
  ! found "dataset/$DATASET" || [[ $(field "dataset/$DATASET" 2) == "$LOCATION" ]] ||
    conflict "dataset/$DATASET" "it is in $(field "dataset/$DATASET" 2) and LOCATION is $LOCATION: set LOCATION=$(field "dataset/$DATASET" 2), or choose another DATASET"
  if [[ $SHARE_DATASET == true ]]; then
    decide_shared
  elif found "dataset/$DATASET" && [[ $(field "dataset/$DATASET" 1) != "$PIPELINE" ]]; then
    update "dataset $DATASET belongs to this pipeline" bq_ update --set_label="pipeline:$PIPELINE" --dataset "$DATASET"
  fi
  table "$TABLE_NAME" "$SCHEMA_FILE"
  table "$DEAD_LETTER_TABLE" schema/dead_letters.json
  columns_of <"$SCHEMA_FILE" >"$tmp/columns"
  for view in events events_daily; do
    if sql=$(for_columns "schema/views/$view.sql" "$tmp/columns"); then
      # A view may read the view events.
      view "$(view_name "$view")" "$(fill /dev/stdin <<<"$sql" | sed "s/[.]events\`/.$(view_name events)\`/")"
    else
      note "without view $view: table $TABLE_NAME has no column $sql"
    fi
  done
  decide_expiration
  # WRITER is roles/bigquery.dataEditor on this dataset only.
  has_line "dataset/$DATASET" "WRITER $RUN_ACCOUNT" ||
    create "roles/bigquery.dataEditor on $DATASET for $RUN_ACCOUNT" change_access GRANT TO
}

# The expiration of generated tables is that of the dataset.
decide_expiration() {
  local expiration milliseconds=$((${TABLE_EXPIRATION_DAYS:-0} * 86400000))
  expiration=$(field "dataset/$DATASET" 3)
  [[ $milliseconds != "${expiration:-0}" ]] || return 0
  if [[ $SHARE_DATASET == true ]] && found "dataset/$DATASET"; then
    conflict "dataset/$DATASET" "new tables of the shared dataset expire after $((${expiration:-0} / 86400000)) days (0: never). Set TABLE_EXPIRATION_DAYS to that"
  else
    update "generated tables expire ${TABLE_EXPIRATION_DAYS:+after }${TABLE_EXPIRATION_DAYS:-never}${TABLE_EXPIRATION_DAYS:+ days}" \
      bq_ update --default_table_expiration=$((milliseconds / 1000)) "$DATASET"
  fi
}

# table NAME SCHEMA_FILE: BigQuery only allows columns to be added.
table() {
  local label
  label=$(digest <"$2")
  if ! found "table/$1"; then
    create "table $1" make_table "$1" --table --label="pipeline:$PIPELINE" --label="schema:$label" "$DATASET.$1" "$2"
  elif [[ $(field "table/$1" 1,2) != "$PIPELINE|$label" ]]; then
    update "columns of table $1 (up to 15 minutes, until BigQuery accepts rows with them)" \
      add_columns "$1" "$2" --set_label="pipeline:$PIPELINE" --set_label="schema:$label"
  fi
  never_expires "table/$1"
}

# view NAME SQL
view() {
  local label
  label=$(digest <<<"$2")
  if ! found "view/$1"; then
    create "view $1" make_table "$1" --use_legacy_sql=false --label="pipeline:$PIPELINE" --label="text:$label" --view="$2" "$DATASET.$1"
  elif [[ $(field "view/$1" 1,2) != "$PIPELINE|$label" ]]; then
    update "view $1" bq_ update --use_legacy_sql=false --set_label="pipeline:$PIPELINE" --set_label="text:$label" --view="$2" "$DATASET.$1"
  fi
  never_expires "view/$1"
}

# make_table NAME ARGUMENT...: a table or view that does not expire. In a dataset with a default expiration, a new one has
# that. Only generated tables must expire.
make_table() {
  bq_ mk "${@:2}"
  [[ -z $(bq_json "$DATASET.$1" | json_member expirationTime) ]] || bq_ update --expiration=0 "$DATASET.$1"
}

never_expires() {
  [[ -z $(field "$1" 3) ]] || update "${1#*/} never expires" bq_ update --expiration=0 "$DATASET.${1#*/}"
}

result_bigquery() {
  printf 'tables     https://console.cloud.google.com/bigquery?project=%s&ws=!1m4!1m3!3m2!1s%s!2s%s\n' "$PROJECT_ID" "$PROJECT_ID" "$DATASET"
}

remove_bigquery() {
  step 'Data'
  if [[ $delete_data != true ]]; then
    ! found "dataset/$DATASET" || note "dataset $DATASET is kept; use --delete-data to delete it"
    # A later account of the same name is another account, which this entry does not permit.
    ! has_line "dataset/$DATASET" "WRITER $RUN_ACCOUNT" ||
      remove "roles/bigquery.dataEditor on $DATASET for $RUN_ACCOUNT" change_access REVOKE FROM
  elif [[ $SHARE_DATASET == true ]]; then
    remove_shared
  elif found "dataset/$DATASET" && is_ours "dataset/$DATASET" && [[ -n $(other_owners) ]]; then
    stop "dataset $DATASET also has tables of other pipelines. Nothing was changed. To delete only those of $PIPELINE: SHARE_DATASET=true deploy/destroy.sh" \
      "$(other_owners | sed 's/^/  /')"
  else
    remove_own "dataset/$DATASET" "dataset $DATASET with all its tables" bq_ rm --force --recursive --dataset "$DATASET"
  fi
}

# change_access GRANT TO, or change_access REVOKE FROM: BigQuery edits one entry, also beside entries of deleted accounts.
change_access() {
  bq_ --location="$LOCATION" query --use_legacy_sql=false --format=none \
    "$1 \`roles/bigquery.dataEditor\` ON SCHEMA \`$PROJECT_ID\`.\`$DATASET\` $2 'serviceAccount:$RUN_ACCOUNT'"
}
