#!/usr/bin/env bash
# Creates the whole pipeline in a Google Cloud project: BigQuery, service, topic, log sink, pixel, dashboard.
#
#   PROJECT_ID=my-project deploy/deploy.sh     settings from the environment and deploy/pipeline.env
#   deploy/deploy.sh FILE                      settings from the environment and FILE
#
# Each step reads the current state, creates what is missing and changes what differs. Run it again after a change of
# settings or after an error; a second run changes nothing. The steps run from the tables back to the pixel, so that each
# part exists before events reach it.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/settings.sh
load_settings "$@"
. deploy/steps.sh
. deploy/views.sh

step "APIs of $PROJECT_ID"
services='artifactregistry bigquery cloudbuild cloudresourcemanager compute iam logging monitoring pubsub run storage'
enabled=$(gcloud services list --enabled --format='value(config.name)')
missing=()
for service in $services; do
  grep -qx "$service.googleapis.com" <<<"$enabled" || missing+=("$service.googleapis.com")
done
[[ ${#missing[@]} == 0 ]] || change "enable ${missing[*]}" gcloud services enable "${missing[@]}"

step "BigQuery: $DATASET"
have bq_ show --dataset "$DATASET" ||
  change "dataset $DATASET in $LOCATION" bq_ --location="$LOCATION" mk --dataset --label="pipeline:$PIPELINE" --description="Events of the pixel $PIPELINE" "$DATASET"

# New tables and views in a dataset with a default expiration get that expiration. Only generated tables must expire.
never_expires() {
  ! bq_ show --format=prettyjson "$DATASET.$1" | grep '"expirationTime"' >/dev/null || change "$1 never expires" bq_ update --expiration=0 "$DATASET.$1"
}

# table NAME SCHEMA_FILE: the label tells whether the file has changed. BigQuery only allows columns to be added.
table() {
  local label
  label=$(digest <"$2")
  if ! have bq_ show "$DATASET.$1"; then
    change "table $1" bq_ mk --table --label="pipeline:$PIPELINE" --label="schema:$label" "$DATASET.$1" "$2"
    never_expires "$1"
  elif ! bq_ show --format=prettyjson "$DATASET.$1" | grep -F "\"schema\": \"$label\"" >/dev/null; then
    change "columns of table $1" bq_ update --table --set_label="schema:$label" "$DATASET.$1" "$2"
  fi
}
table "$TABLE_NAME" "$SCHEMA_FILE"
table "$DEAD_LETTER_TABLE" schema/dead_letters.json

template_columns >"$tmp/columns"
for view in events events_daily; do
  if ! sql=$(for_columns "schema/views/$view.sql" "$tmp/columns"); then
    printf '  - without view %s: table %s has no column %s\n' "$view" "$TABLE_NAME" "$sql"
    continue
  fi
  sql=$(fill /dev/stdin <<<"$sql")
  label=$(digest <<<"$sql")
  if ! have bq_ show "$DATASET.$view"; then
    change "view $view" bq_ mk --use_legacy_sql=false --label="pipeline:$PIPELINE" --label="text:$label" --view="$sql" "$DATASET.$view"
    never_expires "$view"
  elif ! bq_ show --format=prettyjson "$DATASET.$view" | grep -F "\"text\": \"$label\"" >/dev/null; then
    change "view $view" bq_ update --use_legacy_sql=false --set_label="text:$label" --view="$sql" "$DATASET.$view"
  fi
done

seconds=$((${TABLE_EXPIRATION_DAYS:-0} * 86400))
dataset=$(bq_ show --format=prettyjson --dataset "$DATASET")
expiration=$(sed -n 's/.*"defaultTableExpirationMs": "\{0,1\}\([0-9]*\).*/\1/p' <<<"$dataset")
[[ $((seconds * 1000)) == "${expiration:-0}" ]] ||
  change "generated tables expire ${TABLE_EXPIRATION_DAYS:+after }${TABLE_EXPIRATION_DAYS:-never}${TABLE_EXPIRATION_DAYS:+ days}" bq_ update --default_table_expiration="$seconds" "$DATASET"

step "Service: $SERVICE"
account() {
  have gcloud iam service-accounts describe "$1" ||
    change "account $1" gcloud iam service-accounts create "${1%%@*}" --display-name="$2"
}
account "$RUN_ACCOUNT" "Pixel pipeline $PIPELINE: the service"
account "$PUSH_ACCOUNT" "Pixel pipeline $PIPELINE: signs pushes of Pub/Sub"

# WRITER is roles/bigquery.dataEditor on this dataset only. bq has no command that adds one entry, so the dataset is
# written back with the entry added.
if ! grep -Fq "\"userByEmail\": \"$RUN_ACCOUNT\"" <<<"$dataset"; then
  bq_ show --format=prettyjson --dataset "$DATASET" |
    sed "s/\"access\": \[/&{\"role\": \"WRITER\", \"userByEmail\": \"$RUN_ACCOUNT\"},/" >"$tmp/dataset.json"
  change "roles/bigquery.dataEditor on $DATASET for $RUN_ACCOUNT" bq_ update --source="$tmp/dataset.json" --dataset "$DATASET"
fi

if [[ $IMAGE == ghcr.io/* ]]; then
  # Cloud Run pulls from Artifact Registry, so a remote repository there is a proxy of ghcr.io.
  have gcloud artifacts repositories describe "$PIPELINE-ghcr" --location="$REGION" ||
    change "image repository $PIPELINE-ghcr" gcloud artifacts repositories create "$PIPELINE-ghcr" --location="$REGION" --repository-format=docker \
      --mode=remote-repository --remote-docker-repo=https://ghcr.io --labels="pipeline=$PIPELINE"
  IMAGE=$REGION-docker.pkg.dev/$PROJECT_ID/$PIPELINE-ghcr/${IMAGE#ghcr.io/}
fi
if [[ -n $IMAGE ]]; then
  image=(--image="$IMAGE")
  what=$IMAGE
else
  account "$BUILD_ACCOUNT" "Pixel pipeline $PIPELINE: builds the image"
  grant "serviceAccount:$BUILD_ACCOUNT" roles/run.builder "$PROJECT_ID" gcloud projects
  have gcloud artifacts repositories describe "$PIPELINE" --location="$REGION" ||
    change "image repository $PIPELINE" gcloud artifacts repositories create "$PIPELINE" --location="$REGION" --repository-format=docker --labels="pipeline=$PIPELINE"
  image=(--source=. --image="$REGION-docker.pkg.dev/$PROJECT_ID/$PIPELINE/$SERVICE"
    --build-service-account="projects/$PROJECT_ID/serviceAccounts/$BUILD_ACCOUNT")
  what=$(find Cargo.toml Cargo.lock Dockerfile benches/load/Cargo.toml crates/*/Cargo.toml fuzz/Cargo.toml tests/simulation/Cargo.toml schema src -type f | LC_ALL=C sort | xargs cat | digest)
fi
{
  printf "%s: '%s'\n" GOOGLE_CLOUD_PROJECT "$PROJECT_ID"
  # The tables are created above from SCHEMA_FILE; the service would create them with the built-in schema.
  printf "%s: '%s'\n" AUTO_CREATE false
  # Cloud Run accepts every caller with run.invoker, also on the project; the service checks which account it is. It does
  # not check the audience, which is the service's URL: that is unknown before the deployment.
  printf "%s: '%s'\n" PUSH_AUTH iam PUSH_SERVICE_ACCOUNT "$PUSH_ACCOUNT"
  for setting in $SERVICE_SETTINGS; do
    printf "%s: '%s'\n" "$setting" "${!setting//\'/\'\'}"
  done
} >"$tmp/environment.yaml"
# Pub/Sub of the same project is internal traffic. A push is answered within PUSH_DEADLINE, so the timeout of a request is
# the ack deadline. CPU is allocated during requests only, which is enough.
service=("$SERVICE" --region="$REGION" --no-allow-unauthenticated --ingress=internal --service-account="$RUN_ACCOUNT"
  --cpu="$CPU" --memory="$MEMORY" --cpu-boost --concurrency="$CONCURRENCY" --min-instances="$MIN_INSTANCES"
  --max-instances="$MAX_INSTANCES" --timeout=60
  --startup-probe="httpGet.path=/ready,periodSeconds=1,timeoutSeconds=1,failureThreshold=60"
  --liveness-probe="httpGet.path=/health,periodSeconds=30,timeoutSeconds=5,failureThreshold=3"
  --env-vars-file="$tmp/environment.yaml")
label=$({ printf '%s\n' "$what" "${service[@]/$tmp/}"; cat "$tmp/environment.yaml"; } | digest)
# A revision that is not ready is deployed again.
state=$(gcloud run services describe "$SERVICE" --region="$REGION" 2>/dev/null \
  --format='value[separator=" "](metadata.labels.deployed,status.latestCreatedRevisionName,status.latestReadyRevisionName)') || true
read -r deployed created ready <<<"$state" || true
if [[ $deployed != "$label" || $created != "$ready" ]]; then
  change "deploy $SERVICE${IMAGE:+ from $IMAGE}, which takes minutes" \
    gcloud run deploy "${service[@]}" "${image[@]}" --labels="pipeline=$PIPELINE,deployed=$label"
fi
grant "serviceAccount:$PUSH_ACCOUNT" roles/run.invoker "$SERVICE" gcloud run services
url=$(gcloud run services describe "$SERVICE" --region="$REGION" --format='value(status.url)')

step "Pub/Sub: topic $PIPELINE"
for topic in "$PIPELINE" "$DEAD_LETTER"; do
  have gcloud pubsub topics describe "$topic" || change "topic $topic" gcloud pubsub topics create "$topic" --labels="pipeline=$PIPELINE"
done
have gcloud pubsub subscriptions describe "$DEAD_LETTER" ||
  change "subscription $DEAD_LETTER, which keeps dead letters for 7 days" \
    gcloud pubsub subscriptions create "$DEAD_LETTER" --topic="$DEAD_LETTER" --message-retention-duration=7d --expiration-period=never --labels="pipeline=$PIPELINE"

# A new table answers 404 for minutes, and its messages are retried until then: with five attempts, the default, they
# would become dead letters.
push=(--push-endpoint="$url/" --push-auth-service-account="$PUSH_ACCOUNT" --push-auth-token-audience="$url" --ack-deadline=60
  --min-retry-delay=10s --max-retry-delay=600s --dead-letter-topic="$DEAD_LETTER" --max-delivery-attempts=100
  --message-retention-duration=7d --expiration-period=never)
if ! have gcloud pubsub subscriptions describe "$PUSH_SUBSCRIPTION"; then
  change "subscription $PUSH_SUBSCRIPTION to $url/" gcloud pubsub subscriptions create "$PUSH_SUBSCRIPTION" --topic="$PIPELINE" "${push[@]}" --labels="pipeline=$PIPELINE"
elif ! is "$url/ $PUSH_ACCOUNT $url 60 10s 600s $DEAD_LETTER 100" gcloud pubsub subscriptions describe "$PUSH_SUBSCRIPTION" \
  --format='value[separator=" "](pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience,ackDeadlineSeconds,retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts)'; then
  change "subscription $PUSH_SUBSCRIPTION to $url/" gcloud pubsub subscriptions update "$PUSH_SUBSCRIPTION" "${push[@]}"
fi

# Pub/Sub moves messages to the dead-letter topic with a service agent of the project.
number=$(gcloud projects describe "$PROJECT_ID" --format='value(projectNumber)')
agent=serviceAccount:service-$number@gcp-sa-pubsub.iam.gserviceaccount.com
allows "$agent" roles/pubsub.publisher "$DEAD_LETTER" gcloud pubsub topics ||
  change "service agent of Pub/Sub" gcloud beta services identity create --service=pubsub.googleapis.com
grant "$agent" roles/pubsub.publisher "$DEAD_LETTER" gcloud pubsub topics
grant "$agent" roles/pubsub.subscriber "$PUSH_SUBSCRIPTION" gcloud pubsub subscriptions

step "Logs: sink $PIPELINE"
filter=$(log_filter)
# sink NAME DESTINATION
sink() {
  if ! have gcloud logging sinks describe "$1"; then
    change "sink $1 to $2" gcloud logging sinks create "$1" "$2" --log-filter="$filter"
  elif ! is "$2|$filter" gcloud logging sinks describe "$1" --format='value[separator="|"](destination,filter)'; then
    change "sink $1 to $2" gcloud logging sinks update "$1" "$2" --log-filter="$filter"
  fi
}
writer() { gcloud logging sinks describe "$1" --format='value(writerIdentity)'; }
sink "$PIPELINE" "pubsub.googleapis.com/projects/$PROJECT_ID/topics/$PIPELINE"
grant "$(writer "$PIPELINE")" roles/pubsub.publisher "$PIPELINE" gcloud pubsub topics

# The sink reads the entries before exclusions apply.
exclusions=$(gcloud logging sinks describe _Default --flatten='exclusions[]' --format='value[separator="|"](exclusions.name,exclusions.filter)')
if [[ $EXCLUDE_FROM_DEFAULT == true ]]; then
  if ! grep -q "^$PIPELINE|" <<<"$exclusions"; then
    change "exclude the pixel's entries from the _Default bucket" gcloud logging sinks update _Default --add-exclusion="name=$PIPELINE,filter=$filter"
  elif ! grep -Fqx "$PIPELINE|$filter" <<<"$exclusions"; then
    change "exclude the pixel's entries from the _Default bucket" gcloud logging sinks update _Default --update-exclusion="name=$PIPELINE,filter=$filter"
  fi
elif grep -q "^$PIPELINE|" <<<"$exclusions"; then
  change "include the pixel's entries in the _Default bucket" gcloud logging sinks update _Default --remove-exclusions="$PIPELINE"
fi

if [[ $ARCHIVE == true ]]; then
  have gcloud storage buckets describe "gs://$ARCHIVE_BUCKET" ||
    change "bucket gs://$ARCHIVE_BUCKET" gcloud storage buckets create "gs://$ARCHIVE_BUCKET" --location="$LOCATION" --uniform-bucket-level-access --public-access-prevention
  is "$ARCHIVE_DAYS" gcloud storage buckets describe "gs://$ARCHIVE_BUCKET" --format='value(lifecycle_config.rule[0].condition.age)' || {
    printf '{"rule": [{"action": {"type": "Delete"}, "condition": {"age": %s}}]}' "$ARCHIVE_DAYS" >"$tmp/lifecycle.json"
    change "archived files are deleted after $ARCHIVE_DAYS days" gcloud storage buckets update "gs://$ARCHIVE_BUCKET" --lifecycle-file="$tmp/lifecycle.json"
  }
  sink "$PIPELINE-archive" "storage.googleapis.com/$ARCHIVE_BUCKET"
  grant "$(writer "$PIPELINE-archive")" roles/storage.objectCreator "gs://$ARCHIVE_BUCKET" gcloud storage buckets
elif have gcloud logging sinks describe "$PIPELINE-archive"; then
  change "stop the archive (the files in gs://$ARCHIVE_BUCKET are kept)" gcloud logging sinks delete "$PIPELINE-archive"
fi

step "Pixel: gs://$PIXEL_BUCKET behind load balancer and CDN"
have gcloud storage buckets describe "gs://$PIXEL_BUCKET" ||
  change "bucket gs://$PIXEL_BUCKET" gcloud storage buckets create "gs://$PIXEL_BUCKET" --location="$LOCATION" --uniform-bucket-level-access --no-public-access-prevention
# Anyone can read an object by its name; nobody can list the objects.
grant allUsers roles/storage.legacyObjectReader "gs://$PIXEL_BUCKET" gcloud storage buckets
for path in ${PIXEL_PATH//,/ }; do
  have gcloud storage objects describe "gs://$PIXEL_BUCKET$path" ||
    change "pixel $path" gcloud storage cp deploy/pixel.png "gs://$PIXEL_BUCKET$path" --content-type=image/png --cache-control='public, max-age=0'
done

# Google's edge caches every response, whatever the query. Browsers must not cache: the default of one hour would hide
# repeated views.
cdn=(--gcs-bucket-name="$PIXEL_BUCKET" --enable-cdn --cache-mode=FORCE_CACHE_ALL --default-ttl=86400 --client-ttl=0)
if ! have gcloud compute backend-buckets describe "$PIPELINE"; then
  change "backend bucket $PIPELINE" gcloud compute backend-buckets create "$PIPELINE" "${cdn[@]}"
elif ! is "$PIXEL_BUCKET True FORCE_CACHE_ALL 86400 0" gcloud compute backend-buckets describe "$PIPELINE" \
  --format='value[separator=" "](bucketName,enableCdn,cdnPolicy.cacheMode,cdnPolicy.defaultTtl,cdnPolicy.clientTtl)'; then
  change "backend bucket $PIPELINE" gcloud compute backend-buckets update "$PIPELINE" "${cdn[@]}"
fi
have gcloud compute url-maps describe "$PIPELINE" --global ||
  change "URL map $PIPELINE" gcloud compute url-maps create "$PIPELINE" --global --default-backend-bucket="$PIPELINE"
have gcloud compute addresses describe "$PIPELINE" --global ||
  change "address $PIPELINE" gcloud compute addresses create "$PIPELINE" --global --ip-version=IPV4 --network-tier=PREMIUM
address=$(gcloud compute addresses describe "$PIPELINE" --global --format='value(address)')
have gcloud compute target-http-proxies describe "$PIPELINE-http" --global ||
  change "HTTP proxy $PIPELINE-http" gcloud compute target-http-proxies create "$PIPELINE-http" --global --url-map="$PIPELINE"
# forwarding_rule NAME PORT TARGET
forwarding_rule() {
  have gcloud compute forwarding-rules describe "$1" --global ||
    change "forwarding rule $1 for $address:$2" gcloud compute forwarding-rules create "$1" --global \
      --load-balancing-scheme=EXTERNAL_MANAGED --network-tier=PREMIUM --address="$PIPELINE" --ports="$2" "$3"
}
forwarding_rule "$PIPELINE-http" 80 --target-http-proxy="$PIPELINE-http"
if [[ -n $DOMAIN ]]; then
  have gcloud compute ssl-certificates describe "$CERTIFICATE" --global ||
    change "certificate for $DOMAIN" gcloud compute ssl-certificates create "$CERTIFICATE" --global --domains="$DOMAIN" --description="pixel-pipeline $PIPELINE"
  if ! have gcloud compute target-https-proxies describe "$PIPELINE-https" --global; then
    change "HTTPS proxy $PIPELINE-https" gcloud compute target-https-proxies create "$PIPELINE-https" --global --url-map="$PIPELINE" --ssl-certificates="$CERTIFICATE"
  elif ! has "$CERTIFICATE" gcloud compute target-https-proxies describe "$PIPELINE-https" --global --format='value(sslCertificates.basename())'; then
    change "HTTPS proxy $PIPELINE-https" gcloud compute target-https-proxies update "$PIPELINE-https" --global --ssl-certificates="$CERTIFICATE" --global-ssl-certificates
  fi
  forwarding_rule "$PIPELINE-https" 443 --target-https-proxy="$PIPELINE-https"
fi

step 'Monitoring'
# Metrics and dashboards have no labels, so a label of the dataset tells whether their files have changed.
for file in deploy/monitoring/metrics/*.json deploy/monitoring/alerts/*.json deploy/monitoring/dashboard.json; do
  mkdir -p "$tmp/$(dirname "$file")"
  fill "$file" >"$tmp/$file"
done
label=$({ cat "$tmp"/deploy/monitoring/*/*.json "$tmp/deploy/monitoring/dashboard.json"; echo "$ALERT_EMAIL"; } | digest)
unchanged=false
! bq_ show --format=prettyjson --dataset "$DATASET" | grep -F "\"monitoring\": \"$label\"" >/dev/null || unchanged=true

channel=()
if [[ -n $ALERT_EMAIL ]]; then
  # email_channel: the name of this pipeline's channel for that address.
  email_channel() {
    gcloud beta monitoring channels list --format='value[separator=" "](name,userLabels.pipeline,labels.email_address)' |
      sed -n "s/ $PIPELINE $ALERT_EMAIL\$//p"
  }
  [[ -n $(email_channel) ]] ||
    change "notification channel to $ALERT_EMAIL" gcloud beta monitoring channels create --type=email --display-name="$PIPELINE: $ALERT_EMAIL" \
      --channel-labels="email_address=$ALERT_EMAIL" --user-labels="pipeline=$PIPELINE"
  channel=(--notification-channels="$(email_channel)")
fi
for file in "$tmp"/deploy/monitoring/metrics/*.json; do
  metric=${PIPELINE}_$(basename "$file" .json)
  if ! have gcloud logging metrics describe "$metric"; then
    change "log-based metric $metric" gcloud logging metrics create "$metric" --config-from-file="$file"
  elif [[ $unchanged == false ]]; then
    change "log-based metric $metric" gcloud logging metrics update "$metric" --config-from-file="$file"
  fi
done
policies=$(gcloud alpha monitoring policies list --format='value[separator=" "](name,displayName)')
for file in "$tmp"/deploy/monitoring/alerts/*.json; do
  alert=$(sed -n '1,5s/^ *"displayName": "\(.*\)",$/\1/p' "$file")
  policy=$(sed -n "s/ $alert\$//p" <<<"$policies")
  if [[ -n $policy && $unchanged == false ]]; then
    # An update would keep fields that are no longer in the file.
    change "alert \"$alert\", outdated" gcloud alpha monitoring policies delete "$policy"
    policy=
  fi
  [[ -n $policy ]] ||
    change "alert \"$alert\"" gcloud alpha monitoring policies create --policy-from-file="$file" ${channel[@]+"${channel[@]}"}
done
dashboard=projects/$PROJECT_ID/dashboards/$SERVICE
if have gcloud monitoring dashboards describe "$dashboard" && [[ $unchanged == false ]]; then
  change 'dashboard, outdated' gcloud monitoring dashboards delete "$dashboard"
fi
have gcloud monitoring dashboards describe "$dashboard" ||
  change 'dashboard' gcloud monitoring dashboards create --config-from-file="$tmp/deploy/monitoring/dashboard.json"
[[ $unchanged == true ]] || change "label of dataset $DATASET: checksum of the monitoring files" bq_ update --set_label="monitoring:$label" "$DATASET"

if [[ $changes == 0 ]]; then
  printf '\nNo changes.\n'
else
  printf '\nDone: %s changes.\n' "$changes"
fi
pixel=${PIXEL_PATH%%,*}
cat <<END

pixel      http://$address$pixel${DOMAIN:+ and https://$DOMAIN$pixel}
tables     https://console.cloud.google.com/bigquery?project=$PROJECT_ID&ws=!1m4!1m3!3m2!1s$PROJECT_ID!2s$DATASET
dashboard  https://console.cloud.google.com/monitoring/dashboards/builder/$SERVICE?project=$PROJECT_ID
END
[[ -z $DOMAIN ]] || cat <<END

DNS needs the record  $DOMAIN. A $address
Google issues the certificate within an hour after the record exists.
END
cat <<END

A new load balancer needs minutes until it answers. Then request the pixel and query its row:
  curl -o /dev/null "http://$address$pixel?user_id=507f1f77bcf86cd799439011&type=click"
  bq query --project_id=$PROJECT_ID --use_legacy_sql=false 'SELECT * FROM $DATASET.events ORDER BY event_timestamp DESC LIMIT 10'
END
