# shellcheck shell=bash disable=SC1090,SC2034
# The three phases of deploy.sh and destroy.sh. The files in deploy/parts say what a part of the pipeline consists of:
# each has a function look_PART, decide_PART and remove_PART.
#
# Look: look_PART reads the state of the project. Nothing is changed.
#   look KEY COMMAND...       keeps what the command prints. KEY is KIND/NAME, such as topic/pixel.
#   look_own KEY COMMAND...   the same for a resource of this pipeline. The first field that the command prints, up to |,
#                             is the mark of its owner: the label pipeline, or a description.
# Only an answer that says so means that a resource is absent. Every other failure ends the script.
#
# Decide: decide_PART (remove_PART in destroy.sh) compares the state with the settings. Nothing is changed.
#   found KEY, text KEY, field KEY N, has_line KEY LINE    the state
#   create, update, remove WHAT COMMAND...                 adds a change to the plan
#   remove_own KEY WHAT COMMAND...                         the same, if the resource exists and belongs to this pipeline
#   conflict KEY TEXT                                      the plan cannot be carried out
#   note TEXT                                              a line that is printed with the plan
# A resource that look_own found with another mark is a conflict, unless ADOPT names its KEY. claim_PART recognizes the
# resources that have no mark and yet belong to this pipeline.
#
# Change: carry_out runs the plan in its order. A command of the plan may be a function that uses what earlier commands
# made, such as the URL of the service.

# In the order of their dependencies: a part uses what the parts before it create.
PARTS='apis accounts keys bigquery image service pubsub logs bucket balancer domains monitoring uptime slo alerts budget preflight'
# The order of the deletion: alerts do not fire; entries are kept in the _Default bucket again before the pixel ends.
REMOVAL='budget alerts slo uptime monitoring logs domains balancer bucket pubsub service image archive bigquery keys accounts'

# each_part FUNCTION PARTS: calls FUNCTION_PART of each part that has it.
each_part() {
  local part
  for part in $2; do
    ! declare -F "$1_$part" >/dev/null || "$1_$part"
  done
}

tmp=$(mktemp -d)
started=$SECONDS
planned=0 changes=0
trap 'on_exit $?' EXIT

on_exit() {
  rm -rf "$tmp"
  [[ $1 == 0 || $1 == 2 ]] || ((changes == 0)) ||
    printf '\nStopped after %s of %s changes. Fix the error above and run again: the script continues where it stopped.\n' "$changes" "$planned" >&2
}

# The mark of resources that have no labels.
MARK="pixel-pipeline $PIPELINE"

for part in $PARTS; do
  . "deploy/parts/$part.sh"
done

# stop MESSAGE...: ends the script before a change.
stop() {
  printf 'error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '%s\n' "$@" >&2
  exit 1
}

# --- Look

look_keys=() look_pids=() own_keys=() claimed=,

# The file that keeps what a command printed. A key may contain /.
state_file() { printf '%s/state/%s' "$tmp" "${1//\//%}"; }

start_look() {
  rm -rf "$tmp/state"
  mkdir -p "$tmp/state"
  look_keys=() look_pids=() own_keys=()
}

# Most of the time of a command is the start of gcloud, so eight run at the same time.
look() {
  local file
  file=$(state_file "$1")
  "${@:2}" </dev/null >"$file.output" 2>"$file.error" &
  look_keys+=("$1")
  look_pids+=($!)
  ((${#look_pids[@]} < 8)) || wait_for_look $((${#look_pids[@]} - 8))
}

look_own() {
  own_keys+=("$1")
  look "$@"
}

# wait_for_look INDEX: keeps the exit code of that command. A second call for the same one does nothing.
wait_for_look() {
  local code=0 file
  file=$(state_file "${look_keys[$1]}")
  [[ ! -f $file.code ]] || return 0
  wait "${look_pids[$1]}" || code=$?
  echo "$code" >"$file.code"
}

# look_at PARTS: reads the state of all parts. Which APIs are enabled decides what the other parts can read.
look_at() {
  start_look
  look_apis
  finish_look
  each_part look "${1#apis }"
  finish_look
  claimed=,
  ! found "topic/$PIPELINE" || ! is_ours "topic/$PIPELINE" || each_part claim "$1"
}

# claim_unmarked KEY: the resource belongs to this pipeline if it has no mark. Earlier versions of this script marked only
# the resources that have labels, such as the topic.
claim_unmarked() {
  ! found "$1" || [[ -n $(field "$1" 1) ]] || claimed+="$1,"
}

# Ends the reading: waits for the commands that still run, and ends the script if one of them failed.
finish_look() {
  local i file failures=
  for i in ${look_keys[@]+"${!look_keys[@]}"}; do
    wait_for_look "$i"
    file=$(state_file "${look_keys[i]}")
    if [[ $(cat "$file.code") == 0 ]]; then
      mv "$file.output" "$file"
    elif ! says_not_found <"$file.error"; then
      failures+="${look_keys[i]}: $(sed '/^$/d' "$file.error")"$'\n'
    fi
  done
  look_keys=() look_pids=()
  [[ -z $failures ]] || explain_perimeter <<<"$failures"
  [[ -z $failures ]] || stop "cannot read the state of $PROJECT_ID. Nothing was changed." "${failures%$'\n'}"
}

# VPC Service Controls refuse calls from outside of their perimeter, whatever the permissions are.
explain_perimeter() {
  ! grep -qi 'VPC_SERVICE_CONTROLS\|vpcServiceControls\|prohibited by organization' ||
    printf '%s\n' "$PROJECT_ID is in a perimeter of VPC Service Controls. Run the script inside of the perimeter, or let an access level admit you." >&2
}

# Whether the message of gcloud, bq or an API says that a resource does not exist. Messages that also come without the
# permission to see it, "or it may not exist", do not say so.
says_not_found() {
  local message
  message=$(cat)
  ! grep -Eqi 'permission|denied|may not exist|credential|UNAUTHENTICATED|has not been used|not enabled|is disabled' <<<"$message" &&
    grep -Eq 'NOT_FOUND|was not found|Cannot find (service|job|worker)|not found: 404|matched no objects|[Nn]ot found: (Dataset|Table|View)' <<<"$message"
}

# --- Decide

found() { [[ -f $(state_file "$1") ]]; }
text() { cat "$(state_file "$1")"; }
# field KEY N: the N-th field of the first line. | separates the fields.
field() { ! found "$1" || sed 1q "$(state_file "$1")" | cut -d'|' -f"$2"; }
# has_line KEY LINE: grep reads everything, which it would not with -q: a command whose reader has exited fails.
has_line() { found "$1" && grep -Fx -- "$2" "$(state_file "$1")" >/dev/null; }

# is_adopted KEY: whether ADOPT names it.
is_adopted() { [[ ,$ADOPT, == *",$1,"* ]]; }

# is_ours KEY: whether the resource has the mark of this pipeline, or is adopted.
is_ours() {
  local mark
  mark=$(field "$1" 1)
  [[ $mark == "$PIPELINE" || $mark == "$MARK" || $claimed == *",$1,"* ]] || is_adopted "$1"
}

plan_kinds=() plan_texts=() plan_commands=() notes=() conflicts=() foreign=()

start_plan() { plan_kinds=() plan_texts=() plan_commands=() notes=() conflicts=() foreign=() planned=0; }

add_to_plan() {
  plan_kinds+=("$1")
  plan_texts+=("$2")
  shift 2
  plan_commands+=("$(printf '%q ' "$@")")
  planned=$((planned + 1))
}
create() { add_to_plan + "$@"; }
update() { add_to_plan '~' "$@"; }
remove() { add_to_plan - "$@"; }

remove_own() {
  ! found "$1" || ! is_ours "$1" || remove "${@:2}"
}

# step NAME: the changes that follow belong to it.
step() {
  plan_kinds+=('#')
  plan_texts+=("$1")
  plan_commands+=('')
}

conflict() { conflicts+=("$1: $2"); }
note() { notes+=("$1"); }

# planned_changes: the changes of the plan, one a line.
planned_changes() {
  local i
  for i in ${plan_kinds[@]+"${!plan_kinds[@]}"}; do
    [[ ${plan_kinds[i]} == '#' ]] || printf '  %s\n' "${plan_texts[i]}"
  done
}

# The resources of look_own that belong to someone else.
find_foreign() {
  local key
  for key in ${own_keys[@]+"${own_keys[@]}"}; do
    ! found "$key" || is_ours "$key" || foreign+=("$key")
  done
}

# print_kept: the resources that destroy.sh does not delete.
print_kept() {
  find_foreign
  [[ ${#foreign[@]} == 0 ]] || printf '\nThese resources have names of this pipeline and do not belong to it. They stay:\n'
  [[ ${#foreign[@]} == 0 ]] || printf '  %s\n' "${foreign[@]}"
}

# Ends the script if the plan cannot be carried out.
stop_at_conflicts() {
  local adopt lines=()
  find_foreign
  [[ ${#conflicts[@]} == 0 ]] || lines+=("${conflicts[@]}")
  if [[ ${#foreign[@]} != 0 ]]; then
    adopt=$(IFS=,; printf '%s' "${ADOPT:+$ADOPT,}${foreign[*]}")
    lines+=('These resources have names of this pipeline and do not belong to it:' "${foreign[@]/#/  }"
      'Choose another name with PIPELINE=NAME. Or let this pipeline take them over: it then changes them to its settings,'
      'and destroy.sh deletes them:' "  ADOPT=$adopt")
    [[ " ${foreign[*]} " != *' dataset/'* ]] || lines+=('Or use the dataset together with its owner: SHARE_DATASET=true')
  fi
  [[ ${#lines[@]} == 0 ]] || stop "cannot deploy to $PROJECT_ID. Nothing was changed." "${lines[@]}"
}

print_plan() {
  local i heading=
  for i in ${plan_kinds[@]+"${!plan_kinds[@]}"}; do
    if [[ ${plan_kinds[i]} == '#' ]]; then
      heading=${plan_texts[i]}
    else
      [[ -z $heading ]] || printf '\n%s\n' "$heading"
      heading=
      printf '  %s %s\n' "${plan_kinds[i]}" "${plan_texts[i]}"
    fi
  done
  [[ ${#notes[@]} == 0 ]] || printf '\nNote: %s\n' "${notes[@]}"
}

# --- Change

# The terminal, for what a change prints while it runs.
exec 3>&1

# Runs the plan. A new resource or permission takes up to a minute to take effect in Google Cloud, so the errors of that
# time are retried.
carry_out() {
  local i
  printf '\n'
  for i in ${plan_kinds[@]+"${!plan_kinds[@]}"}; do
    [[ ${plan_kinds[i]} != '#' ]] || continue
    printf '[%s/%s] %s\n' $((changes + 1)) "$planned" "${plan_texts[i]}"
    eval "run_change ${plan_commands[i]}"
    changes=$((changes + 1))
  done
}

# Each command runs in the background, where a function ends at its first error, as everywhere else. In a condition it
# would not.
run_change() {
  local try code
  for try in 1 2 3 4 5 6 7; do
    code=0
    "$@" >"$tmp/output" 2>&1 </dev/null &
    wait $! || code=$?
    [[ $code != 0 ]] || return 0
    if [[ $try == 7 ]] || ! grep -Eqi 'has not been used|is disabled|does not exist|not be found|concurrent|is not ready' "$tmp/output"; then
      cat "$tmp/output" >&2
      explain_perimeter <"$tmp/output"
      return 1
    fi
    sleep "${RETRY_SECONDS:-10}"
  done
}

# --- What the parts share

# look_policy KEY NAME COMMAND...: keeps the lines "ROLE MEMBER" of a resource's IAM policy as policy/KEY. COMMAND is gcloud's
# group for that type of resource, such as `gcloud pubsub topics`.
look_policy() {
  look "policy/$1" "${@:3}" get-iam-policy "$2" --flatten='bindings[].members[]' --format='value[separator=" "](bindings.role,bindings.members)'
}

# grant KEY MEMBER ROLE NAME COMMAND...: adds the binding unless policy/KEY has it.
grant() {
  has_line "policy/$1" "$3 $2" || create "$3 on $4 for $2" "${@:5}" add-iam-policy-binding "$4" --member="$2" --role="$3"
}

# fill FILE: its text with settings in place of ${PIPELINE} and the other placeholders.
fill() {
  sed -e "s/\${PROJECT_ID}/$PROJECT_ID/g" -e "s/\${PIPELINE}/$PIPELINE/g" -e "s/\${REGION}/$REGION/g" \
    -e "s/\${DATASET}/$DATASET/g" -e "s/\${TABLE_NAME}/$TABLE_NAME/g" \
    -e "s/\${DEAD_LETTER_TABLE}/$DEAD_LETTER_TABLE/g" "$1"
}

# The checksum of standard input as a label: a later run compares it to detect a change.
digest() { cksum | tr ' ' '-'; }

# rest METHOD API PATH [BODY_FILE]: a request to an API that gcloud has no command for, such as
# rest GET monitoring v3/projects/my-project/services
rest() {
  local url override token body=() answer
  # The two places of gcloud for an address of an API.
  override=CLOUDSDK_API_ENDPOINT_OVERRIDES_$(tr '[:lower:]' '[:upper:]' <<<"$2")
  url=${!override-}
  [[ -n $url ]] || url=$(gcloud config get-value "api_endpoint_overrides/$2" 2>/dev/null) || true
  # gcloud's override of some APIs has a part of the path.
  [[ ${url:-https://$2.googleapis.com/} =~ ^https?://[^/]+/ ]]
  url=${BASH_REMATCH[0]}
  [[ -z ${4-} ]] || body=(--header 'Content-Type: application/json' --data-binary "@$4")
  token=$(gcloud auth print-access-token)
  # The token is not an argument, which other users of the machine can read. The body of an error has its cause.
  answer=$(curl --silent --show-error --fail-with-body --max-time 60 --request "$1" ${body[@]+"${body[@]}"} "$url$3" \
    --config <(printf 'header = "Authorization: Bearer %s"\n' "$token")) || { printf '%s\n' "$answer" >&2; return 1; }
  printf '%s\n' "$answer"
}
