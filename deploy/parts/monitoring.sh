# shellcheck shell=bash disable=SC2154
# Log-based metrics, notification channels, alerts and the dashboard, from the files of deploy/monitoring.
#
# Alerts and the dashboard have the label `file`, the checksum of their file: a later run compares it to detect a change.
# They are changed in place. An alert keeps its notification channels that were added by hand, and stays off if somebody
# turned it off.

look_monitoring() {
  if is_enabled logging; then
    look metrics gcloud logging metrics list --format='value[separator="|"](name,description,filter,valueExtractor,labelExtractors)'
  fi
  is_enabled monitoring || return 0
  look channels gcloud beta monitoring channels list --format='value[separator="|"](name,userLabels.pipeline,labels.email_address)'
  # Of all pipelines: a channel that another one uses is not deleted.
  look policies gcloud alpha monitoring policies list \
    --format='value[separator="|"](name,userLabels.pipeline,userLabels.alert,userLabels.file,enabled,notificationChannels.list(),displayName)'
  look "dashboard/$SERVICE" gcloud monitoring dashboards describe "projects/$PROJECT_ID/dashboards/$SERVICE" \
    --format='value[separator="|"](labels.pipeline,labels.file,etag,displayName)'
}

decide_monitoring() {
  step 'Monitoring'
  decide_metrics
  decide_channels
  decide_alerts
  decide_dashboard
}

result_monitoring() {
  printf 'dashboard  https://console.cloud.google.com/monitoring/dashboards/builder/%s?project=%s\n' "$SERVICE" "$PROJECT_ID"
}

# Alerts first, because they use the channels and the metrics.
remove_monitoring() {
  local line name
  step 'Monitoring'
  while IFS='|' read -r name line; do
    remove "alert ${line##*|}" gcloud alpha monitoring policies delete "$name"
  done < <(our_policies)
  while IFS='|' read -r name line; do
    is_used_by_others "$name" || remove "notification channel to ${line#*|}" gcloud beta monitoring channels delete "$name"
  done < <(our_channels)
  ! dashboard_is_ours || remove 'dashboard' gcloud monitoring dashboards delete "projects/$PROJECT_ID/dashboards/$SERVICE"
  while IFS='|' read -r name line; do
    ! metric_is_ours "$name" || remove "log-based metric $name" gcloud logging metrics delete "$name"
  done < <(lines_of metrics)
}

# --- The files

# monitoring_file PATH: the path of that file of deploy/monitoring with the settings filled in.
monitoring_file() {
  local filled="$tmp/monitoring/$1"
  if [[ ! -f $filled ]]; then
    mkdir -p "$(dirname "$filled")"
    fill "deploy/monitoring/$1" >"$filled"
  fi
  printf '%s' "$filled"
}

# labelled_file PATH: the same with the checksum as the label `file`.
labelled_file() {
  local file
  file=$(monitoring_file "$1")
  [[ -f $file.labelled ]] ||
    sed -E "s/^  \"(userLabels|labels)\": [{]\$/&\"file\": \"$(digest <"$file")\",/" "$file" >"$file.labelled"
  printf '%s' "$file.labelled"
}

# member FILE NAME: the string of that name at the top of the file.
member() { sed -n "s/^  \"$2\": \"\(.*\)\",\{0,1\}\$/\1/p" "$1" | sed 's/\\\(.\)/\1/g'; }

# lines_of KEY: the lines of the state, none if it was not read.
lines_of() { ! found "$1" || text "$1"; }

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

# --- Notification channels

our_channels() { lines_of channels | sed -n "/^[^|]*|$PIPELINE|/p"; }

# channel_to ADDRESS: the name of our channel.
channel_to() { our_channels | awk -F'|' -v address="$1" '$3 == address { print $1; exit }'; }

# is_used_by_others CHANNEL: whether an alert that is not ours uses it.
is_used_by_others() {
  [[ -n $(lines_of policies | awk -F'|' -v ours="$PIPELINE" -v channel="$1" '$2 != ours && index("," $6 ",", "," channel ",")') ]]
}

# Removes our channels to addresses that are no longer in ALERT_EMAIL, and creates those that are missing.
decide_channels() {
  local name address
  unwanted_channels=()
  for address in ${ALERT_EMAIL//,/ }; do
    [[ -n $(channel_to "$address") ]] || create "notification channel to $address" create_channel "$address"
  done
  while IFS='|' read -r name _ address; do
    ! is_wanted "$address" || continue
    unwanted_channels+=("$name")
    is_used_by_others "$name" || remove "notification channel to $address" gcloud beta monitoring channels delete "$name" --force
  done < <(our_channels)
}

is_wanted() { [[ " ${ALERT_EMAIL//,/ } " == *" $1 "* ]]; }

create_channel() {
  gcloud beta monitoring channels create --type=email --display-name="$PIPELINE: $1" --channel-labels="email_address=$1" \
    --user-labels="pipeline=$PIPELINE" --format='value(name)' >>"$tmp/new_channels"
}

# The names of all channels that an alert has to have, a line each. Before the changes, those that are to be created are
# missing.
wanted_channels() {
  local address
  for address in ${ALERT_EMAIL//,/ }; do
    channel_to "$address"
  done
  [[ ! -f $tmp/new_channels ]] || cat "$tmp/new_channels"
}

# channels_of LIST: the list with the wanted channels in place of the unwanted ones. Those added by hand stay.
channels_of() {
  local name
  {
    wanted_channels
    for name in ${1//,/ }; do
      [[ " ${unwanted_channels[*]-} " == *" $name "* ]] || printf '%s\n' "$name"
    done
  } | LC_ALL=C sort -u | paste -s -d, -
}

# --- Alerts

# The lines of our policies: name, label alert, label file, enabled, channels, display name.
our_policies() { lines_of policies | awk -F'|' -v ours="$PIPELINE" 'BEGIN { OFS = "|" } $2 == ours { print $1, $3, $4, $5, $6, $7 }'; }

# policy_of ALERT TITLE: the line of its policy. Earlier versions of deploy.sh gave it no label `alert`.
policy_of() { our_policies | awk -F'|' -v alert="$1" -v title="$2" '$2 == alert || ($2 == "" && $6 == title) { print; exit }'; }

decide_alerts() {
  local path file alert title line name label enabled channels kept='' missing=false
  for path in ${ALERT_EMAIL//,/ }; do
    [[ -n $(channel_to "$path") ]] || missing=true
  done
  for path in deploy/monitoring/alerts/*.json; do
    alert=$(basename "$path" .json)
    file=$(labelled_file "alerts/$alert.json")
    title=$(member "$file" displayName)
    line=$(policy_of "$alert" "$title")
    if [[ -z $line ]]; then
      create "alert \"$title\"" create_policy "$file"
      continue
    fi
    IFS='|' read -r name _ label enabled channels _ <<<"$line"
    kept+=" $name "
    [[ $label == "$(digest <"$(monitoring_file "alerts/$alert.json")")" && $missing == false &&
      $(channels_of "$channels") == "$(tr , '\n' <<<"$channels" | LC_ALL=C sort -u | paste -s -d, -)" ]] ||
      update "alert \"$title\"" update_policy "$file" "$name" "$channels" "$enabled"
  done
  # The policies of alerts that are no longer in the files, or that earlier versions named otherwise.
  while IFS='|' read -r name label _ _ _ title; do
    [[ $kept == *" $name "* || (-z $label && $title != "$PIPELINE: "*) ]] ||
      remove "alert \"$title\", which is outdated" gcloud alpha monitoring policies delete "$name"
  done < <(our_policies)
}

create_policy() {
  local channels
  channels=$(channels_of '')
  gcloud alpha monitoring policies create --policy-from-file="$1" ${channels:+--notification-channels="$channels"}
}

# update_policy FILE NAME CHANNELS ENABLED: replaces everything but what belongs to the user.
update_policy() {
  local channels enabled=--enabled
  channels=$(channels_of "$3")
  [[ $4 != False ]] || enabled=--no-enabled
  gcloud alpha monitoring policies update "$2" --policy-from-file="$1" "$enabled" ${channels:+--set-notification-channels="$channels"}
}

# --- Dashboard

dashboard_is_ours() {
  found "dashboard/$SERVICE" || return 1
  [[ $(field "dashboard/$SERVICE" 1) == "$PIPELINE" || $(field "dashboard/$SERVICE" 4) == "$(dashboard_title)" ]] || is_adopted "dashboard/$SERVICE"
}

dashboard_title() { member "$(monitoring_file dashboard.json)" displayName; }

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
