# The resources that each option adds, changes or removes.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "each_path_has_an_object_and_a_term_in_the_filter" {
  command = plan

  variables {
    pixel_path = "/pixel.png, /m/p.png,/pixel.png"
  }

  assert {
    condition     = toset([for object in google_storage_bucket_object.pixel : object.name]) == toset(["pixel.png", "m/p.png"])
    error_message = "There must be one object for each path."
  }
  assert {
    condition     = google_logging_project_sink.topic.filter == "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"pixel\" AND (httpRequest.requestUrl:\"/pixel.png\" OR httpRequest.requestUrl:\"/m/p.png\") AND NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:\"Cloud-CDN-Google\""
    error_message = "The filter is wrong: ${google_logging_project_sink.topic.filter}"
  }
}

run "every_name_begins_with_the_name_of_the_pipeline" {
  command = plan

  variables {
    pipeline = "other"
  }

  assert {
    condition = alltrue([
      for name in [
        google_storage_bucket.pixel.name,
        google_compute_backend_bucket.pixel.name,
        google_compute_url_map.pixel[0].name,
        google_compute_global_address.pixel[0].name,
        google_compute_target_http_proxy.pixel[0].name,
        google_compute_global_forwarding_rule.http[0].name,
        google_pubsub_topic.events.name,
        google_pubsub_topic.dead_letter.name,
        google_pubsub_subscription.push.name,
        google_pubsub_subscription.dead_letter.name,
        google_service_account.run.account_id,
        google_service_account.push.account_id,
        google_service_account.build[0].account_id,
        google_logging_project_sink.topic.name,
        google_logging_project_exclusion.default[0].name,
        google_artifact_registry_repository.image[0].repository_id,
        google_cloud_run_v2_service.pipeline.name,
      ] : strcontains(name, "other") && !strcontains(name, "pixel")
    ])
    error_message = "A name does not begin with the name of the pipeline."
  }
  assert {
    condition     = alltrue([for metric in google_logging_metric.pipeline : startswith(metric.name, "other")])
    error_message = "The name of a metric does not begin with the name of the pipeline."
  }
  assert {
    condition     = strcontains(google_logging_project_sink.topic.filter, "url_map_name=\"other\"")
    error_message = "The sink must select the entries of its own load balancer."
  }
}

run "the_archive_is_private_and_has_the_same_entries" {
  command = plan

  variables {
    archive      = true
    archive_days = 30
  }

  assert {
    condition = (
      google_storage_bucket.archive[0].name == "my-project-pixel-archive" && google_storage_bucket.archive[0].public_access_prevention == "enforced" &&
      !google_storage_bucket.archive[0].force_destroy
    )
    error_message = "The archive must never be public, and must not be deleted with its files."
  }
  assert {
    condition = (
      one(google_storage_bucket.archive[0].lifecycle_rule[0].condition).age == 30 && one(google_storage_bucket.archive[0].lifecycle_rule[0].action).type == "Delete"
    )
    error_message = "Files must be deleted after 30 days."
  }
  assert {
    condition = (
      google_logging_project_sink.archive[0].filter == google_logging_project_sink.topic.filter &&
      google_logging_project_sink.archive[0].destination == "storage.googleapis.com/my-project-pixel-archive"
    )
    error_message = "The sinks of archive and topic must have the same filter."
  }
  assert {
    condition     = google_storage_bucket_iam_member.archive[0].role == "roles/storage.objectCreator"
    error_message = "The sink must only have permission to create files."
  }
}

run "entries_can_stay_in_default" {
  command = plan

  variables {
    exclude_from_default = false
  }

  assert {
    condition     = length(google_logging_project_exclusion.default) == 0
    error_message = "There must be no exclusion."
  }
}

run "without_an_image_cloud_build_builds_one" {
  command = plan

  assert {
    condition     = can(regex("^us-central1-docker\\.pkg\\.dev/my-project/pixel/pixel-pipeline:[0-9a-f]{16}$", google_cloud_run_v2_service.pipeline.template[0].containers[0].image))
    error_message = "The tag of the image must be a hash of its sources: ${google_cloud_run_v2_service.pipeline.template[0].containers[0].image}"
  }
  assert {
    condition     = terraform_data.image[0].triggers_replace == [google_cloud_run_v2_service.pipeline.template[0].containers[0].image]
    error_message = "The service must run the image that is built."
  }
  assert {
    condition     = google_project_iam_member.build[0].role == "roles/run.builder"
    error_message = "The build's account needs roles/run.builder."
  }
}

run "a_given_image_needs_no_build" {
  command = plan

  variables {
    image = "us-docker.pkg.dev/other/images/pixel-pipeline:1.0"
  }

  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].containers[0].image == "us-docker.pkg.dev/other/images/pixel-pipeline:1.0"
    error_message = "The image must be the given one."
  }
  assert {
    condition = (
      length(terraform_data.image) == 0 && length(google_artifact_registry_repository.image) == 0 &&
      length(google_service_account.build) == 0 && length(google_project_iam_member.build) == 0
    )
    error_message = "Resources for a build must not exist."
  }
}

run "the_published_image_is_pulled_through_artifact_registry" {
  command = plan

  variables {
    image = "ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0"
  }

  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].containers[0].image == "us-central1-docker.pkg.dev/my-project/pixel-ghcr/pixel-pipeline/pixel-pipeline:0.1.0"
    error_message = "The service must run ${google_cloud_run_v2_service.pipeline.template[0].containers[0].image} from the remote repository."
  }
  assert {
    condition     = google_artifact_registry_repository.ghcr[0].remote_repository_config[0].common_repository[0].uri == "https://ghcr.io"
    error_message = "The remote repository must read from ghcr.io."
  }
}

run "only_generated_tables_expire" {
  command = plan

  variables {
    table_expiration_days = 30
  }

  assert {
    condition     = google_bigquery_dataset.events[0].default_table_expiration_ms == 2592000000
    error_message = "Generated tables must expire after 30 days."
  }
  assert {
    condition = alltrue([
      for table in [google_bigquery_table.template, google_bigquery_table.dead_letters, google_bigquery_table.view_events[0], google_bigquery_table.view_events_daily[0]] :
      table.expiration_time == 253402300799000
    ])
    error_message = "A table or view of the module would expire after 30 days, the default of the dataset."
  }
}

run "delete_data_removes_every_protection" {
  command = plan

  variables {
    archive     = true
    delete_data = true
  }

  assert {
    condition = (
      google_bigquery_dataset.events[0].delete_contents_on_destroy && !google_bigquery_table.template.deletion_protection &&
      !google_bigquery_table.dead_letters.deletion_protection && google_storage_bucket.archive[0].force_destroy
    )
    error_message = "A protection would stop the destroy."
  }
}

run "an_address_receives_the_alerts" {
  command = plan

  variables {
    alert_email = "you@example.com"
  }

  assert {
    condition     = google_monitoring_notification_channel.email["you@example.com"].type == "email" && google_monitoring_notification_channel.email["you@example.com"].labels == tomap({ email_address = "you@example.com" })
    error_message = "The channel must send to the address."
  }
}

run "alerts_can_be_turned_off_and_notify_several_channels" {
  command = plan

  variables {
    domain          = "a.example.com"
    no_events_after = "off"
    alert_email     = "you@example.com, dev@example.com"
    alert_channels  = "projects/my-project/notificationChannels/123"
    budget          = 50
  }

  assert {
    condition     = !contains(keys(module.alert), "no-events") && contains(keys(module.alert), "certificate")
    error_message = "NO_EVENTS_AFTER=off must leave out its alert; a domain has one for its certificate."
  }
  assert {
    condition     = length(google_monitoring_notification_channel.email) == 2 && length(local.notified_channels) == 3
    error_message = "Each address has a channel, and existing channels are added."
  }
  assert {
    condition     = google_billing_budget.project[0].amount[0].specified_amount[0].units == "50" && google_project_service.api["billingbudgets"].service == "billingbudgets.googleapis.com"
    error_message = "The budget needs its API and the amount."
  }
}

run "a_schema_file_can_have_an_absolute_path" {
  command = plan

  variables {
    schema_file      = "schema/dead_letters.json"
    valid_attributes = "reason, DETAIL"
    table_suffix     = "_{date}"
  }

  # The schema lacks columns of the views.
  expect_failures = [check.views]

  assert {
    condition     = strcontains(google_bigquery_table.template.schema, "PubsubMessage.data")
    error_message = "The template table must have the given schema."
  }
}
