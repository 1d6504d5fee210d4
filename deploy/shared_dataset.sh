# shellcheck shell=bash disable=SC2154
# A dataset that several pipelines share (SHARE_DATASET=true). Each has its own tables and views, whose label says to which
# pipeline they belong. Sourced by parts/bigquery.sh.

# view_name NAME: in a shared dataset, the names of the views end with that of the table.
view_name() {
  if [[ $SHARE_DATASET == true ]]; then printf '%s_%s' "$1" "$TABLE_NAME"; else printf '%s' "$1"; fi
}

# show_owners: a line "TABLE PIPELINE" for each table and view with our label, of every pipeline.
show_owners() {
  bq_ query --use_legacy_sql=false --format=csv --max_rows=10000 \
    "SELECT table_name || ' ' || REGEXP_EXTRACT(option_value, '\"pipeline\", \"([^\"]*)\"') AS owner
     FROM \`$PROJECT_ID\`.\`$DATASET\`.INFORMATION_SCHEMA.TABLE_OPTIONS
     WHERE option_name = 'labels' AND option_value LIKE '%\"pipeline\"%'" | sed 1d
}

# other_owners: the tables and views of other pipelines.
other_owners() { ! found "owners/$DATASET" || grep -v " $PIPELINE\$" "$(state_file "owners/$DATASET")" || true; }

# Tables are told apart by the beginnings of their names.
decide_shared() {
  local table owner
  while read -r table owner; do
    [[ -n $table && $table != events_* ]] || continue
    [[ $table != "$TABLE_NAME"* && $TABLE_NAME != "$table"* ]] ||
      conflict "table/$TABLE_NAME" "pipeline $owner has the table $table in dataset $DATASET, and generated tables of one would count as those of the \
other: set TABLE_NAME to a name that does not begin with the other's, nor the other way round"
  done <<<"$(other_owners)"
}

# Generated tables have no label. Ours begin with the name of the template table and have its first columns.
drop_own_tables() {
  bq_ query --use_legacy_sql=false --format=none "FOR generated IN (
      SELECT table_name FROM \`$PROJECT_ID\`.\`$DATASET\`.INFORMATION_SCHEMA.COLUMNS
      WHERE STARTS_WITH(table_name, '${TABLE_NAME}_') AND column_name IN ('event_id', 'event_timestamp')
      GROUP BY table_name HAVING COUNT(*) = 2)
    DO EXECUTE IMMEDIATE FORMAT('DROP TABLE \`%s\`.\`%s\`.\`%s\`', '$PROJECT_ID', '$DATASET', generated.table_name);
    END FOR"
}

# remove_shared: the tables and views of this pipeline only.
remove_shared() {
  local name
  for name in events events_daily; do
    name=$(view_name "$name")
    remove_own "view/$name" "view $name" bq_ rm --force --table "$DATASET.$name"
  done
  if found "table/$TABLE_NAME" && is_ours "table/$TABLE_NAME"; then
    remove "generated tables of $TABLE_NAME" drop_own_tables
  fi
  for name in "$TABLE_NAME" "$DEAD_LETTER_TABLE"; do
    remove_own "table/$name" "table $name" bq_ rm --force --table "$DATASET.$name"
  done
}
