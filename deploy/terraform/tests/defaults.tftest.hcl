# The plan with only a project. It needs no credentials: the providers are mocks.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "subscriptions_have_deadline_retries_and_retention" {
  command = plan

  assert {
    condition     = google_pubsub_subscription.push.ack_deadline_seconds == 60
    error_message = "push_deadline is up to 60 s, so the ack deadline must be 60."
  }
  assert {
    condition     = google_pubsub_subscription.push.retry_policy[0].minimum_backoff == "10s" && google_pubsub_subscription.push.retry_policy[0].maximum_backoff == "600s"
    error_message = "The backoff of retries must be 10 s to 600 s."
  }
  assert {
    condition     = google_pubsub_subscription.push.dead_letter_policy[0].max_delivery_attempts == 100
    error_message = "Messages for a new table would become dead letters before the table is available."
  }
  assert {
    condition = alltrue([
      for subscription in [google_pubsub_subscription.push, google_pubsub_subscription.dead_letter] :
      subscription.message_retention_duration == "604800s" && subscription.expiration_policy[0].ttl == ""
    ])
    error_message = "Subscriptions must keep messages for 7 days and never expire."
  }
}

run "only_pushes_reach_the_service" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.pipeline.ingress == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    error_message = "Only internal traffic must reach the service."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.push.role == "roles/run.invoker"
    error_message = "Pushes need roles/run.invoker."
  }
  # The only public binding is that of the pixel's bucket.
  assert {
    condition = [
      for file in fileset(path.module, "**/*.tf") : file
      if length(regexall("\"(allUsers|allAuthenticatedUsers)\"", file("${path.module}/${file}"))) > 0
    ] == ["bucket.tf"]
    error_message = "Only bucket.tf may have a binding for allUsers."
  }
  assert {
    condition     = length(regexall("_iam_(binding|policy)\"", join("\n", [for file in fileset(path.module, "**/*.tf") : file("${path.module}/${file}")]))) == 0
    error_message = "Use *_iam_member only: other resources remove the bindings of others."
  }
}

run "the_pixel_is_public_and_not_cached_by_browsers" {
  command = plan

  assert {
    condition     = google_storage_bucket.pixel.name == "my-project-pixel" && google_storage_bucket.pixel.location == "US"
    error_message = "The bucket must be my-project-pixel in US."
  }
  assert {
    condition     = google_storage_bucket_iam_member.pixel_public.role == "roles/storage.legacyObjectReader"
    error_message = "Objects must be public, and their list must not."
  }
  assert {
    condition     = { for path, object in google_storage_bucket_object.pixel : object.name => [object.content_type, object.cache_control] } == { "pixel.png" = ["image/png", "public, max-age=0"] }
    error_message = "There must be one object, pixel.png, which browsers do not cache."
  }
  assert {
    condition     = google_compute_backend_bucket.pixel.enable_cdn && google_compute_backend_bucket.pixel.cdn_policy[0].cache_mode == "FORCE_CACHE_ALL"
    error_message = "The CDN must cache every response."
  }
  assert {
    condition     = google_compute_backend_bucket.pixel.cdn_policy[0].client_ttl == 0 && google_compute_backend_bucket.pixel.cdn_policy[0].default_ttl == 86400
    error_message = "The CDN must cache the pixel for a day, and browsers must not."
  }
  assert {
    condition     = google_compute_global_forwarding_rule.http[0].load_balancing_scheme == "EXTERNAL_MANAGED" && google_compute_global_forwarding_rule.http[0].port_range == "80"
    error_message = "HTTP must be on port 80 of an EXTERNAL_MANAGED load balancer."
  }
}

run "sink_and_exclusion_have_the_filter_of_the_pixel" {
  command = plan

  assert {
    condition     = google_logging_project_sink.topic.filter == "resource.type=\"http_load_balancer\" AND resource.labels.url_map_name=\"pixel\" AND httpRequest.requestUrl:\"/pixel.png\" AND NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:\"Cloud-CDN-Google\""
    error_message = "The filter is wrong: ${google_logging_project_sink.topic.filter}"
  }
  assert {
    condition     = google_logging_project_exclusion.default[0].filter == google_logging_project_sink.topic.filter
    error_message = "Exclusion and sink must have the same filter."
  }
  assert {
    condition     = google_compute_url_map.pixel[0].name == "pixel"
    error_message = "The filter must select the name of the URL map."
  }
  assert {
    condition     = length(google_storage_bucket.archive) == 0 && length(google_logging_project_sink.archive) == 0
    error_message = "There must be no archive by default."
  }
}

run "data_and_apis_survive_a_destroy" {
  command = plan

  assert {
    condition     = google_bigquery_table.template.deletion_protection && google_bigquery_table.dead_letters.deletion_protection
    error_message = "Tables must have deletion protection."
  }
  assert {
    condition     = !google_bigquery_dataset.events[0].delete_contents_on_destroy
    error_message = "A destroy must not delete the contents of the dataset."
  }
  assert {
    condition     = alltrue([for api in google_project_service.api : !api.disable_on_destroy])
    error_message = "APIs must stay enabled."
  }
}

run "the_service_has_the_defaults_of_the_settings" {
  command = plan

  assert {
    condition     = google_cloud_run_v2_service.pipeline.name == "pixel-pipeline" && google_cloud_run_v2_service.pipeline.location == "us-central1"
    error_message = "The service must be pixel-pipeline in us-central1."
  }
  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].containers[0].resources[0].limits == tomap({ cpu = "1", memory = "512Mi" })
    error_message = "An instance must have 1 CPU and 512 MiB."
  }
  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].containers[0].resources[0].cpu_idle && google_cloud_run_v2_service.pipeline.template[0].containers[0].resources[0].startup_cpu_boost
    error_message = "CPU must be allocated during requests only, with a boost at startup."
  }
  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].max_instance_request_concurrency == 500 && google_cloud_run_v2_service.pipeline.template[0].timeout == "60s"
    error_message = "An instance must accept 500 concurrent requests of up to 60 s."
  }
  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].scaling[0].min_instance_count == 0 && google_cloud_run_v2_service.pipeline.template[0].scaling[0].max_instance_count == 10
    error_message = "There must be 0 to 10 instances."
  }
  assert {
    condition = (
      google_cloud_run_v2_service.pipeline.template[0].containers[0].startup_probe[0].http_get[0].path == "/ready" &&
      google_cloud_run_v2_service.pipeline.template[0].containers[0].liveness_probe[0].http_get[0].path == "/health"
    )
    error_message = "The startup probe must use /ready, and the liveness probe /health."
  }
  assert {
    condition     = google_bigquery_dataset_iam_member.run.role == "roles/bigquery.dataEditor"
    error_message = "The service must have permission to write to the dataset."
  }
}

run "every_resource_has_the_label_or_the_mark_of_the_pipeline" {
  command = plan

  variables {
    domain  = "track.example.com"
    archive = true
    labels  = { team = "news" }
  }

  assert {
    condition = alltrue([
      for labels in [
        google_storage_bucket.pixel.labels,
        google_pubsub_topic.events.labels,
        google_pubsub_topic.dead_letter.labels,
        google_pubsub_subscription.push.labels,
        google_pubsub_subscription.dead_letter.labels,
        google_bigquery_dataset.events[0].labels,
        google_artifact_registry_repository.image[0].labels,
        google_cloud_run_v2_service.pipeline.labels,
        google_bigquery_table.template.labels,
        google_bigquery_table.dead_letters.labels,
        google_bigquery_table.view_events[0].labels,
        google_bigquery_table.view_events_daily[0].labels,
        google_storage_bucket.archive[0].labels,
        google_compute_global_address.pixel[0].labels,
        google_compute_global_forwarding_rule.http[0].labels,
        google_compute_global_forwarding_rule.https[0].labels,
      ] : labels == tomap({ pipeline = "pixel", team = "news" })
    ])
    error_message = "A resource does not have the labels pipeline=pixel and team=news."
  }
  assert {
    condition = alltrue([
      for mark in [
        google_service_account.run.description,
        google_service_account.push.description,
        google_service_account.build[0].description,
        google_logging_project_sink.topic.description,
        google_logging_project_sink.archive[0].description,
        google_logging_project_exclusion.default[0].description,
        google_compute_backend_bucket.pixel.description,
        google_compute_url_map.pixel[0].description,
        google_compute_global_address.pixel[0].description,
        google_compute_global_forwarding_rule.http[0].description,
        google_compute_global_forwarding_rule.https[0].description,
        google_compute_target_http_proxy.pixel[0].description,
        google_compute_target_https_proxy.pixel[0].description,
        google_compute_managed_ssl_certificate.pixel["track.example.com"].description,
      ] : mark == "pixel-pipeline pixel"
    ])
    error_message = "A resource does not have the description \"pixel-pipeline pixel\"."
  }
}

run "every_monitoring_file_becomes_a_resource" {
  command = plan

  assert {
    # Without a domain there is no certificate.
    condition     = length(module.alert) == length(fileset("${path.module}/../monitoring/alerts", "*.json")) - 1 && length(module.alert) > 10
    error_message = "There must be an alert for each file, except for the certificate."
  }
  assert {
    condition     = length(google_logging_metric.pipeline) == length(fileset("${path.module}/../monitoring/metrics", "*.json")) && length(google_logging_metric.pipeline) > 0
    error_message = "There must be a metric for each file."
  }
  assert {
    condition     = length(regexall("[$%]\\{", join("", [for metric in google_logging_metric.pipeline : "${metric.name}${metric.filter}"]))) == 0
    error_message = "A placeholder is not replaced."
  }
  assert {
    condition     = length(google_monitoring_notification_channel.email) == 0
    error_message = "There must be no notification channel."
  }
}

run "messages_are_stored_where_the_events_are" {
  command = plan

  variables {
    region = "europe-west3"
  }

  assert {
    condition     = google_bigquery_dataset.events[0].location == "EU" && google_storage_bucket.pixel.location == "EU"
    error_message = "A region in Europe must have its events in the EU."
  }
  assert {
    condition = alltrue([
      for topic in [google_pubsub_topic.events, google_pubsub_topic.dead_letter] :
      topic.message_storage_policy[0].allowed_persistence_regions == toset(["europe-west3", "europe-west1", "europe-west4", "europe-north1"])
    ])
    error_message = "Messages must stay in Europe."
  }
}

run "a_location_can_be_a_region" {
  command = plan

  variables {
    region   = "asia-east1"
    location = "asia-northeast1"
  }

  assert {
    condition     = google_bigquery_dataset.events[0].location == "asia-northeast1" && google_pubsub_topic.events.message_storage_policy[0].allowed_persistence_regions == toset(["asia-northeast1"])
    error_message = "Events and messages must be in the location."
  }
}
