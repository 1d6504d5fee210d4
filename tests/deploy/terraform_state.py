"""What the fake of Google Cloud would have after an apply of the Terraform module: the plan's values in the form of the APIs.

Values that are known only after an apply, such as the URL of the service and the addresses of accounts, are filled in. The
tests of the module check them.
"""
import json

from plan_resources import condition
from resource_forms import camel, one, strip

from support import PROJECT

NUMBER = '123456789012'
ACCOUNTS = f'@{PROJECT}.iam.gserviceaccount.com'
POLICIES = {'google_project_iam_member', 'google_pubsub_topic_iam_member', 'google_pubsub_subscription_iam_member',
            'google_storage_bucket_iam_member', 'google_cloud_run_v2_service_iam_member'}


class State:
    def __init__(self, resources, url):
        self.store, self.policies, self.url = {}, {}, url
        sinks = f'logging:projects/{PROJECT}/sinks/_Default'
        self.store[sinks] = {'name': '_Default'}
        for kind, v in resources:
            add = getattr(self, kind.removeprefix('google_'), None)
            if kind in POLICIES:
                self.grant(kind, v)
            elif add:
                add(v)
            elif kind.startswith('google_') and kind != 'google_project_service_identity':
                raise AssertionError(f'{kind}: add it to State')

    def put(self, key, value):
        self.store[key] = strip(value)

    def compute(self, collection, v, links=(), **value):
        """A resource of Compute Engine. `links` are members that name another one: (member, collection, name)"""
        url = lambda collection, name: f'https://www.googleapis.com/compute/v1/projects/{PROJECT}/global/{collection}/{name}'
        self.put(f'compute:projects/{PROJECT}/global/{collection}/{v["name"]}', {
            'name': v['name'], 'description': v.get('description'), **value, **{member: url(other, name) for member, other, name in links}})

    # ---- BigQuery
    def bigquery_dataset(self, v):
        account = f'{v["labels"]["pipeline"]}-run{ACCOUNTS}'
        self.put(f'bigquery:projects/{PROJECT}/datasets/{v["dataset_id"]}', {
            'kind': 'bigquery#dataset', 'location': v['location'], 'labels': v['labels'], 'description': v['description'],
            'defaultTableExpirationMs': v['default_table_expiration_ms'], 'access': [{'role': 'WRITER', 'userByEmail': account}]})

    def bigquery_dataset_iam_member(self, v):
        assert v['role'] == 'roles/bigquery.dataEditor'

    def bigquery_table(self, v):
        view, labels = one(v['view']), v['labels']
        value = {'view': {'query': view['query']}, 'type': 'VIEW'} if view else {'schema': {'fields': json.loads(v['schema'])}, 'type': 'TABLE'}
        self.put(f'bigquery:projects/{PROJECT}/datasets/{v["dataset_id"]}/tables/{v["table_id"]}', {'kind': 'bigquery#table', 'labels': labels, **value})

    # ---- Accounts, APIs and images
    def project_service(self, v):
        name = f'projects/{PROJECT}/services/{v["service"]}'
        self.put(f'serviceusage:{name}', {'name': name, 'state': 'ENABLED'})

    def service_account(self, v):
        self.put(f'iam:projects/{PROJECT}/serviceAccounts/{v["account_id"]}{ACCOUNTS}', {'displayName': v['display_name']})

    def artifact_registry_repository(self, v):
        self.put(f'artifactregistry:projects/{PROJECT}/locations/{v["location"]}/repositories/{v["repository_id"]}', camel(
            {k: one(v[k]) if k == 'remote_repository_config' else v[k] for k in ('format', 'remote_repository_config')}) | {'labels': v['labels']})
        config = self.store[f'artifactregistry:projects/{PROJECT}/locations/{v["location"]}/repositories/{v["repository_id"]}'].get('remoteRepositoryConfig')
        if config:
            config['commonRepository'] = one(config['commonRepository'])

    # ---- Service
    def cloud_run_v2_service(self, v):
        template = one(v['template'])
        container, scaling = one(template['containers']), one(template['scaling'])
        resources, pipeline = one(container['resources']), v['labels']['pipeline']
        annotations = {'autoscaling.knative.dev/maxScale': str(scaling['max_instance_count']), 'autoscaling.knative.dev/minScale': str(scaling['min_instance_count']),
                       'run.googleapis.com/startup-cpu-boost': str(resources['startup_cpu_boost']).lower()}
        probe = lambda p: camel({k: x for k, x in one(p).items() if k != 'http_get'}) | {'httpGet': {'path': one(one(p)['http_get'])['path']}}
        image = container.get('image') or f'{v["location"]}-docker.pkg.dev/{PROJECT}/{pipeline}/{v["name"]}'
        ingress = {'INGRESS_TRAFFIC_INTERNAL_ONLY': 'internal'}[v['ingress']]
        env = [{'name': e['name'], 'value': e.get('value') or ''} for e in container['env']]
        for e in env:
            if e['name'] == 'PUSH_SERVICE_ACCOUNT':
                e['value'] = f'{pipeline}-push{ACCOUNTS}'
        self.put(f'run:projects/{PROJECT}/locations/{v["location"]}/services/{v["name"]}', {
            'metadata': {'labels': v['labels'], 'namespace': NUMBER, 'annotations': {'run.googleapis.com/ingress': ingress}},
            'spec': {'template': {'metadata': {'annotations': annotations}, 'spec': {
                'serviceAccountName': f'{pipeline}-run{ACCOUNTS}', 'containerConcurrency': template['max_instance_request_concurrency'],
                'timeoutSeconds': int(template['timeout'].removesuffix('s')),
                'containers': [{'image': image, 'env': env, 'resources': {'limits': resources['limits']},
                                'startupProbe': probe(container['startup_probe']), 'livenessProbe': probe(container['liveness_probe'])}]}},
                'traffic': [{'percent': 100, 'latestRevision': True}]},
            'status': {'url': self.url, 'conditions': [{'type': 'Ready', 'status': 'True'}]}})

    # ---- Pub/Sub
    def pubsub_topic(self, v):
        self.put(f'pubsub:projects/{PROJECT}/topics/{v["name"]}', {
            'labels': v['labels'], 'messageStoragePolicy': {'allowedPersistenceRegions': one(v['message_storage_policy'])['allowed_persistence_regions']}})

    def pubsub_subscription(self, v):
        pipeline, push, letters = v['labels']['pipeline'], one(v['push_config']), one(v['dead_letter_policy'])
        topic = lambda name: f'projects/{PROJECT}/topics/{name}'
        value = {'topic': topic(pipeline if push or letters else f'{pipeline}-dead-letter'), 'labels': v['labels'], 'ackDeadlineSeconds': v['ack_deadline_seconds'],
                 'messageRetentionDuration': v['message_retention_duration'], 'retryPolicy': camel(one(v['retry_policy']))}
        if letters:
            value['deadLetterPolicy'] = {'deadLetterTopic': topic(f'{pipeline}-dead-letter'), 'maxDeliveryAttempts': letters['max_delivery_attempts']}
            value['pushConfig'] = {'pushEndpoint': f'{self.url}/', 'oidcToken': {'serviceAccountEmail': f'{pipeline}-push{ACCOUNTS}', 'audience': self.url}}
        self.put(f'pubsub:projects/{PROJECT}/subscriptions/{v["name"]}', value)
        # An empty policy means never.
        assert one(v['expiration_policy'])['ttl'] == ''
        self.store[f'pubsub:projects/{PROJECT}/subscriptions/{v["name"]}']['expirationPolicy'] = {}

    # ---- Logs
    def logging_project_sink(self, v):
        destination = v.get('destination') or (f'pubsub.googleapis.com/projects/{PROJECT}/topics/{v["name"]}')
        self.put(f'logging:projects/{PROJECT}/sinks/{v["name"]}', {
            **{k: v.get(k) for k in ('name', 'filter', 'description', 'disabled')}, 'destination': destination,
            'writerIdentity': f'serviceAccount:service-{NUMBER}@gcp-sa-logging.iam.gserviceaccount.com'})

    def logging_project_exclusion(self, v):
        exclusion = {k: v[k] for k in ('name', 'filter', 'description', 'disabled') if v.get(k)}
        self.store[f'logging:projects/{PROJECT}/sinks/_Default']['exclusions'] = [exclusion]

    def logging_metric(self, v):
        metric = strip(camel({k: v[k] for k in ('name', 'filter', 'description', 'value_extractor')}) | {'labelExtractors': v['label_extractors']})
        descriptor = one(v['metric_descriptor'])
        labels = [camel(label) for label in descriptor['labels']]
        metric['metricDescriptor'] = strip(camel({k: x for k, x in descriptor.items() if k != 'labels'}) | {'labels': labels})
        metric['bucketOptions'] = strip({k: one(x) for k, x in camel(one(v['bucket_options'])).items()})
        self.put(f'logging:projects/{PROJECT}/metrics/{v["name"]}', metric)

    # ---- Buckets
    def storage_bucket(self, v):
        rules = [{'action': camel(strip(one(rule['action']))), 'condition': {'age': one(rule['condition'])['age']}} for rule in v['lifecycle_rule']]
        self.put(f'storage:b/{v["name"]}', {
            'name': v['name'], 'location': v['location'], 'labels': v.get('labels'), 'lifecycle': {'rule': rules} if rules else None,
            'iamConfiguration': {'publicAccessPrevention': v['public_access_prevention'], 'uniformBucketLevelAccess': {'enabled': v['uniform_bucket_level_access']}}})

    def storage_bucket_object(self, v):
        self.put(f'storage:b/{v["bucket"]}/o/{v["name"]}', {'name': v['name'], 'cacheControl': v['cache_control'], 'contentType': v['content_type'], 'size': '68'})

    # ---- Load balancer
    def compute_backend_bucket(self, v):
        policy = camel(strip(one(v['cdn_policy'])))
        key = f'compute:projects/{PROJECT}/global/backendBuckets/{v["name"]}'
        self.compute('backendBuckets', v, bucketName=v['bucket_name'], enableCdn=v['enable_cdn'])
        self.store[key]['cdnPolicy'] = policy | {'clientTtl': one(v['cdn_policy'])['client_ttl']}

    def compute_url_map(self, v):
        self.compute('urlMaps', v, [('defaultService', 'backendBuckets', v['name'])])

    def compute_global_address(self, v):
        self.compute('addresses', v, ipVersion=v['ip_version'], address='203.0.113.10', networkTier='PREMIUM')

    def compute_target_http_proxy(self, v):
        self.compute('targetHttpProxies', v, [('urlMap', 'urlMaps', v['name'].removesuffix('-http'))])

    def compute_target_https_proxy(self, v):
        self.compute('targetHttpsProxies', v, [('urlMap', 'urlMaps', v['name'].removesuffix('-https'))])
        self.link_certificates()

    def compute_managed_ssl_certificate(self, v):
        self.compute('sslCertificates', v, type='MANAGED', managed={'domains': one(v['managed'])['domains'], 'status': 'ACTIVE'})
        self.link_certificates()

    # The plan has them in any order.
    def link_certificates(self):
        names = [key.split(':')[1] for key in self.store if '/sslCertificates/' in key]
        for key, value in self.store.items():
            if '/targetHttpsProxies/' in key:
                value['sslCertificates'] = names

    def compute_global_forwarding_rule(self, v):
        scheme = 'Https' if v['name'].endswith('-https') else 'Http'
        self.compute('forwardingRules', v, [('target', f'target{scheme}Proxies', v['name'])], portRange=v['port_range'], IPAddress='203.0.113.10',
                     loadBalancingScheme=v['load_balancing_scheme'], networkTier='PREMIUM')

    # ---- Monitoring
    def monitoring_alert_policy(self, v):
        name = f'projects/{PROJECT}/alertPolicies/{len(self.store)}'
        channels = [key.split(':')[1] for key in self.store if '/notificationChannels/' in key] + [c for c in v['notification_channels'] or [] if c]
        self.put(f'monitoring:{name}', {
            'name': name, 'displayName': v['display_name'], 'userLabels': v['user_labels'], 'severity': v['severity'], 'combiner': v['combiner'],
            'documentation': camel(one(v['documentation'])), 'alertStrategy': camel(one(v['alert_strategy'])),
            'conditions': [condition(c) for c in v['conditions']], 'notificationChannels': channels})

    def monitoring_notification_channel(self, v):
        name = f'projects/{PROJECT}/notificationChannels/{v["labels"]["email_address"]}'
        self.put(f'monitoring:{name}', {'name': name, 'displayName': v['display_name'], 'type': v['type'], 'labels': v['labels'], 'userLabels': v['user_labels']})
        for key, value in self.store.items():
            if '/alertPolicies/' in key:
                value.setdefault('notificationChannels', []).append(name)

    def monitoring_uptime_check_config(self, v):
        name, resource = f'projects/{PROJECT}/uptimeCheckConfigs/{len(self.store)}', one(v['monitored_resource'])
        check = camel(strip(one(v['http_check'])))
        self.put(f'monitoring:{name}', {
            'name': name, 'displayName': v['display_name'], 'monitoredResource': resource, 'httpCheck': check, 'period': v['period'],
            'timeout': v['timeout'], 'selectedRegions': v['selected_regions'], 'userLabels': v['user_labels']})

    def monitoring_custom_service(self, v):
        self.put(f'monitoring:projects/{PROJECT}/services/{v["service_id"]}', {'displayName': v['display_name'], 'userLabels': v['user_labels'], 'id': '1'})

    def monitoring_slo(self, v):
        service = f'{v["user_labels"]["pipeline"]}-pipeline'
        ratio = camel(one(one(v['request_based_sli'])['good_total_ratio']))
        self.put(f'monitoring:projects/{PROJECT}/services/{service}/serviceLevelObjectives/{v["slo_id"]}', {
            'displayName': v['display_name'], 'goal': v['goal'], 'rollingPeriod': f'{v["rolling_period_days"] * 86400}s',
            'serviceLevelIndicator': {'requestBased': {'goodTotalRatio': ratio}}, 'userLabels': v['user_labels']})

    def billing_budget(self, v):
        pass

    def monitoring_dashboard(self, v):
        dashboard = json.loads(v['dashboard_json'])
        self.put(f'monitoring:projects/{PROJECT}/dashboards/{dashboard["name"].rsplit("/", 1)[1]}', dashboard)

    # ---- Roles
    def grant(self, kind, v):
        short = lambda text: text.rsplit('/', 1)[-1]
        where = {
            'google_project_iam_member': lambda: f'cloudresourcemanager:projects/{PROJECT}',
            'google_pubsub_topic_iam_member': lambda: f'pubsub:projects/{PROJECT}/topics/{short(v["topic"])}',
            'google_pubsub_subscription_iam_member': lambda: f'pubsub:projects/{PROJECT}/subscriptions/{short(v["subscription"])}',
            'google_storage_bucket_iam_member': lambda: f'storage:b/{v["bucket"]}',
            'google_cloud_run_v2_service_iam_member': lambda: f'run:projects/{PROJECT}/locations/{v["location"]}/services/{short(v["name"])}',
        }[kind]()
        service = lambda api: f'serviceAccount:service-{NUMBER}@gcp-sa-{api}.iam.gserviceaccount.com'
        pipeline = where.rsplit('/', 1)[-1].removesuffix('-pipeline')
        member = v.get('member') or {
            'roles/run.builder': f'serviceAccount:{v.get("pipeline", "pixel")}-build{ACCOUNTS}', 'roles/run.invoker': f'serviceAccount:{pipeline}-push{ACCOUNTS}',
            'roles/pubsub.subscriber': service('pubsub'), 'roles/storage.objectCreator': service('logging'),
            'roles/pubsub.publisher': service('pubsub' if where.endswith('-dead-letter') else 'logging'),
        }[v['role']]
        self.policies.setdefault(where, {'version': 1, 'bindings': []})['bindings'].append({'role': v['role'], 'members': [member]})
