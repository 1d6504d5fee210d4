# Variables that only Terraform has. All others are in variables.tf and variables_service.tf.

variable "secret_settings" {
  description = "Settings that are keys, HASH_USER_IDS and URL_SIGNING_KEY, each with the name of the secret in Secret Manager whose latest version holds it. The service's account needs roles/secretmanager.secretAccessor on the secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setsubtract(keys(var.secret_settings), ["HASH_USER_IDS", "URL_SIGNING_KEY"])) == 0
    error_message = "secret_settings: only HASH_USER_IDS and URL_SIGNING_KEY are keys. Set the others as variables of their own."
  }
}

variable "delete_data" {
  description = "Let `terraform destroy` delete the dataset with all tables, and the archive with all files. Apply it before you destroy. False: destroying them fails, and they are kept."
  type        = bool
  default     = false
  nullable    = false
}
