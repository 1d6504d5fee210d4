# shellcheck shell=bash
# HTTPS: the certificate of the domain, the HTTPS proxy and its forwarding rule.

look_domains() {
  is_enabled compute || return 0
  # Also certificates of earlier values of DOMAIN.
  look certificates gcloud compute ssl-certificates list --global --filter="description=\"$MARK\"" --format='value(name)'
  look "certificate/$CERTIFICATE" gcloud compute ssl-certificates describe "$CERTIFICATE" --global --format='value(description)'
  look "https-proxy/$PIPELINE-https" gcloud compute target-https-proxies describe "$PIPELINE-https" --global \
    --format='value[delimiter=" "](sslCertificates.basename())'
  look_compute forwarding-rule forwarding-rules "$PIPELINE-https"
}

decide_domains() {
  [[ -n $DOMAIN ]] || return 0
  found "certificate/$CERTIFICATE" ||
    create "certificate for $DOMAIN" gcloud compute ssl-certificates create "$CERTIFICATE" --global --domains="$DOMAIN" --description="$MARK"
  if ! found "https-proxy/$PIPELINE-https"; then
    create "HTTPS proxy $PIPELINE-https" gcloud compute target-https-proxies create "$PIPELINE-https" --global --url-map="$PIPELINE" --ssl-certificates="$CERTIFICATE"
  elif [[ " $(text "https-proxy/$PIPELINE-https") " != *" $CERTIFICATE "* ]]; then
    update "HTTPS proxy $PIPELINE-https" gcloud compute target-https-proxies update "$PIPELINE-https" --global --ssl-certificates="$CERTIFICATE" --global-ssl-certificates
  fi
  decide_forwarding_rule "$PIPELINE-https" 443 --target-https-proxy="$PIPELINE-https"
}

result_domains() {
  local address pixel=${PIXEL_PATH%%,*}
  address=$(pixel_address)
  printf 'pixel      http://%s%s%s\n' "$address" "$pixel" "${DOMAIN:+ and https://$DOMAIN$pixel}"
  [[ -z $DOMAIN ]] || cat <<END

DNS needs the record  $DOMAIN. A $address
Google issues the certificate within an hour after the record exists.
END
  cat <<END

A new load balancer needs minutes until it answers. Then request the pixel and query its row:
  curl -o /dev/null "http://$address$pixel?user_id=507f1f77bcf86cd799439011&type=click"
  bq query --project_id=$PROJECT_ID --use_legacy_sql=false 'SELECT * FROM $DATASET.events ORDER BY event_timestamp DESC LIMIT 10'

END
}

remove_domains() {
  step 'Pixel: HTTPS'
  remove_compute forwarding-rule 'forwarding rule' forwarding-rules "$PIPELINE-https"
  remove_compute https-proxy 'HTTPS proxy' target-https-proxies "$PIPELINE-https"
  local certificate
  for certificate in $(! found certificates || text certificates); do
    remove "certificate $certificate" gcloud compute ssl-certificates delete "$certificate" --global
  done
}
