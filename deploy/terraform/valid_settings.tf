# Conditions that compare settings. Generated from src/config/settings.rs. They are evaluated when each variable is valid by
# itself, and before anything is created.

resource "terraform_data" "valid_settings" {
  lifecycle {
    precondition {
      condition     = var.url_map == "" || var.domain == ""
      error_message = "url_map: \"${var.url_map}\" is a load balancer with its own certificates. Leave domain empty."
    }
    precondition {
      condition     = tonumber(regex("^[0-9]+", var.memory)) * (endswith(var.memory, "Gi") ? 1024 : 1) >= lookup({ "4" = 2048, "6" = 4096, "8" = 4096 }, var.cpu, 512)
      error_message = "memory: \"${var.memory}\" is less than Cloud Run needs for cpu = ${var.cpu}: 512Mi, 2Gi for 4 CPUs, 4Gi for 6 and 8."
    }
    precondition {
      condition     = tonumber(regex("^[0-9]+", var.memory)) * (endswith(var.memory, "Gi") ? 1024 : 1) <= 32768
      error_message = "memory: \"${var.memory}\" is more than 32Gi, Cloud Run's maximum."
    }
    precondition {
      condition     = var.max_instances >= var.min_instances
      error_message = "max_instances: ${var.max_instances} is less than min_instances, which is ${var.min_instances}."
    }
    precondition {
      condition     = alltrue([for field in regexall("[{]([^{}:]+)[}]", var.table_suffix) : contains(concat(["date"], [for name in split(",", var.valid_attributes) : trimspace(name)]), field[0])])
      error_message = "table_suffix: \"${var.table_suffix}\" has a field that is not in valid_attributes, which is ${var.valid_attributes}. Use one of these or {date}."
    }
    precondition {
      condition     = var.overflow_suffix != var.table_suffix
      error_message = "overflow_suffix: \"${var.overflow_suffix}\" is also table_suffix. Choose a suffix that no other table has, such as _overflow_{date}."
    }
    precondition {
      condition     = var.hash_attributes == "user_id" ? true : alltrue([for hashed in split(",", var.hash_attributes) : contains([for name in split(",", var.valid_attributes) : trimspace(name)], trimspace(hashed))])
      error_message = "hash_attributes: \"${var.hash_attributes}\" has a name that is not in valid_attributes, which is ${var.valid_attributes}. Use one of these."
    }
    precondition {
      condition     = !startswith(var.dead_letter_table, var.table_name)
      error_message = "dead_letter_table: \"${var.dead_letter_table}\" begins with table_name, so queries over `${var.table_name}*` would read it. Choose another name."
    }
  }
}
