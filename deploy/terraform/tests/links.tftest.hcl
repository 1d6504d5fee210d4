# References between resources by values that are unknown in a plan: addresses, accounts, ids. Applied to mocks, with a
# given image, so that there is no build.

mock_provider "google" {
  mock_resource "google_cloud_run_v2_service" {
    defaults = { uri = "https://pixel-pipeline-x.a.run.app" }
  }
  mock_resource "google_compute_global_address" {
    defaults = { address = "203.0.113.10" }
  }
  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }
  override_resource {
    target = google_service_account.run
    values = { email = "run@example", member = "serviceAccount:run@example" }
  }
  override_resource {
    target = google_service_account.push
    values = { email = "push@example", member = "serviceAccount:push@example" }
  }
  override_resource {
    target = google_logging_project_sink.topic
    values = { writer_identity = "serviceAccount:sink@example" }
  }
  override_resource {
    target = google_logging_project_sink.archive
    values = { writer_identity = "serviceAccount:archive@example" }
  }
  override_resource {
    target = google_pubsub_topic.events
    values = { id = "projects/my-project/topics/pixel" }
  }
  override_resource {
    target = google_pubsub_topic.dead_letter
    values = { id = "projects/my-project/topics/pixel-dead-letter" }
  }
  override_resource {
    target = google_monitoring_dashboard.pipeline
    values = { id = "projects/123456789012/dashboards/pixel-pipeline" }
  }
}
mock_provider "time" {}
mock_provider "google-beta" {
  override_resource {
    target = google_project_service_identity.pubsub
    values = { member = "serviceAccount:agent@example" }
  }
}

variables {
  project_id = "my-project"
  image      = "us-docker.pkg.dev/other/images/pixel-pipeline:1.0"
  domain     = "track.example.com"
  archive    = true
}

run "every_reference_is_to_the_right_resource" {
  command = apply

  assert {
    condition = (
      google_pubsub_subscription.push.push_config[0].push_endpoint == "https://pixel-pipeline-x.a.run.app/" &&
      google_pubsub_subscription.push.push_config[0].oidc_token[0].audience == "https://pixel-pipeline-x.a.run.app" &&
      google_pubsub_subscription.push.push_config[0].oidc_token[0].service_account_email == "push@example"
    )
    error_message = "Pushes must go to the root of the service, signed for its URL by the account for pushes."
  }
  assert {
    condition     = google_pubsub_subscription.push.topic == "projects/my-project/topics/pixel" && google_pubsub_subscription.push.dead_letter_policy[0].dead_letter_topic == "projects/my-project/topics/pixel-dead-letter"
    error_message = "The subscription must read the topic, and forward dead letters to the dead-letter topic."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.push.member == "serviceAccount:push@example" && google_cloud_run_v2_service_iam_member.push.name == "pixel-pipeline"
    error_message = "The account for pushes must have permission to call the service."
  }
  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].service_account == "run@example" && google_bigquery_dataset_iam_member.run.member == "serviceAccount:run@example"
    error_message = "The service's account must have permission to write to the dataset."
  }
  assert {
    condition = (
      google_pubsub_topic_iam_member.agent.member == "serviceAccount:agent@example" && google_pubsub_topic_iam_member.agent.topic == "pixel-dead-letter" &&
      google_pubsub_topic_iam_member.agent.role == "roles/pubsub.publisher"
    )
    error_message = "Pub/Sub must have permission to publish to the dead-letter topic."
  }
  assert {
    condition = (
      google_pubsub_subscription_iam_member.agent.member == "serviceAccount:agent@example" && google_pubsub_subscription_iam_member.agent.subscription == "pixel-push" &&
      google_pubsub_subscription_iam_member.agent.role == "roles/pubsub.subscriber"
    )
    error_message = "Pub/Sub must have permission to acknowledge the messages that it moves."
  }
  assert {
    condition = (
      google_logging_project_sink.topic.destination == "pubsub.googleapis.com/projects/my-project/topics/pixel" &&
      google_pubsub_topic_iam_member.sink.member == "serviceAccount:sink@example" && google_pubsub_topic_iam_member.sink.topic == "pixel" &&
      google_pubsub_topic_iam_member.sink.role == "roles/pubsub.publisher"
    )
    error_message = "The sink must publish to the topic and have permission to."
  }
  assert {
    condition     = google_storage_bucket_iam_member.archive[0].member == "serviceAccount:archive@example" && google_storage_bucket_iam_member.archive[0].bucket == "my-project-pixel-archive"
    error_message = "The sink of the archive must have permission to create files."
  }
  assert {
    condition     = jsondecode(google_monitoring_dashboard.pipeline.dashboard_json).name == "projects/123456789012/dashboards/pixel-pipeline"
    error_message = "The dashboard must have the name that the API returns; otherwise every plan has a difference."
  }
  assert {
    condition = { dns = output.dns_records, pixel = output.pixel_url, topic = output.topic, dataset = output.dataset, dashboard = output.dashboard_url } == {
      dns       = ["track.example.com. A 203.0.113.10"]
      pixel     = "https://track.example.com/pixel.png"
      topic     = "projects/my-project/topics/pixel"
      dataset   = "my-project.parsed_pixel"
      dashboard = "https://console.cloud.google.com/monitoring/dashboards/builder/pixel-pipeline?project=my-project"
    }
    error_message = "An output is wrong."
  }
  assert {
    condition     = output.pixel_urls == ["https://track.example.com/pixel.png", "http://203.0.113.10/pixel.png"]
    error_message = "The URLs of the pixel are wrong: ${join(" ", output.pixel_urls)}"
  }
  assert {
    condition     = output.service_accounts == { run = "run@example", push = "push@example", build = null }
    error_message = "The output has other service accounts: ${jsonencode(output.service_accounts)}"
  }
  assert {
    condition     = output.writer_identities == { topic = "serviceAccount:sink@example", archive = "serviceAccount:archive@example" }
    error_message = "The output has other writer identities: ${jsonencode(output.writer_identities)}"
  }
  assert {
    condition     = output.subscriptions == { push = google_pubsub_subscription.push.id, dead_letter = google_pubsub_subscription.dead_letter.id }
    error_message = "The output has other subscriptions: ${jsonencode(output.subscriptions)}"
  }
  assert {
    condition     = output.buckets == { pixel = "my-project-pixel", archive = "my-project-pixel-archive" } && output.image == var.image
    error_message = "The output has other buckets or another image."
  }
}

run "optional_arguments_are_not_set" {
  command = apply

  assert {
    condition     = !coalesce(google_cloud_run_v2_service.pipeline.invoker_iam_disabled, false)
    error_message = "The IAM check of callers must not be disabled."
  }
  assert {
    condition     = coalesce(google_bigquery_dataset.events[0].default_table_expiration_ms, 0) == 0 && coalesce(google_bigquery_table.template.expiration_time, 0) == 0
    error_message = "Without table_expiration_days nothing may expire."
  }
  assert {
    condition     = coalesce(google_compute_backend_bucket.pixel.cdn_policy[0].max_ttl, 0) == 0
    error_message = "FORCE_CACHE_ALL does not allow max_ttl."
  }
}

run "without_a_domain_the_url_has_the_address" {
  command = apply

  variables {
    domain = ""
  }

  assert {
    condition     = output.pixel_url == "http://203.0.113.10/pixel.png" && output.dns_records == []
    error_message = "The URL does not have the address: ${output.pixel_url}"
  }
}
