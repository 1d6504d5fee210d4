# Dataset, template table and dead-letter table; views.tf has the views. BigQuery creates the generated tables by templateSuffix; they are
# not in Terraform's state.

locals {
  schema_file = startswith(var.schema_file, "/") ? var.schema_file : "${local.repository}/${var.schema_file}"
  # A file that is not a list of columns fails the precondition of the template table.
  schema        = try([for column in jsondecode(file(local.schema_file)) : { name = column.name, type = column.type, mode = try(column.mode, "NULLABLE") }], [])
  columns       = [for column in local.schema : lower(column.name)]
  not_a_column  = [for name in split(",", var.valid_attributes) : trimspace(name) if !contains(local.columns, lower(trimspace(name)))]
  dataset       = var.share_dataset ? var.dataset : google_bigquery_dataset.events[0].dataset_id
  view_settings = { PROJECT_ID = var.project_id, DATASET = var.dataset, TABLE_NAME = var.table_name }

  # New tables and views in a dataset with a default expiration get that expiration. The provider cannot send BigQuery's 0
  # for "never", so these expire on the last day of the year 9999.
  never = var.table_expiration_days == null ? null : 253402300799000
}

# Another configuration or pipeline has a shared dataset.
resource "google_bigquery_dataset" "events" {
  count = var.share_dataset ? 0 : 1

  project                     = local.project
  dataset_id                  = var.dataset
  location                    = local.location
  description                 = "Events of the pixel ${var.pipeline}"
  default_table_expiration_ms = var.table_expiration_days == null ? null : var.table_expiration_days * 86400000
  delete_contents_on_destroy  = var.delete_data
  labels                      = local.labels
}

resource "google_bigquery_table" "template" {
  project             = local.project
  dataset_id          = local.dataset
  table_id            = var.table_name
  schema              = file(local.schema_file)
  expiration_time     = local.never
  deletion_protection = !var.delete_data
  labels              = local.labels

  lifecycle {
    precondition {
      condition     = length(local.columns) > 0
      error_message = "schema_file: ${var.schema_file} is not a list of columns. Use the format of `bq show --schema --format=prettyjson`."
    }
    precondition {
      condition     = length(local.not_a_column) == 0
      error_message = "valid_attributes: ${var.schema_file} has no column ${join(", ", local.not_a_column)}. Add the column, or remove the attribute."
    }
  }
}

resource "google_bigquery_table" "dead_letters" {
  project             = local.project
  dataset_id          = local.dataset
  table_id            = var.dead_letter_table
  schema              = file("${local.repository}/schema/dead_letters.json")
  expiration_time     = local.never
  deletion_protection = !var.delete_data
  labels              = local.labels
}

# Lets the service insert rows and create tables by templateSuffix, in this dataset only.
resource "google_bigquery_dataset_iam_member" "run" {
  project    = local.project
  dataset_id = local.dataset
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.run.member
}
