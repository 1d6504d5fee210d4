# Settings of the deployment: those of deploy/pipeline.env.example in lower case, with the same defaults,
# and delete_data. What the service is told is in variables_service.tf.

# --- Where

variable "project_id" {
  description = "Id of the Google Cloud project."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id: \"${var.project_id}\" is not a project id. Set it to the id of your Google Cloud project, as my-project-123 is; its name or number will not do."
  }
}

variable "region" {
  description = "Region of the Cloud Run service and of the image."
  type        = string
  default     = "us-central1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: \"${var.region}\" is not a region. Set one, as us-central1 or europe-west1 are; a zone or a multi-region will not do."
  }
}

variable "location" {
  description = "Location of the dataset and the buckets: US, EU or a region. It cannot be changed later."
  type        = string
  default     = "US"
  nullable    = false

  validation {
    condition     = can(regex("^(US|EU|[a-z]+-[a-z]+[0-9]+)$", var.location))
    error_message = "location: \"${var.location}\" is not a location. Set US, EU or a region, as europe-west1 is."
  }
}

variable "pipeline" {
  description = "Everything that is created begins with it. Two pipelines in one project need two names and two datasets."
  type        = string
  default     = "pixel"
  nullable    = false

  # The longest name that follows from it is a service account's, which may have 30 characters; the
  # shortest is the topic's, which must have 3. Pub/Sub and Cloud Storage keep names with goog to Google.
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", var.pipeline)) && !strcontains(var.pipeline, "goog")
    error_message = "pipeline: \"${var.pipeline}\" cannot begin the names of resources. Set 3 to 24 characters a-z, 0-9 and -, beginning with a letter, not ending with - and without \"goog\"."
  }
}

# --- Pixel

variable "domain" {
  description = "Host of the pixel, such as track.example.com: adds HTTPS with a certificate that Google manages. Its DNS record has to point to the output address. Empty: HTTP by address only."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,})?$", var.domain)) && length(var.domain) <= 253
    error_message = "domain: \"${var.domain}\" is not a host name. Set one in lower case without https:// and path, as track.example.com is, or leave it empty."
  }
}

# --- Logs

variable "exclude_from_default" {
  description = "Keep the pixel's log entries out of the _Default bucket. They still reach the topic; storing them in Cloud Logging would cost more than the rest of the pipeline."
  type        = bool
  default     = true
  nullable    = false
}

variable "archive" {
  description = "Keep every raw entry as a file in a Cloud Storage bucket as well, for archive_days."
  type        = bool
  default     = false
  nullable    = false
}

variable "archive_days" {
  description = "Days after which a file of the archive is deleted."
  type        = number
  default     = 400
  nullable    = false

  validation {
    condition     = var.archive_days >= 1 && floor(var.archive_days) == var.archive_days
    error_message = "archive_days: ${var.archive_days} is not a number of days. Set a whole number from 1, or archive = false to keep no files."
  }
}

# --- BigQuery

variable "table_expiration_days" {
  description = "Days after which a generated table is deleted. Null: never."
  type        = number
  default     = null

  validation {
    condition     = var.table_expiration_days == null ? true : var.table_expiration_days >= 1 && floor(var.table_expiration_days) == var.table_expiration_days
    error_message = "table_expiration_days: ${coalesce(var.table_expiration_days, 0)} is not a number of days. Set a whole number from 1, or null to keep the tables."
  }
}

variable "schema_file" {
  description = "Schema of the template table, in the format of `bq mk --schema`. A relative path is relative to this repository's folder: give your own file as abspath(\"my.json\")."
  type        = string
  default     = "schema/pixel.json"
  nullable    = false

  validation {
    condition     = try(fileexists(startswith(var.schema_file, "/") ? var.schema_file : "${path.module}/../../${var.schema_file}"), false)
    error_message = "schema_file: there is no file ${var.schema_file}. Give a path that is relative to this repository's folder, or an absolute one, as abspath(\"my.json\") is."
  }
}

# --- Service

variable "image" {
  description = "Image to run, such as us-docker.pkg.dev/PROJECT/REPOSITORY/pixel-pipeline:1.0. Empty: built from this repository by Cloud Build, for which gcloud has to be installed and logged in."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([^\\s/]+(/[^\\s/]+)+)?$", var.image))
    error_message = "image: \"${var.image}\" is not an image. Set its whole name, as us-docker.pkg.dev/PROJECT/REPOSITORY/pixel-pipeline:1.0 is, or leave it empty to build it."
  }
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = string
  default     = "1"
  nullable    = false

  # Cloud Run has fractions of a CPU only for one request at a time, where each push would be an insert.
  validation {
    condition     = contains(["1", "2", "4", "6", "8"], var.cpu)
    error_message = "cpu: \"${var.cpu}\" is not a number of CPUs that Cloud Run has. Set 1, 2, 4, 6 or 8."
  }
}

variable "memory" {
  description = "Memory of an instance. Cloud Run wants 2Gi or more for 4 CPUs, and 4Gi for 6 and 8."
  type        = string
  default     = "512Mi"
  nullable    = false

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.memory))
    error_message = "memory: \"${var.memory}\" is not an amount of memory. Set one, as 512Mi or 1Gi are."
  }
}

variable "concurrency" {
  description = "Deliveries that one instance takes at once."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency: ${var.concurrency} is more or less than an instance can take. Set a whole number from 1 to 1000."
  }
}

variable "min_instances" {
  description = "Instances that run also while nothing arrives."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.min_instances >= 0 && floor(var.min_instances) == var.min_instances
    error_message = "min_instances: ${var.min_instances} is not a number of instances. Set a whole number from 0."
  }
}

variable "max_instances" {
  description = "Instances that run at most."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_instances >= max(1, var.min_instances) && floor(var.max_instances) == var.max_instances
    error_message = "max_instances: ${var.max_instances} does not fit. Set a whole number from 1 that is not below min_instances, which is ${var.min_instances}."
  }
}

# --- Watching

variable "alert_email" {
  description = "Address that the alerts are sent to. Empty: they only show in the console."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([^@\\s]+@[^@\\s]+)?$", var.alert_email))
    error_message = "alert_email: \"${var.alert_email}\" is not an address. Set one, as you@example.com is, or leave it empty."
  }
}

# --- Taking it down

variable "delete_data" {
  description = "Let `terraform destroy` delete the dataset with all tables, and the archive with all files. It has to be applied before it counts. False: destroying fails at these, and they stay."
  type        = bool
  default     = false
  nullable    = false
}
