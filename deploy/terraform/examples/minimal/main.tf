# The module in another configuration, with the one required variable. Outside of this repository, the source is an
# address such as "git::https://github.com/pixel-pipeline/pixel-pipeline.git//deploy/terraform".

terraform {
  required_version = ">= 1.11, < 2"
}

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
}

module "pixel" {
  source = "../.."

  project_id = var.project_id
}

output "pixel_url" {
  description = "URL of the pixel, to which the parameters are added."
  value       = module.pixel.pixel_url
}
