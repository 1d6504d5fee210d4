# shellcheck shell=bash
# The topic, its push subscription to the service, and the topic of dead letters with a subscription that keeps them.

look_pubsub() {
  is_enabled pubsub || return 0
  local topic
  for topic in "$PIPELINE" "$DEAD_LETTER"; do
    look_own "topic/$topic" gcloud pubsub topics describe "$topic" --format='value(labels.pipeline)'
  done
  look_own "subscription/$DEAD_LETTER" gcloud pubsub subscriptions describe "$DEAD_LETTER" \
    --format='value[separator="|"](labels.pipeline,messageRetentionDuration,expirationPolicy.ttl,topic.basename())'
  look_own "subscription/$PUSH_SUBSCRIPTION" gcloud pubsub subscriptions describe "$PUSH_SUBSCRIPTION" \
    --format='value[separator="|"](labels.pipeline,pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,pushConfig.oidcToken.audience,ackDeadlineSeconds,retryPolicy.minimumBackoff,retryPolicy.maximumBackoff,deadLetterPolicy.deadLetterTopic.basename(),deadLetterPolicy.maxDeliveryAttempts,messageRetentionDuration,expirationPolicy.ttl,topic.basename())'
  look_policy "topic/$PIPELINE" "$PIPELINE" gcloud pubsub topics
  look_policy "topic/$DEAD_LETTER" "$DEAD_LETTER" gcloud pubsub topics
  look_policy "subscription/$PUSH_SUBSCRIPTION" "$PUSH_SUBSCRIPTION" gcloud pubsub subscriptions
}
