# shellcheck shell=bash disable=SC2154
# The budget of the project (BUDGET), from deploy/monitoring/budget.json: Google sends mails at 50 %, 90 % and 100 % of it. A
# budget belongs to the billing account, so reading it needs a role there. It is read only if BUDGET is set.

look_budget() {
  [[ -n $BUDGET ]] && is_enabled billingbudgets || return 0
  look budget our_budget
}

# billing_account: the name of the project's billing account.
billing_account() { gcloud billing projects describe "$PROJECT_ID" --format='value(billingAccountName)'; }

# our_budget: its name, amount and channels. A budget has no labels; its displayName says whose it is.
our_budget() {
  local account answer
  account=$(billing_account)
  answer=$(read_rest billingbudgets "v1/$account/budgets?pageSize=100&scope=projects/$PROJECT_ID")
  # A line each, without spaces.
  tr -d ' \n' <<<"$answer" | sed $'s/"name":"billingAccounts/\\\n&/g' | grep -F "\"displayName\":\"$PIPELINE:$PROJECT_ID\"" >"$tmp/budget" || return 0
  printf '%s|%s|%s\n' "$(budget_field '"name":"([^"]*)"')" "$(budget_field '"units":"([0-9]*)"')" \
    "$(budget_field '"monitoringNotificationChannels":[[]([^]]*)' | tr -d '"')"
}

budget_field() { sed -nE "s|.*$1.*|\1|p" "$tmp/budget"; }

# budget_channels: a budget takes at most five, a line each.
budget_channels() { wanted_channels | sed 5q; }

decide_budget() {
  [[ -n $BUDGET ]] || return 0
  local name='' amount='' channels=''
  step 'Budget'
  ! found budget || IFS='|' read -r name amount channels < <(text budget) || true
  if [[ -z $name ]]; then
    create "budget of $BUDGET a month" send_budget POST ''
  elif [[ $amount != "$BUDGET" || $(tr , '\n' <<<"$channels" | sorted_list) != "$(budget_channels | sorted_list)" ]] || is_channel_missing; then
    update "budget of $BUDGET a month" send_budget PATCH "$name"
  fi
}

# send_budget METHOD NAME: without a name, creates it.
send_budget() {
  local file path channels
  file=$(monitoring_file budget.json)
  channels=$(budget_channels | sort | sed 's/.*/"&"/' | paste -s -d, -)
  sed -e "1s|.*|{\"notificationsRule\": {\"monitoringNotificationChannels\": [$channels]},|" -e "s/\${BUDGET}/$BUDGET/" "$file" >"$file.complete"
  path="v1/$2?updateMask=displayName,budgetFilter,amount,thresholdRules,notificationsRule"
  [[ -n $2 ]] || path=v1/$(billing_account)/budgets
  rest "$1" billingbudgets "$path" "$file.complete"
}

remove_budget() {
  step 'Budget'
  [[ -z $(field budget 1) ]] || remove 'budget' rest DELETE billingbudgets "v1/$(field budget 1)"
}
