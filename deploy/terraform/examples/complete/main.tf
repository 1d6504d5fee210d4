# The module with every optional part. The state is in a bucket, so that more than one person can apply it: create the
# bucket first, with versioning, as the README of the module says.

terraform {
  required_version = ">= 1.11, < 2"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
  }

  backend "gcs" {
    prefix = "pixel"
  }
}

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "alert_email" {
  description = "Address that receives the alerts."
  type        = string
  default     = "ops@example.com"
}

module "pixel" {
  source = "../.."

  project_id = var.project_id
  region     = "europe-west1"
  location   = "EU"
  labels     = { team = "newsletter" }

  image         = "ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0"
  min_instances = 1
  domain        = "track.example.com"
  pixel_path    = "/pixel.png,/open.png"

  table_expiration_days = 400
  archive               = true
  archive_days          = 30
  ip_anonymization      = "truncate"

  alert_email = var.alert_email
}

output "dns_records" {
  description = "DNS records to create."
  value       = module.pixel.dns_records
}

output "pixel_urls" {
  description = "URLs of the pixel."
  value       = module.pixel.pixel_urls
}

# Another account reads the events.
resource "google_bigquery_dataset_iam_member" "analysts" {
  project    = var.project_id
  dataset_id = split(".", module.pixel.dataset)[1]
  role       = "roles/bigquery.dataViewer"
  member     = "user:${var.alert_email}"
}
