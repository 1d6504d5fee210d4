# shellcheck shell=bash disable=SC2154
# Google's uptime checks: one for each host of the pixel, from the files of deploy/monitoring/uptime. Each request of a
# check goes through the whole pipeline and is filtered at its end, so the other alerts notice a broken part without visitors.

look_uptime() {
  is_enabled monitoring || return 0
  look uptime gcloud monitoring uptime list-configs --format='value[separator="|"](name,userLabels.pipeline,userLabels.file,monitoredResource.labels.host)'
}

# The hosts of the user's own load balancer are known by DOMAIN only.
has_uptime_checks() { [[ -n $DOMAIN || -z ${URL_MAP-} ]]; }

our_checks() { lines_of uptime | awk -F'|' -v ours="$PIPELINE" '$2 == ours'; }

decide_uptime() {
  local host name='' label=''
  step 'Uptime checks'
  if has_uptime_checks && [[ -z $(pixel_hosts) ]]; then
    create "uptime check of the address" create_check ''
  fi
  while IFS= read -r host; do
    IFS='|' read -r name _ label _ < <(our_checks | awk -F'|' -v host="$host" '$4 == host') || true
    if [[ -z $name ]]; then
      create "uptime check of $host" create_check "$host"
    elif [[ $label != "$(digest <"$(check_file "$host")")" ]]; then
      update "uptime check of $host" rest PATCH monitoring "v3/$name" "$(labelled_check "$host")"
    fi
  done < <(! has_uptime_checks || pixel_hosts)
  # The checks of hosts that are no longer ours.
  while IFS='|' read -r name _ _ host; do
    pixel_hosts | grep -Fx -- "$host" >/dev/null || remove "uptime check of $host" gcloud monitoring uptime delete "$name"
  done < <(our_checks)
}

# create_check HOST: without a host, of the address that now exists.
create_check() {
  local host=$1
  find_pixel_hosts
  host=${host:-$(pixel_hosts)}
  rest POST monitoring "v3/projects/$PROJECT_ID/uptimeCheckConfigs" "$(labelled_check "$host")"
}

# check_file HOST: the file of the check. An address has no certificate.
check_file() {
  local kind=https path
  [[ -n $DOMAIN ]] || kind=http
  path=$(names_of "$PIXEL_PATH" | sed 1q)
  sed -e "s/\${HOST}/$1/g" -e "s|\${PATH}|$path|g" "$(monitoring_file "uptime/$kind.json")" >"$tmp/monitoring/check-$1.json"
  printf '%s' "$tmp/monitoring/check-$1.json"
}

labelled_check() {
  local file
  file=$(check_file "$1")
  sed "s/^  \"userLabels\": {\$/&\"file\": \"$(digest <"$file")\",/" "$file" >"$file.labelled"
  printf '%s' "$file.labelled"
}

remove_uptime() {
  local name host
  step 'Uptime checks'
  while IFS='|' read -r name _ _ host; do
    remove "uptime check of $host" gcloud monitoring uptime delete "$name"
  done < <(our_checks)
}
