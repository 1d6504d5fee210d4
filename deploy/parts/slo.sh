# shellcheck shell=bash disable=SC2154
# The service level objective in Cloud Monitoring, from the files of deploy/monitoring/slo. gcloud has no commands for it.

SLO=stored

look_slo() {
  is_enabled monitoring || return 0
  look "slo-service/$SERVICE" read_rest monitoring "v3/$(slo_service)"
  look "slo/$SLO" read_rest monitoring "v3/$(slo_service)/serviceLevelObjectives/$SLO"
}

slo_service() { printf 'projects/%s/services/%s' "$PROJECT_ID" "$SERVICE"; }

# read_rest API PATH: on a failure, the answer is the message.
read_rest() {
  local answer
  answer=$(rest GET "$@") || { printf '%s\n' "$answer" >&2; return 1; }
  printf '%s\n' "$answer"
}

decide_slo() {
  step 'Service level objective'
  decide_slo_part "slo-service/$SERVICE" 'service in Cloud Monitoring' slo/service.json "$(slo_service)" "services?serviceId=$SERVICE"
  decide_slo_part "slo/$SLO" 'objective: 99.9 % of the requests are stored within 60 s' slo/objective.json "$(slo_service)/serviceLevelObjectives/$SLO" \
    "services/$SERVICE/serviceLevelObjectives?serviceLevelObjectiveId=$SLO"
}

# decide_slo_part KEY WHAT FILE NAME PATH
decide_slo_part() {
  local file
  file=$(labelled_file "$3")
  if ! found "$1"; then
    create "$2" rest POST monitoring "v3/projects/$PROJECT_ID/$5" "$file"
  elif ! has_json_label "$1" pipeline "$PIPELINE" && ! is_adopted "$1"; then
    foreign+=("$1")
  elif ! has_json_label "$1" file "$(digest <"$(monitoring_file "$3")")"; then
    update "$2" rest PATCH monitoring "v3/$4" "$file"
  fi
}

# has_json_label KEY NAME VALUE
has_json_label() { text "$1" | tr -d ' \n' | grep -F "\"$2\":\"$3\"" >/dev/null; }

remove_slo() {
  step 'Service level objective'
  # Its objective is deleted with it.
  ! found "slo-service/$SERVICE" || ! has_json_label "slo-service/$SERVICE" pipeline "$PIPELINE" ||
    remove 'service in Cloud Monitoring, with its objective' rest DELETE monitoring "v3/$(slo_service)"
}
