# Outputs: addresses and names that are known after an apply.

output "address" {
  description = "IP address of the load balancer."
  value       = google_compute_global_address.pixel.address
}

output "dns_record" {
  description = "The DNS record to create for domain. Google issues the certificate within an hour after the record exists. Null without a domain."
  value       = var.domain == "" ? null : "${var.domain}. A ${google_compute_global_address.pixel.address}"
}

output "pixel_url" {
  description = "URL of the pixel, to which the parameters are added."
  value       = "${var.domain == "" ? "http://${google_compute_global_address.pixel.address}" : "https://${var.domain}"}${local.pixel_paths[0]}"
}

output "service_url" {
  description = "URL of the Cloud Run service, which only Pub/Sub may call."
  value       = google_cloud_run_v2_service.pipeline.uri
}

output "topic" {
  description = "Topic of the log entries, as projects/PROJECT/topics/NAME."
  value       = google_pubsub_topic.events.id
}

output "dataset" {
  description = "Dataset of the events, as PROJECT.DATASET."
  value       = "${var.project_id}.${google_bigquery_dataset.events.dataset_id}"
}

output "dashboard_url" {
  description = "The dashboard in the console."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${basename(google_monitoring_dashboard.pipeline.id)}?project=${var.project_id}"
}
