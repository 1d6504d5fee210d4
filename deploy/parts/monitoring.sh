# shellcheck shell=bash disable=SC2154
# Log-based metrics and the dashboard, from the files of deploy/monitoring, and what the parts uptime, slo and alerts share.
#
# What has labels gets the label `file`, the checksum of its file: a later run compares it to detect a change. Resources
# are changed in place.

look_monitoring() {
  if is_enabled logging; then
    look metrics gcloud logging metrics list --format='value[separator="|"](name,description,filter,valueExtractor,labelExtractors)'
  fi
  is_enabled monitoring || return 0
  look "dashboard/$SERVICE" gcloud monitoring dashboards describe "projects/$PROJECT_ID/dashboards/$SERVICE" \
    --format='value[separator="|"](labels.pipeline,labels.file,etag,displayName)'
}

decide_monitoring() {
  step 'Monitoring'
  decide_metrics
  decide_dashboard
}

remove_monitoring() {
  local name
  step 'Monitoring'
  ! dashboard_is_ours || remove 'dashboard' gcloud monitoring dashboards delete "projects/$PROJECT_ID/dashboards/$SERVICE"
  while IFS='|' read -r name _; do
    ! metric_is_ours "$name" || remove "log-based metric $name" gcloud logging metrics delete "$name"
  done < <(lines_of metrics)
}

# --- The files

# monitoring_file PATH: that file of deploy/monitoring with the settings filled in. It is filled each time, because the
# address of the pixel is known only after it was created.
monitoring_file() {
  local filled="$tmp/monitoring/$1"
  mkdir -p "$(dirname "$filled")"
  fill "deploy/monitoring/$1" |
    sed -e "s/\${NO_EVENTS_AFTER}/$NO_EVENTS_AFTER/g" -e "s/\${PIXEL_HOSTS}/$(quoted_hosts)/g" -e "s/\${PIXEL_HOST_COUNT}/$(pixel_hosts | grep -c .)/g" \
      -e "s/\${PIXEL_HOST_PATTERN}/$(host_pattern)/g" >"$filled"
  printf '%s' "$filled"
}

# labelled_file PATH: the same with its checksum as the label `file`.
labelled_file() {
  local file
  file=$(monitoring_file "$1")
  sed -E "s/^  \"(userLabels|labels)\": [{]\$/&\"file\": \"$(digest <"$file")\",/" "$file" >"$file.labelled"
  printf '%s' "$file.labelled"
}

# member FILE NAME: the string of that name at the top of the file.
member() { sed -n "s/^  \"$2\": \"\(.*\)\",\{0,1\}\$/\1/p" "$1" | sed 's/\\\(.\)/\1/g'; }

# lines_of KEY: the lines of the state, none if it was not read.
lines_of() { ! found "$1" || text "$1"; }

# --- The hosts of the pixel

# pixel_hosts: the domains, a line each; without a domain, the address. Nothing before the address exists.
pixel_hosts() {
  if [[ -n $DOMAIN ]]; then
    names_of "$DOMAIN"
  elif [[ -f $tmp/pixel_address ]]; then
    cat "$tmp/pixel_address"
  else
    field "address/$PIPELINE" 3
  fi
}

# Makes pixel_hosts complete, while the plan is carried out.
find_pixel_hosts() {
  [[ -n $(pixel_hosts) ]] || pixel_address >"$tmp/pixel_address"
}

# For a filter in a JSON string: \"a.example.com\",\"b.example.com\".
quoted_hosts() { pixel_hosts | sed 's/.*/\\\\"&\\\\"/' | paste -s -d, -; }

# A regular expression: a[.]example[.]com|b[.]example[.]com.
host_pattern() { pixel_hosts | sed 's/[.]/[.]/g' | paste -s -d'|' -; }

# --- Log-based metrics

decide_metrics() {
  local path file name
  for path in deploy/monitoring/metrics/*.json; do
    file=$(monitoring_file "${path#deploy/monitoring/}")
    name=$(member "$file" name)
    if [[ -z $(metric_line "$name") ]]; then
      create "log-based metric $name" gcloud logging metrics create "$name" --config-from-file="$file"
    elif ! metric_is_ours "$name"; then
      foreign+=("metric/$name")
    elif ! has_line metrics "$(metric_of_file "$file")"; then
      update "log-based metric $name" gcloud logging metrics update "$name" --config-from-file="$file"
    fi
  done
}

metric_line() { lines_of metrics | sed -n "/^$1|/p"; }

# Metrics have no labels. Ours count lines of our service.
metric_is_ours() {
  [[ $(metric_line "$1") == "${PIPELINE}_"*"service_name=\"$SERVICE\""* ]] || is_adopted "metric/$1"
}

# metric_of_file FILE: the line of look_monitoring that the file leads to.
metric_of_file() {
  local labels
  labels=$(sed -n '/^  "labelExtractors": {/,/^  }/s/^    "\(.*\)": "\(.*\)",\{0,1\}$/\1=\2/p' "$1")
  printf '%s|%s|%s|%s|%s' "$(member "$1" name)" "$(member "$1" description)" "$(member "$1" filter)" \
    "$(member "$1" valueExtractor)" "${labels//$'\n'/;}"
}

# --- Dashboard

# Earlier versions of deploy.sh gave it no label.
dashboard_is_ours() {
  found "dashboard/$SERVICE" || return 1
  [[ $(field "dashboard/$SERVICE" 1) == "$PIPELINE" || $(field "dashboard/$SERVICE" 4) == "$(member "$(monitoring_file dashboard.json)" displayName)" ]] ||
    is_adopted "dashboard/$SERVICE"
}

decide_dashboard() {
  local file
  file=$(labelled_file dashboard.json)
  if ! found "dashboard/$SERVICE"; then
    create 'dashboard' gcloud monitoring dashboards create --config-from-file="$file"
  elif ! dashboard_is_ours; then
    foreign+=("dashboard/$SERVICE")
  elif [[ $(field "dashboard/$SERVICE" 2) != "$(digest <"$(monitoring_file dashboard.json)")" ]]; then
    # The API takes a change only with the tag of the state that it changes.
    sed "1s/.*/{\"etag\": \"$(field "dashboard/$SERVICE" 3)\",/" "$file" >"$file.tagged"
    update 'dashboard' gcloud monitoring dashboards update "projects/$PROJECT_ID/dashboards/$SERVICE" --config-from-file="$file.tagged"
  fi
}
