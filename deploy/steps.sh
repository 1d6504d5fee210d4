# How deploy.sh and destroy.sh take a step: look first, then change what differs, and say so. Sourced by both.

changes=0
tmp=$(mktemp -d)
trap 'ended $?' EXIT

ended() {
  rm -rf "$tmp"
  [[ $1 == 0 || $1 == 2 ]] ||
    printf '\nStopped after %s changes. Fix the error above and run again: it continues where it stopped.\n' "$changes" >&2
}

step() { printf '\n%s\n' "$1"; }

# have COMMAND...: whether a resource is there.
have() { "$@" </dev/null >/dev/null 2>&1; }

# is TEXT COMMAND...: whether the command prints just that.
is() { [[ $("${@:2}" 2>/dev/null) == "$1" ]]; }

# has TEXT COMMAND...: whether that is a line, or an item of a list, of what the command prints. All of it is read
# (and not only as far as grep -q would): a command whose reader has gone would count as failed.
has() { "${@:2}" 2>/dev/null | tr ';' '\n' | grep -Fx -- "$1" >/dev/null; }

# change WHAT COMMAND...: makes or changes something. What was made or allowed a moment ago takes Google
# Cloud up to a minute to know everywhere, so those errors are waited out.
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

# allows MEMBER ROLE NAME COMMAND...: whether a resource's policy has that binding. COMMAND is gcloud's for its
# kind, such as `gcloud pubsub topics`.
allows() {
  has "$2 $1" "${@:4}" get-iam-policy "$3" --flatten='bindings[].members[]' --format='value[separator=" "](bindings.role,bindings.members)'
}

# grant MEMBER ROLE NAME COMMAND...: adds the binding to what is there.
grant() {
  allows "$@" || change "$2 on $3 for $1" "${@:4}" add-iam-policy-binding "$3" --member="$1" --role="$2"
}

# A label's value by which a later run sees whether standard input is another.
digest() { cksum | tr ' ' '-'; }

# fill FILE: its text with settings in place of ${PIPELINE} and the like.
fill() {
  sed -e "s/\${PROJECT_ID}/$PROJECT_ID/g" -e "s/\${PIPELINE}/$PIPELINE/g" -e "s/\${REGION}/$REGION/g" \
    -e "s/\${DATASET}/$DATASET/g" -e "s/\${TABLE_NAME}/$TABLE_NAME/g" "$1"
}
