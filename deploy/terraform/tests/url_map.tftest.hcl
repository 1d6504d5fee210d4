# With url_map, an existing load balancer serves the pixel.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "there_is_no_load_balancer" {
  command = plan

  variables {
    url_map = "website"
  }

  assert {
    condition = 0 == sum([
      length(google_compute_url_map.pixel), length(google_compute_global_address.pixel), length(google_compute_target_http_proxy.pixel),
      length(google_compute_target_https_proxy.pixel), length(google_compute_global_forwarding_rule.http),
      length(google_compute_global_forwarding_rule.https), length(google_compute_managed_ssl_certificate.pixel),
    ])
    error_message = "There must be no load balancer."
  }
  assert {
    condition     = google_compute_backend_bucket.pixel.bucket_name == "my-project-pixel"
    error_message = "There must be a backend bucket for the path rule."
  }
  assert {
    condition     = strcontains(google_logging_project_sink.topic.filter, "resource.labels.url_map_name=\"website\" AND ")
    error_message = "The sink must select the entries of the existing load balancer: ${google_logging_project_sink.topic.filter}"
  }
  assert {
    condition     = google_logging_project_exclusion.default[0].filter == google_logging_project_sink.topic.filter
    error_message = "Exclusion and sink must have the same filter."
  }
  assert {
    condition     = output.address == null && output.dns_records == [] && output.pixel_urls == [] && output.pixel_url == null
    error_message = "The address belongs to the existing load balancer."
  }
  assert {
    condition     = output.path_rule.paths == tolist(["/pixel.png"])
    error_message = "The path rule must have the paths of the pixel."
  }
}

run "a_domain_is_rejected_with_a_url_map" {
  command = plan

  variables {
    url_map = "website"
    domain  = "www.example.com"
  }

  expect_failures = [terraform_data.valid_settings]
}
