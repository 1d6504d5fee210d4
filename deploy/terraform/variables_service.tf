# Settings that are passed on to the service. Generated from src/config/settings.rs. The service checks
# them again; here they are checked before anything is created.

variable "dataset" {
  description = "Dataset of all tables."
  type        = string
  default     = "parsed_pixel"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_]+)$", var.dataset)) && length(var.dataset) <= 1024
    error_message = "dataset: \"${var.dataset}\" is not a name of at most 1024 letters, digits and _."
  }
}

variable "table_name" {
  description = "Template table. The name of a generated table is table_name followed by the suffix."
  type        = string
  default     = "pixel"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_]+)$", var.table_name)) && length(var.table_name) <= 512
    error_message = "table_name: \"${var.table_name}\" is not a name of at most 512 letters, digits and _."
  }
  validation {
    condition     = !startswith("events_daily", var.table_name)
    error_message = "table_name: \"${var.table_name}\" is the beginning of a view's name, so the view would count as a generated table. Choose another name."
  }
}

variable "valid_attributes" {
  description = "URL parameters that may become columns, separated by commas. Each must be a column of the template table."
  type        = string
  default     = "order_id,type,user_id"
  nullable    = false

  validation {
    condition     = can(regex("^(([A-Za-z0-9_&%=+:'<>#| -]|[^ -~[:cntrl:]])+(,([A-Za-z0-9_&%=+:'<>#| -]|[^ -~[:cntrl:]])+)*)$", var.valid_attributes))
    error_message = "valid_attributes: \"${var.valid_attributes}\" is not a list of names of columns, separated by commas, such as order_id,type,user_id."
  }
  validation {
    condition     = length(split(",", var.valid_attributes)) == length(distinct([for name in split(",", var.valid_attributes) : lower(trimspace(name))]))
    error_message = "valid_attributes: \"${var.valid_attributes}\" lists a name twice. BigQuery compares names without regard to case."
  }
  validation {
    condition     = length(setintersection([for name in split(",", var.valid_attributes) : lower(trimspace(name))], ["event_id", "event_timestamp", "received_timestamp", "request_method", "request_url", "host", "path", "status", "referer", "user_agent", "remote_ip", "cache_hit", "latency_seconds", "trace", "pubsub_message_id", "signed", "invalid_attributes"])) == 0
    error_message = "valid_attributes: \"${var.valid_attributes}\" has the name of a column that the service fills itself. Remove it."
  }
}

variable "table_suffix" {
  description = "Suffix of an event's table: letters, digits, _, {ATTRIBUTE}, {date} (UTC, such as 20260102) and {date:STRFTIME}. Empty: a single table."
  type        = string
  default     = "_{user_id}_{date}"
  nullable    = false

  validation {
    condition     = can(regex("^(([A-Za-z0-9_]|[{][^{}:]+[}]|[{]date:[^{}%]*%[^{}]+[}])*)$", var.table_suffix))
    error_message = "table_suffix: \"${var.table_suffix}\" is not letters, digits and _ with fields in braces between them, such as _{user_id}_{date} or _{date:%Y%m}."
  }
}

variable "max_new_tables_per_hour" {
  description = "Maximum number of tables that are new to an instance within an hour. Events of further tables go to the overflow table."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.max_new_tables_per_hour >= 1 && var.max_new_tables_per_hour <= 1000000 && floor(var.max_new_tables_per_hour) == var.max_new_tables_per_hour
    error_message = "max_new_tables_per_hour: ${var.max_new_tables_per_hour} is not a whole number from 1 to 1000000."
  }
}

variable "overflow_suffix" {
  description = "Suffix of the overflow table: letters, digits, _, {date} and {date:STRFTIME}."
  type        = string
  default     = "_overflow_{date}"
  nullable    = false

  validation {
    condition     = can(regex("^(([A-Za-z0-9_]|[{]date(:[^{}%]*%[^{}]+)?[}])+)$", var.overflow_suffix))
    error_message = "overflow_suffix: \"${var.overflow_suffix}\" is not letters, digits, _ and dates, without an attribute, such as _overflow_{date}."
  }
}

variable "pixel_path" {
  description = "Paths that count as the pixel, separated by commas. `*` at the end of a path means any rest, as in /t/*, and `*` alone any path; a deployment needs whole paths."
  type        = string
  default     = "/pixel.png"
  nullable    = false

  validation {
    condition     = can(regex("^( *(/[A-Za-z0-9._~-]+)+ *(, *(/[A-Za-z0-9._~-]+)+ *)*)$", var.pixel_path))
    error_message = "pixel_path: \"${var.pixel_path}\" is not a list of paths separated by commas, each beginning with /, of letters, digits, . _ ~ / and -, such as /pixel.png,/p.png."
  }
}

variable "pixel_methods" {
  description = "Methods of requests that count, separated by commas. navigator.sendBeacon sends POST. The pixel on Cloud Run answers it with 204, and a bucket with 405: set STATUS, too."
  type        = string
  default     = "GET"
  nullable    = false

  validation {
    condition     = can(regex("^((GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)( *, *(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS))*)$", var.pixel_methods))
    error_message = "pixel_methods: \"${var.pixel_methods}\" is not a list of methods separated by commas, such as GET,POST."
  }
}

variable "status" {
  description = "Statuses of requests that count, separated by commas: codes (304), classes (2xx) and none, for a client that disconnected before the answer. any: every status."
  type        = string
  default     = "2xx,304,none"
  nullable    = false

  validation {
    condition     = can(regex("^(any|([1-5](xx|[0-9][0-9])|none)( *, *([1-5](xx|[0-9][0-9])|none))*)$", var.status))
    error_message = "status: \"${var.status}\" is not any, or a list of codes, classes and none, such as 2xx,304,none."
  }
}

variable "ip_anonymization" {
  description = "Content of the column remote_ip: nothing (drop), the network (truncate: /24 of IPv4, /48 of IPv6) or the whole address (full)."
  type        = string
  default     = "drop"
  nullable    = false

  validation {
    condition     = contains(["drop", "truncate", "full"], var.ip_anonymization)
    error_message = "ip_anonymization: \"${var.ip_anonymization}\" is not one of drop, truncate, full."
  }
}

variable "hash_attributes" {
  description = "Attributes that contain ids, separated by commas. They are hashed with the key hash_user_ids."
  type        = string
  default     = "user_id"
  nullable    = false

  validation {
    condition     = can(regex("^(([A-Za-z0-9_&%=+:'<>#| -]|[^ -~[:cntrl:]])+(,([A-Za-z0-9_&%=+:'<>#| -]|[^ -~[:cntrl:]])+)*)$", var.hash_attributes))
    error_message = "hash_attributes: \"${var.hash_attributes}\" is not a list of names of columns, separated by commas, such as order_id,type,user_id."
  }
}

variable "respect_opt_out" {
  description = "Only count an event with a parameter dnt=1 or gpc=1, and store nothing of it."
  type        = bool
  default     = true
  nullable    = false
}

variable "signature_mode" {
  description = "With url_signing_key: store only signed events (require), or store all events and fill the column signed (mark)."
  type        = string
  default     = "require"
  nullable    = false

  validation {
    condition     = contains(["require", "mark"], var.signature_mode)
    error_message = "signature_mode: \"${var.signature_mode}\" is not one of require, mark."
  }
}

variable "dead_letter_table" {
  description = "Table for messages that can never become a row. Its name must not begin with table_name."
  type        = string
  default     = "dead_letters"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_]+)$", var.dead_letter_table)) && length(var.dead_letter_table) <= 1024
    error_message = "dead_letter_table: \"${var.dead_letter_table}\" is not a name of at most 1024 letters, digits and _."
  }
  validation {
    condition     = !contains(["events", "events_daily"], var.dead_letter_table)
    error_message = "dead_letter_table: \"${var.dead_letter_table}\" is the name of a view. Choose another name."
  }
}

variable "batch_max_rows" {
  description = "Maximum rows per insertAll request."
  type        = number
  default     = 500
  nullable    = false

  validation {
    condition     = var.batch_max_rows >= 1 && var.batch_max_rows <= 50000 && floor(var.batch_max_rows) == var.batch_max_rows
    error_message = "batch_max_rows: ${var.batch_max_rows} is not a whole number from 1 to 50000."
  }
}

variable "batch_max_bytes" {
  description = "Maximum bytes of rows per insertAll request."
  type        = number
  default     = 8388608
  nullable    = false

  validation {
    condition     = var.batch_max_bytes >= 1 && var.batch_max_bytes <= 9000000 && floor(var.batch_max_bytes) == var.batch_max_bytes
    error_message = "batch_max_bytes: ${var.batch_max_bytes} is not a whole number from 1 to 9000000."
  }
}

variable "batch_max_inserts" {
  description = "Maximum concurrent insertAll requests per instance."
  type        = number
  default     = 1000
  nullable    = false

  validation {
    condition     = var.batch_max_inserts >= 1 && var.batch_max_inserts <= 10000 && floor(var.batch_max_inserts) == var.batch_max_inserts
    error_message = "batch_max_inserts: ${var.batch_max_inserts} is not a whole number from 1 to 10000."
  }
}

variable "batch_max_linger" {
  description = "Maximum time that a row waits for others, so that they share an insertAll request. It waits only while its table has requests in flight, for a 64th of this time for each of them. Longer: fewer requests, later answers."
  type        = string
  default     = "16ms"
  nullable    = false

  validation {
    condition     = can(regex("^((0|[1-9][0-9]{0,4})ms|([0-9]|[1-5][0-9])([.][0-9]+)?s)$", var.batch_max_linger))
    error_message = "batch_max_linger: \"${var.batch_max_linger}\" is not a duration from 0ms to less than 60s, such as 16ms."
  }
}

variable "batch_gzip" {
  description = "Compress insertAll requests (gzip, level 1): less traffic, more CPU."
  type        = bool
  default     = false
  nullable    = false
}

variable "max_in_flight" {
  description = "Maximum messages in progress per instance. Further pushes are rejected with 429; `pull` reads no further message."
  type        = number
  default     = 2000
  nullable    = false

  validation {
    condition     = var.max_in_flight >= 1 && var.max_in_flight <= 1000000 && floor(var.max_in_flight) == var.max_in_flight
    error_message = "max_in_flight: ${var.max_in_flight} is not a whole number from 1 to 1000000."
  }
}

variable "max_in_flight_bytes" {
  description = "Maximum bytes of these messages: of each its body, or its payload and its row if they are larger, and 24 KiB for the connection of a push. A single message may have more."
  type        = number
  default     = null

  validation {
    condition     = var.max_in_flight_bytes == null ? true : var.max_in_flight_bytes >= 1 && var.max_in_flight_bytes <= 1099511627776 && floor(var.max_in_flight_bytes) == var.max_in_flight_bytes
    error_message = "max_in_flight_bytes: ${coalesce(var.max_in_flight_bytes, 0)} is not a whole number from 1 to 1099511627776."
  }
}

variable "push_deadline" {
  description = "Maximum time to answer a push, such as 8s or 500ms; with `pull`, to store a message before it is returned. Keep it below the ack deadline of the push subscription, which is 60 s in a deployment."
  type        = string
  default     = "50s"
  nullable    = false

  validation {
    condition     = can(regex("^([1-9][0-9]{2,3}ms|[1-5][0-9]{4}ms|([1-9]|[1-5][0-9])([.][0-9]+)?s|0[.][1-9][0-9]*s)$", var.push_deadline))
    error_message = "push_deadline: \"${var.push_deadline}\" is not a duration from 100ms to less than 60s, the subscription's ack deadline, such as 50s."
  }
}

variable "log_format" {
  description = "Format of log lines on standard error: json, text, or auto (text on a terminal)."
  type        = string
  default     = "json"
  nullable    = false

  validation {
    condition     = contains(["auto", "json", "text"], var.log_format)
    error_message = "log_format: \"${var.log_format}\" is not one of auto, json, text."
  }
}

variable "rust_log" {
  description = "Minimum level of log lines: error, warn, info, debug, trace; also by module, such as warn,pixel_pipeline=debug. Lines of other crates below info are never logged."
  type        = string
  default     = "info"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9_:-]+(=(off|error|warn|info|debug|trace|[0-5]))?(,[A-Za-z0-9_:-]+(=(off|error|warn|info|debug|trace|[0-5]))?)*)$", var.rust_log))
    error_message = "rust_log: \"${var.rust_log}\" is not a level such as error, warn, info, debug or trace, also by module, such as warn,pixel_pipeline=debug."
  }
}
