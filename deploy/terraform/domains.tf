# HTTPS of the load balancer: a certificate for each host of domain. With url_map there is none: an existing load balancer has
# its own certificates.

locals {
  domains   = local.has_balancer ? [for host in split(",", var.domain) : trimspace(host) if trimspace(host) != ""] : []
  has_https = length(local.domains) > 0
  # A name has at most 63 characters and does not end with -. A host with - gets another name than one with . there.
  certificates = { for host in local.domains : host => replace(substr("${var.pipeline}-${replace(replace(host, "-", "--"), ".", "-")}", 0, 63), "/-+$/", "") }
}

resource "google_compute_managed_ssl_certificate" "pixel" {
  for_each = local.certificates

  project     = local.project
  name        = each.value
  description = local.mark

  managed {
    domains = [each.key]
  }

  # The proxy stops using a certificate before the certificate is deleted.
  lifecycle {
    create_before_destroy = true

    precondition {
      condition     = length(distinct(values(local.certificates))) == length(local.domains)
      error_message = "domain: the certificate ${each.value} would be that of two hosts, because a host is too long. Remove one of them."
    }
  }
}

resource "google_compute_target_https_proxy" "pixel" {
  count = local.has_https ? 1 : 0

  project          = local.project
  name             = "${var.pipeline}-https"
  url_map          = google_compute_url_map.pixel[0].id
  ssl_certificates = [for host in local.domains : google_compute_managed_ssl_certificate.pixel[host].id]
  description      = local.mark

  lifecycle {
    ignore_changes = [description]
  }
}

resource "google_compute_global_forwarding_rule" "https" {
  count = local.has_https ? 1 : 0

  project               = local.project
  name                  = "${var.pipeline}-https"
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.pixel[0].id
  port_range            = "443"
  description           = local.mark
  labels                = local.labels
  target                = google_compute_target_https_proxy.pixel[0].id

  lifecycle {
    ignore_changes = [description]
  }

  depends_on = [google_pubsub_topic_iam_member.sink, google_storage_bucket_iam_member.archive]
}
