# Each member of an alert's JSON becomes an argument of the resource, and an unknown member is rejected.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project" # of the root module, which is not tested here
  project    = "my-project"
  file       = "tests/every-kind.json"
  labels     = { pipeline = "pixel" }
  channels   = ["channel"]
}

run "every_kind_of_condition_is_converted" {
  command = plan
  module {
    source = "./alert"
  }
  variables {
    policy = file("tests/every-kind.json")
  }

  assert {
    condition = (
      google_monitoring_alert_policy.this.display_name == "every kind of condition" && google_monitoring_alert_policy.this.combiner == "OR" &&
      google_monitoring_alert_policy.this.severity == "WARNING" && !google_monitoring_alert_policy.this.enabled &&
      google_monitoring_alert_policy.this.user_labels == tomap({ own = "label", pipeline = "pixel" }) &&
      google_monitoring_alert_policy.this.notification_channels == tolist(["channel"])
    )
    error_message = "The fields of the policy differ from the file."
  }
  assert {
    condition = (
      google_monitoring_alert_policy.this.documentation[0].subject == "s" && google_monitoring_alert_policy.this.documentation[0].content == "c" &&
      google_monitoring_alert_policy.this.documentation[0].mime_type == "text/markdown" &&
      google_monitoring_alert_policy.this.documentation[0].links[0].display_name == "d" &&
      google_monitoring_alert_policy.this.documentation[0].links[0].url == "https://example.com"
    )
    error_message = "The documentation differs from the file."
  }
  assert {
    condition = (
      google_monitoring_alert_policy.this.alert_strategy[0].auto_close == "1800s" &&
      google_monitoring_alert_policy.this.alert_strategy[0].notification_prompts == tolist(["OPENED"]) &&
      google_monitoring_alert_policy.this.alert_strategy[0].notification_rate_limit[0].period == "300s"
    )
    error_message = "The alert strategy differs from the file."
  }
  assert {
    condition = (
      google_monitoring_alert_policy.this.conditions[0].display_name == "prometheus" &&
      google_monitoring_alert_policy.this.conditions[0].condition_prometheus_query_language[0] == {
        query = "q > 0", duration = "60s", evaluation_interval = "30s", labels = tomap({ a = "b" }), rule_group = "g", alert_rule = "R", disable_metric_validation = true
      }
    )
    error_message = "The PromQL condition differs from the file."
  }
  assert {
    condition = (
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].filter == "f" &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].denominator_filter == "d" &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].comparison == "COMPARISON_GT" &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].threshold_value == 0.5 &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].duration == "120s" &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].evaluation_missing_data == "EVALUATION_MISSING_DATA_INACTIVE" &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].trigger[0].count == 2 &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].forecast_options[0].forecast_horizon == "3600s" &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].aggregations[0] == {
        alignment_period = "60s", per_series_aligner = "ALIGN_RATE", cross_series_reducer = "REDUCE_SUM", group_by_fields = tolist(["resource.label.x"])
      } &&
      google_monitoring_alert_policy.this.conditions[1].condition_threshold[0].denominator_aggregations[0] == {
        alignment_period = "90s", per_series_aligner = "ALIGN_MAX", cross_series_reducer = "REDUCE_MAX", group_by_fields = tolist(["resource.label.y"])
      }
    )
    error_message = "The threshold condition differs from the file."
  }
  assert {
    condition = (
      google_monitoring_alert_policy.this.conditions[2].condition_absent[0].filter == "f" &&
      google_monitoring_alert_policy.this.conditions[2].condition_absent[0].duration == "3600s" &&
      google_monitoring_alert_policy.this.conditions[2].condition_absent[0].trigger[0].percent == 50 &&
      google_monitoring_alert_policy.this.conditions[2].condition_absent[0].aggregations[0] == {
        alignment_period = "60s", per_series_aligner = "ALIGN_COUNT", cross_series_reducer = "REDUCE_NONE", group_by_fields = tolist(["resource.label.z"])
      }
    )
    error_message = "The absence condition differs from the file."
  }
  assert {
    condition = google_monitoring_alert_policy.this.conditions[3].condition_matched_log[0] == {
      filter = "severity>=ERROR", label_extractors = tomap({ message = "EXTRACT(jsonPayload.message)" })
    }
    error_message = "The log match condition differs from the file."
  }
  assert {
    condition = [
      for condition in google_monitoring_alert_policy.this.conditions : [
        length(condition.condition_prometheus_query_language), length(condition.condition_threshold),
        length(condition.condition_absent), length(condition.condition_matched_log),
      ]
    ] == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    error_message = "Each condition must be of one kind."
  }
}

run "an_unknown_kind_of_condition_is_rejected" {
  command = plan
  module {
    source = "./alert"
  }
  variables {
    policy = "{\"displayName\": \"d\", \"combiner\": \"OR\", \"conditions\": [{\"displayName\": \"c\", \"conditionMonitoringQueryLanguage\": {\"query\": \"q\"}}]}"
  }
  expect_failures = [google_monitoring_alert_policy.this]
}

run "a_misspelled_member_of_a_condition_is_rejected" {
  command = plan
  module {
    source = "./alert"
  }
  variables {
    policy = "{\"displayName\": \"d\", \"combiner\": \"OR\", \"conditions\": [{\"displayName\": \"c\", \"conditionPrometheusQueryLanguage\": {\"query\": \"q\", \"durations\": \"60s\"}}]}"
  }
  expect_failures = [google_monitoring_alert_policy.this]
}

run "an_unknown_member_of_the_policy_is_rejected" {
  command = plan
  module {
    source = "./alert"
  }
  variables {
    policy = "{\"displayName\": \"d\", \"combiner\": \"OR\", \"notificationChannels\": [\"x\"], \"conditions\": [{\"displayName\": \"c\", \"conditionPrometheusQueryLanguage\": {\"query\": \"q\"}}]}"
  }
  expect_failures = [google_monitoring_alert_policy.this]
}
