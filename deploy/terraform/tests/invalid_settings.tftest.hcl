# Invalid settings are rejected before a resource is created. In each run, exactly the variables of expect_failures fail.
# Variables are compared with one another when each is valid by itself, so comparisons are in later runs.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "values_of_another_kind_are_rejected" {
  command = plan

  variables {
    project_id              = "123456789012"              # a number
    region                  = "us-central1-a"             # a zone
    location                = "us"                        # lower case
    pipeline                = "px"                        # 2 characters; a topic needs 3
    domain                  = "https://track.example.com" # a URL
    archive_days            = 0
    table_expiration_days   = 0
    schema_file             = "schema/missing.json"
    image                   = "pixel-pipeline:1.0" # no registry
    cpu                     = "0.5"
    memory                  = "512" # no unit
    concurrency             = 1001
    min_instances           = -1
    alert_email             = "you@example.com,dev" # no @
    alert_channels          = "123"                 # not a full name
    no_events_after         = "24"                  # no unit
    budget                  = 0
    dataset                 = "my-project.parsed_pixel"
    table_name              = "pixel-2"
    table_suffix            = "-{user_id}"
    valid_attributes        = ""
    hash_attributes         = "user_id,"
    overflow_suffix         = ""
    max_new_tables_per_hour = 0
    pixel_path              = "*" # valid for the service, as any path
    batch_max_rows          = 50001
    batch_max_bytes         = 9000001
    batch_max_inserts       = 0
    batch_max_linger        = "60s"
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
    var.alert_channels,
    var.no_events_after,
    var.budget,
    var.dataset,
    var.table_name,
    var.table_suffix,
    var.valid_attributes,
    var.hash_attributes,
    var.overflow_suffix,
    var.max_new_tables_per_hour,
    var.pixel_path,
    var.batch_max_rows,
    var.batch_max_bytes,
    var.batch_max_inserts,
    var.batch_max_linger,
    var.max_in_flight,
    var.push_deadline,
    var.log_format,
    var.rust_log,
  ]
}

run "an_attribute_with_an_invalid_name_is_rejected" {
  command = plan

  variables {
    valid_attributes = "order.id"
  }

  expect_failures = [var.valid_attributes]
}

run "values_with_a_small_mistake_are_rejected" {
  command = plan

  variables {
    dead_letter_table     = "events" # a view
    project_id            = "My-Project"
    pipeline              = "a234567890123456789012345" # 25 characters, one too many for its accounts
    domain                = "Track.example.com"
    archive_days          = 0.5
    table_expiration_days = 1.5
    concurrency           = 0
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
    var.table_suffix,
    var.pixel_path,
    var.batch_max_rows,
    var.push_deadline,
    var.schema_file,
  ]
}

run "values_that_make_another_name_invalid_are_rejected" {
  command = plan

  variables {
    max_instances    = 0
    table_name       = "event" # the names of the views begin with it
    pipeline         = "pixel-"
    pixel_path       = "/pixel.png\" OR \"" # ends the string in the filter
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

run "reserved_names_are_rejected" {
  command = plan

  variables {
    pipeline        = "goog-pixel"
    pixel_path      = "/pixel.png?x=1" # a query
    push_deadline   = "50"             # no unit
    overflow_suffix = "_{user_id}"     # an attribute, which requests choose
  }

  expect_failures = [
    var.overflow_suffix,
    var.pipeline,
    var.pixel_path,
    var.push_deadline,
  ]
}

run "an_overflow_suffix_equal_to_the_table_suffix_is_rejected" {
  command = plan

  variables {
    table_suffix    = "_{date}"
    overflow_suffix = "_{date}"
  }

  expect_failures = [terraform_data.valid_settings]
}

run "a_suffix_with_a_field_that_valid_attributes_lacks_is_rejected" {
  command = plan

  variables {
    table_suffix = "_{campaign}_{date}"
  }

  expect_failures = [terraform_data.valid_settings]
}

run "a_hashed_name_that_valid_attributes_lacks_is_rejected" {
  command = plan

  variables {
    hash_attributes = "user_id, email"
  }

  expect_failures = [terraform_data.valid_settings]
}

run "a_dead_letter_table_whose_name_begins_with_the_table_name_is_rejected" {
  command = plan

  variables {
    dead_letter_table = "pixel_dead"
  }

  expect_failures = [terraform_data.valid_settings]
}

run "fewer_max_instances_than_min_instances_are_rejected" {
  command = plan

  variables {
    min_instances = 3
    max_instances = 2
  }

  expect_failures = [terraform_data.valid_settings]
}

run "a_date_in_another_notation_is_rejected" {
  command = plan

  variables {
    table_suffix    = "_{user_id}_{date:YYYYMMDD}"
    overflow_suffix = "_overflow_{date:day}"
    pixel_path      = "/t/*"
    pixel_methods   = "GTE"
    status          = "2x"
  }

  expect_failures = [
    var.table_suffix,
    var.overflow_suffix,
    var.pixel_path,
    var.pixel_methods,
    var.status,
  ]
}

run "a_path_that_is_a_folder_is_rejected" {
  command = plan

  variables {
    pixel_path = "/pixel/"
  }

  expect_failures = [
    var.pixel_path,
  ]
}

run "a_second_path_that_is_a_folder_is_rejected" {
  command = plan

  variables {
    pixel_path = "/pixel.png,/pixel/"
  }

  expect_failures = [
    var.pixel_path,
  ]
}

run "an_attribute_without_a_column_is_rejected" {
  command = plan

  variables {
    valid_attributes = "order_id,colour"
    table_suffix     = ""
  }

  expect_failures = [google_bigquery_table.template]
}

run "a_file_that_is_not_a_schema_is_rejected" {
  command = plan

  variables {
    schema_file = "Cargo.toml"
  }

  expect_failures = [google_bigquery_table.template, check.views]
}

run "the_label_of_the_pipeline_cannot_be_replaced" {
  command = plan

  variables {
    labels = { pipeline = "other" }
  }

  expect_failures = [var.labels]
}

run "a_label_in_upper_case_is_rejected" {
  command = plan

  variables {
    labels = { Team = "news" }
  }

  expect_failures = [var.labels]
}

run "a_domain_that_is_named_twice_is_rejected" {
  command = plan

  variables {
    domain = "track.example.com, track.example.com"
  }

  expect_failures = [var.domain]
}

run "a_url_map_with_a_path_is_rejected" {
  command = plan

  variables {
    url_map = "projects/my-project/global/urlMaps/website"
  }

  expect_failures = [var.url_map]
}

run "too_little_memory_for_the_cpus_is_rejected" {
  command = plan

  variables {
    cpu    = "4"
    memory = "1Gi"
  }

  expect_failures = [terraform_data.valid_settings]
}

run "an_attribute_that_is_listed_twice_is_rejected" {
  command = plan

  variables {
    valid_attributes = "user_id,type,User_Id"
  }

  expect_failures = [var.valid_attributes]
}

run "an_attribute_that_the_service_fills_is_rejected" {
  command = plan

  variables {
    valid_attributes = "user_id,type,host"
  }

  expect_failures = [var.valid_attributes]
}

run "a_key_in_place_of_a_secret_is_rejected" {
  command = plan

  variables {
    hash_user_ids = "0123456789abcdef0123456789abcdef"
  }

  expect_failures = [var.hash_user_ids]
}
