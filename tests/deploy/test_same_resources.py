"""The script and the Terraform module create the same resources. The requests of the script and the plan of Terraform are
converted to one form and compared. The tests of the module check the values that are known only after an apply, such as a
URL or the address of an account."""
import json
import tempfile

from support import EVERYTHING, DeployTest, plan


def one(value):
    """The block of a list of one block."""
    return value[0] if isinstance(value, list) and value else value or {}


def short(text):
    return text.rsplit('/', 1)[-1]


def strip(value):
    """Without empty values, which only one of the two sides may have."""
    if isinstance(value, dict):
        return {k: strip(v) for k, v in value.items() if v not in (None, [], {}, '')}
    return [strip(v) for v in value] if isinstance(value, list) else value


def camel(value):
    """The keys in camelCase, as in the API."""
    if isinstance(value, dict):
        head = lambda k: k.split('_')[0] + ''.join(part.title() for part in k.split('_')[1:])
        return {head(k): camel(v) for k, v in value.items()}
    return [camel(v) for v in value] if isinstance(value, list) else value


def upstream(config):
    """The address of a remote repository."""
    return one(one(config).get('commonRepository')).get('uri')


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
            for entry in body.get('access', []):
                if entry.get('role') == 'WRITER':
                    found['grant', 'roles/bigquery.dataEditor', dataset] = {'count': 1}
        elif api == 'bigquery.tables.insert':
            found['table', body['tableReference']['tableId']] = {
                'columns': body.get('schema', {}).get('fields'), 'view': body.get('view', {}).get('query', '').strip(), 'pipeline': body['labels']['pipeline']}
        elif api == 'iam.projects.serviceAccounts.create':
            found['account', body['accountId']] = {'displayName': body['serviceAccount']['displayName']}
        elif api == 'artifactregistry.projects.locations.repositories.create':
            found['repository', name] = {'format': body['format'], 'labels': body['labels'], 'upstream': upstream(body.get('remoteRepositoryConfig'))}
        elif api == 'run.namespaces.services.create' and 'dryRun' not in r['query']:
            found['service', body['metadata']['name']] = service_from_script(body)
        elif api == 'pubsub.projects.topics.create':
            found['topic', name] = {'labels': body['labels']}
        elif api == 'pubsub.projects.subscriptions.create':
            found['subscription', name] = {
                'ack': body.get('ackDeadlineSeconds'), 'retry': body.get('retryPolicy'), 'attempts': body.get('deadLetterPolicy', {}).get('maxDeliveryAttempts'),
                'retention': body['messageRetentionDuration'], 'never expires': 'expirationPolicy' in body and not body['expirationPolicy'].get('ttl'),
                'pushes': 'pushConfig' in body, 'labels': body['labels']}
        elif api == 'logging.projects.sinks.create':
            found['sink', name] = {'filter': body['filter']}
        elif api == 'logging.projects.sinks.patch' and name == '_Default':
            for exclusion in body['exclusions']:
                found['exclusion', exclusion['name']] = {'filter': exclusion['filter']}
        elif api == 'storage.buckets.insert':
            found['bucket', name] = {'location': body['location'], 'public': body['iamConfiguration']['publicAccessPrevention'],
                                     'uniform': body['iamConfiguration']['uniformBucketLevelAccess']['enabled']}
        elif api == 'storage.buckets.patch':
            found['bucket', short(r['path'])]['days'] = body['lifecycle']['rule'][0]['condition']['age']
        elif api == 'storage.objects.insert':
            found['object', body['name']] = {'cache': body['cacheControl'], 'type': body['contentType']}
        elif api == 'compute.backendBuckets.insert':
            found['backend bucket', name] = {'bucket': body['bucketName'], 'cdn': body['enableCdn'], **body['cdnPolicy']}
        elif api == 'compute.globalForwardingRules.insert':
            found['forwarding rule', name] = {'scheme': body['loadBalancingScheme'], 'ports': body['portRange']}
        elif api == 'compute.sslCertificates.insert':
            found['certificate', name] = {'domains': body['managed']['domains']}
        elif api == 'compute.globalAddresses.insert':
            found['address', name] = {'version': body['ipVersion']}
        elif api.startswith('compute.') and api.endswith('.insert'):
            found[api.split('.')[1], name] = {}
        elif api == 'logging.projects.metrics.create':
            found['metric', name] = {k: body.get(k) for k in ('filter', 'description', 'labelExtractors', 'valueExtractor')}
        elif api == 'monitoring.projects.alertPolicies.create':
            found['alert', body['displayName']] = {'labels': body['userLabels'], 'text': body['documentation']['content'], 'severity': body['severity'],
                                                   'conditions': body['conditions']}
        elif api == 'monitoring.projects.notificationChannels.create':
            found['channel', body['displayName']] = {'labels': body['labels'], 'type': body['type']}
        elif api == 'monitoring.projects.dashboards.create':
            found['dashboard', body['displayName']] = {'tiles': body['mosaicLayout']['tiles']}
        elif api.endswith('setIamPolicy'):
            on = short(r['path'].removesuffix('/iam').removesuffix(':setIamPolicy'))
            for binding in body.get('bindings') or body['policy']['bindings']:
                found['grant', binding['role'], on] = {'count': len(binding['members'])}
    return found


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
        'env': {e['name']: e.get('value', '') for e in container['env']}}


def probe(p):
    return {'path': p['httpGet']['path'], **{k: p[k] for k in ('periodSeconds', 'timeoutSeconds', 'failureThreshold')}}


def service_from_plan(v):
    template = one(v['template'])
    container = one(template['containers'])
    convert = lambda p: probe({'httpGet': one(p['http_get']), **camel({k: v for k, v in p.items() if k != 'http_get'})})
    return {
        'ingress': v['ingress'], 'pipeline': v['labels']['pipeline'], 'concurrency': template['max_instance_request_concurrency'],
        'timeout': int(template['timeout'].removesuffix('s')), 'limits': one(container['resources'])['limits'],
        'boost': one(container['resources'])['startup_cpu_boost'], 'min_instances': one(template['scaling'])['min_instance_count'],
        'max_instances': one(template['scaling'])['max_instance_count'], 'startup': convert(one(container['startup_probe'])),
        'liveness': convert(one(container['liveness_probe'])), 'env': {e['name']: e['value'] or '' for e in container['env']}}


def from_plan(resources):
    found = {}
    grants = {'google_project_iam_member': 'project', 'google_pubsub_topic_iam_member': 'topic', 'google_pubsub_subscription_iam_member': 'subscription',
              'google_storage_bucket_iam_member': 'bucket', 'google_cloud_run_v2_service_iam_member': 'name', 'google_bigquery_dataset_iam_member': 'dataset_id'}
    for kind, v in resources:
        if kind in grants:
            key = 'grant', v['role'], short(v[grants[kind]])
            found[key] = {'count': found.get(key, {'count': 0})['count'] + 1}
            continue
        item = {
            'google_project_service': lambda: ('api', v['service'], {}),
            'google_bigquery_dataset': lambda: ('dataset', v['dataset_id'], {
                **{k: v[k] for k in ('location', 'labels', 'description')}, 'expiration': v['default_table_expiration_ms']}),
            'google_bigquery_table': lambda: ('table', v['table_id'], {
                'columns': json.loads(v['schema']) if v['schema'] else None, 'view': one(v['view']).get('query', '').strip(), 'pipeline': v['labels']['pipeline']}),
            'google_service_account': lambda: ('account', v['account_id'], {'displayName': v['display_name']}),
            'google_artifact_registry_repository': lambda: ('repository', v['repository_id'], {
                'format': v['format'], 'labels': v['labels'], 'upstream': upstream(camel(strip(one(v['remote_repository_config']))))}),
            'google_cloud_run_v2_service': lambda: ('service', v['name'], service_from_plan(v)),
            'google_pubsub_topic': lambda: ('topic', v['name'], {'labels': v['labels']}),
            'google_pubsub_subscription': lambda: ('subscription', v['name'], {
                'ack': v['ack_deadline_seconds'], 'retry': camel(one(v['retry_policy'])), 'attempts': one(v['dead_letter_policy']).get('max_delivery_attempts'),
                'retention': v['message_retention_duration'], 'never expires': one(v['expiration_policy'])['ttl'] == '', 'pushes': bool(v['push_config']),
                'labels': v['labels']}),
            'google_logging_project_sink': lambda: ('sink', v['name'], {'filter': v['filter']}),
            'google_logging_project_exclusion': lambda: ('exclusion', v['name'], {'filter': v['filter']}),
            'google_storage_bucket': lambda: ('bucket', v['name'], {
                'location': v['location'], 'public': v['public_access_prevention'], 'uniform': v['uniform_bucket_level_access'],
                'days': one(one(v['lifecycle_rule']).get('condition')).get('age')}),
            'google_storage_bucket_object': lambda: ('object', v['name'], {'cache': v['cache_control'], 'type': v['content_type']}),
            'google_compute_backend_bucket': lambda: ('backend bucket', v['name'], {
                'bucket': v['bucket_name'], 'cdn': v['enable_cdn'], **camel(one(v['cdn_policy']))}),
            'google_compute_global_forwarding_rule': lambda: ('forwarding rule', v['name'], {'scheme': v['load_balancing_scheme'], 'ports': v['port_range']}),
            'google_compute_managed_ssl_certificate': lambda: ('certificate', v['name'], {'domains': one(v['managed'])['domains']}),
            'google_compute_global_address': lambda: ('address', v['name'], {'version': v['ip_version']}),
            'google_compute_url_map': lambda: ('urlMaps', v['name'], {}),
            'google_compute_target_http_proxy': lambda: ('targetHttpProxies', v['name'], {}),
            'google_compute_target_https_proxy': lambda: ('targetHttpsProxies', v['name'], {}),
            'google_logging_metric': lambda: ('metric', v['name'], camel({k: v[k] for k in ('filter', 'description', 'value_extractor')}) | {
                'labelExtractors': v['label_extractors']}),
            'google_monitoring_alert_policy': lambda: ('alert', v['display_name'], {
                'labels': v['user_labels'], 'text': one(v['documentation'])['content'], 'severity': v['severity'],
                'conditions': [condition(c) for c in v['conditions']]}),
            'google_monitoring_notification_channel': lambda: ('channel', v['display_name'], {'labels': v['labels'], 'type': v['type']}),
            'google_monitoring_dashboard': lambda: ('dashboard', json.loads(v['dashboard_json'])['displayName'], {
                'tiles': json.loads(v['dashboard_json'])['mosaicLayout']['tiles']}),
            # Pub/Sub's service account, and the build: not resources of Google Cloud.
            'google_project_service_identity': lambda: None,
            'terraform_data': lambda: None,
        }[kind]()
        if item:
            found[item[0], item[1]] = item[2]
    return found


def condition(c):
    """A condition as in the API: only the block that is not empty."""
    out = {}
    for key, value in camel(strip(c)).items():
        value = one(value) if key.startswith('condition') else value
        if isinstance(value, dict):
            value = {k: one(v) if k == 'trigger' else v for k, v in value.items()}
        out[key] = value
    return out


class SameResources(DeployTest):
    def compare(self, settings):
        script = strip(from_script(self.run_clean('deploy/deploy.sh', settings)))
        terraform = strip(from_plan(plan(settings)))
        # Two empty lists would be equal.
        self.assertGreater(len(script), 30)
        self.assertEqual(sorted(map(str, script)), sorted(map(str, terraform)))
        for key in script:
            with self.subTest(str(key)):
                self.assertEqual(script[key], terraform[key])
        return script, terraform

    def test_with_every_optional_part(self):
        self.compare(EVERYTHING)

    def test_with_the_published_image(self):
        self.compare({'IMAGE': 'ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0'})

    def test_alerts_name_the_dead_letter_table_of_the_settings(self):
        script, _ = self.compare({'DATASET': 'd', 'DEAD_LETTER_TABLE': 'rejected'})
        texts = [value['text'] for key, value in script.items() if key[0] == 'alert'] + [str(value) for key, value in script.items() if key[0] == 'dashboard']
        self.assertEqual(sum('`d.rejected`' in text or 'table `rejected` in the dataset `d`' in text for text in texts), 2)
        self.assertFalse([text for text in texts if 'dead_letters' in text])

    def test_with_only_a_project(self):
        self.compare({})

    def test_views_follow_the_columns_of_the_schema(self):
        for columns, expected in [
            # The views have no column type or users, and only one column table_suffix.
            ({'event_id': 'STRING', 'Event_Timestamp': 'timestamp', 'visitor': 'STRING', 'table_suffix': 'STRING', 'type': 'JSON'}, ['events', 'events_daily']),
            ({'event_id': 'INT64', 'event_timestamp': 'DATETIME', 'visitor': 'STRING', 'type': 'INT64'}, ['events']),
            ({'event_id': 'FLOAT', 'event_timestamp': 'TIMESTAMP', 'visitor': 'STRING'}, []),
        ]:
            with self.subTest(columns), tempfile.NamedTemporaryFile('w', suffix='.json') as file:
                json.dump([{'name': name, 'type': kind} for name, kind in columns.items()], file)
                file.flush()
                script, _ = self.compare({'SCHEMA_FILE': file.name, 'VALID_ATTRIBUTES': 'visitor', 'TABLE_SUFFIX': '_{visitor}_{date}'})
                views = [key[1] for key, value in script.items() if key[0] == 'table' and value.get('view')]
                self.assertEqual(sorted(views), expected)
