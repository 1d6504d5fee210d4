# Settings of the service as environment variables. Generated from src/config/settings.rs.

locals {
  service_settings = {
    DATASET                 = var.dataset
    TABLE_NAME              = var.table_name
    VALID_ATTRIBUTES        = var.valid_attributes
    TABLE_SUFFIX            = var.table_suffix
    MAX_NEW_TABLES_PER_HOUR = tostring(var.max_new_tables_per_hour)
    OVERFLOW_SUFFIX         = var.overflow_suffix
    PIXEL_PATH              = var.pixel_path
    PIXEL_METHODS           = var.pixel_methods
    STATUS                  = var.status
    IP_ANONYMIZATION        = var.ip_anonymization
    HASH_ATTRIBUTES         = var.hash_attributes
    RESPECT_OPT_OUT         = tostring(var.respect_opt_out)
    SIGNATURE_MODE          = var.signature_mode
    DEAD_LETTER_TABLE       = var.dead_letter_table
    BATCH_MAX_ROWS          = tostring(var.batch_max_rows)
    BATCH_MAX_BYTES         = tostring(var.batch_max_bytes)
    BATCH_MAX_INSERTS       = tostring(var.batch_max_inserts)
    BATCH_MAX_LINGER        = var.batch_max_linger
    BATCH_GZIP              = tostring(var.batch_gzip)
    MAX_IN_FLIGHT           = tostring(var.max_in_flight)
    MAX_IN_FLIGHT_BYTES     = var.max_in_flight_bytes == null ? "" : tostring(var.max_in_flight_bytes)
    PUSH_DEADLINE           = var.push_deadline
    LOG_FORMAT              = var.log_format
    RUST_LOG                = var.rust_log
  }
}
