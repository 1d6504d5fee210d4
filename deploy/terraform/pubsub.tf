# Topic, push subscription, and the dead-letter topic for messages that were not acknowledged in 100 attempts.

resource "google_pubsub_topic" "events" {
  project = local.project
  name    = var.pipeline
  labels  = local.labels

  message_storage_policy {
    allowed_persistence_regions = local.storage_regions
  }
}

resource "google_pubsub_topic" "dead_letter" {
  project = local.project
  name    = "${var.pipeline}-dead-letter"
  labels  = local.labels

  message_storage_policy {
    allowed_persistence_regions = local.storage_regions
  }
}

resource "google_pubsub_subscription" "dead_letter" {
  project                    = local.project
  name                       = "${var.pipeline}-dead-letter"
  topic                      = google_pubsub_topic.dead_letter.id
  message_retention_duration = "604800s"
  labels                     = local.labels

  expiration_policy {
    ttl = "" # never
  }
}

resource "google_pubsub_subscription" "push" {
  project                    = local.project
  name                       = "${var.pipeline}-push"
  topic                      = google_pubsub_topic.events.id
  ack_deadline_seconds       = 60
  message_retention_duration = "604800s"
  labels                     = local.labels

  push_config {
    push_endpoint = "${google_cloud_run_v2_service.pipeline.uri}/"

    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloud_run_v2_service.pipeline.uri
    }
  }

  expiration_policy {
    ttl = "" # never
  }

  # A new table answers 404 for minutes, and its messages are retried until then. With five attempts, the default, they
  # would become dead letters.
  retry_policy {
    minimum_backoff = "10s"
    maximum_backoff = "600s"
  }
  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letter.id
    max_delivery_attempts = 100
  }

  # The subscription pushes as soon as it exists, and each failed push counts as an attempt.
  depends_on = [
    google_bigquery_table.dead_letters,
    google_bigquery_table.template,
    google_cloud_run_v2_service_iam_member.push,
    google_pubsub_topic_iam_member.agent,
  ]
}

# Pub/Sub moves messages to the dead-letter topic with a service agent of the project.
resource "google_project_service_identity" "pubsub" {
  provider = google-beta

  project = local.project
  service = "pubsub.googleapis.com"
}

resource "google_pubsub_topic_iam_member" "agent" {
  project = local.project
  topic   = google_pubsub_topic.dead_letter.name
  role    = "roles/pubsub.publisher"
  member  = google_project_service_identity.pubsub.member
}

resource "google_pubsub_subscription_iam_member" "agent" {
  project      = local.project
  subscription = google_pubsub_subscription.push.name
  role         = "roles/pubsub.subscriber"
  member       = google_project_service_identity.pubsub.member
}
