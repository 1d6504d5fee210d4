# Log routing: a sink to the topic, an exclusion from the _Default bucket, and a sink to the archive.

resource "google_logging_project_sink" "topic" {
  project                = local.project
  name                   = var.pipeline
  description            = local.mark
  destination            = "pubsub.googleapis.com/${google_pubsub_topic.events.id}"
  filter                 = local.log_filter
  unique_writer_identity = true

  # A topic drops messages that arrive before its first subscription exists.
  depends_on = [google_pubsub_subscription.push]
}

resource "google_pubsub_topic_iam_member" "sink" {
  project = local.project
  topic   = google_pubsub_topic.events.name
  role    = "roles/pubsub.publisher"
  member  = google_logging_project_sink.topic.writer_identity
}

# This is an exclusion of the _Default sink only. The other sinks still receive the entries.
resource "google_logging_project_exclusion" "default" {
  count = var.exclude_from_default ? 1 : 0

  project     = local.project
  name        = var.pipeline
  description = local.mark
  filter      = local.log_filter

  # Created after the sink to the topic and destroyed before it, so that every entry is stored somewhere.
  depends_on = [google_pubsub_topic_iam_member.sink]
}

# --- Archive

resource "google_storage_bucket" "archive" {
  count = var.archive ? 1 : 0

  project                     = local.project
  name                        = "${var.project_id}-${var.pipeline}-archive"
  location                    = local.location
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
  description            = local.mark
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
