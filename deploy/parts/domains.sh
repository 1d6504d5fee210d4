# shellcheck shell=bash disable=SC2154
# HTTPS: a certificate for each host of DOMAIN, the HTTPS proxy that serves them, and its forwarding rule. A host that is no
# longer in DOMAIN is in mail that was sent, so its certificate serves until REMOVE_DOMAIN names the host.

# A proxy has at most so many certificates.
MAX_CERTIFICATES=15

look_domains() {
  is_enabled compute || return 0
  local look=look
  [[ -z $DOMAIN || -n $URL_MAP ]] || look=look_own
  look certificates list_certificates
  $look "https-proxy/$PIPELINE-https" describe_global target-https-proxies "$PIPELINE-https" \
    'urlMap.basename()' 'sslCertificates.map().basename().list(separator=" ")'
  $look "forwarding-rule/$PIPELINE-https" describe_global forwarding-rules "$PIPELINE-https" 'target.scope(global)'
}

# The lines "DESCRIPTION|NAME|HOST|STATUS" of the project's certificates.
list_certificates() {
  gcloud compute ssl-certificates list --global \
    --format='value[separator="|"](description,name,managed.domains.list(separator=" "),managed.status)'
}

claim_domains() {
  claim_user "https-proxy/$PIPELINE-https" "$PIPELINE" "url-map/$PIPELINE"
  claim_user "forwarding-rule/$PIPELINE-https" "targetHttpsProxies/$PIPELINE-https" "https-proxy/$PIPELINE-https"
}

decide_domains() {
  [[ -z $URL_MAP ]] || return 0
  local host name proxy="https-proxy/$PIPELINE-https" names='' removed=''
  for host in ${REMOVE_DOMAIN//,/ }; do
    [[ " ${DOMAIN//,/ } " != *" $host "* ]] || conflict "domain/$host" 'is in DOMAIN and in REMOVE_DOMAIN: remove it from one of them'
    removed+=" $(certificates_of "$host" | tr '\n' ' ')"
  done
  # Also certificates that were added to the proxy by hand.
  for name in $(field "$proxy" 3) $(own_certificates); do
    [[ " $names $removed " == *" $name "* ]] || names+=" $name"
  done
  for host in ${DOMAIN//,/ }; do
    [[ -z $(certificates_of "$host") ]] || continue
    name=$(certificate_name "$host")
    [[ " $names " != *" $name "* ]] || conflict "certificate/$name" "would be the certificate of two hosts: $host is too long"
    decide_certificate "$host" "$name"
    names+=" $name"
  done
  decide_https $names
  for name in $removed; do
    remove_certificate "$name"
  done
}

# decide_certificate HOST NAME: a host without a certificate of this pipeline.
decide_certificate() {
  local line
  line=$(certificate_line "$2")
  if [[ -z $line ]]; then
    create "certificate for $1" gcloud compute ssl-certificates create "$2" --global --domains="$1" --description="$MARK"
  elif ! is_adopted "certificate/$2"; then
    foreign+=("certificate/$2")
  elif [[ $(cut -d'|' -f3 <<<"$line") != "$1" ]]; then
    conflict "certificate/$2" "is not for $1, and the host of a certificate cannot be changed"
  fi
}

# decide_https [CERTIFICATE...]: the proxy that serves them, and its rule.
decide_https() {
  local proxy="https-proxy/$PIPELINE-https" flags
  if (($# == 0)); then
    remove_https
    return
  fi
  (($# <= MAX_CERTIFICATES)) ||
    conflict "$proxy" "needs $# certificates, and a proxy has at most $MAX_CERTIFICATES: remove hosts with REMOVE_DOMAIN, or use one certificate for several hosts"
  flags=(--global --url-map="$PIPELINE" --global-url-map --ssl-certificates="$(IFS=,; printf '%s' "$*")" --global-ssl-certificates)
  if ! found "$proxy"; then
    create "HTTPS proxy ${proxy#*/}" gcloud compute target-https-proxies create "${proxy#*/}" "${flags[@]}" --description="$MARK"
  elif [[ $(field "$proxy" 2) != "$PIPELINE" || $(field "$proxy" 3 | tr ' ' '\n' | sort) != "$(printf '%s\n' "$@" | sort)" ]]; then
    update "HTTPS proxy ${proxy#*/} with the certificates $*" gcloud compute target-https-proxies update "${proxy#*/}" "${flags[@]}"
  fi
  decide_forwarding_rule "$PIPELINE-https" 443 https
}

# The name of a new certificate. A host with - gets another name than one with . there.
certificate_name() {
  local host=${1//-/--}
  printf '%s-%s' "$PIPELINE" "${host//./-}" | cut -c1-63 | sed 's/-*$//'
}

certificate_line() { ! found certificates || sed -n "/^[^|]*|$1|/p" "$(state_file certificates)"; }
# The names of this pipeline's certificates: of all, and of a host.
own_certificates() { ! found certificates || sed -n "s/^$MARK|\([^|]*\)|.*/\1/p" "$(state_file certificates)"; }
certificates_of() { ! found certificates || sed -n "s/^$MARK|\([^|]*\)|${1//./[.]}|.*/\1/p" "$(state_file certificates)"; }

result_domains() {
  [[ -z $URL_MAP ]] || return 0
  local address pixel=${PIXEL_PATH%%,*} lines name host status
  pixel=${pixel// /}
  address=$(pixel_address)
  printf 'pixel      http://%s%s\n' "$address" "$pixel"
  lines=$(list_certificates | sed -n "s/^$MARK|//p")
  if [[ -z $lines ]]; then
    printf '\nBrowsers do not load this pixel on pages with HTTPS, which most pages are: set DOMAIN to a host of yours and deploy again.\n'
  else
    printf '\nHTTPS: each host needs a DNS record. Google issues the certificate within an hour after the record exists.\n'
  fi
  while IFS='|' read -r name host status; do
    [[ -z $name ]] || printf '  https://%s%s   DNS record %s. A %s   certificate %s\n' "$host" "$pixel" "$host" "$address" "$status"
  done <<<"$lines"
  cat <<END

A new load balancer needs minutes until it answers. Then request the pixel and query its row:
  curl -o /dev/null "http://$address$pixel?user_id=507f1f77bcf86cd799439011&type=click"
  bq query --project_id=$PROJECT_ID --use_legacy_sql=false 'SELECT * FROM $DATASET.events ORDER BY event_timestamp DESC LIMIT 10'

END
}

remove_domains() {
  step 'Pixel: HTTPS'
  remove_https
  local name
  # Also the certificates of hosts that are no longer in DOMAIN.
  for name in $(own_certificates); do
    remove_certificate "$name"
  done
}

remove_https() {
  remove_global 'forwarding rule' "forwarding-rule/$PIPELINE-https" forwarding-rules
  remove_global 'HTTPS proxy' "https-proxy/$PIPELINE-https" target-https-proxies
}

# remove_certificate NAME
remove_certificate() { remove "certificate $1" gcloud compute ssl-certificates delete "$1" --global; }
