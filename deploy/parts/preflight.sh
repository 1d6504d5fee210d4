# shellcheck shell=bash disable=SC2154
# What a deployment needs besides its settings: permissions, billing, and organization policies that allow it. What cannot be
# read is a note and stops nothing.

# The permissions that the changes need. They are those of the role Owner that Editor lacks, and one for each kind of resource.
PERMISSIONS='artifactregistry.repositories.create bigquery.datasets.create bigquery.jobs.create bigquery.tables.create
  cloudbuild.builds.create compute.backendBuckets.create compute.globalAddresses.create compute.globalForwardingRules.create
  compute.sslCertificates.create compute.targetHttpProxies.create compute.urlMaps.create iam.serviceAccounts.actAs
  iam.serviceAccounts.create logging.logMetrics.create logging.sinks.create monitoring.alertPolicies.create
  monitoring.dashboards.create pubsub.subscriptions.create pubsub.subscriptions.setIamPolicy pubsub.topics.create
  pubsub.topics.setIamPolicy resourcemanager.projects.getIamPolicy resourcemanager.projects.setIamPolicy run.services.create
  run.services.setIamPolicy serviceusage.services.enable storage.buckets.create storage.buckets.setIamPolicy
  storage.objects.create'

look_preflight() {
  local constraint
  look permissions if_readable granted_permissions
  look billing if_readable gcloud billing projects describe "$PROJECT_ID" --format='value(billingEnabled)'
  for constraint in storage.publicAccessPrevention iam.allowedPolicyMemberDomains gcp.resourceLocations; do
    look "org-policy/$constraint" if_readable gcloud resource-manager org-policies describe "$constraint" --project="$PROJECT_ID" --effective \
      --format='value[separator="|"](booleanPolicy.enforced,listPolicy.allValues,listPolicy.allowedValues.list(),listPolicy.deniedValues.list())'
  done
}

# if_readable COMMAND...: prints "unknown: MESSAGE" if the command fails.
if_readable() {
  local output
  if output=$("$@" 2>&1 </dev/null); then
    printf '%s\n' "$output"
  else
    printf 'unknown: %s\n' "$(sed '/^ *$/d' <<<"$output" | sed -n 1p)"
  fi
}

# granted_permissions: those of PERMISSIONS that the caller has, one a line.
granted_permissions() {
  local permission body=
  for permission in $PERMISSIONS; do
    body+="${body:+,}\"$permission\""
  done
  printf '{"permissions":[%s]}' "$body" >"$tmp/permissions.json"
  rest POST cloudresourcemanager "v1/projects/$PROJECT_ID:testIamPermissions" "$tmp/permissions.json" | grep -o '"[a-z]*[.][A-Za-z.]*"' | tr -d '"'
}

# Only for a deployment that changes something: a second run needs no permission to create.
decide_preflight() {
  ((planned > 0)) || return 0
  local key
  for key in permissions billing org-policy/storage.publicAccessPrevention org-policy/iam.allowedPolicyMemberDomains org-policy/gcp.resourceLocations; do
    [[ $(text "$key") != unknown:* ]] || note "not checked: $key ($(text "$key" | cut -d' ' -f2-))"
  done
  check_permissions
  [[ $(text billing) != False ]] ||
    conflict billing "it is not enabled: link a billing account at https://console.cloud.google.com/billing/linkedaccount?project=$PROJECT_ID"
  check_public_access
  check_locations
}

check_permissions() {
  local permission missing=
  [[ $(text permissions) != unknown:* ]] || return 0
  for permission in $PERMISSIONS; do
    has_line permissions "$permission" || missing+=" $permission"
  done
  [[ -z $missing ]] || conflict permissions "you lack$missing: ask an owner of the project for roles/owner, which has them all"
}

# The pixel is an object that everyone may read.
check_public_access() {
  ! has_line "policy/bucket/$PIXEL_BUCKET" 'roles/storage.legacyObjectReader allUsers' || return 0
  [[ $(field org-policy/storage.publicAccessPrevention 1) != True ]] ||
    conflict 'organization policy storage.publicAccessPrevention' "it forbids a public bucket, and everyone must be able to read gs://$PIXEL_BUCKET. \
An organization policy administrator can make an exception for this project:
  gcloud resource-manager org-policies disable-enforce storage.publicAccessPrevention --project=$PROJECT_ID"
  local policy
  policy=$(text org-policy/iam.allowedPolicyMemberDomains)
  [[ $policy != '|DENY|'* && $policy != '||'?*'|'* ]] ||
    conflict 'organization policy iam.allowedPolicyMemberDomains' "it forbids a grant to allUsers, and everyone must be able to read gs://$PIXEL_BUCKET. \
An organization policy administrator can make an exception for this project, which may end after the deployment:
  printf 'constraint: constraints/iam.allowedPolicyMemberDomains\nlistPolicy: {allValues: ALLOW}\n' >exception.yaml
  gcloud resource-manager org-policies set-policy exception.yaml --project=$PROJECT_ID"
}

check_locations() {
  local policy location allowed denied
  policy=$(text org-policy/gcp.resourceLocations)
  [[ $policy == *'|'* ]] || return 0
  allowed=$(cut -d'|' -f3 <<<"$policy") denied=$(cut -d'|' -f4 <<<"$policy")
  for location in "$REGION" "$LOCATION"; do
    if [[ $policy == '|DENY|'* ]] || lists_location "$denied" "$location" || { [[ -n $allowed ]] && ! lists_location "$allowed" "$location"; }; then
      conflict 'organization policy gcp.resourceLocations' "it does not allow $location${allowed:+ (allowed: $allowed)}. Choose REGION and LOCATION that it \
allows, or ask an organization policy administrator for an exception of this project"
    fi
  done
}

# lists_location VALUES LOCATION: whether a value of the policy is the location or a group of locations that contains it.
lists_location() {
  local lower
  lower=$(tr '[:upper:]' '[:lower:]' <<<"$2")
  local value values=${1//[,;]/ }
  for value in $values; do
    value=${value#is:}
    case $value in
      "$lower" | "in:$lower-locations") return 0 ;;
      in:us-locations) [[ $lower != us && $lower != us-* ]] || return 0 ;;
      in:eu-locations | in:europe-locations) [[ $lower != eu && $lower != europe-* ]] || return 0 ;;
      in:*-locations) value=${value#in:} && [[ $lower != "${value%-locations}"-* ]] || return 0 ;;
    esac
  done
  return 1
}
