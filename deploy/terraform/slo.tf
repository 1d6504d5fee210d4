# The service level objective in Cloud Monitoring, from the files of deploy/monitoring/slo.

locals {
  slo_service = jsondecode(templatefile("${local.monitoring}/slo/service.json", local.monitoring_settings))
  objective   = jsondecode(templatefile("${local.monitoring}/slo/objective.json", local.monitoring_settings))
}

resource "google_monitoring_custom_service" "pipeline" {
  project      = local.project
  service_id   = "${var.pipeline}-pipeline"
  display_name = local.slo_service.displayName
  user_labels  = merge(local.labels, local.slo_service.userLabels)
}

resource "google_monitoring_slo" "stored" {
  project             = local.project
  service             = google_monitoring_custom_service.pipeline.service_id
  slo_id              = "stored"
  display_name        = local.objective.displayName
  goal                = local.objective.goal
  rolling_period_days = tonumber(trimsuffix(local.objective.rollingPeriod, "s")) / 86400
  user_labels         = merge(local.labels, local.objective.userLabels)

  request_based_sli {
    good_total_ratio {
      good_service_filter  = local.objective.serviceLevelIndicator.requestBased.goodTotalRatio.goodServiceFilter
      total_service_filter = local.objective.serviceLevelIndicator.requestBased.goodTotalRatio.totalServiceFilter
    }
  }
}
