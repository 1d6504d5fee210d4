# What the module needs. It has no provider block: with one it could not be used with count, for_each or
# depends_on, and without one Terraform takes credentials and quota project from the environment. Every
# resource names its project instead.

terraform {
  # Validations here compare variables with one another, which came with 1.9.
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
    # Only for google_project_service_identity, which google does not have.
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 6.50, < 8"
    }
  }
}
