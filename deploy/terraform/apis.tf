# APIs that the pipeline uses. They stay enabled after a destroy, because other parts of the project may use them.

resource "google_project_service" "api" {
  for_each = toset([
    "artifactregistry",
    "bigquery",
    "cloudbuild",
    "cloudresourcemanager",
    "compute",
    "iam",
    "logging",
    "monitoring",
    "pubsub",
    "run",
    "storage",
  ])

  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

locals {
  # The project, known after its APIs are enabled: a resource with `project = local.project` waits for them.
  project = one(distinct([for api in google_project_service.api : api.project]))
}
