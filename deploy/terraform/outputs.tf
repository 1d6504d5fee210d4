# Outputs: addresses and names that are known after an apply.

# --- Pixel

output "address" {
  description = "IP address of the load balancer. Null with url_map."
  value       = local.address
}

output "dns_records" {
  description = "The DNS records to create, one for each host of domain. Google issues a certificate within an hour after its record exists. Empty without domain."
  value       = [for host in local.domains : "${host}. A ${local.address}"]
}

output "backend_bucket" {
  description = "Backend bucket of the pixel, as projects/PROJECT/global/backendBuckets/NAME. With url_map, the existing URL map needs a path rule for it."
  value       = google_compute_backend_bucket.pixel.id
}

output "path_rule" {
  description = "With url_map: the path rule that the existing URL map needs, as in google_compute_url_map. Otherwise null."
  value       = local.has_balancer ? null : { paths = local.pixel_paths, service = google_compute_backend_bucket.pixel.id }

  # Requests reach the bucket after the sinks exist.
  depends_on = [google_pubsub_topic_iam_member.sink, google_storage_bucket_iam_member.archive]
}

output "pixel_url" {
  description = "URL of the pixel, to which the parameters are added: the first of pixel_urls. Null with url_map."
  value       = try(local.pixel_urls[0], null)
}

output "pixel_urls" {
  description = "All URLs of the pixel, those with https first. Empty with url_map: the hosts are those of the existing load balancer."
  value       = local.pixel_urls
}

# --- From the log entries to BigQuery

output "log_filter" {
  description = "Filter of the pixel's log entries, which the sinks have."
  value       = local.log_filter
}

output "writer_identities" {
  description = "Accounts that Cloud Logging writes with: of the sink to the topic, and of the sink to the archive (null without an archive)."
  value = {
    topic   = google_logging_project_sink.topic.writer_identity
    archive = one(google_logging_project_sink.archive[*].writer_identity)
  }
}

output "topic" {
  description = "Topic of the log entries, as projects/PROJECT/topics/NAME."
  value       = google_pubsub_topic.events.id
}

output "dead_letter_topic" {
  description = "Topic of the messages that were not acknowledged, as projects/PROJECT/topics/NAME."
  value       = google_pubsub_topic.dead_letter.id
}

output "subscriptions" {
  description = "Subscriptions, as projects/PROJECT/subscriptions/NAME: the one that pushes to the service, and the one that keeps dead letters."
  value = {
    push        = google_pubsub_subscription.push.id
    dead_letter = google_pubsub_subscription.dead_letter.id
  }
}

output "service_url" {
  description = "URL of the Cloud Run service, which only Pub/Sub may call."
  value       = google_cloud_run_v2_service.pipeline.uri
}

output "service_accounts" {
  description = "Email addresses of the service accounts: of the service, of pushes, and of the build of the image (null with image)."
  value = {
    run   = google_service_account.run.email
    push  = google_service_account.push.email
    build = one(google_service_account.build[*].email)
  }
}

output "image" {
  description = "Image that the service runs."
  value       = local.image
}

# --- Data

output "dataset" {
  description = "Dataset of the events, as PROJECT.DATASET."
  value       = "${var.project_id}.${local.dataset}"
}

output "buckets" {
  description = "Buckets: of the pixel, and of the archive (null without an archive)."
  value = {
    pixel   = google_storage_bucket.pixel.name
    archive = one(google_storage_bucket.archive[*].name)
  }
}

output "dashboard_url" {
  description = "The dashboard in the console."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.pipeline.id)}?project=${var.project_id}"
}
