# shellcheck shell=bash
# The topic, its push subscription to the service, and the topic of dead letters with a subscription that keeps them.

look_pubsub() {
  is_enabled pubsub || return 0
  local topic
  for topic in "$PIPELINE" "$DEAD_LETTER"; do
    look_own "topic/$topic" gcloud pubsub topics describe "$topic" --format='value(labels.pipeline)'
  done
  look_own "subscription/$DEAD_LETTER" gcloud pubsub subscriptions describe "$DEAD_LETTER" --format='value(labels.pipeline)'
  look_own "subscription/$PUSH_SUBSCRIPTION" gcloud pubsub subscriptions describe "$PUSH_SUBSCRIPTION" \
    --format='value[separator="|"](labels.pipeline,pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience,ackDeadlineSeconds,retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts)'
  look_policy "topic/$PIPELINE" "$PIPELINE" gcloud pubsub topics
  look_policy "topic/$DEAD_LETTER" "$DEAD_LETTER" gcloud pubsub topics
  look_policy "subscription/$PUSH_SUBSCRIPTION" "$PUSH_SUBSCRIPTION" gcloud pubsub subscriptions
  ! is_enabled cloudresourcemanager || look project/number project_number
}

project_number() { gcloud projects describe "$PROJECT_ID" --format='value(projectNumber)'; }

decide_pubsub() {
  step "Pub/Sub: topic $PIPELINE"
  local topic
  for topic in "$PIPELINE" "$DEAD_LETTER"; do
    found "topic/$topic" || create "topic $topic" gcloud pubsub topics create "$topic" --labels="pipeline=$PIPELINE"
  done
  found "subscription/$DEAD_LETTER" ||
    create "subscription $DEAD_LETTER, which keeps dead letters for 7 days" gcloud pubsub subscriptions create "$DEAD_LETTER" \
      --topic="$DEAD_LETTER" --message-retention-duration=7d --expiration-period=never --labels="pipeline=$PIPELINE"
  decide_push_subscription
  decide_pubsub_agent
}

decide_push_subscription() {
  local url
  url=$(field "service/$SERVICE" 5)
  if ! found "subscription/$PUSH_SUBSCRIPTION"; then
    create "subscription $PUSH_SUBSCRIPTION to ${url:-the URL of $SERVICE}" \
      set_push_subscription create --topic="$PIPELINE" --labels="pipeline=$PIPELINE"
  elif [[ $(text "subscription/$PUSH_SUBSCRIPTION") != "$PIPELINE|$url/|$PUSH_ACCOUNT|$url|60|10s|600s|$DEAD_LETTER|100" ]]; then
    update "subscription $PUSH_SUBSCRIPTION to ${url:-the URL of $SERVICE}" set_push_subscription update
  fi
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
    remove_own "subscription/$name" "subscription $name" gcloud pubsub subscriptions delete "$name"
  done
  for name in "$PIPELINE" "$DEAD_LETTER"; do
    remove_own "topic/$name" "topic $name" gcloud pubsub topics delete "$name"
  done
}
