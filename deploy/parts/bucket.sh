# shellcheck shell=bash
# The public bucket with the pixel's objects, and what all buckets share.

look_bucket() {
  local path
  look_storage "$PIXEL_BUCKET"
  is_enabled storage || return 0
  for path in ${PIXEL_PATH//,/ }; do
    look "object/$PIXEL_BUCKET$path" gcloud storage objects describe "gs://$PIXEL_BUCKET$path" --format='value(content_type)'
  done
}

decide_bucket() {
  step "Pixel: gs://$PIXEL_BUCKET behind load balancer and CDN"
  decide_storage "$PIXEL_BUCKET" --no-public-access-prevention
  # Anyone can read an object by its name; nobody can list the objects.
  grant "bucket/$PIXEL_BUCKET" allUsers roles/storage.legacyObjectReader "gs://$PIXEL_BUCKET" gcloud storage buckets
  local path
  for path in ${PIXEL_PATH//,/ }; do
    found "object/$PIXEL_BUCKET$path" ||
      create "pixel $path" gcloud storage cp deploy/pixel.png "gs://$PIXEL_BUCKET$path" --content-type=image/png --cache-control='public, max-age=0'
  done
}

remove_bucket() { remove_storage "$PIXEL_BUCKET"; }

# --- What all buckets share

# look_storage BUCKET: its state and its policy.
look_storage() {
  is_enabled storage || return 0
  look "bucket/$1" gcloud storage buckets describe "gs://$1" --format='value[separator="|"](labels.pipeline,lifecycle_config.rule[0].condition.age)'
  look_policy "bucket/$1" "gs://$1" gcloud storage buckets
}

# decide_storage BUCKET FLAG...: creates the bucket with the flags.
decide_storage() {
  found "bucket/$1" ||
    create "bucket gs://$1" gcloud storage buckets create "gs://$1" --location="$LOCATION" --uniform-bucket-level-access "${@:2}"
}

# remove_storage BUCKET: deletes it with its objects.
remove_storage() {
  ! found "bucket/$1" || remove "bucket gs://$1" gcloud storage rm --recursive "gs://$1"
}
