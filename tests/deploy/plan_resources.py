"""The resources that the Terraform module creates, from its plan."""
import json

from resource_forms import camel, host, one, probe, short, strip, upstream


def from_plan(resources):
    found = {}
    grants = {'google_project_iam_member': 'project', 'google_pubsub_topic_iam_member': 'topic', 'google_pubsub_subscription_iam_member': 'subscription',
              'google_storage_bucket_iam_member': 'bucket', 'google_cloud_run_v2_service_iam_member': 'name', 'google_bigquery_dataset_iam_member': 'dataset_id',
              'google_secret_manager_secret_iam_member': 'secret_id'}
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
            'google_secret_manager_secret': lambda: ('secret', v['secret_id'], {
                'labels': v['labels'], 'locations': [replica['location'] for replica in one(one(v['replication'])['user_managed'])['replicas']]}),
            # The key, which is only in Secret Manager.
            'google_secret_manager_secret_version': lambda: None,
            'google_artifact_registry_repository': lambda: ('repository', v['repository_id'], {
                'format': v['format'], 'labels': v['labels'], 'upstream': upstream(camel(strip(one(v['remote_repository_config']))))}),
            'google_cloud_run_v2_service': lambda: ('service', v['name'], service_from_plan(v)),
            'google_pubsub_topic': lambda: ('topic', v['name'], {
                'labels': v['labels'], 'regions': sorted(one(v['message_storage_policy']).get('allowed_persistence_regions', []))}),
            'google_pubsub_subscription': lambda: ('subscription', v['name'], {
                'ack': v['ack_deadline_seconds'], 'retry': camel(one(v['retry_policy'])), 'attempts': one(v['dead_letter_policy']).get('max_delivery_attempts'),
                'retention': v['message_retention_duration'], 'never expires': one(v['expiration_policy'])['ttl'] == '', 'pushes': bool(v['push_config']),
                'labels': v['labels']}),
            'google_logging_project_sink': lambda: ('sink', v['name'], {k: v[k] for k in ('filter', 'description')}),
            'google_logging_project_exclusion': lambda: ('exclusion', v['name'], {k: v[k] for k in ('filter', 'description')}),
            'google_storage_bucket': lambda: ('bucket', v['name'], {
                'location': v['location'], 'public': v['public_access_prevention'], 'uniform': v['uniform_bucket_level_access'], 'labels': v['labels'],
                'days': one(one(v['lifecycle_rule']).get('condition')).get('age')}),
            'google_storage_bucket_object': lambda: ('object', v['name'], {'cache': v['cache_control'], 'type': v['content_type']}),
            'google_compute_backend_bucket': lambda: ('backend bucket', v['name'], {
                'bucket': v['bucket_name'], 'cdn': v['enable_cdn'], 'description': v['description'], **camel(one(v['cdn_policy']))}),
            'google_compute_global_forwarding_rule': lambda: ('forwarding rule', v['name'], {
                'scheme': v['load_balancing_scheme'], 'ports': v['port_range'], 'description': v['description']}),
            'google_compute_managed_ssl_certificate': lambda: ('certificate', v['name'], {
                'domains': one(v['managed'])['domains'], 'description': v['description']}),
            'google_compute_global_address': lambda: ('address', v['name'], {'version': v['ip_version'], 'description': v['description']}),
            'google_compute_url_map': lambda: ('urlMaps', v['name'], {'description': v['description']}),
            'google_compute_target_http_proxy': lambda: ('targetHttpProxies', v['name'], {'description': v['description']}),
            'google_compute_target_https_proxy': lambda: ('targetHttpsProxies', v['name'], {'description': v['description']}),
            'google_logging_metric': lambda: ('metric', v['name'], camel({k: v[k] for k in ('filter', 'description', 'value_extractor')}) | {
                'labelExtractors': v['label_extractors']}),
            'google_monitoring_alert_policy': lambda: ('alert', v['display_name'], {
                'labels': v['user_labels'], 'text': one(v['documentation'])['content'], 'severity': v['severity'],
                'combiner': v['combiner'], 'conditions': [condition(c) for c in v['conditions']]}),
            'google_monitoring_uptime_check_config': lambda: ('uptime check', host(one(v['monitored_resource'])['labels'].get('host')), {
                'period': v['period'], 'timeout': v['timeout'], 'regions': v['selected_regions'], 'labels': v['user_labels'],
                'http': camel(one(v['http_check']))}),
            'google_monitoring_custom_service': lambda: ('service of Cloud Monitoring', v['display_name'], {'labels': v['user_labels']}),
            'google_monitoring_slo': lambda: ('objective', v['display_name'], {
                'labels': v['user_labels'], 'goal': v['goal'], 'days': v['rolling_period_days'],
                'ratio': camel(one(one(v['request_based_sli'])['good_total_ratio']))}),
            'google_billing_budget': lambda: ('budget', v['display_name'], {
                'amount': one(one(v['amount'])['specified_amount'])['units'], 'thresholds': [rule['threshold_percent'] for rule in v['threshold_rules']],
                'notifies': bool(v['all_updates_rule'])}),
            'google_monitoring_notification_channel': lambda: ('channel', v['display_name'], {'labels': v['labels'], 'type': v['type']}),
            'google_monitoring_dashboard': lambda: ('dashboard', json.loads(v['dashboard_json'])['displayName'], {
                'tiles': json.loads(v['dashboard_json'])['mosaicLayout']['tiles']}),
            # Pub/Sub's service account, the build and the waits: not resources of Google Cloud.
            'google_project_service_identity': lambda: None,
            'terraform_data': lambda: None,
            'time_sleep': lambda: None,
        }[kind]()
        if item:
            found[item[0], item[1]] = item[2]
    return strip(found)


def service_from_plan(v):
    template = one(v['template'])
    container = one(template['containers'])
    convert = lambda p: probe({'httpGet': one(p['http_get']), **camel({k: v for k, v in p.items() if k != 'http_get'})})
    return {
        'ingress': v['ingress'], 'pipeline': v['labels']['pipeline'], 'concurrency': template['max_instance_request_concurrency'],
        'timeout': int(template['timeout'].removesuffix('s')), 'limits': one(container['resources'])['limits'],
        'boost': one(container['resources'])['startup_cpu_boost'], 'min_instances': one(template['scaling'])['min_instance_count'],
        'max_instances': one(template['scaling'])['max_instance_count'], 'startup': convert(one(container['startup_probe'])),
        'liveness': convert(one(container['liveness_probe'])), 'env': {e['name']: one(one(e['value_source'])['secret_key_ref'])['secret'] if e['value_source'] else e['value'] or '' for e in container['env']}}


def condition(c):
    """A condition as in the API: only the block that is not empty."""
    out = {}
    for key, value in camel(strip(c)).items():
        value = one(value) if key.startswith('condition') else value
        if isinstance(value, dict):
            value = {k: one(v) if k == 'trigger' else v for k, v in value.items()}
        out[key] = value
    return out
