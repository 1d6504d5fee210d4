# The image. If var.image is empty, Cloud Build builds it from this repository, and again after a change of a source file.
# Google's provider has no resource that runs a build, so gcloud submits it.

locals {
  built  = var.image == ""
  remote = startswith(var.image, "ghcr.io/")

  # The files that cloudbuild.ignore includes.
  sources = sort(concat(
    ["Cargo.lock", "Cargo.toml", "Dockerfile", "benches/load/Cargo.toml", "fuzz/Cargo.toml", "tests/simulation/Cargo.toml"],
    tolist(fileset(local.repository, "crates/*/Cargo.toml")),
    tolist(fileset(local.repository, "{schema,src}/**")),
  ))
  sources_hash = substr(sha256(join("\n", [for file in local.sources : "${file} ${filesha256("${local.repository}/${file}")}"])), 0, 16)

  registry = "${var.region}-docker.pkg.dev/${var.project_id}"
  given    = local.remote ? "${local.registry}/${var.pipeline}-ghcr/${trimprefix(var.image, "ghcr.io/")}" : var.image
  image    = local.built ? "${local.registry}/${var.pipeline}/${var.pipeline}-pipeline:${local.sources_hash}" : local.given
}

# Cloud Run pulls from Artifact Registry, so a remote repository there is a proxy of ghcr.io.
resource "google_artifact_registry_repository" "ghcr" {
  count = local.remote ? 1 : 0

  project       = local.project
  location      = var.region
  repository_id = "${var.pipeline}-ghcr"
  format        = "DOCKER"
  mode          = "REMOTE_REPOSITORY"
  labels        = local.labels

  remote_repository_config {
    common_repository {
      uri = "https://ghcr.io"
    }
  }
}

resource "google_artifact_registry_repository" "image" {
  count = local.built ? 1 : 0

  project       = local.project
  location      = var.region
  repository_id = var.pipeline
  format        = "DOCKER"
  labels        = local.labels
}

resource "google_service_account" "build" {
  count = local.built ? 1 : 0

  project      = local.project
  account_id   = "${var.pipeline}-build"
  display_name = "Pixel pipeline ${var.pipeline}: builds the image"
  description  = local.mark
}

resource "google_project_iam_member" "build" {
  count = local.built ? 1 : 0

  project = local.project
  role    = "roles/run.builder"
  member  = google_service_account.build[0].member
}

resource "terraform_data" "image" {
  count = local.built ? 1 : 0

  triggers_replace = [local.image]

  provisioner "local-exec" {
    working_dir = local.repository
    environment = {
      PROJECT = var.project_id
      REGION  = var.region
      IMAGE   = local.image
      ACCOUNT = google_service_account.build[0].name
      MODULE  = abspath(path.module)
    }
    command = <<-EOT
      gcloud builds submit . --quiet --project="$PROJECT" --region="$REGION" --service-account="$ACCOUNT" \
        --config="$MODULE/cloudbuild.yaml" --ignore-file="$MODULE/cloudbuild.ignore" --substitutions="_IMAGE=$IMAGE"
    EOT
  }

  depends_on = [
    google_artifact_registry_repository.image,
    time_sleep.roles,
  ]
}
