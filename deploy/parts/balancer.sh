# shellcheck shell=bash
# The load balancer with CDN in front of the pixel's bucket: backend bucket, URL map, address, HTTP proxy, forwarding rule.

look_balancer() {
  is_enabled compute || return 0
  look "backend-bucket/$PIPELINE" gcloud compute backend-buckets describe "$PIPELINE" \
    --format='value[separator="|"](description,bucketName,enableCdn,cdnPolicy.cacheMode,cdnPolicy.defaultTtl,cdnPolicy.clientTtl)'
  look_compute url-map url-maps "$PIPELINE"
  look "address/$PIPELINE" gcloud compute addresses describe "$PIPELINE" --global --format='value[separator="|"](description,address)'
  look_compute http-proxy target-http-proxies "$PIPELINE-http"
  look_compute forwarding-rule forwarding-rules "$PIPELINE-http"
}

# look_compute KIND COLLECTION NAME: a global resource.
look_compute() {
  look "$1/$3" gcloud compute "$2" describe "$3" --global --format='value(description)'
}

decide_balancer() {
  decide_backend_bucket
  found "url-map/$PIPELINE" ||
    create "URL map $PIPELINE" gcloud compute url-maps create "$PIPELINE" --global --default-backend-bucket="$PIPELINE"
  found "address/$PIPELINE" ||
    create "address $PIPELINE" gcloud compute addresses create "$PIPELINE" --global --ip-version=IPV4 --network-tier=PREMIUM
  found "http-proxy/$PIPELINE-http" ||
    create "HTTP proxy $PIPELINE-http" gcloud compute target-http-proxies create "$PIPELINE-http" --global --url-map="$PIPELINE"
  decide_forwarding_rule "$PIPELINE-http" 80 --target-http-proxy="$PIPELINE-http"
}

# Google's edge caches every response, whatever the query. Browsers must not cache: the default of one hour would hide
# repeated views.
decide_backend_bucket() {
  local cdn=(--gcs-bucket-name="$PIXEL_BUCKET" --enable-cdn --cache-mode=FORCE_CACHE_ALL --default-ttl=86400 --client-ttl=0)
  if ! found "backend-bucket/$PIPELINE"; then
    create "backend bucket $PIPELINE" gcloud compute backend-buckets create "$PIPELINE" "${cdn[@]}"
  elif [[ $(text "backend-bucket/$PIPELINE" | cut -d'|' -f2-) != "$PIXEL_BUCKET|True|FORCE_CACHE_ALL|86400|0" ]]; then
    update "backend bucket $PIPELINE" gcloud compute backend-buckets update "$PIPELINE" "${cdn[@]}"
  fi
}

# decide_forwarding_rule NAME PORT TARGET_FLAG
decide_forwarding_rule() {
  found "forwarding-rule/$1" ||
    create "forwarding rule $1 for port $2 of address $PIPELINE" gcloud compute forwarding-rules create "$1" --global \
      --load-balancing-scheme=EXTERNAL_MANAGED --network-tier=PREMIUM --address="$PIPELINE" --ports="$2" "$3"
}

# The IP address of the pixel, which is known when the address exists.
pixel_address() { gcloud compute addresses describe "$PIPELINE" --global --format='value(address)'; }

remove_balancer() {
  step 'Pixel: load balancer'
  remove_compute forwarding-rule 'forwarding rule' forwarding-rules "$PIPELINE-http"
  remove_compute http-proxy 'HTTP proxy' target-http-proxies "$PIPELINE-http"
  remove_compute url-map 'URL map' url-maps "$PIPELINE"
  ! found "backend-bucket/$PIPELINE" || remove "backend bucket $PIPELINE" gcloud compute backend-buckets delete "$PIPELINE"
  remove_compute address address addresses "$PIPELINE"
}

# remove_compute KIND WHAT COLLECTION NAME: a global resource.
remove_compute() {
  ! found "$1/$4" || remove "$2 $4" gcloud compute "$3" delete "$4" --global
}
