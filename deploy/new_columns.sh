# shellcheck shell=bash disable=SC2154
# New columns of the template table. They must exist in all tables, and BigQuery must accept rows with them, before the service
# sends such rows: until then a row would be stored without its new values. Sourced by parts/bigquery.sh.

# add_columns TABLE SCHEMA_FILE FLAG...: updates the table with these flags of bq. For the template table, then the generated
# tables, and waits.
add_columns() {
  bq_ show --schema --format=prettyjson "$DATASET.$1" | columns_of >"$tmp/columns.before"
  bq_ update --table "${@:3}" "$DATASET.$1" "$2"
  [[ $1 == "$TABLE_NAME" ]] || return 0
  columns_of <"$2" | awk '
    { name = tolower($0); sub(/^[^ ]* [^ ]* /, "", name) }
    FNR == NR { known[name]; next }
    !(name in known)' \
    "$tmp/columns.before" - >"$tmp/columns.new"
  if [[ -s $tmp/columns.new ]]; then
    alter_generated_tables
    wait_for_columns
  fi
}

# Tables of a day that is over receive no more rows.
alter_generated_tables() {
  local clauses recent=
  clauses=$(awk '{ type = $1 == "FLOAT" ? "FLOAT64" : $1; mode = $2; sub(/^[^ ]* [^ ]* /, "")
    if (type ~ /^(RECORD|STRUCT)$/) next
    if (mode == "REPEATED") type = "ARRAY<" type ">"
    gsub(/%/, "%%")
    printf "%sADD COLUMN IF NOT EXISTS `%s` %s", separator, $0, type; separator = ", " }' "$tmp/columns.new" | sed "s/[\\\\']/\\\\&/g")
  [[ -n $clauses ]] || return 0
  [[ $TABLE_SUFFIX != *'{date}'* ]] || recent='AND creation_time > TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 3 DAY)'
  bq_ --location="$LOCATION" query --use_legacy_sql=false --format=none "FOR generated IN (
      SELECT table_name FROM \`$PROJECT_ID\`.\`$DATASET\`.INFORMATION_SCHEMA.TABLES
      WHERE STARTS_WITH(table_name, '${TABLE_NAME}_') AND table_type = 'BASE TABLE' $recent)
    DO EXECUTE IMMEDIATE FORMAT('ALTER TABLE \`%s\`.\`%s\`.\`%s\` $clauses', '$PROJECT_ID', '$DATASET', generated.table_name);
    END FOR"
}

# Streaming learns of a new column within minutes. The second row is invalid, so that BigQuery checks the first one and
# stores neither.
wait_for_columns() {
  local name output second=0
  {
    columns_of <"$SCHEMA_FILE" | sample_row "$tmp/columns.new"
    printf '{"no_such_column": "x"}\n'
  } >"$tmp/rows.json"
  while ((second < 900)); do
    output=$(bq_ insert "$DATASET.$TABLE_NAME" "$tmp/rows.json" 2>&1 </dev/null) || true
    name=$(sed -n 's/.*no such field: \([^.]*\).*/\1/p' <<<"$output" | sed '/^no_such_column$/d' | sed -n 1p)
    [[ -n $name ]] || return 0
    sleep "${RETRY_SECONDS:-10}"
    second=$((second + ${RETRY_SECONDS:-10} + 1))
  done
  echo "BigQuery does not accept rows with the new column $name after 15 minutes" >&2
  return 1
}

# sample_row COLUMNS_FILE: a row with a value for each required column of standard input and each column of the file.
sample_row() {
  awk '
    function sample(type) {
      if (type ~ /^(INTEGER|INT64|FLOAT|FLOAT64|NUMERIC|BIGNUMERIC)$/) return "1"
      if (type ~ /^BOOL/) return "true"
      if (type == "TIMESTAMP") return "\"2026-01-02T03:04:05Z\""
      if (type == "DATETIME") return "\"2026-01-02T03:04:05\""
      if (type == "DATE") return "\"2026-01-02\""
      if (type == "TIME") return "\"03:04:05\""
      if (type == "JSON") return "\"{}\""
      if (type == "BYTES") return "\"eA==\""
      return type ~ /^(RECORD|STRUCT)$/ ? "{}" : "\"x\""
    }
    FNR == NR { new[$0]; next }
    $2 == "REQUIRED" || ($0 in new) {
      type = $1; mode = $2; sub(/^[^ ]* [^ ]* /, "")
      value = sample(type)
      row = row separator "\"" $0 "\": " (mode == "REPEATED" ? "[" value "]" : value)
      separator = ", "
    }
    END { print "{" row "}" }' "$1" -
}
