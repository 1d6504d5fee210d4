# shellcheck shell=bash disable=SC2154
# The keys HASH_USER_IDS and URL_SIGNING_KEY: secrets in Secret Manager that the service reads. They exist before the service
# starts, so that no event is stored without them. A setting is `generate` or the name of a secret; empty leaves the service
# as it is.

KEYS='HASH_USER_IDS URL_SIGNING_KEY'

# generated_secret SETTING: the name of the secret that `generate` creates.
generated_secret() { printf '%s-%s' "$PIPELINE" "$(tr 'A-Z_' 'a-z-' <<<"$1")"; }

# secret_of SETTING: the name of the secret in use; empty if the setting is empty.
secret_of() {
  if [[ ${!1} == generate ]]; then generated_secret "$1"; else printf '%s' "${!1}"; fi
}

look_keys() {
  is_enabled secretmanager || return 0
  local key secret
  for key in $KEYS; do
    look_own "secret/$(generated_secret "$key")" look_secret "$(generated_secret "$key")"
    secret=$(secret_of "$key")
    [[ -n $secret ]] || continue
    [[ $secret == "$(generated_secret "$key")" ]] || look "secret/$secret" look_secret "$secret"
    look "versions/$secret" gcloud secrets versions list "$secret" --filter=state=ENABLED --limit=1 --format='value(name)'
    look_policy "secret/$secret" "$secret" gcloud secrets
  done
}

look_secret() { gcloud secrets describe "$1" --format='value(labels.pipeline)'; }

decide_keys() {
  step 'Keys'
  local key secret
  for key in $KEYS; do
    secret=$(secret_of "$key")
    [[ -n $secret ]] || continue
    if found "secret/$secret" && [[ -n $(text "versions/$secret") ]]; then
      :
    elif [[ ${!key} == generate ]]; then
      create "secret $secret with a random key" make_secret "$secret"
    else
      conflict "$key" "there is no secret of that name in Secret Manager. Create it with a random key:
  head -c 32 /dev/urandom | base64 | gcloud secrets create NAME --project=$PROJECT_ID --data-file=-"
    fi
    grant "secret/$secret" "serviceAccount:$RUN_ACCOUNT" roles/secretmanager.secretAccessor "$secret" gcloud secrets
  done
}

# make_secret NAME: in the region of the service, so that a policy about locations allows it.
make_secret() {
  found "secret/$1" ||
    gcloud secrets create "$1" --replication-policy=user-managed --locations="$REGION" --labels="pipeline=$PIPELINE"
  head -c 32 /dev/urandom | base64 | gcloud secrets versions add "$1" --data-file=-
}

# key_flags: the flag of `gcloud run deploy` that mounts the keys.
key_flags() {
  local key flags=
  for key in $KEYS; do
    [[ -z ${!key} ]] || flags+="${flags:+,}$key=$(secret_of "$key"):latest"
  done
  [[ -z $flags ]] || printf -- '--update-secrets=%s\n' "$flags"
}

# Without its key, a hash of the stored events can never be found again. So the key is deleted with the events.
remove_keys() {
  local key secret
  for key in $KEYS; do
    secret=$(generated_secret "$key")
    if [[ $delete_data == true ]]; then
      remove_own "secret/$secret" "secret $secret" gcloud secrets delete "$secret"
    elif found "secret/$secret" && is_ours "secret/$secret"; then
      note "secret $secret is kept with the events; use --delete-data to delete it"
    fi
  done
}
