# shellcheck shell=bash disable=SC2154
# The APIs of the project. destroy.sh leaves them enabled: other things in the project may use them.

look_apis() {
  look apis gcloud services list --enabled --format='value(config.name)'
}

# is_enabled NAME: a resource of an API that is not enabled does not exist.
is_enabled() { has_line apis "$1.googleapis.com"; }

decide_apis() {
  local name missing=()
  for name in artifactregistry bigquery ${BUDGET:+billingbudgets cloudbilling} cloudbuild cloudresourcemanager compute iam logging monitoring pubsub run storage \
      $([[ -z $HASH_USER_IDS$URL_SIGNING_KEY ]] || echo secretmanager); do
    is_enabled "$name" || missing+=("$name.googleapis.com")
  done
  step "APIs of $PROJECT_ID"
  [[ ${#missing[@]} == 0 ]] || create "enable ${missing[*]} (a minute)" gcloud services enable "${missing[@]}"
}
