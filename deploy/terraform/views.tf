# The views of schema/views for the columns of schema_file. src/schema_sql.rs describes the conditions at the ends of lines,
# and follows the same rules.

locals {
  # In a shared dataset, the names of the views end with that of the table.
  view_names = { for view in ["events", "events_daily"] : view => var.share_dataset ? "${view}_${var.table_name}" : view }

  # The type of each column. A REPEATED column has no type that a view can use.
  column_types = { for column in local.schema : lower(column.name) => upper(try(column.mode, null) == null ? "" : column.mode) == "REPEATED" ? "REPEATED" : upper(column.type) }
  accepted_types = {
    SCALAR    = ["STRING", "INTEGER", "INT64", "NUMERIC", "BIGNUMERIC", "BOOLEAN", "BOOL", "BYTES", "TIMESTAMP", "DATE", "TIME", "DATETIME"]
    STRING    = ["STRING"]
    TIMESTAMP = ["TIMESTAMP"]
  }

  view_lines = { for view in ["events", "events_daily"] : view => [
    for line in split("\n", templatefile("${local.repository}/schema/views/${view}.sql", local.view_settings)) : {
      text = replace(line, "/ *-- (needs|if|unless) \\w+( [A-Z]+)?$/", "")
      # Word, name and type; [] for a line without a condition.
      condition = flatten(regexall("-- (needs|if|unless) (\\w+)(?: ([A-Z]+))?$", line))
    }
  ] }
  view_conditions = { for view, lines in local.view_lines : view => [
    for line in lines : length(line.condition) == 0 ? { word = "", column = "", is_present = false } : {
      word                                                   = line.condition[0]
      column                                                 = join(" ", compact([line.condition[1], line.condition[2]]))
      is_present = line.condition[2] == null || line.condition[2] == "" ? contains(keys(local.column_types), lower(line.condition[1])) : (
        contains(local.accepted_types[line.condition[2]], lookup(local.column_types, lower(line.condition[1]), ""))
      )
    }
  ] }
  view_missing = { for view, conditions in local.view_conditions : view => [for c in conditions : c.column if c.word == "needs" && !c.is_present] }
  view_queries = { for view, lines in local.view_lines : view => join("\n", [
    for index, line in lines : line.text
    if !(local.view_conditions[view][index].word == "if" && !local.view_conditions[view][index].is_present)
    && !(local.view_conditions[view][index].word == "unless" && local.view_conditions[view][index].is_present)
  ]) }
}

# BigQuery checks the query of a view when it is created: events needs a table that matches, and events_daily needs events.
# A view has no data, so it has no deletion protection.
resource "google_bigquery_table" "view_events" {
  count = length(local.view_missing.events) == 0 ? 1 : 0

  project             = local.project
  dataset_id          = local.dataset
  table_id            = local.view_names.events
  expiration_time     = local.never
  deletion_protection = false
  labels              = local.labels

  view {
    query          = local.view_queries.events
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.template]
}

resource "google_bigquery_table" "view_events_daily" {
  count = length(local.view_missing.events_daily) == 0 ? 1 : 0

  project             = local.project
  dataset_id          = local.dataset
  table_id            = local.view_names.events_daily
  expiration_time     = local.never
  deletion_protection = false
  labels              = local.labels

  view {
    query          = replace(local.view_queries.events_daily, ".events`", ".${local.view_names.events}`")
    use_legacy_sql = false
  }

  depends_on = [google_bigquery_table.view_events]
}

# A warning, because the deployment is complete without the view.
check "views" {
  assert {
    condition = alltrue([for missing in local.view_missing : length(missing) == 0])
    error_message = join(" ", [for view, missing in local.view_missing :
      "Without view ${view}: ${var.schema_file} has no column ${join(", ", missing)}." if length(missing) > 0
    ])
  }
}
