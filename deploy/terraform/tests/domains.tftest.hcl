# HTTPS: a certificate for each domain.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "without_a_domain_there_is_only_http" {
  command = plan

  assert {
    condition = (
      length(google_compute_managed_ssl_certificate.pixel) == 0 && length(google_compute_target_https_proxy.pixel) == 0 &&
      length(google_compute_global_forwarding_rule.https) == 0
    )
    error_message = "There must be no certificate."
  }
  assert {
    condition     = output.dns_records == []
    error_message = "There must be no DNS record."
  }
}

run "a_domain_adds_https" {
  command = plan

  variables {
    domain = "track.example.com"
  }

  assert {
    condition = (
      google_compute_managed_ssl_certificate.pixel["track.example.com"].name == "pixel-track-example-com" &&
      google_compute_managed_ssl_certificate.pixel["track.example.com"].managed[0].domains == tolist(["track.example.com"])
    )
    error_message = "The certificate must be for the domain."
  }
  assert {
    condition = (
      google_compute_global_forwarding_rule.https[0].name == "pixel-https" && google_compute_global_forwarding_rule.https[0].port_range == "443" &&
      google_compute_global_forwarding_rule.https[0].load_balancing_scheme == "EXTERNAL_MANAGED"
    )
    error_message = "HTTPS must be on port 443 of an EXTERNAL_MANAGED load balancer."
  }
  assert {
    condition     = google_compute_global_forwarding_rule.http[0].port_range == "80"
    error_message = "HTTP must still work."
  }
  assert {
    condition     = output.pixel_url == "https://track.example.com/pixel.png"
    error_message = "The URL of the pixel must have the domain."
  }
}

run "a_long_domain_has_a_valid_certificate_name" {
  command = plan

  variables {
    # The 63rd character is a dot.
    domain = "a2345678901234567890123456789012345678901234567890123456.example.com"
  }

  assert {
    condition     = one(values(google_compute_managed_ssl_certificate.pixel)).name == "pixel-a2345678901234567890123456789012345678901234567890123456"
    error_message = "The name is invalid: ${one(values(google_compute_managed_ssl_certificate.pixel)).name}"
  }
}

run "each_domain_has_a_certificate" {
  command = plan

  variables {
    domain = "a-b.example.com, a.b.example.com"
  }

  assert {
    condition = { for host, certificate in google_compute_managed_ssl_certificate.pixel : certificate.name => certificate.managed[0].domains } == {
      "pixel-a--b-example-com" = tolist(["a-b.example.com"])
      "pixel-a-b-example-com"  = tolist(["a.b.example.com"])
    }
    error_message = "There must be a certificate for each domain."
  }
  assert {
    condition     = length(output.dns_records) == 2
    error_message = "There must be a DNS record for each domain."
  }
}

run "both_certificates_serve" {
  command = apply

  variables {
    image  = "us-docker.pkg.dev/other/images/pixel-pipeline:1.0"
    domain = "track.example.com,pixel.example.org"
  }

  assert {
    condition     = google_compute_target_https_proxy.pixel[0].ssl_certificates == tolist([for host in ["track.example.com", "pixel.example.org"] : google_compute_managed_ssl_certificate.pixel[host].id])
    error_message = "The proxy must have both certificates."
  }
}

run "two_domains_of_one_certificate_are_rejected" {
  command = plan

  variables {
    domain = "a2345678901234567890123456789012345678901234567890123456.example.com,a2345678901234567890123456789012345678901234567890123456.example.org"
  }

  expect_failures = [google_compute_managed_ssl_certificate.pixel]
}
