# shellcheck shell=bash disable=SC2154
# The public bucket with the pixel's objects, and what all buckets share.

look_bucket() {
  local path
  look_storage look_own "$PIXEL_BUCKET"
  is_enabled storage || return 0
  for path in ${PIXEL_PATH//,/ }; do
    look "object/$PIXEL_BUCKET$path" gcloud storage objects describe "gs://$PIXEL_BUCKET$path" --format='value(content_type)'
  done
}

# The public role is a rare one, which this pipeline's script grants.
claim_bucket() {
  ! has_line "policy/bucket/$PIXEL_BUCKET" 'roles/storage.legacyObjectReader allUsers' || claim_unmarked "bucket/$PIXEL_BUCKET"
}

decide_bucket() {
  step "Pixel: gs://$PIXEL_BUCKET behind load balancer and CDN"
  decide_storage "$PIXEL_BUCKET" inherited
  # Anyone can read an object by its name; nobody can list the objects.
  grant "bucket/$PIXEL_BUCKET" allUsers roles/storage.legacyObjectReader "gs://$PIXEL_BUCKET" gcloud storage buckets
  local path
  for path in ${PIXEL_PATH//,/ }; do
    found "object/$PIXEL_BUCKET$path" ||
      create "pixel $path" gcloud storage cp deploy/pixel.png "gs://$PIXEL_BUCKET$path" --content-type=image/png --cache-control='public, max-age=0'
  done
}

remove_bucket() {
  step 'Pixel: bucket'
  remove_storage "$PIXEL_BUCKET"
}

# --- What all buckets share

# look_storage look|look_own BUCKET: its state and its policy.
look_storage() {
  is_enabled storage || return 0
  "$1" "bucket/$2" gcloud storage buckets describe "gs://$2" --format='value[separator="|"](labels.pipeline,location,lifecycle_config.rule[0].condition.age)'
  look_policy "bucket/$2" "gs://$2" gcloud storage buckets
}

# decide_storage BUCKET PUBLIC_ACCESS_PREVENTION
decide_storage() {
  local location
  location=$(field "bucket/$1" 2 | tr '[:lower:]' '[:upper:]')
  if ! found "bucket/$1"; then
    create "bucket gs://$1 in $LOCATION" create_bucket "$1" "$2"
  elif [[ $location != "$(tr '[:lower:]' '[:upper:]' <<<"$LOCATION")" ]]; then
    conflict "bucket/$1" "is in $location, and LOCATION is $LOCATION. Set LOCATION=$location, or move its objects and delete it"
  elif [[ $(field "bucket/$1" 1) != "$PIPELINE" ]]; then
    update "bucket gs://$1 belongs to this pipeline" gcloud storage buckets update "gs://$1" --update-labels="pipeline=$PIPELINE"
  fi
}

# The API creates a bucket with its label in one request, which gcloud cannot: a bucket without label would be foreign to
# the next run.
create_bucket() {
  printf '{"name": "%s", "location": "%s", "labels": {"pipeline": "%s"}, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": true}, "publicAccessPrevention": "%s"}}' \
    "$1" "$LOCATION" "$PIPELINE" "$2" >"$tmp/bucket.json"
  rest POST storage "storage/v1/b?project=$PROJECT_ID" "$tmp/bucket.json"
}

# remove_storage BUCKET: deletes it with its objects.
remove_storage() {
  remove_own "bucket/$1" "bucket gs://$1" gcloud storage rm --recursive "gs://$1"
}
