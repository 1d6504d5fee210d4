# The module used from another configuration, with nothing but what has to be said. Outside of this
# repository the source is its address, such as "git::https://example.com/pixel-pipeline.git//deploy/terraform".

terraform {
  required_version = ">= 1.9"
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
