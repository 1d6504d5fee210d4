# What the service is told: each is the environment variable of the same name in upper case, and the
# README's table of settings explains it. The service checks these again; here they are checked before
# anything is created.

variable "dataset" {
  description = "Dataset of all tables."
  type        = string
  default     = "parsed_pixel"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.dataset)) && length(var.dataset) <= 1024
    error_message = "dataset: \"${var.dataset}\" is not a dataset's name. Set letters, digits and _, without the project."
  }
}

variable "table_name" {
  description = "Template table; generated tables are named after it."
  type        = string
  default     = "pixel"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.table_name)) && length(var.table_name) <= 512
    error_message = "table_name: \"${var.table_name}\" is not a table's name. Set letters, digits and _."
  }
  validation {
    condition     = !startswith("events_daily", var.table_name)
    error_message = "table_name: the views events and events_daily would be taken for generated tables of \"${var.table_name}\". Set a name that they do not begin with."
  }
}

variable "valid_attributes" {
  description = "URL parameters that may become columns, separated by commas. Each must be a column of schema_file."
  type        = string
  default     = "order_id,type,user_id"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_]*( *, *[A-Za-z_][A-Za-z0-9_]*)*$", var.valid_attributes))
    error_message = "valid_attributes: \"${var.valid_attributes}\" is not a list of columns. Set names of letters, digits and _, separated by commas, as order_id,type,user_id are."
  }
}

variable "table_suffix" {
  description = "Suffix of an event's table: letters, digits, _, {ATTRIBUTE}, {date} and {date:STRFTIME}. Empty: a single table."
  type        = string
  default     = "_{user_id}_{date}"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_]|\\{[^{}]+\\})*$", var.table_suffix))
    error_message = "table_suffix: \"${var.table_suffix}\" is not a suffix. Set letters, digits and _ with fields in braces between them, as _{user_id}_{date} is."
  }
}

variable "max_new_tables_per_hour" {
  description = "Most tables that are new to an instance within an hour; events of further ones go to the overflow table."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.max_new_tables_per_hour >= 1 && var.max_new_tables_per_hour <= 1000000 && floor(var.max_new_tables_per_hour) == var.max_new_tables_per_hour
    error_message = "max_new_tables_per_hour: ${var.max_new_tables_per_hour} is out of range. Set a whole number from 1 to 1000000."
  }
}

variable "overflow_suffix" {
  description = "What follows table_name in the name of the overflow table: letters, digits, _, {date} and {date:STRFTIME}."
  type        = string
  default     = "_overflow_{date}"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_]|\\{date(:[^{}]+)?\\})+$", var.overflow_suffix))
    error_message = "overflow_suffix: \"${var.overflow_suffix}\" is not an overflow table's suffix. Set letters, digits, _ and dates, and no attribute, as _overflow_{date} is."
  }
  validation {
    condition     = var.overflow_suffix != var.table_suffix
    error_message = "overflow_suffix: \"${var.overflow_suffix}\" is table_suffix. Set one that no other table has, as _overflow_{date} is."
  }
}

variable "pixel_path" {
  description = "Paths of the pixel, separated by commas. Each becomes an object in the bucket and a term of the log filter."
  type        = string
  default     = "/pixel.png"
  nullable    = false

  # `*`, which the service takes for any path, is no object's name.
  validation {
    condition     = can(regex("^ *(/[A-Za-z0-9._~-]+)+ *(, *(/[A-Za-z0-9._~-]+)+ *)*$", var.pixel_path))
    error_message = "pixel_path: \"${var.pixel_path}\" is not a list of paths. Set paths separated by commas, each beginning with /, of letters, digits, . _ ~ / and -, as /pixel.png,/p.png are; * cannot be an object's name."
  }
}

variable "ip_anonymization" {
  description = "What the column remote_ip holds: nothing (drop), the network (truncate) or the whole address (full)."
  type        = string
  default     = "drop"
  nullable    = false

  validation {
    condition     = contains(["drop", "truncate", "full"], var.ip_anonymization)
    error_message = "ip_anonymization: \"${var.ip_anonymization}\" is none of drop, truncate and full. Set one of them."
  }
}

variable "hash_attributes" {
  description = "Attributes that hold ids, separated by commas: what HASH_USER_IDS, a key of secret_settings, hashes."
  type        = string
  default     = "user_id"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z_][A-Za-z0-9_]*( *, *[A-Za-z_][A-Za-z0-9_]*)*$", var.hash_attributes))
    error_message = "hash_attributes: \"${var.hash_attributes}\" is not a list of attributes. Set names of valid_attributes, separated by commas, as user_id is."
  }
}

variable "respect_opt_out" {
  description = "Store nothing of an event with a parameter dnt=1 or gpc=1, and only count it."
  type        = bool
  default     = true
  nullable    = false
}

variable "signature_mode" {
  description = "With URL_SIGNING_KEY, a key of secret_settings: store only what is signed (require), or store everything and fill the column signed (mark)."
  type        = string
  default     = "require"
  nullable    = false

  validation {
    condition     = contains(["require", "mark"], var.signature_mode)
    error_message = "signature_mode: \"${var.signature_mode}\" is neither require nor mark. Set one of them."
  }
}

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

variable "dead_letter_table" {
  description = "Table for messages that can never become a row."
  type        = string
  default     = "dead_letters"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_]+$", var.dead_letter_table)) && !contains(["events", "events_daily"], var.dead_letter_table)
    error_message = "dead_letter_table: \"${var.dead_letter_table}\" is not a table's name, or a view's. Set letters, digits and _, and neither events nor events_daily."
  }
  validation {
    condition     = !startswith(var.dead_letter_table, var.table_name)
    error_message = "dead_letter_table: \"${var.dead_letter_table}\" would be read by queries over `${var.table_name}*`. Set a name that does not begin with table_name."
  }
}

variable "batch_max_rows" {
  description = "Most rows in one insertAll request."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.batch_max_rows >= 1 && var.batch_max_rows <= 50000 && floor(var.batch_max_rows) == var.batch_max_rows
    error_message = "batch_max_rows: ${var.batch_max_rows} is out of range. Set a whole number from 1 to 50000."
  }
}

variable "batch_max_bytes" {
  description = "Most bytes of rows in one insertAll request."
  type        = number
  default     = 8388608
  nullable    = false

  validation {
    condition     = var.batch_max_bytes >= 1 && var.batch_max_bytes <= 9000000 && floor(var.batch_max_bytes) == var.batch_max_bytes
    error_message = "batch_max_bytes: ${var.batch_max_bytes} is out of range. Set a whole number from 1 to 9000000; BigQuery takes 10 MB with all that is around the rows."
  }
}

variable "batch_max_inserts" {
  description = "Most insertAll requests under way at once, for each instance."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.batch_max_inserts >= 1 && var.batch_max_inserts <= 10000 && floor(var.batch_max_inserts) == var.batch_max_inserts
    error_message = "batch_max_inserts: ${var.batch_max_inserts} is out of range. Set a whole number from 1 to 10000."
  }
}

variable "batch_gzip" {
  description = "Compress insertAll requests: less traffic, more CPU."
  type        = bool
  default     = false
  nullable    = false
}

variable "max_in_flight" {
  description = "Messages that may wait for their answer, for each instance; more are answered 429."
  type        = number
  default     = 2000
  nullable    = false

  validation {
    condition     = var.max_in_flight >= 1 && var.max_in_flight <= 1000000 && floor(var.max_in_flight) == var.max_in_flight
    error_message = "max_in_flight: ${var.max_in_flight} is out of range. Set a whole number from 1 to 1000000."
  }
}

variable "push_deadline" {
  description = "Time in which a push is answered. Below the subscription's ack deadline, which is 60 s."
  type        = string
  default     = "50s"
  nullable    = false

  validation {
    condition = can(regex("^[0-9]+(\\.[0-9]+)?(s|ms)$", var.push_deadline)) ? (
      tonumber(regex("^[0-9.]+", var.push_deadline)) * (endswith(var.push_deadline, "ms") ? 0.001 : 1) >= 0.1 &&
      tonumber(regex("^[0-9.]+", var.push_deadline)) * (endswith(var.push_deadline, "ms") ? 0.001 : 1) < 60
    ) : false
    error_message = "push_deadline: \"${var.push_deadline}\" is not a time from 100ms to below 60s, the subscription's ack deadline: a later answer would not count. Set one, as 50s is."
  }
}

variable "log_format" {
  description = "Log lines as json, text or auto."
  type        = string
  default     = "json"
  nullable    = false

  validation {
    condition     = contains(["json", "text", "auto"], var.log_format)
    error_message = "log_format: \"${var.log_format}\" is not a format. Set json, text or auto; alerts on log lines need json."
  }
}

variable "rust_log" {
  description = "What to log: error, warn, info, debug, trace; also by module, as in warn,pixel_pipeline=debug."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = can(regex("^\\S+$", var.rust_log))
    error_message = "rust_log: \"${var.rust_log}\" is not a level. Set error, warn, info, debug or trace."
  }
}
