# Settings of the deployment. Generated from src/config/settings.rs. The settings that are passed on to
# the service are in variables_service.tf, and the variables that only Terraform has in variables_terraform.tf.

# --- Location

variable "project_id" {
  description = "Project of the dataset and of the deployment."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z][a-z0-9-]{4,28}[a-z0-9]|[a-z0-9.-]+:[a-z][a-z0-9-]+)$", var.project_id))
    error_message = "project_id: \"${var.project_id}\" is not a project id such as my-project-123 (not the project's name or number)."
  }
  validation {
    condition     = !strcontains(var.project_id, ":")
    error_message = "project_id: \"${var.project_id}\" is a project with a domain, which the module does not support. Use deploy.sh."
  }
}

variable "region" {
  description = "Region of the Cloud Run service and of the image."
  type        = string
  default     = "us-central1"
  nullable    = false

  validation {
    condition     = can(regex("^([a-z]+-[a-z]+[0-9]+)$", var.region))
    error_message = "region: \"${var.region}\" is not a region such as us-central1 or europe-west1."
  }
}

variable "location" {
  description = "Location of the dataset and the buckets: US, EU or a region. It cannot be changed later. Empty: EU for a REGION in Europe, US for one in the United States, else REGION."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((US|EU|[a-z]+-[a-z]+[0-9]+)?)$", var.location))
    error_message = "location: \"${var.location}\" is not US, EU or a region such as europe-west1."
  }
}

variable "pipeline" {
  description = "Prefix of the names of all resources. Two pipelines in one project need two names and two datasets."
  type        = string
  default     = "pixel"
  nullable    = false

  validation {
    condition     = can(regex("^([a-z][a-z0-9-]{1,22}[a-z0-9])$", var.pipeline))
    error_message = "pipeline: \"${var.pipeline}\" is not 3 to 24 characters a-z, 0-9 and -, beginning with a letter and not ending with -."
  }
  validation {
    condition     = !strcontains(var.pipeline, "goog")
    error_message = "pipeline: \"${var.pipeline}\" contains goog, which Google reserves. Choose another name."
  }
}

# --- Pixel

variable "domain" {
  description = "Hosts of the pixel, separated by commas, such as track.example.com: adds HTTPS with a certificate for each, which Google manages. The DNS record of each has to point to the address of the load balancer. Empty: HTTP only, which a browser does not load on pages with HTTPS."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(( *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *(, *([a-z0-9]([a-z0-9-]*[a-z0-9])?[.])+[a-z]{2,} *)*)?)$", var.domain))
    error_message = "domain: \"${var.domain}\" is not a list of host names in lower case, separated by commas, without https:// and path, such as track.example.com,pixel.example.org."
  }
  validation {
    condition     = alltrue([for host in split(",", var.domain) : length(trimspace(host)) <= 253])
    error_message = "domain: \"${var.domain}\" has a host of more than 253 characters."
  }
  validation {
    condition     = length(split(",", var.domain)) == length(distinct([for host in split(",", var.domain) : trimspace(host)]))
    error_message = "domain: \"${var.domain}\" names a host more than once."
  }
  validation {
    condition     = length(split(",", var.domain)) <= 15
    error_message = "domain: \"${var.domain}\" has more than 15 hosts, the maximum of a load balancer."
  }
}

variable "url_map" {
  description = "Name of the URL map of a load balancer that you have (global external Application Load Balancer), which then serves the pixel: no other load balancer is created, which saves $18.25 a month. Yours needs the path rule that the deployment shows. Empty: a load balancer of its own."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(([a-z]([a-z0-9-]{0,61}[a-z0-9])?)?)$", var.url_map))
    error_message = "url_map: \"${var.url_map}\" is not the name of a URL map: 1 to 63 characters a-z, 0-9 and -, beginning with a letter and not ending with -."
  }
}

# --- Logs

variable "exclude_from_default" {
  description = "Exclude the pixel's log entries from the _Default bucket. They still reach the topic. Storing them in Cloud Logging would cost more than the rest of the pipeline."
  type        = bool
  default     = true
  nullable    = false
}

variable "archive" {
  description = "Store every log entry in a file in a Cloud Storage bucket, too, for archive_days."
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
    condition     = var.archive_days >= 1 && var.archive_days <= 36500 && floor(var.archive_days) == var.archive_days
    error_message = "archive_days: ${var.archive_days} is not a whole number from 1 to 36500."
  }
}

# --- BigQuery

variable "table_expiration_days" {
  description = "Days after which a generated table is deleted. Not set: never."
  type        = number
  default     = null

  validation {
    condition     = var.table_expiration_days == null ? true : var.table_expiration_days >= 1 && var.table_expiration_days <= 36500 && floor(var.table_expiration_days) == var.table_expiration_days
    error_message = "table_expiration_days: ${coalesce(var.table_expiration_days, 0)} is not a whole number from 1 to 36500."
  }
}

variable "share_dataset" {
  description = "Use a dataset that other pipelines or tables are in. The views are called events_TABLE_NAME and events_daily_TABLE_NAME."
  type        = bool
  default     = false
  nullable    = false
}

variable "schema_file" {
  description = "BigQuery schema file to create the template table from, in the format of `bq mk --schema`. In a deployment, a relative path is relative to the folder of the repository."
  type        = string
  default     = "schema/pixel.json"
  nullable    = false

  validation {
    condition     = try(fileexists(startswith(var.schema_file, "/") ? var.schema_file : "${path.module}/../../${var.schema_file}"), false)
    error_message = "schema_file: \"${var.schema_file}\" is not a file. Use a path relative to this repository's folder, or an absolute path such as abspath(\"my.json\")."
  }
}

# --- Cloud Run

variable "image" {
  description = "Image to run. ghcr.io/pixel-pipeline/pixel-pipeline:VERSION is the image of a release and compiles nothing. Empty: build the image from this repository."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(([^[:space:]/]+(/[^[:space:]/]+)+)?)$", var.image))
    error_message = "image: \"${var.image}\" is not the full name of an image, such as ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0."
  }
}

variable "cpu" {
  description = "CPUs of an instance."
  type        = string
  default     = "1"
  nullable    = false

  validation {
    condition     = contains(["1", "2", "4", "6", "8"], var.cpu)
    error_message = "cpu: \"${var.cpu}\" is not one of 1, 2, 4, 6, 8."
  }
}

variable "memory" {
  description = "Memory of an instance. Cloud Run needs 2Gi or more for 4 CPUs, and 4Gi for 6 and 8."
  type        = string
  default     = "512Mi"
  nullable    = false

  validation {
    condition     = can(regex("^([1-9][0-9]*(Mi|Gi))$", var.memory))
    error_message = "memory: \"${var.memory}\" is not an amount of memory such as 512Mi or 1Gi."
  }
}

variable "concurrency" {
  description = "Maximum concurrent deliveries per instance."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 1000 && floor(var.concurrency) == var.concurrency
    error_message = "concurrency: ${var.concurrency} is not a whole number from 1 to 1000."
  }
}

variable "min_instances" {
  description = "Minimum number of instances. They run and cost also without traffic."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.min_instances >= 0 && var.min_instances <= 10000 && floor(var.min_instances) == var.min_instances
    error_message = "min_instances: ${var.min_instances} is not a whole number from 0 to 10000."
  }
}

variable "max_instances" {
  description = "Maximum number of instances."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 10000 && floor(var.max_instances) == var.max_instances
    error_message = "max_instances: ${var.max_instances} is not a whole number from 1 to 10000."
  }
}

# --- Monitoring

variable "alert_email" {
  description = "Addresses that receive the alerts, separated by commas. Empty: the alerts appear only in the console."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^(([^@,[:space:]]+@[^@,[:space:]]+( *, *[^@,[:space:]]+@[^@,[:space:]]+)*)?)$", var.alert_email))
    error_message = "alert_email: \"${var.alert_email}\" is not a list of email addresses separated by commas, such as you@example.com,ops@example.com."
  }
}

variable "alert_channels" {
  description = "Existing notification channels that also receive the alerts, such as Slack or PagerDuty, separated by commas. `gcloud beta monitoring channels list` prints their names."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((projects/[^/,[:space:]]+/notificationChannels/[0-9]+( *, *projects/[^/,[:space:]]+/notificationChannels/[0-9]+)*)?)$", var.alert_channels))
    error_message = "alert_channels: \"${var.alert_channels}\" is not a list of names separated by commas, such as projects/my-project/notificationChannels/123."
  }
}

variable "no_events_after" {
  description = "Time without an event after which an alert fires, or off."
  type        = string
  default     = "24h"
  nullable    = false

  validation {
    condition     = can(regex("^(off|[1-9][0-9]{0,3}m|([1-9][0-9]?|[1-4][0-9]{2})h|([1-9]|1[0-9]|2[01])d)$", var.no_events_after))
    error_message = "no_events_after: \"${var.no_events_after}\" is not off, or a number of minutes, hours or days up to 21d, such as 90m, 24h or 7d."
  }
}

variable "budget" {
  description = "Amount a month, in the currency of the billing account, of a budget for the project: mails are sent at 50 %, 90 % and 100 % of it. Empty: no budget."
  type        = number
  default     = null

  validation {
    condition     = var.budget == null ? true : var.budget >= 1 && var.budget <= 1000000000 && floor(var.budget) == var.budget
    error_message = "budget: ${coalesce(var.budget, 0)} is not a whole number from 1 to 1000000000."
  }
}

# --- Keys

variable "hash_user_ids" {
  description = "Key of 32 characters or more that hashes ids before they become a column or part of a table's name. Empty: ids are stored unchanged. In a deployment: generate, or the name of its secret in Secret Manager."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((generate|[A-Za-z0-9_-]{1,31})?)$", var.hash_user_ids))
    error_message = "hash_user_ids: it is not generate or the name of a secret in Secret Manager, of at most 31 characters. A key itself does not belong in the settings: store it with `gcloud secrets create NAME --data-file=-`, and set this to NAME."
  }
}

variable "url_signing_key" {
  description = "Key of 32 characters or more that signs the pixel's URLs. To replace a key, set the new and the old one, separated by a comma: the new one signs, and both are accepted. Empty: URLs are not signed. In a deployment: generate, or the name of its secret in Secret Manager."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^((generate|[A-Za-z0-9_-]{1,31})?)$", var.url_signing_key))
    error_message = "url_signing_key: it is not generate or the name of a secret in Secret Manager, of at most 31 characters. A key itself does not belong in the settings: store it with `gcloud secrets create NAME --data-file=-`, and set this to NAME."
  }
}
