"""The resources that deploy.sh creates, from its requests."""
import re

from resource_forms import condition_of, host, probe, short, strip, unfiled, upstream


def from_script(run):
    found = {}
    for r in run.requests:
        api, body = r.get('api') or '', r.get('body') or {}
        if r['status'] >= 300 or r['method'] == 'GET':
            continue
        name = short(body.get('name') or '') if isinstance(body.get('name'), str) else ''
        # gcloud uploads the sources of a build there.
        if 'run-sources-' in r['path'] + name:
            continue
        if api == 'serviceusage.services.batchEnable':
            found.update({('api', service): {} for service in body['serviceIds']})
        elif api == 'bigquery.datasets.insert':
            found['dataset', body['datasetReference']['datasetId']] = {k: body.get(k) for k in ('location', 'labels', 'description')}
        elif api == 'bigquery.datasets.patch':
            dataset = body['datasetReference']['datasetId']
            if 'defaultTableExpirationMs' in body:
                found['dataset', dataset]['expiration'] = int(body['defaultTableExpirationMs'])
        elif api == 'bigquery.jobs.insert' and (grant := re.match(r'GRANT `(.*?)` ON SCHEMA `.*?`[.]`(.*?)`', body['configuration']['query']['query'])):
            found['grant', grant[1], grant[2]] = {'count': 1}
        elif api == 'bigquery.tables.insert':
            found['table', body['tableReference']['tableId']] = {
                'columns': body.get('schema', {}).get('fields'), 'view': body.get('view', {}).get('query', '').strip(), 'pipeline': body['labels']['pipeline']}
        elif api == 'iam.projects.serviceAccounts.create':
            found['account', body['accountId']] = {'displayName': body['serviceAccount']['displayName']}
        elif api == 'secretmanager.projects.secrets.create':
            replicas = body['replication'].get('userManaged', {}).get('replicas', [])
            found['secret', r['query']['secretId'][0]] = {'labels': body['labels'], 'locations': [replica['location'] for replica in replicas]}
        elif api == 'artifactregistry.projects.locations.repositories.create':
            found['repository', name] = {'format': body['format'], 'labels': body['labels'], 'upstream': upstream(body.get('remoteRepositoryConfig'))}
        elif api == 'run.namespaces.services.create' and 'dryRun' not in r['query']:
            found['service', body['metadata']['name']] = service_from_script(body)
        elif api == 'pubsub.projects.topics.create':
            found['topic', name] = {'labels': body['labels'], 'regions': sorted(body.get('messageStoragePolicy', {}).get('allowedPersistenceRegions', []))}
        elif api == 'pubsub.projects.subscriptions.create':
            found['subscription', name] = {
                'ack': body.get('ackDeadlineSeconds'), 'retry': body.get('retryPolicy'), 'attempts': body.get('deadLetterPolicy', {}).get('maxDeliveryAttempts'),
                'retention': body['messageRetentionDuration'], 'never expires': 'expirationPolicy' in body and not body['expirationPolicy'].get('ttl'),
                'pushes': 'pushConfig' in body, 'labels': body['labels']}
        elif api == 'logging.projects.sinks.create':
            found['sink', name] = {'filter': body['filter'], 'description': body.get('description')}
        elif api == 'logging.projects.sinks.patch' and name == '_Default':
            for exclusion in body['exclusions']:
                found['exclusion', exclusion['name']] = {'filter': exclusion['filter'], 'description': exclusion.get('description')}
        elif api == 'storage.buckets.insert':
            found['bucket', name] = {'location': body['location'], 'public': body['iamConfiguration']['publicAccessPrevention'],
                                     'uniform': body['iamConfiguration']['uniformBucketLevelAccess']['enabled'], 'labels': body.get('labels')}
        elif api == 'storage.buckets.patch':
            bucket = found['bucket', short(r['path'])]
            if 'lifecycle' in body:
                bucket['days'] = body['lifecycle']['rule'][0]['condition']['age']
            if 'labels' in body:
                bucket['labels'] = body['labels']
        elif api == 'storage.objects.insert':
            found['object', body['name']] = {'cache': body['cacheControl'], 'type': body['contentType']}
        elif api == 'compute.backendBuckets.insert':
            found['backend bucket', name] = {'bucket': body['bucketName'], 'cdn': body['enableCdn'], 'description': body.get('description'), **body.get('cdnPolicy', {})}
        elif api == 'compute.globalForwardingRules.insert':
            found['forwarding rule', name] = {'scheme': body['loadBalancingScheme'], 'ports': body['portRange'], 'description': body.get('description')}
        elif api == 'compute.sslCertificates.insert':
            found['certificate', name] = {'domains': body['managed']['domains'], 'description': body.get('description')}
        elif api == 'compute.globalAddresses.insert':
            found['address', name] = {'version': body['ipVersion'], 'description': body.get('description')}
        elif api.startswith('compute.') and api.endswith('.insert'):
            found[api.split('.')[1], name] = {'description': body.get('description')}
        elif api == 'logging.projects.metrics.create':
            found['metric', name] = {k: body.get(k) for k in ('filter', 'description', 'labelExtractors', 'valueExtractor')}
        # The label `file` tells the script whether the file has changed.
        elif api == 'monitoring.projects.alertPolicies.create':
            found['alert', body['displayName']] = {
                'labels': unfiled(body['userLabels']), 'text': body['documentation']['content'], 'severity': body['severity'],
                'combiner': body['combiner'], 'conditions': [condition_of(c) for c in body['conditions']]}
        elif api == 'monitoring.projects.notificationChannels.create':
            found['channel', body['displayName']] = {'labels': body['labels'], 'type': body['type']}
        elif api == 'monitoring.projects.uptimeCheckConfigs.create':
            found['uptime check', host(body['monitoredResource']['labels']['host'])] = {
                'period': body['period'], 'timeout': body['timeout'], 'regions': body['selectedRegions'], 'labels': unfiled(body['userLabels']),
                'http': body['httpCheck']}
        elif api == 'monitoring.services.create':
            found['service of Cloud Monitoring', body['displayName']] = {'labels': unfiled(body['userLabels'])}
        elif api == 'monitoring.services.serviceLevelObjectives.create':
            found['objective', body['displayName']] = {
                'labels': unfiled(body['userLabels']), 'goal': body['goal'], 'days': int(body['rollingPeriod'][:-1]) / 86400,
                'ratio': body['serviceLevelIndicator']['requestBased']['goodTotalRatio']}
        elif api == 'billingbudgets.billingAccounts.budgets.create':
            found['budget', body['displayName']] = {
                'amount': body['amount']['specifiedAmount']['units'], 'thresholds': [rule['thresholdPercent'] for rule in body['thresholdRules']],
                'notifies': 'monitoringNotificationChannels' in body.get('notificationsRule', {})}
        elif api == 'monitoring.projects.dashboards.create':
            found['dashboard', body['displayName']] = {'tiles': body['mosaicLayout']['tiles']}
        elif api.endswith('setIamPolicy'):
            on = short(r['path'].removesuffix('/iam').removesuffix(':setIamPolicy'))
            for binding in body.get('bindings') or body['policy']['bindings']:
                found['grant', binding['role'], on] = {'count': len(binding['members'])}
    return strip(found)


def service_from_script(body):
    template = body['spec']['template']
    annotations, container = template['metadata']['annotations'], template['spec']['containers'][0]
    return {
        'ingress': {'internal': 'INGRESS_TRAFFIC_INTERNAL_ONLY'}[body['metadata']['annotations']['run.googleapis.com/ingress']],
        'pipeline': body['metadata']['labels']['pipeline'], 'concurrency': template['spec']['containerConcurrency'],
        'timeout': template['spec']['timeoutSeconds'], 'limits': container['resources']['limits'],
        'boost': annotations['run.googleapis.com/startup-cpu-boost'] == 'True',
        'min_instances': int(annotations.get('autoscaling.knative.dev/minScale', 0)), 'max_instances': int(annotations['autoscaling.knative.dev/maxScale']),
        'startup': probe(container['startupProbe']), 'liveness': probe(container['livenessProbe']),
        'env': {e['name']: e['valueFrom']['secretKeyRef']['name'] if 'valueFrom' in e else e.get('value', '') for e in container['env']}}
