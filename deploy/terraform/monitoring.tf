# Log-based metrics, dashboard and alerts, from the files of deploy/monitoring. A file that is added there becomes a
# resource. A file with an unknown member is rejected.

locals {
  monitoring = "${path.module}/../monitoring"
  monitoring_settings = {
    PIPELINE          = var.pipeline
    PROJECT_ID        = var.project_id
    REGION            = var.region
    DATASET           = var.dataset
    DEAD_LETTER_TABLE = var.dead_letter_table
  }
  # An alert on something that this pipeline does not have is left out.
  alerts = setsubtract([for file in fileset("${local.monitoring}/alerts", "*.json") : trimsuffix(file, ".json")], concat(
    var.no_events_after == "off" ? ["no-events"] : [],
    length(local.domains) == 0 ? ["certificate"] : [],
    local.has_balancer ? [] : ["pixel-down"],
  ))
  alert_settings = merge(local.monitoring_settings, {
    NO_EVENTS_AFTER    = var.no_events_after
    PIXEL_HOST_PATTERN = join("|", [for host in local.domains : replace(host, ".", "[.]")])
    PIXEL_HOST_COUNT   = length(local.domains)
    # Filled in by the module.
    PIXEL_HOSTS = "@PIXEL_HOSTS@"
  })
  alert_addresses = toset([for address in split(",", var.alert_email) : trimspace(address) if trimspace(address) != ""])
  notified_channels = concat(
    [for channel in google_monitoring_notification_channel.email : channel.id],
    [for channel in split(",", var.alert_channels) : trimspace(channel) if trimspace(channel) != ""],
  )
  metrics = {
    for file in fileset("${local.monitoring}/metrics", "*.json") :
    trimsuffix(file, ".json") => jsondecode(templatefile("${local.monitoring}/metrics/${file}", local.monitoring_settings))
  }
}

resource "google_logging_metric" "pipeline" {
  for_each = local.metrics

  project          = local.project
  name             = each.value.name
  description      = try(each.value.description, null)
  filter           = each.value.filter
  disabled         = try(each.value.disabled, null)
  label_extractors = try(each.value.labelExtractors, null)
  value_extractor  = try(each.value.valueExtractor, null)

  dynamic "metric_descriptor" {
    for_each = try([each.value.metricDescriptor], [])
    content {
      metric_kind  = metric_descriptor.value.metricKind
      value_type   = metric_descriptor.value.valueType
      unit         = try(metric_descriptor.value.unit, null)
      display_name = try(metric_descriptor.value.displayName, null)

      dynamic "labels" {
        for_each = try(metric_descriptor.value.labels, [])
        content {
          key         = labels.value.key
          value_type  = try(labels.value.valueType, null)
          description = try(labels.value.description, null)
        }
      }
    }
  }

  dynamic "bucket_options" {
    for_each = try([each.value.bucketOptions], [])
    content {
      dynamic "exponential_buckets" {
        for_each = try([bucket_options.value.exponentialBuckets], [])
        content {
          growth_factor      = exponential_buckets.value.growthFactor
          num_finite_buckets = exponential_buckets.value.numFiniteBuckets
          scale              = exponential_buckets.value.scale
        }
      }
      dynamic "linear_buckets" {
        for_each = try([bucket_options.value.linearBuckets], [])
        content {
          num_finite_buckets = linear_buckets.value.numFiniteBuckets
          offset             = linear_buckets.value.offset
          width              = linear_buckets.value.width
        }
      }
      dynamic "explicit_buckets" {
        for_each = try([bucket_options.value.explicitBuckets], [])
        content {
          bounds = explicit_buckets.value.bounds
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition = length(setsubtract(keys(each.value), [
        "bucketOptions", "description", "disabled", "filter", "labelExtractors", "metricDescriptor", "name", "valueExtractor",
      ])) == 0
      error_message = "deploy/monitoring/metrics/${each.key}.json has an unknown member; its members are ${join(", ", keys(each.value))}. Add the member to deploy/terraform/monitoring.tf."
    }
  }
}

# Cloud Monitoring returns a dashboard's name with the project's number. By its id, every plan would differ.
data "google_project" "pipeline" {
  project_id = var.project_id
}

resource "google_monitoring_dashboard" "pipeline" {
  project = local.project
  dashboard_json = jsonencode(merge(
    jsondecode(templatefile("${local.monitoring}/dashboard.json", local.monitoring_settings)),
    { name = "projects/${data.google_project.pipeline.number}/dashboards/${var.pipeline}-pipeline" },
  ))
}

resource "google_monitoring_notification_channel" "email" {
  for_each = local.alert_addresses

  project      = local.project
  display_name = "${var.pipeline}: ${each.key}"
  type         = "email"
  labels       = { email_address = each.key }
  user_labels  = local.labels
}

module "alert" {
  source   = "./alert"
  for_each = local.alerts

  project     = local.project
  file        = "deploy/monitoring/alerts/${each.key}.json"
  policy      = templatefile("${local.monitoring}/alerts/${each.key}.json", local.alert_settings)
  pixel_hosts = join(",", [for host in local.has_https ? local.domains : values(local.uptime_hosts) : "\"${host}\""])
  labels      = local.labels
  channels    = local.notified_channels

  # The API rejects an alert whose metric or objective does not exist.
  depends_on = [google_logging_metric.pipeline, google_monitoring_slo.stored]
}
