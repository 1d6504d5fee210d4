# What is only known once it is there: addresses, accounts, ids. "Applied" to mocks, with a given image so
# that nothing is built.

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

run "everything_leads_where_it_should" {
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
    error_message = "The subscription must read the topic, and give up to the dead-letter topic."
  }
  assert {
    condition     = google_cloud_run_v2_service_iam_member.push.member == "serviceAccount:push@example" && google_cloud_run_v2_service_iam_member.push.name == "pixel-pipeline"
    error_message = "The account for pushes must be the one that may call the service."
  }
  assert {
    condition     = google_cloud_run_v2_service.pipeline.template[0].service_account == "run@example" && google_bigquery_dataset_iam_member.run.member == "serviceAccount:run@example"
    error_message = "The service's account must be the one that may write to the dataset."
  }
  assert {
    condition = (
      google_pubsub_topic_iam_member.agent.member == "serviceAccount:agent@example" && google_pubsub_topic_iam_member.agent.topic == "pixel-dead-letter" &&
      google_pubsub_topic_iam_member.agent.role == "roles/pubsub.publisher"
    )
    error_message = "Pub/Sub must be allowed to publish to the dead-letter topic."
  }
  assert {
    condition = (
      google_pubsub_subscription_iam_member.agent.member == "serviceAccount:agent@example" && google_pubsub_subscription_iam_member.agent.subscription == "pixel-push" &&
      google_pubsub_subscription_iam_member.agent.role == "roles/pubsub.subscriber"
    )
    error_message = "Pub/Sub must be allowed to acknowledge what it moves to the dead letters."
  }
  assert {
    condition = (
      google_logging_project_sink.topic.destination == "pubsub.googleapis.com/projects/my-project/topics/pixel" &&
      google_pubsub_topic_iam_member.sink.member == "serviceAccount:sink@example" && google_pubsub_topic_iam_member.sink.topic == "pixel" &&
      google_pubsub_topic_iam_member.sink.role == "roles/pubsub.publisher"
    )
    error_message = "The sink must publish to the topic, and be allowed to."
  }
  assert {
    condition     = google_storage_bucket_iam_member.archive[0].member == "serviceAccount:archive@example" && google_storage_bucket_iam_member.archive[0].bucket == "my-project-pixel-archive"
    error_message = "The archive's sink must be allowed to write files."
  }
  assert {
    condition     = jsondecode(google_monitoring_dashboard.pipeline.dashboard_json).name == "projects/123456789012/dashboards/pixel-pipeline"
    error_message = "The dashboard's name must be as the API returns it, or every plan differs."
  }
  assert {
    condition = { dns = output.dns_record, pixel = output.pixel_url, topic = output.topic, dataset = output.dataset, dashboard = output.dashboard_url } == {
      dns       = "track.example.com. A 203.0.113.10"
      pixel     = "https://track.example.com/pixel.png"
      topic     = "projects/my-project/topics/pixel"
      dataset   = "my-project.parsed_pixel"
      dashboard = "https://console.cloud.google.com/monitoring/dashboards/builder/pixel-pipeline?project=my-project"
    }
    error_message = "An output is wrong."
  }
}

run "what_is_not_set_is_not_set" {
  command = apply

  assert {
    condition     = !coalesce(google_cloud_run_v2_service.pipeline.invoker_iam_disabled, false)
    error_message = "The check of who calls the service must not be off."
  }
  assert {
    condition     = coalesce(google_bigquery_dataset.events.default_table_expiration_ms, 0) == 0 && coalesce(google_bigquery_table.template.expiration_time, 0) == 0
    error_message = "Without table_expiration_days nothing may expire."
  }
  assert {
    condition     = coalesce(google_compute_backend_bucket.pixel.cdn_policy[0].max_ttl, 0) == 0
    error_message = "FORCE_CACHE_ALL takes no max_ttl."
  }
}

run "without_a_domain_the_pixel_is_at_the_address" {
  command = apply

  variables {
    domain = ""
  }

  assert {
    condition     = output.pixel_url == "http://203.0.113.10/pixel.png" && output.dns_record == null
    error_message = "Not the URL by address: ${output.pixel_url}"
  }
}
