# shellcheck shell=bash
# Functions of deploy.sh and destroy.sh, which source this file: each reads the current state first, changes what differs,
# and prints the change.

changes=0
tmp=$(mktemp -d)
trap 'on_exit $?' EXIT

on_exit() {
  rm -rf "$tmp"
  [[ $1 == 0 || $1 == 2 ]] ||
    printf '\nStopped after %s changes. Fix the error above and run again: the script continues where it stopped.\n' "$changes" >&2
}

step() { printf '\n%s\n' "$1"; }

# have COMMAND...: whether a resource exists.
have() { "$@" </dev/null >/dev/null 2>&1; }

# is TEXT COMMAND...: whether the command prints exactly that.
is() { [[ $("${@:2}" 2>/dev/null) == "$1" ]]; }

# has TEXT COMMAND...: whether that is a line, or an item of a list, of the command's output. grep reads all of the output,
# which it would not with -q: a command whose reader has exited fails.
has() { "${@:2}" 2>/dev/null | tr ';' '\n' | grep -Fx -- "$1" >/dev/null; }

# change WHAT COMMAND...: creates or changes a resource. A new resource or permission takes up to a minute to take effect
# in Google Cloud, so the errors of that time are retried.
change() {
  local what=$1 try output
  shift
  printf '  + %s\n' "$what"
  for try in 1 2 3 4 5 6 7; do
    output=$("$@" 2>&1 </dev/null) && break
    if [[ $try == 7 ]] || ! grep -Eqi 'has not been used|is disabled|does not exist|not be found|concurrent|is not ready' <<<"$output"; then
      printf '%s\n' "$output" >&2
      return 1
    fi
    sleep "${RETRY_SECONDS:-10}"
  done
  changes=$((changes + 1))
}

# allows MEMBER ROLE NAME COMMAND...: whether a resource's policy has that binding. COMMAND is gcloud's group for that type
# of resource, such as `gcloud pubsub topics`.
allows() {
  has "$2 $1" "${@:4}" get-iam-policy "$3" --flatten='bindings[].members[]' --format='value[separator=" "](bindings.role,bindings.members)'
}

# grant MEMBER ROLE NAME COMMAND...: adds the binding to the policy.
grant() {
  allows "$@" || change "$2 on $3 for $1" "${@:4}" add-iam-policy-binding "$3" --member="$1" --role="$2"
}

# The checksum of standard input as a label: a later run compares it to detect a change.
digest() { cksum | tr ' ' '-'; }

# fill FILE: its text with settings in place of ${PIPELINE} and the other placeholders.
fill() {
  sed -e "s/\${PROJECT_ID}/$PROJECT_ID/g" -e "s/\${PIPELINE}/$PIPELINE/g" -e "s/\${REGION}/$REGION/g" \
    -e "s/\${DATASET}/$DATASET/g" -e "s/\${TABLE_NAME}/$TABLE_NAME/g" \
    -e "s/\${DEAD_LETTER_TABLE}/$DEAD_LETTER_TABLE/g" "$1"
}
