# Required versions. There is no provider block: a module with one cannot be used with count, for_each or depends_on.
# Without one, Terraform takes credentials and quota project from the environment. Every resource names its project.

terraform {
  # Write-only arguments, for keys, need 1.11.
  required_version = ">= 1.11, < 2"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
    # Only for google_project_service_identity, which the provider google does not have.
    google-beta = {
      source  = "hashicorp/google-beta"
      version = ">= 6.50, < 8"
    }
    # Waits until new APIs and roles take effect.
    time = {
      source  = "hashicorp/time"
      version = ">= 0.9, < 1"
    }
  }
}
