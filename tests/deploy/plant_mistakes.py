"""Runs below gcloud-run, after a deployment: plants a mistake in each member of each resource in the fake of Google Cloud, and
lists those that `pixel-pipeline check` does not report. The report is one JSON object on standard output.

A round changes one member of every resource, because `check` names the resource of each difference. The hundreds of members of
the dashboard are changed together: its differences name the members.
"""
import copy
import json
import os
import re
import subprocess
import sys
import urllib.request

# What each kind of resource is called in the report of `check`.
NOUNS = {
    'artifactregistry/repositories': 'image repository', 'bigquery/datasets': 'dataset', 'cloudresourcemanager/projects': 'project',
    'compute/addresses': 'address', 'compute/backendBuckets': 'backend bucket', 'compute/forwardingRules': 'forwarding rule',
    'compute/targetHttpProxies': 'HTTP proxy', 'compute/targetHttpsProxies': 'HTTPS proxy',
    'compute/urlMaps': 'URL map', 'iam/serviceAccounts': 'service account', 'logging/metrics': 'log-based metric',
    'logging/sinks': 'log sink', 'monitoring/dashboards': 'dashboard', 'pubsub/subscriptions': 'subscription', 'pubsub/topics': 'topic',
    'run/services': 'service', 'secretmanager/secrets': 'secret', 'serviceusage/services': 'API',
}
# Made by gcloud for a build, and changed by every build; and the budget, which only readers of the billing account can see.
NOT_CHECKED = r'cloudbuild:|storage:b/run-sources-|bigquery:.*/jobs/|.*/operations/|billingbudgets:|cloudbilling:|secretmanager:.*/versions/'

# Members that may have any value, as regular expressions for `KEY PATH`, and why.
FREE = {
    # The API makes these.
    r'\S+ (id|kind|etag|selfLink|fingerprint|creationTimestamp|createTime|updateTime|creationTime|lastModifiedTime|timeCreated|updated)$': 'made by the API',
    r'serviceusage:\S+ config\.name$': 'made by the API',
    r'\S+ name$': 'the key of the resource: a resource of another name is another one',
    r'storage:\S+ (projectNumber|metageneration|generation|bucket|mediaLink|md5Hash|crc32c)$': 'made by the API',
    r'storage:\S+/o/\S+ data$': 'the content, which the API does not show',
    r'storage:\S+/o/\S+ size$': 'an image of another size is an image',
    r'bigquery:\S+ (datasetReference|tableReference)\.': 'the name of the resource',
    r'bigquery:\S+/tables/\S+ type$': 'made by the API; of another type, it is another resource',
    r'bigquery:\S+/datasets/[^/ ]+ (type|resourceTags)$': 'bq sends back what it has read',
    r'iam:\S+ (email|projectId|uniqueId)$': 'made by the API',
    r'compute:\S+ (address|status)$': 'made by the API',
    r'compute:\S+/sslCertificates/\S+ managed\.domainStatus': 'made by the API',
    r'logging:\S+ writerIdentity$': 'made by the API',
    r'run:\S+ (apiVersion|status\..*|metadata\.(name|namespace|generation|resourceVersion|uid|creationTimestamp))$': 'made by the API',
    r'run:\S+ metadata\.labels\.cloud\.googleapis\.com/location$': 'made by the API',
    r'run:\S+ .*\.env\[\d+\]\.name$': 'without a variable, the service has its default, which is compared with the setting',
    r'run:\S+ spec\.template\.spec\.(nodeSelector|containers\[\d+\]\.(name|resources\.requests))$': 'gcloud sends them empty',
    r'secretmanager:\S+ replication\.': 'a secret cannot be moved',
    # Others use these.
    r'run:\S+ (spec\.template\.)?metadata\.annotations\.run\.googleapis\.com/(client-|build-)': 'gcloud notes how it was called',
    r'run:\S+ spec\.template\.metadata\.labels\.': 'labels of a revision: nothing reads them',
    r'run:\S+ spec\.template\.metadata\.name$': 'the name of a revision',
    r'\S+ (spec\.template\.)?metadata\.labels\.deployed$': 'tells deploy.sh whether to deploy again; another value only causes that',
    r'bigquery:\S+ labels\.(schema|text|monitoring)$': 'tells deploy.sh whether to update; another value only causes that',
    r'monitoring:\S+ (userLabels|labels)\.file$': 'tells deploy.sh whether to update; another value only causes that',
    r'artifactregistry:\S+ mode$': 'unspecified is the default',
    r'artifactregistry:\S+-ghcr format$': 'a repository keeps the format with which it was created',
    r'secretmanager:\S+ annotations$': 'gcloud sends them empty',
    r'bigquery:\S+ schema\.fields\[\d+\]\.description$': 'explains a column to people, who may edit it',
}
# Values that mean something to `check`, so that another text would not be a mistake.
SPECIAL = {r'.* expirationPolicy$': {'ttl': '2678400s'}, r'.* contentType$': 'text/html',
           r'run:.* spec\.template\.spec\.containers\[\d+\]\.image$': 'us-docker.pkg.dev/cloudrun/container/hello'}


def request(body=None):
    data = json.dumps(body).encode() if body else None
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(os.environ['GCLOUD_RUN_STATE'], data, method='PUT' if data else 'GET')) as answer:
        return json.load(answer)


def check():
    """Exit code, problems by resource, and the report."""
    done = subprocess.run([os.environ['PIXEL_TEST_BINARY'], 'check', '--format', 'json'], stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    report = json.loads(done.stdout)
    problems = {}
    for difference in (d for link in report['links'] for d in link['differences']):
        problems.setdefault(difference['resource'], []).append(difference['problem'])
    return done.returncode, problems, report


def leaves(value, path=()):
    """The paths of all values that are no object and no list, or are empty."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [leaf for name, member in inside for leaf in leaves(member, (*path, name))]
    return found or [path]


def written(path):
    return ''.join(f'[{name}]' if isinstance(name, int) else f'.{name}' for name in path).lstrip('.')


def changed(resource, path, where):
    resource = copy.deepcopy(resource)
    parent = resource
    for name in path[:-1]:
        parent = parent[name]
    value = parent[path[-1]]
    special = [new for pattern, new in SPECIAL.items() if re.fullmatch(pattern, where)]
    if special:
        new = special[0]
    elif isinstance(value, bool):
        new = not value
    elif isinstance(value, (int, float)):
        new = value + 1
    elif isinstance(value, str):
        new = value + 'x'
    else:
        new = [1]
    parent[path[-1]] = new
    return resource


def label(key, resource):
    """The resource's name in the report of `check`."""
    api, name = key.split(':', 1)
    parts = name.split('/')
    if api == 'storage':
        bucket, _, path = name.removeprefix('b/').partition('/o/')
        return f'object gs://{bucket}/{path}' if path else f'bucket gs://{bucket}'
    if '/tables/' in name:
        return f'{"view" if resource.get("type") == "VIEW" else "table"} {parts[3]}.{parts[5]}'
    if name.endswith('/sinks/_Default'):
        return f'exclusion {os.environ.get("PIPELINE", "pixel")} of log sink _Default'
    if '/uptimeCheckConfigs/' in name:
        return f'uptime check of {resource["monitoredResource"]["labels"]["host"]}'
    if '/serviceLevelObjectives/' in name:
        return f'objective {parts[-1]}'
    if api == 'monitoring' and parts[-2] == 'services':
        return f'service {parts[-1]} in Cloud Monitoring'
    if '/alertPolicies/' in name:
        return f'alert "{resource["displayName"]}"'
    if '/notificationChannels/' in name:
        return f'notification channel of {resource["labels"]["email_address"]}'
    if '/sslCertificates/' in name:
        return f'certificate of {resource["managed"]["domains"][0]}'
    kind = f'{api}/{parts[-2]}'
    if kind not in NOUNS:
        sys.exit(f'{key}: add what `check` calls it to NOUNS')
    return f'{NOUNS[kind]} {parts[-1]}'


def mistakes(state):
    """label -> the mistakes to plant in that resource: part of the state, key, path, and the changed resource."""
    found = {}
    keys = [key for key in state['created'] if key in state['store']] + [key for key in state['store'] if key.endswith('/sinks/_Default')]
    resources = [('store', key, state['store'][key]) for key in keys] + [('policies', key, policy) for key, policy in state['policies'].items()]
    for part, key, resource in resources:
        if re.match(NOT_CHECKED, key):
            continue
        of = label(key, state['store'].get(key, resource))
        for path in leaves(resource):
            where = f'{key} {written(path)}'
            if part == 'policies' and path[0] != 'bindings' or any(re.match(pattern, where) for pattern in FREE):
                continue
            # The owners of the project, whom BigQuery adds.
            if path[0] == 'access' and 'specialGroup' in resource['access'][path[1]]:
                continue
            found.setdefault(of, []).append((part, key, path, changed(resource, path, where)))
    return found


def missed_together(state, of, list_of):
    """The members of one resource that are not reported when all of them are changed."""
    key = list_of[0][1]
    resource = state['store'][key]
    for _, _, path, _ in list_of:
        resource = changed(resource, path, '')
    request({'store': {key: resource}})
    _, problems, _ = check()
    request({'store': {key: state['store'][key]}})
    return [f'{key} {written(path)}' for _, _, path, _ in list_of if not any(p.startswith(f'{written(path)} ') for p in problems.get(of, []))]


def check_with(state, mistakes):
    """Exit code and problems of `check` while these mistakes are planted."""
    body, original = {'store': {}, 'policies': {}}, {'store': {}, 'policies': {}}
    for part, key, _, resource in mistakes:
        body[part][key], original[part][key] = resource, state[part][key]
    request(body)
    code, reported, _ = check()
    request(original)
    return code, reported


def main():
    state = request()
    code, _, clean = check()
    if code:
        sys.exit(f'the deployment does not pass: {json.dumps(clean, indent=1)}')
    planted, missed = mistakes(state), []
    count = sum(map(len, planted.values()))
    for of in [of for of in planted if of.startswith('dashboard ')]:
        missed += missed_together(state, of, planted[of])
        planted[of] = planted[of][:1]
    for round_number in range(max(map(len, planted.values()))):
        mistake = {of: list_of[round_number] for of, list_of in planted.items() if round_number < len(list_of)}
        code, reported = check_with(state, mistake.values())
        for of, planted_in_it in mistake.items():
            if code == 1 and of in reported:
                continue
            # A mistake in one resource can hide that in another, such as a certificate that in the proxy which serves it.
            code_alone, reported_alone = check_with(state, [planted_in_it])
            if code_alone != 1 or of not in reported_alone:
                missed.append(f'{planted_in_it[1]} {written(planted_in_it[2])}')
    # Without each resource.
    gone = {key: None for list_of in planted.values() for part, key, _, _ in list_of if part == 'store' and 'projects/' + os.environ['PROJECT_ID'] != key.split(':')[1]}
    request({'store': {key: None if not key.endswith('/sinks/_Default') else {'name': '_Default'} for key in gone}})
    _, reported, _ = check()
    request({'store': {key: state['store'][key] for key in gone}})
    missed += [f'{of} deleted' for of, list_of in planted.items() if any(part == 'store' for part, *_ in list_of) and of not in reported]
    code, _, last = check()
    if code:
        sys.exit(f'the deployment does not pass any more: {json.dumps(last, indent=1)}')
    json.dump({'resources': len(planted), 'mistakes': count, 'missed': missed}, sys.stdout)


main()
