# The pixel behind the load balancer of a website. The module creates bucket, backend bucket and log sink; the path rule sends
# the pixel's requests to the bucket. Requests must be logged, which is the default for a backend bucket.

terraform {
  required_version = ">= 1.11, < 2"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
  }
}

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
}

module "pixel" {
  source = "../.."

  project_id = var.project_id
  url_map    = "website"
}

# The URL map of the website, with one path rule more. `url_map` is its name, and not a reference: the rule refers to the
# module, and two references would be a cycle.
resource "google_compute_url_map" "website" {
  project         = var.project_id
  name            = "website"
  default_service = google_compute_backend_bucket.website.id

  host_rule {
    hosts        = ["www.example.com"]
    path_matcher = "website"
  }

  path_matcher {
    name            = "website"
    default_service = google_compute_backend_bucket.website.id

    path_rule {
      paths   = module.pixel.path_rule.paths
      service = module.pixel.path_rule.service
    }
  }
}

# Stands for the backend of the website.
resource "google_compute_backend_bucket" "website" {
  project     = var.project_id
  name        = "website"
  bucket_name = "${var.project_id}-website"
}

output "pixel_url" {
  description = "URL of the pixel."
  value       = "https://www.example.com${module.pixel.path_rule.paths[0]}"
}
