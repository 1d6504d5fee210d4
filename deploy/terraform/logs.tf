# The way of a log entry: to the topic, out of the _Default bucket, and into the archive if there is one.

resource "google_logging_project_sink" "topic" {
  project                = local.project
  name                   = var.pipeline
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.events.id}"
  filter                 = local.log_filter
  unique_writer_identity = true

  # A topic drops what it gets before its first subscription is there.
  depends_on = [google_pubsub_subscription.push]
}

resource "google_pubsub_topic_iam_member" "sink" {
  project = local.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = google_logging_project_sink.topic.writer_identity
}

# In spite of its name this is an exclusion of the _Default sink alone: the other sinks still see the entries.
resource "google_logging_project_exclusion" "default" {
  count = var.exclude_from_default ? 1 : 0

  project     = local.project
  name        = var.pipeline
  description = "The pixel's requests, which go to the topic ${var.pipeline}"
  filter      = local.log_filter

  # Never before the entries have another way, nor longer than they have.
  depends_on = [google_pubsub_topic_iam_member.sink]
}

# --- Archive

resource "google_storage_bucket" "archive" {
  count = var.archive ? 1 : 0

  project                     = local.project
  name                        = "${var.project_id}-${var.pipeline}-archive"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = var.delete_data
  labels                      = local.labels

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age = var.archive_days
    }
  }
}

resource "google_logging_project_sink" "archive" {
  count = var.archive ? 1 : 0

  project                = local.project
  name                   = "${var.pipeline}-archive"
  destination            = "storage.googleapis.com/${google_storage_bucket.archive[0].name}"
  filter                 = local.log_filter
  unique_writer_identity = true
}

resource "google_storage_bucket_iam_member" "archive" {
  count = var.archive ? 1 : 0

  bucket = google_storage_bucket.archive[0].name
  role   = "roles/storage.objectCreator"
  member = google_logging_project_sink.archive[0].writer_identity
}
