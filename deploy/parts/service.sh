# shellcheck shell=bash disable=SC2154
# The Cloud Run service, and the permission of Pub/Sub to call it.

look_service() {
  is_enabled run || return 0
  look_own "service/$SERVICE" gcloud run services describe "$SERVICE" --region="$REGION" \
    --format='value[separator="|"](metadata.labels.pipeline,metadata.labels.deployed,status.latestCreatedRevisionName,status.latestReadyRevisionName,status.url)'
  look_policy "service/$SERVICE" "$SERVICE" gcloud run services
  # In all regions.
  look services gcloud run services list --filter="metadata.labels.pipeline=$PIPELINE" \
    --format='value[separator="|"](metadata.name,metadata.labels."cloud.googleapis.com/location")'
}

# left_regions: the other regions in which an earlier value of REGION left the service.
left_regions() {
  ! found services || sed -n "s/^$SERVICE|//p" "$(state_file services)" | grep -vx "$REGION" || true
}

decide_service() {
  step "Service $SERVICE"
  local service=() version flag
  write_environment
  # Pub/Sub of the same project is internal traffic. A push is answered within PUSH_DEADLINE, so the timeout of a request is
  # the ack deadline. CPU is allocated during requests only, which is enough.
  service=("$SERVICE" --region="$REGION" --no-allow-unauthenticated --ingress=internal --service-account="$RUN_ACCOUNT"
    --cpu="$CPU" --memory="$MEMORY" --cpu-boost --concurrency="$CONCURRENCY" --min-instances="$MIN_INSTANCES"
    --max-instances="$MAX_INSTANCES" --timeout=60
    --startup-probe="httpGet.path=/ready,periodSeconds=1,timeoutSeconds=1,failureThreshold=60"
    --liveness-probe="httpGet.path=/health,periodSeconds=30,timeoutSeconds=5,failureThreshold=3"
    --env-vars-file="$tmp/environment.yaml")
  flag=$(key_flags)
  [[ -z $flag ]] || service+=("$flag")
  # The label tells whether anything has changed. A revision that is not ready is deployed again.
  version=$({ image_version; printf '%s\n' "${service[@]/$tmp/}"; cat "$tmp/environment.yaml"; } | digest)
  if [[ $(field "service/$SERVICE" 2) != "$version" || $(field "service/$SERVICE" 3) != "$(field "service/$SERVICE" 4)" ]]; then
    while IFS= read -r flag; do service+=("$flag"); done <<<"$(image_flags)"
    create "service $SERVICE from ${IMAGE:-this repository} ($([[ -n $IMAGE ]] && echo 'a minute' || echo 'the build takes 5 to 15 minutes'))" \
      deploy_service "${service[@]}" --labels="pipeline=$PIPELINE,deployed=$version"
  fi
  grant "service/$SERVICE" "serviceAccount:$PUSH_ACCOUNT" roles/run.invoker "$SERVICE" gcloud run services
  for flag in $(left_regions); do
    note "an earlier REGION left the service $SERVICE and the image repository $PIPELINE in $flag. They receive no events any more. To delete them:
  gcloud run services delete $SERVICE --project=$PROJECT_ID --region=$flag
  gcloud artifacts repositories delete $PIPELINE --project=$PROJECT_ID --location=$flag"
  done
}

# deploy_service ARGUMENT...: says first where the log of the build is.
deploy_service() {
  [[ -n $IMAGE ]] || printf '    log of the build: https://console.cloud.google.com/cloud-build/builds?project=%s\n' "$PROJECT_ID" >&3
  gcloud run deploy "$@"
}

# The environment of the service.
write_environment() {
  local setting
  {
    printf "%s: '%s'\n" GOOGLE_CLOUD_PROJECT "$PROJECT_ID"
    # The part bigquery creates the tables from SCHEMA_FILE; the service would create them with the built-in schema.
    printf "%s: '%s'\n" AUTO_CREATE false
    # Cloud Run accepts every caller with run.invoker, also on the project; the service checks which account it is. It does
    # not check the audience, which is the service's URL: that is unknown before the deployment.
    printf "%s: '%s'\n" PUSH_AUTH iam PUSH_SERVICE_ACCOUNT "$PUSH_ACCOUNT"
    for setting in $SERVICE_SETTINGS; do
      printf "%s: '%s'\n" "$setting" "${!setting//\'/\'\'}"
    done
  } >"$tmp/environment.yaml"
}

# service_url: the URL of the service, while the plan is carried out.
service_url() {
  gcloud run services describe "$SERVICE" --region="$REGION" --format='value(status.url)'
}

remove_service() {
  step "Service $SERVICE"
  remove_own "service/$SERVICE" "service $SERVICE" gcloud run services delete "$SERVICE" --region="$REGION"
  local region
  for region in $(left_regions); do
    remove "service $SERVICE in $region" gcloud run services delete "$SERVICE" --region="$region"
  done
}
