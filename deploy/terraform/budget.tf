# The budget of the project, from deploy/monitoring/budget.json: Google sends mails at 50 %, 90 % and 100 % of it. A budget belongs to the billing account, so it
# needs a role there, and user credentials need a quota project (`user_project_override` of the provider).

locals {
  budget = jsondecode(templatefile("${local.monitoring}/budget.json", merge(local.monitoring_settings, { BUDGET = coalesce(var.budget, 0) })))
}

resource "google_billing_budget" "project" {
  count = var.budget == null ? 0 : 1

  billing_account = data.google_project.pipeline.billing_account
  display_name    = local.budget.displayName

  budget_filter {
    projects = ["projects/${data.google_project.pipeline.number}"]
  }

  amount {
    specified_amount {
      units = local.budget.amount.specifiedAmount.units
    }
  }

  dynamic "threshold_rules" {
    for_each = local.budget.thresholdRules
    content {
      threshold_percent = threshold_rules.value.thresholdPercent
    }
  }

  # A budget takes at most five channels.
  dynamic "all_updates_rule" {
    for_each = length(local.notified_channels) == 0 ? [] : [local.notified_channels]
    content {
      monitoring_notification_channels = slice(all_updates_rule.value, 0, min(5, length(all_updates_rule.value)))
    }
  }

  depends_on = [time_sleep.apis]
}
