# shellcheck shell=bash disable=SC2154
# The image of the service: an image by reference (IMAGE), or one that Cloud Build builds from this repository. The command
# that deploys the service also builds, so this part consists of the image repositories and the account of the build.

look_image() {
  if is_enabled artifactregistry; then
    local name
    for name in "$PIPELINE" "$PIPELINE-ghcr"; do
      look_own "repository/$name" gcloud artifacts repositories describe "$name" --location="$REGION" --format='value(labels.pipeline)'
    done
  fi
  if is_enabled storage; then
    look "sources/$SERVICE" gcloud storage ls "$SOURCES/services/$SERVICE/"
  fi
  ! is_enabled cloudresourcemanager || look_policy project "$PROJECT_ID" gcloud projects
}

decide_image() {
  step 'Image'
  if [[ $IMAGE == ghcr.io/* ]]; then
    # Cloud Run pulls from Artifact Registry, so a remote repository there is a proxy of ghcr.io.
    repository "$PIPELINE-ghcr" --mode=remote-repository --remote-docker-repo=https://ghcr.io
    IMAGE=$REGION-docker.pkg.dev/$PROJECT_ID/$PIPELINE-ghcr/${IMAGE#ghcr.io/}
  elif [[ -z $IMAGE ]]; then
    repository "$PIPELINE"
    has_line policy/project "roles/run.builder serviceAccount:$BUILD_ACCOUNT" ||
      create "roles/run.builder for $BUILD_ACCOUNT" gcloud projects add-iam-policy-binding "$PROJECT_ID" \
        --member="serviceAccount:$BUILD_ACCOUNT" --role=roles/run.builder --condition=None
  fi
}

# repository NAME [FLAG...]
repository() {
  if ! found "repository/$1"; then
    create "image repository $1" gcloud artifacts repositories create "$1" --location="$REGION" --repository-format=docker \
      --labels="pipeline=$PIPELINE" "${@:2}"
  elif [[ $(field "repository/$1" 1) != "$PIPELINE" ]]; then
    update "image repository $1 belongs to this pipeline" gcloud artifacts repositories update "$1" --location="$REGION" --update-labels="pipeline=$PIPELINE"
  fi
}

# image_flags: the flags of `gcloud run deploy` for the image, one a line.
image_flags() {
  if [[ -n $IMAGE ]]; then
    printf -- '--image=%s\n' "$IMAGE"
  else
    printf -- '--source=.\n--image=%s\n--build-service-account=%s\n' "$REGION-docker.pkg.dev/$PROJECT_ID/$PIPELINE/$SERVICE" \
      "projects/$PROJECT_ID/serviceAccounts/$BUILD_ACCOUNT"
  fi
}

# image_version: what changes with each other image.
image_version() {
  if [[ -n $IMAGE ]]; then
    printf '%s\n' "$IMAGE"
  else
    find Cargo.toml Cargo.lock Dockerfile benches/load/Cargo.toml crates/*/Cargo.toml fuzz/Cargo.toml tests/simulation/Cargo.toml schema src -type f |
      LC_ALL=C sort | xargs cat | digest
  fi
}

remove_image() {
  step 'Image'
  local name
  for name in "$PIPELINE" "$PIPELINE-ghcr"; do
    remove_own "repository/$name" "image repository $name" gcloud artifacts repositories delete "$name" --location="$REGION"
  done
  # A foreign service of this name has its own sources there.
  if found "sources/$SERVICE" && { ! found "service/$SERVICE" || is_ours "service/$SERVICE"; }; then
    remove "sources of $SERVICE that gcloud uploaded" remove_sources
  fi
  ! has_line policy/project "roles/run.builder serviceAccount:$BUILD_ACCOUNT" ||
    remove "role of $BUILD_ACCOUNT" gcloud projects remove-iam-policy-binding "$PROJECT_ID" \
      --member="serviceAccount:$BUILD_ACCOUNT" --role=roles/run.builder --condition=None
}

# gcloud creates one bucket for the sources of all services of a region.
remove_sources() {
  gcloud storage rm --recursive "$SOURCES/services/$SERVICE"
  [[ -n $(gcloud storage ls "$SOURCES") ]] || gcloud storage buckets delete "$SOURCES"
}
