# The load balancer in front of the bucket, for HTTP. With url_map, an existing load balancer serves the pixel, and none of
# these resources exists.
#
# `ignore_changes = [description]`: a change of this description would replace the resource, and the address would be lost.

locals {
  has_balancer = var.url_map == ""
  url_map      = local.has_balancer ? var.pipeline : var.url_map
  address      = one(google_compute_global_address.pixel[*].address)

  pixel_hosts = concat([for host in local.domains : "https://${host}"], local.has_balancer ? ["http://${local.address}"] : [])
  pixel_urls  = flatten([for host in local.pixel_hosts : [for path in local.pixel_paths : "${host}${path}"]])
}

# The log filter selects entries by this name.
resource "google_compute_url_map" "pixel" {
  count = local.has_balancer ? 1 : 0

  project         = local.project
  name            = var.pipeline
  description     = local.mark
  default_service = google_compute_backend_bucket.pixel.id
}

resource "google_compute_global_address" "pixel" {
  count = local.has_balancer ? 1 : 0

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
  count = local.has_balancer ? 1 : 0

  project     = local.project
  name        = "${var.pipeline}-http"
  description = local.mark
  url_map     = google_compute_url_map.pixel[0].id

  lifecycle {
    ignore_changes = [description]
  }
}

resource "google_compute_global_forwarding_rule" "http" {
  count = local.has_balancer ? 1 : 0

  project               = local.project
  name                  = "${var.pipeline}-http"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.pixel[0].id
  port_range            = "80"
  description           = local.mark
  labels                = local.labels
  target                = google_compute_target_http_proxy.pixel[0].id

  lifecycle {
    ignore_changes = [description]
  }

  # The rule is created after the sinks, so that the entries of the first requests reach the topic and the archive.
  depends_on = [google_pubsub_topic_iam_member.sink, google_storage_bucket_iam_member.archive]
}
