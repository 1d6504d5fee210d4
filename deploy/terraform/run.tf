# The Cloud Run service, its service account, and the service account that signs pushes.

resource "google_service_account" "run" {
  project      = local.project
  account_id   = "${var.pipeline}-run"
  display_name = "Pixel pipeline ${var.pipeline}: the service"
  description  = local.mark
}

resource "google_service_account" "push" {
  project      = local.project
  account_id   = "${var.pipeline}-push"
  display_name = "Pixel pipeline ${var.pipeline}: signs pushes of Pub/Sub"
  description  = local.mark
}

locals {
  environment = merge(local.service_settings, {
    GOOGLE_CLOUD_PROJECT = var.project_id
    # The tables are created here, from schema_file; the service would create them from its built-in schema.
    AUTO_CREATE = "false"
    # Cloud Run authorizes every caller with run.invoker, also on the project; the service checks the caller's account. It
    # does not check the audience, which is the service's URL: the URL is not known before the service exists.
    PUSH_AUTH            = "iam"
    PUSH_SERVICE_ACCOUNT = local.push_account
  })
}

resource "google_cloud_run_v2_service" "pipeline" {
  project  = local.project
  name     = "${var.pipeline}-pipeline"
  location = var.region
  # Pub/Sub of the same project counts as internal.
  ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"
  deletion_protection = false # it holds no data
  labels              = local.labels

  template {
    service_account                  = google_service_account.run.email
    max_instance_request_concurrency = var.concurrency
    # A push is answered within push_deadline, so the request's timeout is the ack deadline.
    timeout = "60s"

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    containers {
      image = local.image

      resources {
        limits = {
          cpu    = var.cpu
          memory = var.memory
        }
        # CPU is allocated during requests only, which is enough.
        cpu_idle          = true
        startup_cpu_boost = true
      }

      startup_probe {
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 60
        http_get {
          path = "/ready"
        }
      }
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 5
        failure_threshold = 3
        http_get {
          path = "/health"
        }
      }

      dynamic "env" {
        for_each = local.environment
        content {
          name  = env.key
          value = env.value
        }
      }
      # As references to secrets: anyone with permission to view the service can read plain values.
      dynamic "env" {
        for_each = local.secrets
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }
  }

  # gcloud sets these fields when it changes the service.
  lifecycle {
    ignore_changes = [client, client_version]
  }

  # /ready needs the template table and permission to read it.
  depends_on = [
    google_artifact_registry_repository.ghcr,
    google_bigquery_table.dead_letters,
    google_bigquery_table.template,
    google_secret_manager_secret_version.key,
    terraform_data.image,
    time_sleep.roles,
  ]
}

# A new role takes up to a minute to take effect. The service would not become ready without its roles, and a build without
# its own fails.
resource "time_sleep" "roles" {
  create_duration = "60s"

  triggers = {
    roles = join(" ", concat(
      [google_bigquery_dataset_iam_member.run.id],
      [for role in google_secret_manager_secret_iam_member.run : role.id],
      google_project_iam_member.build[*].id,
    ))
  }
}

# The only authorized caller: there is no binding for allUsers.
resource "google_cloud_run_v2_service_iam_member" "push" {
  project  = local.project
  location = var.region
  name     = google_cloud_run_v2_service.pipeline.name
  role     = "roles/run.invoker"
  member   = google_service_account.push.member
}
