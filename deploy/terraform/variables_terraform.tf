# Variables of the module that are not settings of deploy.sh. All others are in variables.tf and variables_service.tf.

variable "labels" {
  description = "Labels of every resource that can have labels, in addition to pipeline."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: a key or value is not at most 63 of a-z, 0-9, _ and -. A key begins with a letter."
  }
  validation {
    condition     = !contains(keys(var.labels), "pipeline")
    error_message = "labels: the module sets the label pipeline. Remove it."
  }
}

variable "delete_data" {
  description = "Let `terraform destroy` delete the dataset with all tables, and the archive with all files. Apply it before the destroy. False: the destroy fails at them and keeps them."
  type        = bool
  default     = false
  nullable    = false
}
