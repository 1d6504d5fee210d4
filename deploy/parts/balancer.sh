# shellcheck shell=bash disable=SC2154
# The load balancer with CDN in front of the pixel's bucket: backend bucket, URL map, address, HTTP proxy, forwarding rule.
# With URL_MAP it is a load balancer that exists: then only the backend bucket is this pipeline's.

look_balancer() {
  is_enabled compute || return 0
  look_own "backend-bucket/$PIPELINE" gcloud compute backend-buckets describe "$PIPELINE" \
    --format='value[separator="|"](description,bucketName,enableCdn,cdnPolicy.cacheMode,cdnPolicy.defaultTtl,cdnPolicy.clientTtl)'
  # Names that the settings do not need may belong to something else.
  local look=look_own
  [[ -z $URL_MAP ]] || look=look
  look url-maps gcloud compute url-maps list --global --format='value[separator="|"](name,defaultService,pathMatchers)'
  $look "url-map/$PIPELINE" describe_global url-maps "$PIPELINE" 'defaultService.scope(global)'
  $look "address/$PIPELINE" describe_global addresses "$PIPELINE" 'users.map().basename().list(separator=" ")' address
  $look "http-proxy/$PIPELINE-http" describe_global target-http-proxies "$PIPELINE-http" 'urlMap.basename()'
  $look "forwarding-rule/$PIPELINE-http" describe_global forwarding-rules "$PIPELINE-http" 'target.scope(global)'
}

# describe_global COLLECTION NAME FIELD...: the description and fields of a global resource of Compute Engine. The
# description is the owner's mark: not all of these resources have labels, and the request that creates a resource sets it.
describe_global() {
  gcloud compute "$1" describe "$2" --global --format="value[separator=\"|\"]($(IFS=,; printf '%s' "description,${*:3}"))"
}

claim_balancer() {
  [[ $(field "backend-bucket/$PIPELINE" 2) != "$PIXEL_BUCKET" ]] || claim_unmarked "backend-bucket/$PIPELINE"
  claim_user "url-map/$PIPELINE" "backendBuckets/$PIPELINE" "backend-bucket/$PIPELINE"
  claim_user "http-proxy/$PIPELINE-http" "$PIPELINE" "url-map/$PIPELINE"
  claim_user "forwarding-rule/$PIPELINE-http" "targetHttpProxies/$PIPELINE-http" "http-proxy/$PIPELINE-http"
  case $(field "address/$PIPELINE" 2) in
    '' | "$PIPELINE-http" | "$PIPELINE-http $PIPELINE-https" | "$PIPELINE-https $PIPELINE-http")
      ! is_ours "url-map/$PIPELINE" || claim_unmarked "address/$PIPELINE" ;;
  esac
}

# claim_user KEY REFERENCE USED_KEY: claims the resource if its second field is the reference to one of this pipeline.
claim_user() {
  [[ $(field "$1" 2) != "$2" ]] || ! is_ours "$3" || claim_unmarked "$1"
}

decide_balancer() {
  decide_backend_bucket
  if [[ -n $URL_MAP ]]; then
    decide_url_map_of_others
    return
  fi
  decide_global "URL map $PIPELINE" "url-map/$PIPELINE" url-maps "$PIPELINE" "backendBuckets/$PIPELINE" \
    set-default-service --default-backend-bucket="$PIPELINE"
  found "address/$PIPELINE" ||
    create "address $PIPELINE" gcloud compute addresses create "$PIPELINE" --global --ip-version=IPV4 --network-tier=PREMIUM --description="$MARK"
  decide_global "HTTP proxy $PIPELINE-http" "http-proxy/$PIPELINE-http" target-http-proxies "$PIPELINE-http" "$PIPELINE" \
    update --url-map="$PIPELINE" --global-url-map
  decide_forwarding_rule "$PIPELINE-http" 80 http
}

decide_url_map_of_others() {
  [[ $'\n'$(! found url-maps || text url-maps) == *$'\n'"$URL_MAP|"* ]] ||
    conflict "url-map/$URL_MAP" "is not a global URL map of $PROJECT_ID: list them with gcloud compute url-maps list --global --project=$PROJECT_ID"
  # The filter of the sink has one URL map.
  local rule
  for rule in "$PIPELINE-http" "$PIPELINE-https"; do
    ! is_ours "forwarding-rule/$rule" ||
      conflict "forwarding-rule/$rule" "is this pipeline's own load balancer, and its requests would no longer be stored. If no page uses it: gcloud compute forwarding-rules delete $rule --global --project=$PROJECT_ID"
  done
}

# Google's edge caches every response, whatever the query. Browsers must not cache: the default of one hour would hide
# repeated views.
decide_backend_bucket() {
  local what="backend bucket $PIPELINE" cdn=(--gcs-bucket-name="$PIXEL_BUCKET" --enable-cdn --cache-mode=FORCE_CACHE_ALL
    --default-ttl=86400 --client-ttl=0 --description="$MARK")
  if ! found "backend-bucket/$PIPELINE"; then
    create "$what" gcloud compute backend-buckets create "$PIPELINE" "${cdn[@]}"
  elif [[ $(text "backend-bucket/$PIPELINE") != "$MARK|$PIXEL_BUCKET|True|FORCE_CACHE_ALL|86400|0" ]]; then
    update "$what" gcloud compute backend-buckets update "$PIPELINE" "${cdn[@]}"
  fi
}

# decide_global WHAT KEY COLLECTION NAME REFERENCE COMMAND FLAG...: creates a global resource with the flags, or changes
# what it refers to with the command and the flags.
decide_global() {
  if ! found "$2"; then
    create "$1" gcloud compute "$3" create "$4" --global --description="$MARK" "${@:7}"
  elif [[ $(field "$2" 2) != "$5" ]]; then
    update "$1" gcloud compute "$3" "$6" "$4" --global "${@:7}"
  fi
}

# decide_forwarding_rule NAME PORT http|https
decide_forwarding_rule() {
  if ! found "forwarding-rule/$1"; then
    create "forwarding rule $1 for port $2 of address $PIPELINE" gcloud compute forwarding-rules create "$1" --global --description="$MARK" \
      --load-balancing-scheme=EXTERNAL_MANAGED --network-tier=PREMIUM --address="$PIPELINE" --ports="$2" "--target-$3-proxy=$1"
  elif [[ $(field "forwarding-rule/$1" 2 | tr '[:upper:]' '[:lower:]') != "target${3}proxies/$1" ]]; then
    update "forwarding rule $1 to proxy $1" gcloud compute forwarding-rules set-target "$1" --global "--target-$3-proxy=$1"
  fi
}

# The IP address of the pixel, which is known when the address exists.
pixel_address() { gcloud compute addresses describe "$PIPELINE" --global --format='value(address)'; }

result_balancer() {
  [[ -n $URL_MAP ]] || return 0
  local path service
  if [[ -n $(users_of_backend_bucket "$URL_MAP") ]]; then
    printf '\nThe URL map %s has a rule for the backend bucket %s.\n' "$URL_MAP" "$PIPELINE"
    return
  fi
  service=$(sed -n "s/^$URL_MAP|\([^|]*\)|.*/\1/p" "$(state_file url-maps)")
  printf '\nAdd this path rule to the URL map %s. Until then, it does not serve the pixel:\n' "$URL_MAP"
  printf '  gcloud compute url-maps edit %s --global --project=%s\n\n  pathRules:\n  - paths:\n' "$URL_MAP" "$PROJECT_ID"
  for path in ${PIXEL_PATH//,/ }; do
    printf '    - %s\n' "$path"
  done
  printf '    service: projects/%s/global/backendBuckets/%s\n' "$PROJECT_ID" "$PIPELINE"
  [[ $service != backendServices/* && $service != backendBuckets/* ]] || print_path_matcher "$service"
}

# print_path_matcher SERVICE: the command for a URL map without path matchers, which sends everything to the service.
print_path_matcher() {
  local path rules='' flag=service
  [[ $1 != backendBuckets/* ]] || flag=backend-bucket
  for path in ${PIXEL_PATH//,/ }; do
    rules+="${rules:+,}$path=$PIPELINE"
  done
  printf '\nIf it has no path matchers yet, this command does it:\n  gcloud compute url-maps add-path-matcher %s --global --project=%s --path-matcher-name=%s --default-%s=%s --backend-bucket-path-rules=%s\n' \
    "$URL_MAP" "$PROJECT_ID" "$PIPELINE" "$flag" "${1#*/}" "$rules"
}

# users_of_backend_bucket NAMES: those of the URL maps, NAMES is a pattern, that send requests to the backend bucket.
users_of_backend_bucket() {
  ! found url-maps || sed -n "/^\($1\)|.*backendBuckets\/$PIPELINE\([^a-z0-9-].*\)\{0,1\}\$/s/|.*//p" "$(state_file url-maps)"
}

# A resource is deleted before the one that it uses.
remove_balancer() {
  step 'Pixel: load balancer'
  remove_global 'forwarding rule' "forwarding-rule/$PIPELINE-http" forwarding-rules
  remove_global 'HTTP proxy' "http-proxy/$PIPELINE-http" target-http-proxies
  remove_global address "address/$PIPELINE" addresses
  remove_global 'URL map' "url-map/$PIPELINE" url-maps
  local map
  for map in $(users_of_backend_bucket '[^|]*'); do
    is_ours "url-map/$map" || ! is_ours "backend-bucket/$PIPELINE" ||
      conflict "backend-bucket/$PIPELINE" "is in use by the URL map $map. Remove its rule for the backend bucket first: gcloud compute url-maps edit $map --global --project=$PROJECT_ID"
  done
  remove_own "backend-bucket/$PIPELINE" "backend bucket $PIPELINE" gcloud compute backend-buckets delete "$PIPELINE"
}

# remove_global WHAT KEY COLLECTION
remove_global() {
  remove_own "$2" "$1 ${2#*/}" gcloud compute "$3" delete "${2#*/}" --global
}
