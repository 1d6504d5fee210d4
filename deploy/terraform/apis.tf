# APIs that the pipeline uses. They stay enabled after a destroy, because other parts of the project may use them.

locals {
  apis = concat(var.budget == null ? [] : ["billingbudgets", "cloudbilling"], [
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
  ], length(local.keys) == 0 ? [] : ["secretmanager"])
}

resource "google_project_service" "api" {
  for_each = toset(local.apis)

  project            = var.project_id
  service            = "${each.key}.googleapis.com"
  disable_on_destroy = false
}

# An API that was just enabled rejects requests for up to a minute.
resource "time_sleep" "apis" {
  create_duration = "60s"

  triggers = {
    project = one(distinct([for api in google_project_service.api : api.project]))
    apis    = join(" ", local.apis)
  }
}

locals {
  # The project, known after its APIs are enabled: a resource with `project = local.project` waits for them.
  project = time_sleep.apis.triggers.project
}
