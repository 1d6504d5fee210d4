# Google's uptime checks: one for each host of the pixel, from the files of deploy/monitoring/uptime.

locals {
  # The hosts of an existing load balancer are not known here. The address is not known before it is created, so it is filled
  # in after the file is decoded. It has no certificate.
  uptime_hosts = local.has_https ? { for host in local.domains : host => host } : local.has_balancer ? { address = local.address } : {}
  uptime_check = jsondecode(templatefile("${local.monitoring}/uptime/${length(local.domains) == 0 ? "http" : "https"}.json", merge(
    local.monitoring_settings, { HOST = "@HOST@", PATH = local.pixel_paths[0] },
  )))
}

resource "google_monitoring_uptime_check_config" "pixel" {
  for_each = local.uptime_hosts

  project          = local.project
  display_name     = replace(local.uptime_check.displayName, "@HOST@", each.value)
  period           = local.uptime_check.period
  timeout          = local.uptime_check.timeout
  selected_regions = local.uptime_check.selectedRegions
  user_labels      = merge(local.labels, local.uptime_check.userLabels)

  monitored_resource {
    type   = local.uptime_check.monitoredResource.type
    labels = { for name, value in local.uptime_check.monitoredResource.labels : name => replace(value, "@HOST@", each.value) }
  }

  http_check {
    request_method = local.uptime_check.httpCheck.requestMethod
    path           = local.uptime_check.httpCheck.path
    port           = local.uptime_check.httpCheck.port
    use_ssl        = try(local.uptime_check.httpCheck.useSsl, null)
    validate_ssl   = try(local.uptime_check.httpCheck.validateSsl, null)

    dynamic "accepted_response_status_codes" {
      for_each = local.uptime_check.httpCheck.acceptedResponseStatusCodes
      content {
        status_value = accepted_response_status_codes.value.statusValue
      }
    }
  }
}
