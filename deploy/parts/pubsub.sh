# shellcheck shell=bash disable=SC2154
# The topic, its push subscription to the service, and the topic of dead letters with a subscription that keeps them.

look_pubsub() {
  is_enabled pubsub || return 0
  local topic
  for topic in "$PIPELINE" "$DEAD_LETTER"; do
    look_own "topic/$topic" gcloud pubsub topics describe "$topic" \
      --format='value[separator="|"](labels.pipeline,messageStoragePolicy.allowedPersistenceRegions.list(separator=","))'
  done
  look_own "subscription/$DEAD_LETTER" describe_subscription "$DEAD_LETTER"
  look_own "subscription/$PUSH_SUBSCRIPTION" describe_subscription "$PUSH_SUBSCRIPTION"
  look_policy "topic/$PIPELINE" "$PIPELINE" gcloud pubsub topics
  look_policy "topic/$DEAD_LETTER" "$DEAD_LETTER" gcloud pubsub topics
  look_policy "subscription/$PUSH_SUBSCRIPTION" "$PUSH_SUBSCRIPTION" gcloud pubsub subscriptions
  ! is_enabled cloudresourcemanager || look project/number project_number
}

# describe_subscription NAME: the label, the topic, and the settings that this file sets.
describe_subscription() {
  local fields=labels.pipeline,topic.basename,messageRetentionDuration,expirationPolicy.ttl
  fields+=,pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience,ackDeadlineSeconds
  fields+=,retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,deadLetterPolicy.deadLetterTopic.basename,deadLetterPolicy.maxDeliveryAttempts
  gcloud pubsub subscriptions describe "$1" --format="value[separator=\"|\"](${fields//basename/basename()})"
}

project_number() { gcloud projects describe "$PROJECT_ID" --format='value(projectNumber)'; }

decide_pubsub() {
  step "Pub/Sub: topic $PIPELINE"
  decide_topic "$PIPELINE"
  decide_topic "$DEAD_LETTER"
  decide_dead_letter_subscription
  decide_push_subscription
  decide_pubsub_agent
}

# Messages are stored where the events are.
decide_topic() {
  local regions flags
  regions=$(storage_regions)
  flags=(--message-storage-policy-allowed-regions="$regions")
  if ! found "topic/$1"; then
    create "topic $1" gcloud pubsub topics create "$1" --labels="pipeline=$PIPELINE" "${flags[@]}"
  elif [[ $(field "topic/$1" 1) != "$PIPELINE" || $(sort_list "$(field "topic/$1" 2)") != "$(sort_list "$regions")" ]]; then
    update "topic $1 stores messages in $regions" gcloud pubsub topics update "$1" --update-labels="pipeline=$PIPELINE" "${flags[@]}"
  fi
}

# storage_regions: more than one in a multi-region, so that the failure of a region does not stop the log sink.
storage_regions() {
  local regions
  case $LOCATION in
    EU) regions=europe-west1,europe-west4,europe-north1 ;;
    US) regions=us-central1,us-east1,us-west1 ;;
    *) regions=$LOCATION ;;
  esac
  [[ ,$regions, == *",$REGION,"* || $regions == "$LOCATION" ]] || regions=$REGION,$regions
  printf '%s' "$regions"
}

sort_list() { tr , '\n' <<<"$1" | sort | tr '\n' ,; }

decide_dead_letter_subscription() {
  local flags=(--message-retention-duration=7d --expiration-period=never)
  if ! found "subscription/$DEAD_LETTER"; then
    create "subscription $DEAD_LETTER, which keeps dead letters for 7 days" gcloud pubsub subscriptions create "$DEAD_LETTER" \
      --topic="$DEAD_LETTER" --labels="pipeline=$PIPELINE" "${flags[@]}"
  elif is_reader "$DEAD_LETTER" "$DEAD_LETTER" && [[ $(text "subscription/$DEAD_LETTER" | cut -d'|' -f1,3-5) != "$PIPELINE|604800s||" ]]; then
    update "subscription $DEAD_LETTER, which keeps dead letters for 7 days" gcloud pubsub subscriptions update "$DEAD_LETTER" \
      --update-labels="pipeline=$PIPELINE" --push-endpoint= "${flags[@]}"
  fi
}

decide_push_subscription() {
  local url
  url=$(field "service/$SERVICE" 5)
  if ! found "subscription/$PUSH_SUBSCRIPTION"; then
    create "subscription $PUSH_SUBSCRIPTION to ${url:-the URL of $SERVICE}" \
      set_push_subscription create --topic="$PIPELINE" --labels="pipeline=$PIPELINE"
  elif is_reader "$PUSH_SUBSCRIPTION" "$PIPELINE" && [[ $(text "subscription/$PUSH_SUBSCRIPTION") != \
    "$PIPELINE|$PIPELINE|604800s||$url/|$PUSH_ACCOUNT|$url|60|10s|600s|$DEAD_LETTER|100" ]]; then
    update "subscription $PUSH_SUBSCRIPTION to ${url:-the URL of $SERVICE}" set_push_subscription update --update-labels="pipeline=$PIPELINE"
  fi
}

# is_reader SUBSCRIPTION TOPIC: whether the subscription reads the topic, which cannot be changed.
is_reader() {
  local topic
  topic=$(field "subscription/$1" 2)
  [[ $topic == "$2" ]] || { conflict "subscription/$1" "reads topic $topic instead of $2, which cannot be changed. When its messages are delivered: gcloud pubsub subscriptions delete $1 --project=$PROJECT_ID"; return 1; }
}

# set_push_subscription create|update FLAG...: after the deployment of the service, whose URL is then known.
# A new table answers 404 for minutes, and its messages are retried until then: with five attempts, the default, they
# would become dead letters.
set_push_subscription() {
  local url
  url=$(service_url)
  gcloud pubsub subscriptions "$1" "$PUSH_SUBSCRIPTION" "${@:2}" --push-endpoint="$url/" \
    --push-auth-service-account="$PUSH_ACCOUNT" --push-auth-token-audience="$url" --ack-deadline=60 \
    --min-retry-delay=10s --max-retry-delay=600s --dead-letter-topic="$DEAD_LETTER" --max-delivery-attempts=100 \
    --message-retention-duration=7d --expiration-period=never
}

# Pub/Sub moves messages to the dead-letter topic with a service agent of the project.
decide_pubsub_agent() {
  local agent=
  ! found project/number || agent=$(pubsub_agent "$(text project/number)")
  if ! has_line "policy/topic/$DEAD_LETTER" "roles/pubsub.publisher $agent"; then
    create 'service agent of Pub/Sub' gcloud beta services identity create --service=pubsub.googleapis.com
    create "roles/pubsub.publisher on $DEAD_LETTER for the service agent of Pub/Sub" \
      grant_to_pubsub_agent roles/pubsub.publisher "$DEAD_LETTER" gcloud pubsub topics
  fi
  has_line "policy/subscription/$PUSH_SUBSCRIPTION" "roles/pubsub.subscriber $agent" ||
    create "roles/pubsub.subscriber on $PUSH_SUBSCRIPTION for the service agent of Pub/Sub" \
      grant_to_pubsub_agent roles/pubsub.subscriber "$PUSH_SUBSCRIPTION" gcloud pubsub subscriptions
}

# pubsub_agent PROJECT_NUMBER
pubsub_agent() { printf 'serviceAccount:service-%s@gcp-sa-pubsub.iam.gserviceaccount.com' "$1"; }

# grant_to_pubsub_agent ROLE NAME COMMAND...
grant_to_pubsub_agent() {
  local number
  number=$(project_number)
  "${@:3}" add-iam-policy-binding "$2" --member="$(pubsub_agent "$number")" --role="$1"
}

remove_pubsub() {
  step 'Pub/Sub'
  local name
  for name in "$PUSH_SUBSCRIPTION" "$DEAD_LETTER"; do
    ! found "subscription/$name" || ! is_ours "subscription/$name" ||
      remove "subscription $name with $(unacked "$name") unacknowledged messages" gcloud pubsub subscriptions delete "$name"
  done
  for name in "$PIPELINE" "$DEAD_LETTER"; do
    remove_own "topic/$name" "topic $name" gcloud pubsub topics delete "$name"
  done
}

# unacked SUBSCRIPTION: the number of messages that are not acknowledged, by Cloud Monitoring, whose value is minutes old.
unacked() {
  local path series
  path="v3/projects/$PROJECT_ID/timeSeries?interval.startTime=$(utc -600)&interval.endTime=$(utc 0)"
  path+="&filter=metric.type%3D%22pubsub.googleapis.com/subscription/num_undelivered_messages%22%20AND%20resource.labels.subscription_id%3D%22$1%22"
  series=$(rest GET monitoring "$path" 2>/dev/null) || true
  # The newest value is the first.
  series=$(sed -n 's/.*"int64Value": *"\([0-9]*\)".*/\1/p' <<<"$series" | sed 1q)
  printf '%s' "${series:-an unknown number of}"
}

# utc OFFSET: the time in as many seconds. The date of macOS has other flags.
utc() {
  local seconds=$(($(date +%s) + $1))
  date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%SZ 2>/dev/null || date -u -r "$seconds" +%Y-%m-%dT%H:%M:%SZ
}
