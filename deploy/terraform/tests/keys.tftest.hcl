# The keys of hashed ids and of signed URLs are secrets, and their values are not in the state.

mock_provider "google" {}
mock_provider "time" {}
mock_provider "google-beta" {}

variables {
  project_id = "my-project"
}

run "a_generated_key_is_a_secret_that_only_the_service_may_read" {
  command = apply

  variables {
    image         = "us-docker.pkg.dev/other/images/pixel-pipeline:1.0"
    hash_user_ids = "generate"
  }

  assert {
    condition     = google_secret_manager_secret.key["HASH_USER_IDS"].secret_id == "pixel-hash-user-ids" && google_secret_manager_secret.key["HASH_USER_IDS"].labels == tomap({ pipeline = "pixel" })
    error_message = "The secret must have the name and the label of the pipeline."
  }
  assert {
    condition = (
      google_secret_manager_secret_version.key["HASH_USER_IDS"].secret_data_wo == null &&
      !can(regex("[0-9a-f]{64}", jsonencode(google_secret_manager_secret_version.key["HASH_USER_IDS"])))
    )
    error_message = "The key must not be in the state."
  }
  assert {
    condition = (
      google_secret_manager_secret_iam_member.run["HASH_USER_IDS"].role == "roles/secretmanager.secretAccessor" &&
      google_secret_manager_secret_iam_member.run["HASH_USER_IDS"].member == google_service_account.run.member
    )
    error_message = "The service must have permission to read the secret."
  }
  assert {
    condition = {
      for env in google_cloud_run_v2_service.pipeline.template[0].containers[0].env : env.name => env.value_source[0].secret_key_ref[0].secret
      if length(env.value_source) > 0
    } == { HASH_USER_IDS = "pixel-hash-user-ids" }
    error_message = "HASH_USER_IDS must come from Secret Manager."
  }
  assert {
    condition     = contains(keys(google_project_service.api), "secretmanager")
    error_message = "The API of Secret Manager must be enabled."
  }
}

run "a_generated_key_stays_in_the_region" {
  command = plan

  variables {
    region        = "europe-west3"
    hash_user_ids = "generate"
  }

  assert {
    condition     = google_secret_manager_secret.key["HASH_USER_IDS"].replication[0].user_managed[0].replicas[0].location == "europe-west3"
    error_message = "A policy about locations must allow the secret."
  }
}

run "a_key_survives_a_destroy" {
  command = plan

  variables {
    url_signing_key = "generate"
  }

  assert {
    condition     = google_secret_manager_secret.key["URL_SIGNING_KEY"].deletion_protection && google_secret_manager_secret_version.key["URL_SIGNING_KEY"].deletion_policy == "ABANDON"
    error_message = "Without the key, stored hashes cannot be found again."
  }
}

run "a_given_secret_is_used" {
  command = plan

  variables {
    url_signing_key = "signing"
  }

  assert {
    condition     = length(google_secret_manager_secret.key) == 0 && google_secret_manager_secret_iam_member.run["URL_SIGNING_KEY"].secret_id == "signing"
    error_message = "The module must only grant the role on the secret."
  }
  assert {
    condition = [
      for env in google_cloud_run_v2_service.pipeline.template[0].containers[0].env : env.value_source[0].secret_key_ref[0].secret
      if env.name == "URL_SIGNING_KEY"
    ] == ["signing"]
    error_message = "URL_SIGNING_KEY must come from the secret."
  }
}

run "without_keys_there_is_no_secret" {
  command = plan

  assert {
    condition     = length(google_secret_manager_secret_iam_member.run) == 0 && !contains(keys(google_project_service.api), "secretmanager")
    error_message = "There must be no secret, and the API of Secret Manager is not needed."
  }
}
