# With share_dataset, the module creates its tables and views in a dataset that others use, too.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id    = "my-project"
  share_dataset = true
  dataset       = "shared"
  table_name    = "visits"
}

run "the_dataset_is_not_in_the_state" {
  command = plan

  assert {
    condition     = length(google_bigquery_dataset.events) == 0 && google_bigquery_table.template.dataset_id == "shared" && google_bigquery_dataset_iam_member.run.dataset_id == "shared"
    error_message = "The module must use the dataset and not create or delete it."
  }
  assert {
    condition     = output.dataset == "my-project.shared"
    error_message = "The output has another dataset: ${output.dataset}"
  }
}

run "the_views_have_the_name_of_the_table" {
  command = plan

  assert {
    condition     = google_bigquery_table.view_events[0].table_id == "events_visits" && google_bigquery_table.view_events_daily[0].table_id == "events_daily_visits"
    error_message = "Two pipelines of one dataset must have different views."
  }
  assert {
    condition     = strcontains(google_bigquery_table.view_events_daily[0].view[0].query, "`my-project.shared.events_visits`")
    error_message = "The view events_daily_visits must read the view events_visits."
  }
}
