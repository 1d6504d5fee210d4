# The defaults are those of deploy/pipeline.env.example, and each of its settings reaches the service.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "the_service_gets_the_defaults_of_the_example_file" {
  command = plan

  assert {
    condition = merge(
      { GOOGLE_CLOUD_PROJECT = "my-project", AUTO_CREATE = "false", PUSH_AUTH = "iam", PUSH_SERVICE_ACCOUNT = "pixel-push@my-project.iam.gserviceaccount.com" },
      { for setting in regexall("(?m)^#?([A-Z_]+)=(.*)$", split("# --- Service settings", file("${path.module}/../pipeline.env.example"))[1]) : setting[0] => setting[1] },
    ) == { for env in google_cloud_run_v2_service.pipeline.template[0].containers[0].env : env.name => env.value }
    error_message = "The service's environment is not GOOGLE_CLOUD_PROJECT, AUTO_CREATE, PUSH_AUTH, PUSH_SERVICE_ACCOUNT and the last section of deploy/pipeline.env.example."
  }
}

run "the_deployment_has_the_defaults_of_the_example_file" {
  command = plan

  assert {
    condition = merge([
      for setting in regexall("(?m)^#?([A-Z_]+)=(.*)$", split("# --- Only of the scripts", split("# --- Service settings", file("${path.module}/../pipeline.env.example"))[0])[0]) : { (setting[0]) = setting[1] }
      ]...) == {
      PROJECT_ID            = ""
      REGION                = var.region
      LOCATION              = var.location
      PIPELINE              = var.pipeline
      DOMAIN                = var.domain
      URL_MAP               = var.url_map
      SHARE_DATASET         = tostring(var.share_dataset)
      HASH_USER_IDS         = var.hash_user_ids
      URL_SIGNING_KEY       = var.url_signing_key
      EXCLUDE_FROM_DEFAULT  = tostring(var.exclude_from_default)
      ARCHIVE               = tostring(var.archive)
      ARCHIVE_DAYS          = tostring(var.archive_days)
      TABLE_EXPIRATION_DAYS = var.table_expiration_days == null ? "" : tostring(var.table_expiration_days)
      SCHEMA_FILE           = var.schema_file
      IMAGE                 = var.image
      CPU                   = var.cpu
      MEMORY                = var.memory
      CONCURRENCY           = tostring(var.concurrency)
      MIN_INSTANCES         = tostring(var.min_instances)
      MAX_INSTANCES         = tostring(var.max_instances)
      ALERT_EMAIL           = var.alert_email
      ALERT_CHANNELS        = var.alert_channels
      NO_EVENTS_AFTER       = var.no_events_after
      BUDGET                = var.budget == null ? "" : tostring(var.budget)
    }
    error_message = "A setting of deploy/pipeline.env.example has another default here, or is not a variable."
  }
}

run "every_setting_that_is_changed_reaches_the_service" {
  command = plan

  variables {
    dataset                 = "d"
    table_name              = "t"
    valid_attributes        = "type"
    table_suffix            = ""
    max_new_tables_per_hour = 5
    overflow_suffix         = "_rest"
    pixel_path              = "/a.png,/b/c.png"
    pixel_methods           = "GET,POST"
    status                  = "2xx,405"
    ip_anonymization        = "truncate"
    hash_attributes         = "type"
    respect_opt_out         = false
    signature_mode          = "mark"
    dead_letter_table       = "dead"
    batch_max_rows          = 1
    batch_max_bytes         = 2
    batch_max_inserts       = 3
    batch_max_linger        = "0ms"
    batch_gzip              = true
    max_in_flight           = 4
    max_in_flight_bytes     = 5
    push_deadline           = "500ms"
    log_format              = "text"
    rust_log                = "warn"
  }

  assert {
    # A setting that is not changed here has its default.
    condition = { for env in google_cloud_run_v2_service.pipeline.template[0].containers[0].env : env.name => env.value } == merge({
      for setting in regexall("(?m)^#?([A-Z_]+)=(.*)$", split("# --- Service settings", file("${path.module}/../pipeline.env.example"))[1]) : setting[0] => setting[1]
      }, {
      GOOGLE_CLOUD_PROJECT    = "my-project"
      AUTO_CREATE             = "false"
      PUSH_AUTH               = "iam"
      PUSH_SERVICE_ACCOUNT    = "pixel-push@my-project.iam.gserviceaccount.com"
      DATASET                 = "d"
      TABLE_NAME              = "t"
      VALID_ATTRIBUTES        = "type"
      TABLE_SUFFIX            = ""
      MAX_NEW_TABLES_PER_HOUR = "5"
      OVERFLOW_SUFFIX         = "_rest"
      PIXEL_PATH              = "/a.png,/b/c.png"
      PIXEL_METHODS           = "GET,POST"
      STATUS                  = "2xx,405"
      IP_ANONYMIZATION        = "truncate"
      HASH_ATTRIBUTES         = "type"
      RESPECT_OPT_OUT         = "false"
      SIGNATURE_MODE          = "mark"
      DEAD_LETTER_TABLE       = "dead"
      BATCH_MAX_ROWS          = "1"
      BATCH_MAX_BYTES         = "2"
      BATCH_MAX_INSERTS       = "3"
      BATCH_MAX_LINGER        = "0ms"
      BATCH_GZIP              = "true"
      MAX_IN_FLIGHT           = "4"
      MAX_IN_FLIGHT_BYTES     = "5"
      PUSH_DEADLINE           = "500ms"
      LOG_FORMAT              = "text"
      RUST_LOG                = "warn"
    })
    error_message = "A setting does not reach the service."
  }
  assert {
    condition     = google_bigquery_dataset.events[0].dataset_id == "d" && google_bigquery_table.template.table_id == "t" && google_bigquery_table.dead_letters.table_id == "dead"
    error_message = "Dataset and tables must have the names that the service gets."
  }
  assert {
    condition     = strcontains(google_bigquery_table.view_events[0].view[0].query, "`my-project.d.t*`") && !strcontains(google_bigquery_table.view_events[0].view[0].query, "$${")
    error_message = "The view events must read the tables that the service writes."
  }
  assert {
    condition     = strcontains(google_bigquery_table.view_events_daily[0].view[0].query, "`my-project.d.events`")
    error_message = "The view events_daily must read the view events."
  }
}
