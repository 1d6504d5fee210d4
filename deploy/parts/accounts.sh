# shellcheck shell=bash disable=SC2154
# The service accounts: of the service, of the pushes, and of the build. Their display names say that they are ours.

look_accounts() {
  is_enabled iam || return 0
  local account
  for account in "$RUN_ACCOUNT" "$PUSH_ACCOUNT" "$BUILD_ACCOUNT"; do
    look_own "account/$account" show_account "$account"
  done
}

# show_account EMAIL: the pipeline in the display name "Pixel pipeline NAME: what for".
show_account() {
  gcloud iam service-accounts describe "$1" --format='value(displayName)' | sed 's/^Pixel pipeline \([^: ]*\): .*/\1/'
}

decide_accounts() {
  step 'Service accounts'
  account "$RUN_ACCOUNT" 'the service'
  account "$PUSH_ACCOUNT" 'signs pushes of Pub/Sub'
  [[ -n $IMAGE ]] || account "$BUILD_ACCOUNT" 'builds the image'
}

# account EMAIL PURPOSE
account() {
  local name="Pixel pipeline $PIPELINE: $2"
  if ! found "account/$1"; then
    create "account $1" gcloud iam service-accounts create "${1%%@*}" --display-name="$name"
  elif [[ $(field "account/$1" 1) != "$PIPELINE" ]]; then
    update "account $1 belongs to this pipeline" gcloud iam service-accounts update "$1" --display-name="$name"
  fi
}

remove_accounts() {
  step 'Service accounts'
  local account
  for account in "$RUN_ACCOUNT" "$PUSH_ACCOUNT" "$BUILD_ACCOUNT"; do
    remove_own "account/$account" "account $account" gcloud iam service-accounts delete "$account"
  done
}
