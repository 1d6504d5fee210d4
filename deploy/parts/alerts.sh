# shellcheck shell=bash disable=SC2154
# Notification channels and alerts, from the files of deploy/monitoring/alerts.
#
# An alert is changed in place. It keeps the channels that were added by hand, and stays off if somebody turned it off.

look_alerts() {
  is_enabled monitoring || return 0
  look channels gcloud beta monitoring channels list --format='value[separator="|"](name,userLabels.pipeline,labels.email_address)'
  # Of all pipelines: a channel that another one uses is not deleted.
  look policies gcloud alpha monitoring policies list \
    --format='value[separator="|"](name,userLabels.pipeline,userLabels.alert,userLabels.file,enabled,notificationChannels.list(),displayName)'
}

decide_alerts() {
  step 'Alerts'
  decide_channels
  decide_policies
}

remove_alerts() {
  local name address title
  step 'Alerts'
  while IFS='|' read -r name _ _ _ _ title; do
    remove "alert \"$title\"" gcloud alpha monitoring policies delete "$name"
  done < <(our_policies)
  while IFS='|' read -r name _ address; do
    is_used_by_others "$name" || remove "notification channel to $address" gcloud beta monitoring channels delete "$name"
  done < <(our_channels)
}

# --- Notification channels

our_channels() { lines_of channels | awk -F'|' -v ours="$PIPELINE" '$2 == ours'; }

# channel_to ADDRESS: the name of our channel.
channel_to() { our_channels | awk -F'|' -v address="$1" '$3 == address { print $1; exit }'; }

# is_used_by_others CHANNEL: whether an alert that is not ours uses it.
is_used_by_others() {
  [[ -n $(lines_of policies | awk -F'|' -v ours="$PIPELINE" -v channel="$1" '$2 != ours && index("," $6 ",", "," channel ",")') ]]
}

# alert_addresses: those of ALERT_EMAIL, a line each.
alert_addresses() { names_of "$ALERT_EMAIL" | sed '/^$/d'; }

# Creates the channels that are missing, and removes our channels to addresses that are no longer in ALERT_EMAIL.
decide_channels() {
  local name address
  unwanted_channels=()
  while IFS= read -r address; do
    [[ -n $(channel_to "$address") ]] || create "notification channel to $address" create_channel "$address"
  done < <(alert_addresses)
  while IFS='|' read -r name _ address; do
    ! alert_addresses | grep -Fx -- "$address" >/dev/null || continue
    unwanted_channels+=("$name")
    is_used_by_others "$name" || remove "notification channel to $address" gcloud beta monitoring channels delete "$name" --force
  done < <(our_channels)
}

create_channel() {
  gcloud beta monitoring channels create --type=email --display-name="$PIPELINE: $1" --channel-labels="email_address=$1" \
    --user-labels="pipeline=$PIPELINE" --format='value(name)' >>"$tmp/new_channels"
}

# The names of the channels that every alert has to have, a line each. Before the changes, those that are to be created are
# missing.
wanted_channels() {
  local address
  while IFS= read -r address; do
    channel_to "$address"
  done < <(alert_addresses)
  names_of "$ALERT_CHANNELS" | sed '/^$/d'
  [[ ! -f $tmp/new_channels ]] || cat "$tmp/new_channels"
}

# channels_of LIST: the list with the wanted channels and without the unwanted ones. Those added by hand stay.
channels_of() {
  local name
  {
    wanted_channels
    for name in ${1//,/ }; do
      [[ " ${unwanted_channels[*]-} " == *" $name "* ]] || printf '%s\n' "$name"
    done
  } | sorted_list
}

sorted_list() { LC_ALL=C sort -u | paste -s -d, -; }

is_channel_missing() {
  local address
  while IFS= read -r address; do
    [[ -n $(channel_to "$address") ]] || return 0
  done < <(alert_addresses)
  return 1
}

# --- Policies

# alerts: the names of the alerts that this pipeline has.
alerts() {
  local alert
  for alert in deploy/monitoring/alerts/*.json; do
    alert=$(basename "$alert" .json)
    case $alert in
      no-events) [[ $NO_EVENTS_AFTER != off ]] || continue ;;
      certificate) [[ -n $DOMAIN ]] || continue ;;
      pixel-down) has_uptime_checks || continue ;;
    esac
    printf '%s\n' "$alert"
  done
}

# The lines of our policies: name, label alert, label file, enabled, channels, title.
our_policies() { lines_of policies | awk -F'|' -v ours="$PIPELINE" 'BEGIN { OFS = "|" } $2 == ours { print $1, $3, $4, $5, $6, $7 }'; }

# policy_of ALERT TITLE: the line of its policy. Earlier versions of deploy.sh gave it no label `alert`.
policy_of() { our_policies | awk -F'|' -v alert="$1" -v title="$2" '$2 == alert || ($2 == "" && $6 == title) { print; exit }'; }

decide_policies() {
  local alert file title line name label enabled channels kept='' missing=false
  ! is_channel_missing || missing=true
  for alert in $(alerts); do
    file=$(monitoring_file "alerts/$alert.json")
    title=$(member "$file" displayName)
    line=$(policy_of "$alert" "$title")
    if [[ -z $line ]]; then
      create "alert \"$title\"" create_policy "$alert"
      continue
    fi
    IFS='|' read -r name _ label enabled channels _ <<<"$line"
    kept+=" $name "
    [[ $label == "$(digest <"$file")" && $missing == false && $(channels_of "$channels") == "$(tr , '\n' <<<"$channels" | sorted_list)" ]] ||
      update "alert \"$title\"" update_policy "$alert" "$name" "$channels" "$enabled"
  done
  # Alerts that no file has any longer, and those to which an earlier version gave another title and no label.
  while IFS='|' read -r name label _ _ _ title; do
    [[ $kept == *" $name "* || (-z $label && $title != "$PIPELINE: "*) ]] ||
      remove "alert \"$title\", which is outdated" gcloud alpha monitoring policies delete "$name"
  done < <(our_policies)
}

create_policy() {
  local channels file
  ! has_uptime_checks || find_pixel_hosts
  file=$(labelled_file "alerts/$1.json")
  channels=$(channels_of '')
  gcloud alpha monitoring policies create --policy-from-file="$file" ${channels:+--notification-channels="$channels"}
}

# update_policy ALERT NAME CHANNELS ENABLED: replaces everything but what belongs to the user.
update_policy() {
  local channels file enabled=--enabled
  ! has_uptime_checks || find_pixel_hosts
  file=$(labelled_file "alerts/$1.json")
  channels=$(channels_of "$3")
  [[ $4 != False ]] || enabled=--no-enabled
  gcloud alpha monitoring policies update "$2" --policy-from-file="$file" "$enabled" ${channels:+--set-notification-channels="$channels"}
}
