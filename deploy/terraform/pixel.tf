# The pixel: objects in a public bucket behind a load balancer with CDN.
#
# `ignore_changes = [description]`: a change of this description would replace the resource, and the address would be lost.

locals {
  pixel_hosts = concat(var.domain == "" ? [] : ["https://${var.domain}"], ["http://${google_compute_global_address.pixel.address}"])
  pixel_urls  = flatten([for host in local.pixel_hosts : [for path in local.pixel_paths : "${host}${path}"]])
}

resource "google_storage_bucket" "pixel" {
  project                     = local.project
  name                        = "${var.project_id}-${var.pipeline}"
  location                    = var.location
  uniform_bucket_level_access = true
  public_access_prevention    = "inherited"
  labels                      = local.labels
}

# Anyone can read an object by its name; nobody can list the objects.
resource "google_storage_bucket_iam_member" "pixel_public" {
  bucket = google_storage_bucket.pixel.name
  role   = "roles/storage.legacyObjectReader"
  member = "allUsers"
}

resource "google_storage_bucket_object" "pixel" {
  for_each = toset(local.pixel_paths)

  bucket        = google_storage_bucket.pixel.name
  name          = trimprefix(each.key, "/")
  source        = "${path.module}/../pixel.png"
  content_type  = "image/png"
  cache_control = "public, max-age=0"
}

# Google's edge caches every response, whatever the query. Browsers must not cache: the default of one hour would hide
# repeated views.
resource "google_compute_backend_bucket" "pixel" {
  project     = local.project
  name        = var.pipeline
  description = local.mark
  bucket_name = google_storage_bucket.pixel.name
  enable_cdn  = true

  cdn_policy {
    cache_mode  = "FORCE_CACHE_ALL"
    default_ttl = 86400
    client_ttl  = 0
  }
}

# The log filter selects entries by this name.
resource "google_compute_url_map" "pixel" {
  project         = local.project
  name            = var.pipeline
  description     = local.mark
  default_service = google_compute_backend_bucket.pixel.id
}

resource "google_compute_global_address" "pixel" {
  project     = local.project
  name        = var.pipeline
  ip_version  = "IPV4"
  description = local.mark
  labels      = local.labels

  lifecycle {
    ignore_changes = [description]
  }
}

resource "google_compute_target_http_proxy" "pixel" {
  project     = local.project
  name        = "${var.pipeline}-http"
  description = local.mark
  url_map     = google_compute_url_map.pixel.id

  lifecycle {
    ignore_changes = [description]
  }
}

resource "google_compute_global_forwarding_rule" "http" {
  project               = local.project
  name                  = "${var.pipeline}-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.pixel.id
  port_range            = "80"
  description           = local.mark
  labels                = local.labels
  target                = google_compute_target_http_proxy.pixel.id

  lifecycle {
    ignore_changes = [description]
  }

  # The rule is created after the sinks, so that the entries of the first requests reach the topic and the archive.
  depends_on = [google_pubsub_topic_iam_member.sink, google_storage_bucket_iam_member.archive]
}

# --- HTTPS, with a domain

resource "google_compute_managed_ssl_certificate" "pixel" {
  count = var.domain == "" ? 0 : 1

  project = local.project
  # A name must not end with -.
  name        = trimsuffix(substr("${var.pipeline}-${replace(var.domain, ".", "-")}", 0, 63), "-")
  description = local.mark

  managed {
    domains = [var.domain]
  }

  # After a change of domain, the proxy gets the new certificate before the old one is deleted.
  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_target_https_proxy" "pixel" {
  count = var.domain == "" ? 0 : 1

  project          = local.project
  name             = "${var.pipeline}-https"
  url_map          = google_compute_url_map.pixel.id
  ssl_certificates = [google_compute_managed_ssl_certificate.pixel[0].id]
  description      = local.mark

  lifecycle {
    ignore_changes = [description]
  }
}

resource "google_compute_global_forwarding_rule" "https" {
  count = var.domain == "" ? 0 : 1

  project               = local.project
  name                  = "${var.pipeline}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.pixel.id
  port_range            = "443"
  description           = local.mark
  labels                = local.labels
  target                = google_compute_target_https_proxy.pixel[0].id

  lifecycle {
    ignore_changes = [description]
  }

  depends_on = [google_pubsub_topic_iam_member.sink, google_storage_bucket_iam_member.archive]
}
