# The keys HASH_USER_IDS and URL_SIGNING_KEY: secrets in Secret Manager, which the service reads. The value of a generated
# key is only in Secret Manager: a write-only argument is neither in the plan nor in the state.

locals {
  keys           = { for setting, value in { HASH_USER_IDS = var.hash_user_ids, URL_SIGNING_KEY = var.url_signing_key } : setting => value if value != "" }
  generated_keys = toset([for setting, value in local.keys : setting if value == "generate"])
  # The secret of each key, as its name or as projects/PROJECT/secrets/NAME.
  secrets = { for setting, value in local.keys : setting => contains(local.generated_keys, setting) ? google_secret_manager_secret.key[setting].secret_id : value }
}

resource "google_secret_manager_secret" "key" {
  for_each = local.generated_keys

  project   = local.project
  secret_id = "${var.pipeline}-${lower(replace(each.key, "_", "-"))}"
  labels    = local.labels
  # Without the key, hashed ids of stored events cannot be found again.
  deletion_protection = !var.delete_data

  # In the region of the service, so that a policy about locations allows it.
  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }
}

# Terraform calls uuid() during each apply, but sends the result only when it creates the version. Each has 128 random bits.
resource "google_secret_manager_secret_version" "key" {
  for_each = local.generated_keys

  secret                 = google_secret_manager_secret.key[each.key].id
  secret_data_wo         = sha256("${uuid()}${uuid()}")
  secret_data_wo_version = 1
  deletion_policy        = var.delete_data ? "DELETE" : "ABANDON"
}

resource "google_secret_manager_secret_iam_member" "run" {
  for_each = local.secrets

  project   = local.project
  secret_id = each.value
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.run.member
}
