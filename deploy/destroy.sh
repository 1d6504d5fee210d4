#!/usr/bin/env bash
# Deletes the resources that deploy.sh created, with the same settings. It keeps the events, which are in the dataset and
# the archive, unless --delete-data is given. The APIs stay enabled.
#
#   PROJECT_ID=my-project deploy/destroy.sh [--delete-data] [--yes] [FILE]
#
# Asks first on a terminal, unless --yes is given. Run it again after an error: it continues where it stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/settings.sh

delete_data=false yes=false file=()
for argument in "$@"; do
  case $argument in
    --delete-data) delete_data=true ;;
    --yes) yes=true ;;
    -*) fail "unknown flag $argument: usage: deploy/destroy.sh [--delete-data] [--yes] [FILE]" ;;
    *) file+=("$argument") ;;
  esac
done
load_settings ${file[@]+"${file[@]}"}
. deploy/steps.sh

if [[ $yes == false && -t 0 ]]; then
  what="the pipeline $PIPELINE of $PROJECT_ID"
  [[ $delete_data == false ]] || what+=" and all its events (dataset $DATASET${ARCHIVE_BUCKET:+, gs://$ARCHIVE_BUCKET})"
  read -rp "Delete $what? [y/N] " answer
  [[ $answer == [yY]* ]] || fail 'cancelled: nothing was changed'
fi

# remove WHAT COLLECTION... NAME [-- FLAGS...]: deletes the resource with gcloud, if it exists.
remove() {
  local what=$1 command=()
  shift
  while [[ $# -gt 0 && $1 != -- ]]; do
    command+=("$1")
    shift
  done
  [[ $# == 0 ]] || shift
  local name=${command[${#command[@]} - 1]}
  unset "command[${#command[@]}-1]"
  ! have gcloud "${command[@]}" describe "$name" "$@" || change "$what $name" gcloud "${command[@]}" delete "$name" "$@"
}

step 'Monitoring'
# labelled COMMAND...: the names of the listed resources that belong to this pipeline.
labelled() { "$@" list --format='value[separator=" "](name,userLabels.pipeline)' | sed -n "s/ $PIPELINE\$//p"; }
for policy in $(labelled gcloud alpha monitoring policies); do
  change "alert $policy" gcloud alpha monitoring policies delete "$policy"
done
for channel in $(labelled gcloud beta monitoring channels); do
  change "notification channel $channel" gcloud beta monitoring channels delete "$channel"
done
remove 'dashboard' monitoring dashboards "projects/$PROJECT_ID/dashboards/$SERVICE"
for metric in deploy/monitoring/metrics/*.json; do
  remove 'log-based metric' logging metrics "${PIPELINE}_$(basename "$metric" .json)"
done

step 'Logs'
# First, so that entries are always kept somewhere.
! has "$PIPELINE" gcloud logging sinks describe _Default --flatten='exclusions[]' --format='value(exclusions.name)' ||
  change "include the pixel's entries in the _Default bucket" gcloud logging sinks update _Default --remove-exclusions="$PIPELINE"
remove 'sink' logging sinks "$PIPELINE"
remove 'sink' logging sinks "$PIPELINE-archive"

step 'Pixel'
remove 'forwarding rule' compute forwarding-rules "$PIPELINE-https" -- --global
remove 'forwarding rule' compute forwarding-rules "$PIPELINE-http" -- --global
remove 'HTTPS proxy' compute target-https-proxies "$PIPELINE-https" -- --global
remove 'HTTP proxy' compute target-http-proxies "$PIPELINE-http" -- --global
# Also certificates of earlier values of DOMAIN.
for certificate in $(gcloud compute ssl-certificates list --global --filter="description=\"pixel-pipeline $PIPELINE\"" --format='value(name)'); do
  remove 'certificate' compute ssl-certificates "$certificate" -- --global
done
remove 'URL map' compute url-maps "$PIPELINE" -- --global
remove 'backend bucket' compute backend-buckets "$PIPELINE"
remove 'address' compute addresses "$PIPELINE" -- --global
! have gcloud storage buckets describe "gs://$PIXEL_BUCKET" ||
  change "bucket gs://$PIXEL_BUCKET" gcloud storage rm --recursive "gs://$PIXEL_BUCKET"

step 'Pub/Sub'
remove 'subscription' pubsub subscriptions "$PUSH_SUBSCRIPTION"
remove 'subscription' pubsub subscriptions "$DEAD_LETTER"
remove 'topic' pubsub topics "$PIPELINE"
remove 'topic' pubsub topics "$DEAD_LETTER"

step 'Service'
remove 'service' run services "$SERVICE" -- --region="$REGION"
remove 'image repository' artifacts repositories "$PIPELINE" -- --location="$REGION"
remove 'image repository' artifacts repositories "$PIPELINE-ghcr" -- --location="$REGION"
# Sources that gcloud uploaded for builds. The bucket is shared by all services that are built from source.
sources=gs://run-sources-${PROJECT_ID/:/-}-$REGION
! have gcloud storage ls "$sources/services/$SERVICE/" || change "uploaded sources of $SERVICE" gcloud storage rm --recursive "$sources/services/$SERVICE"
! is '' gcloud storage ls "$sources" || ! have gcloud storage buckets describe "$sources" || change "bucket $sources" gcloud storage rm --recursive "$sources"
! allows "serviceAccount:$BUILD_ACCOUNT" roles/run.builder "$PROJECT_ID" gcloud projects ||
  change "role of $BUILD_ACCOUNT" gcloud projects remove-iam-policy-binding "$PROJECT_ID" \
    --member="serviceAccount:$BUILD_ACCOUNT" --role=roles/run.builder --condition=None
for account in "$RUN_ACCOUNT" "$PUSH_ACCOUNT" "$BUILD_ACCOUNT"; do
  remove 'account' iam service-accounts "$account"
done

step 'Data'
if [[ $delete_data == true ]]; then
  ! have bq_ show --dataset "$DATASET" || change "dataset $DATASET with all its tables" bq_ rm --force --recursive --dataset "$DATASET"
  ! have gcloud storage buckets describe "gs://$ARCHIVE_BUCKET" ||
    change "bucket gs://$ARCHIVE_BUCKET" gcloud storage rm --recursive "gs://$ARCHIVE_BUCKET"
else
  ! have bq_ show --dataset "$DATASET" || printf '  dataset %s is kept; use --delete-data to delete it\n' "$DATASET"
  ! have gcloud storage buckets describe "gs://$ARCHIVE_BUCKET" || printf '  bucket gs://%s is kept; use --delete-data to delete it\n' "$ARCHIVE_BUCKET"
fi

printf '\n%s\n' "Deleted: $changes resources. The APIs stay enabled."
