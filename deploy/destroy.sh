#!/usr/bin/env bash
# Deletes the resources that deploy.sh created, with the same settings. It keeps the events, which are in the dataset and
# the archive, unless --delete-data is given. The APIs stay enabled. Resources that belong to something else stay, too.
#
#   PROJECT_ID=my-project deploy/destroy.sh [--delete-data] [--yes] [FILE]
#   deploy/destroy.sh --plan                   prints what would be deleted, and changes nothing
#
# Asks first on a terminal, unless --yes is given. Run it again after an error: it continues where it stopped. At the end it
# reads the state again; if a resource remains, it is listed and the exit code is 1.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/settings.sh

delete_data=false yes=false plan_only=false file=()
# The parts read delete_data.
# shellcheck disable=SC2034
for argument in "$@"; do
  case $argument in
    --delete-data) delete_data=true ;;
    --yes) yes=true ;;
    --plan) plan_only=true ;;
    -*) fail "unknown flag $argument: usage: deploy/destroy.sh [--plan] [--delete-data] [--yes] [FILE]" ;;
    *) file+=("$argument") ;;
  esac
done
load_settings ${file[@]+"${file[@]}"}
. deploy/plan.sh

printf 'Reading the state of %s (half a minute)\n' "$PROJECT_ID"
look_at "$PARTS"
start_plan
each_part remove "$REMOVAL"
print_plan
print_kept
((${#conflicts[@]} == 0)) || stop "cannot delete the pipeline $PIPELINE of $PROJECT_ID. Nothing was changed." "${conflicts[@]}"
[[ $plan_only == false ]] || exit 0

if [[ $yes == false && -t 0 && $planned != 0 ]]; then
  read -rp "Delete these resources of $PROJECT_ID? [y/N] " answer
  [[ $answer == [yY]* ]] || fail 'cancelled: nothing was changed'
fi
carry_out

deleted=$changes
if ((deleted > 0)); then
  look_at "$PARTS"
  start_plan
  each_part remove "$REMOVAL"
  ((planned == 0)) || stop "deleted $deleted resources. These remain; run the script again:" "$(planned_changes)"
fi
printf '\nDeleted: %s resources. The APIs stay enabled.\n' "$deleted"
