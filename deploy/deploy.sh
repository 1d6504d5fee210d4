#!/usr/bin/env bash
# Creates the whole pipeline in a Google Cloud project: BigQuery, service, topic, log sink, pixel, dashboard.
#
#   PROJECT_ID=my-project deploy/deploy.sh     settings from the environment and deploy/pipeline.env
#   deploy/deploy.sh FILE                      settings from the environment and FILE
#   deploy/deploy.sh --plan                    prints what would change, and changes nothing
#
# The script reads the state of the project, compares it with the settings, and then creates what is missing and changes
# what differs. Run it again after a change of settings or after an error; a second run changes nothing. Resources that
# belong to something else are never changed: the script stops before the first change and lists them.
#
# deploy/plan.sh explains the three phases. Each file of deploy/parts has the resources of one part.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/settings.sh

plan_only=false file=()
for argument in "$@"; do
  case $argument in
    --plan) plan_only=true ;;
    -*) fail "unknown flag $argument: usage: deploy/deploy.sh [--plan] [FILE]" ;;
    *) file+=("$argument") ;;
  esac
done
load_settings ${file[@]+"${file[@]}"}
. deploy/plan.sh

printf 'Reading the state of %s (half a minute)\n' "$PROJECT_ID"
look_at "$PARTS"
start_plan
each_part decide "$PARTS"
stop_at_conflicts
print_plan
[[ $plan_only == false ]] || exit 0
carry_out
if ((changes == 0)); then
  printf '\nNo changes.\n'
else
  printf '\nDone: %s changes in %s seconds.\n' "$changes" $((SECONDS - started))
fi
each_part result "$PARTS"
