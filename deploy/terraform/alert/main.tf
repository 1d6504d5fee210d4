# One alert policy, from the JSON of `gcloud monitoring policies create --policy-from-file`. The provider needs blocks, so
# each member of the JSON is converted, for the four kinds of condition that are listed below.

terraform {
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
  }
}

variable "project" {
  description = "Project of the policy."
  type        = string
}

variable "file" {
  description = "File of the policy, for error messages."
  type        = string
}

variable "policy" {
  description = "JSON of a google.monitoring.v3.AlertPolicy."
  type        = string
}

variable "pixel_hosts" {
  description = "Hosts of the pixel in quotes, in place of @PIXEL_HOSTS@ in the filter of a threshold. They may be unknown in a plan."
  type        = string
  default     = ""
}

variable "labels" {
  description = "Labels that are added to the policy's own."
  type        = map(string)
  default     = {}
}

variable "channels" {
  description = "Notification channels."
  type        = list(string)
  default     = []
}

locals {
  policy = jsondecode(var.policy)

  # An unknown member is an error; without this list it would be ignored.
  known = {
    policy    = ["alertStrategy", "combiner", "conditions", "displayName", "documentation", "enabled", "severity", "userLabels"]
    strategy  = ["autoClose", "notificationPrompts", "notificationRateLimit"]
    condition = ["displayName", "conditionAbsent", "conditionMatchedLog", "conditionPrometheusQueryLanguage", "conditionThreshold"]
    kind = {
      conditionAbsent     = ["aggregations", "duration", "filter", "trigger"]
      conditionMatchedLog = ["filter", "labelExtractors"]
      conditionPrometheusQueryLanguage = [
        "alertRule", "disableMetricValidation", "duration", "evaluationInterval", "labels", "query", "ruleGroup",
      ]
      conditionThreshold = [
        "aggregations", "comparison", "denominatorAggregations", "denominatorFilter", "duration", "evaluationMissingData",
        "filter", "forecastOptions", "thresholdValue", "trigger",
      ]
    }
  }
  unknown = distinct(concat(
    tolist(setsubtract(keys(local.policy), local.known.policy)),
    tolist(setsubtract(keys(try(local.policy.alertStrategy, {})), local.known.strategy)),
    flatten([for condition in local.policy.conditions : tolist(setsubtract(keys(condition), local.known.condition))]),
    flatten([
      for condition in local.policy.conditions : [
        for kind, members in local.known.kind : tolist(setsubtract(keys(condition[kind]), members)) if can(condition[kind])
      ]
    ]),
  ))
}

resource "google_monitoring_alert_policy" "this" {
  project               = var.project
  display_name          = local.policy.displayName
  combiner              = local.policy.combiner
  enabled               = try(local.policy.enabled, true)
  severity              = try(local.policy.severity, null)
  notification_channels = var.channels
  user_labels           = merge(try(local.policy.userLabels, {}), var.labels)

  dynamic "documentation" {
    for_each = try([local.policy.documentation], [])
    content {
      content   = try(documentation.value.content, null)
      mime_type = try(documentation.value.mimeType, null)
      subject   = try(documentation.value.subject, null)

      dynamic "links" {
        for_each = try(documentation.value.links, [])
        content {
          display_name = try(links.value.displayName, null)
          url          = try(links.value.url, null)
        }
      }
    }
  }

  dynamic "alert_strategy" {
    for_each = try([local.policy.alertStrategy], [])
    content {
      auto_close           = try(alert_strategy.value.autoClose, null)
      notification_prompts = try(alert_strategy.value.notificationPrompts, null)

      dynamic "notification_rate_limit" {
        for_each = try([alert_strategy.value.notificationRateLimit], [])
        content {
          period = notification_rate_limit.value.period
        }
      }
    }
  }

  dynamic "conditions" {
    for_each = local.policy.conditions
    content {
      display_name = conditions.value.displayName

      dynamic "condition_prometheus_query_language" {
        for_each = try([conditions.value.conditionPrometheusQueryLanguage], [])
        iterator = kind
        content {
          query                     = kind.value.query
          duration                  = try(kind.value.duration, null)
          evaluation_interval       = try(kind.value.evaluationInterval, null)
          labels                    = try(kind.value.labels, null)
          rule_group                = try(kind.value.ruleGroup, null)
          alert_rule                = try(kind.value.alertRule, null)
          disable_metric_validation = try(kind.value.disableMetricValidation, null)
        }
      }

      dynamic "condition_matched_log" {
        for_each = try([conditions.value.conditionMatchedLog], [])
        iterator = kind
        content {
          filter           = kind.value.filter
          label_extractors = try(kind.value.labelExtractors, null)
        }
      }

      dynamic "condition_absent" {
        for_each = try([conditions.value.conditionAbsent], [])
        iterator = kind
        content {
          filter   = kind.value.filter
          duration = kind.value.duration

          dynamic "aggregations" {
            for_each = try(kind.value.aggregations, [])
            content {
              alignment_period     = try(aggregations.value.alignmentPeriod, null)
              per_series_aligner   = try(aggregations.value.perSeriesAligner, null)
              cross_series_reducer = try(aggregations.value.crossSeriesReducer, null)
              group_by_fields      = try(aggregations.value.groupByFields, null)
            }
          }
          dynamic "trigger" {
            for_each = try([kind.value.trigger], [])
            content {
              count   = try(trigger.value.count, null)
              percent = try(trigger.value.percent, null)
            }
          }
        }
      }

      dynamic "condition_threshold" {
        for_each = try([conditions.value.conditionThreshold], [])
        iterator = kind
        content {
          filter                  = strcontains(kind.value.filter, "@PIXEL_HOSTS@") ? replace(kind.value.filter, "@PIXEL_HOSTS@", var.pixel_hosts) : kind.value.filter
          denominator_filter      = try(kind.value.denominatorFilter, null)
          comparison              = kind.value.comparison
          threshold_value         = try(kind.value.thresholdValue, 0)
          duration                = try(kind.value.duration, "0s")
          evaluation_missing_data = try(kind.value.evaluationMissingData, null)

          dynamic "aggregations" {
            for_each = try(kind.value.aggregations, [])
            content {
              alignment_period     = try(aggregations.value.alignmentPeriod, null)
              per_series_aligner   = try(aggregations.value.perSeriesAligner, null)
              cross_series_reducer = try(aggregations.value.crossSeriesReducer, null)
              group_by_fields      = try(aggregations.value.groupByFields, null)
            }
          }
          dynamic "denominator_aggregations" {
            for_each = try(kind.value.denominatorAggregations, [])
            content {
              alignment_period     = try(denominator_aggregations.value.alignmentPeriod, null)
              per_series_aligner   = try(denominator_aggregations.value.perSeriesAligner, null)
              cross_series_reducer = try(denominator_aggregations.value.crossSeriesReducer, null)
              group_by_fields      = try(denominator_aggregations.value.groupByFields, null)
            }
          }
          dynamic "forecast_options" {
            for_each = try([kind.value.forecastOptions], [])
            content {
              forecast_horizon = forecast_options.value.forecastHorizon
            }
          }
          dynamic "trigger" {
            for_each = try([kind.value.trigger], [])
            content {
              count   = try(trigger.value.count, null)
              percent = try(trigger.value.percent, null)
            }
          }
        }
      }
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.unknown) == 0
      error_message = "${var.file} has unknown members: ${join(", ", local.unknown)}. Remove them, or add them to deploy/terraform/alert/main.tf."
    }
  }
}
