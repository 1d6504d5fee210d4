# Bad settings are refused before anything is made, each by its own variable: every variable of a run has to
# fail, and nothing else. One that is compared with another is not looked at while the other is wrong.

mock_provider "google" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "what_is_something_else_is_refused" {
  command = plan

  variables {
    project_id              = "123456789012"              # a number
    region                  = "us-central1-a"             # a zone
    location                = "us"                        # in small letters
    pipeline                = "px"                        # 2 characters, where a topic must have 3
    domain                  = "https://track.example.com" # a URL
    archive_days            = 0
    table_expiration_days   = 0
    schema_file             = "schema/missing.json"
    image                   = "pixel-pipeline:1.0" # no registry
    cpu                     = "0.5"
    memory                  = "512" # no unit
    concurrency             = 1001
    min_instances           = -1
    alert_email             = "you.example.com" # no @
    dataset                 = "my-project.parsed_pixel"
    table_name              = "pixel-2"
    valid_attributes        = "order id"
    table_suffix            = "-{user_id}"
    max_new_tables_per_hour = 0
    pixel_path              = "*" # what the service takes for any path
    batch_max_rows          = 50001
    batch_max_bytes         = 9000001
    batch_max_inserts       = 0
    max_in_flight           = 0
    push_deadline           = "60s" # the ack deadline
    log_format              = "xml"
    rust_log                = ""
  }

  expect_failures = [
    var.project_id,
    var.region,
    var.location,
    var.pipeline,
    var.domain,
    var.archive_days,
    var.table_expiration_days,
    var.schema_file,
    var.image,
    var.cpu,
    var.memory,
    var.concurrency,
    var.min_instances,
    var.alert_email,
    var.dataset,
    var.table_name,
    var.valid_attributes,
    var.table_suffix,
    var.max_new_tables_per_hour,
    var.pixel_path,
    var.batch_max_rows,
    var.batch_max_bytes,
    var.batch_max_inserts,
    var.max_in_flight,
    var.push_deadline,
    var.log_format,
    var.rust_log,
  ]
}

run "what_is_almost_right_is_refused" {
  command = plan

  variables {
    dead_letter_table     = "events" # a view
    project_id            = "My-Project"
    pipeline              = "a234567890123456789012345" # 25 characters, one too many for its accounts
    domain                = "Track.example.com"
    archive_days          = 0.5
    table_expiration_days = 1.5
    concurrency           = 0
    min_instances         = 3
    max_instances         = 2 # below min_instances
    valid_attributes      = ""
    table_suffix          = "_{user_id"
    pixel_path            = "pixel.png" # no slash
    batch_max_rows        = 1.5
    push_deadline         = "50ms"   # too short for an insert
    schema_file           = "schema" # a folder
  }

  expect_failures = [
    var.dead_letter_table,
    var.project_id,
    var.pipeline,
    var.domain,
    var.archive_days,
    var.table_expiration_days,
    var.concurrency,
    var.max_instances,
    var.valid_attributes,
    var.table_suffix,
    var.pixel_path,
    var.batch_max_rows,
    var.push_deadline,
    var.schema_file,
  ]
}

run "what_would_break_another_name_is_refused" {
  command = plan

  variables {
    max_instances    = 0
    table_name       = "event" # with which the views begin
    pipeline         = "pixel-"
    pixel_path       = "/pixel.png\" OR \"" # ends the filter's text
    push_deadline    = "soon"
    valid_attributes = "order_id,,type"
  }

  expect_failures = [
    var.max_instances,
    var.table_name,
    var.pipeline,
    var.pixel_path,
    var.push_deadline,
    var.valid_attributes,
  ]
}

run "what_google_keeps_for_itself_is_refused" {
  command = plan

  variables {
    dead_letter_table = "pixel_dead" # begins with table_name
    pipeline          = "goog-pixel"
    pixel_path        = "/pixel.png?x=1" # a query
    push_deadline     = "50"             # no unit
    overflow_suffix   = "_{user_id}"     # a stranger's
  }

  expect_failures = [
    var.overflow_suffix,
    var.dead_letter_table,
    var.pipeline,
    var.pixel_path,
    var.push_deadline,
  ]
}

run "an_overflow_table_that_is_no_other_is_refused" {
  command = plan

  variables {
    table_suffix    = "_{date}"
    overflow_suffix = "_{date}"
  }

  expect_failures = [
    var.overflow_suffix,
  ]
}

run "an_object_that_is_a_folder_is_refused" {
  command = plan

  variables {
    pixel_path = "/pixel/"
  }

  expect_failures = [
    var.pixel_path,
  ]
}

run "an_object_that_is_a_folder_is_refused_further_on_as_well" {
  command = plan

  variables {
    pixel_path = "/pixel.png,/pixel/"
  }

  expect_failures = [
    var.pixel_path,
  ]
}

run "an_attribute_without_a_column_is_refused" {
  command = plan

  variables {
    valid_attributes = "order_id,colour"
  }

  expect_failures = [google_bigquery_table.template]
}

run "a_schema_file_that_is_no_schema_is_refused" {
  command = plan

  variables {
    schema_file = "Cargo.toml"
  }

  expect_failures = [google_bigquery_table.template]
}
