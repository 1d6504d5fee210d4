"""Alerts, channels, uptime checks and the objective over several runs of deploy.sh and destroy.sh, with two pipelines in one
project."""
import re

from support import ROOT, DeployTest, changes

HAND = 'projects/my-project/notificationChannels/987'
SCRIPT = r'''
set -e
policy() { gcloud alpha monitoring policies list --filter="userLabels.alert=$1" --format='value(name)'; }
deploy/deploy.sh
# Somebody adds a channel to an alert, turns another one off, and uses our channel in an alert of their own. An earlier version
# left an alert without the label.
gcloud alpha monitoring policies update "$(policy unpublished)" --add-notification-channels=%(hand)s
gcloud alpha monitoring policies update "$(policy overflow)" --no-enabled
channel=$(gcloud beta monitoring channels list --filter='labels.email_address=b@example.com' --format='value(name)')
for title in 'somebody else' 'pixel: no event for an hour'; do
  labels=; [[ $title != pixel* ]] || labels='"userLabels": {"pipeline": "pixel"},'
  gcloud alpha monitoring policies create --notification-channels="$channel" --policy='{"displayName": "'"$title"'", '"$labels"' "combiner": "OR",
    "conditions": [{"displayName": "x", "conditionThreshold": {"filter": "metric.type=\"x\"", "comparison": "COMPARISON_GT", "duration": "0s"}}]}'
done
echo CHANGED
NO_EVENTS_AFTER=12h ALERT_EMAIL=a@example.com ALERT_CHANNELS=projects/my-project/notificationChannels/999 deploy/deploy.sh
echo AGAIN
NO_EVENTS_AFTER=12h ALERT_EMAIL=a@example.com ALERT_CHANNELS=projects/my-project/notificationChannels/999 deploy/deploy.sh
echo SHOP
PIPELINE=shop DATASET=shop TABLE_NAME=visits DEAD_LETTER_TABLE=rejected NO_EVENTS_AFTER=off ALERT_EMAIL= DOMAIN= deploy/deploy.sh
echo DESTROY
deploy/destroy.sh --yes
''' % {'hand': HAND}


class Alerts(DeployTest):
    @classmethod
    def setUpClass(cls):
        cls.run_ = cls.run_clean(SCRIPT, {'IMAGE': 'ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0', 'DOMAIN': 'track.example.com',
                                         'ALERT_EMAIL': 'a@example.com, b@example.com'})
        # Each run of a script begins with the list of APIs; destroy.sh reads again at its end.
        starts = [i for i, r in enumerate(cls.run_.requests) if r.get('api') == 'serviceusage.services.list']
        parts = [cls.run_.requests[a:b] for a, b in zip(starts, [*starts[1:], None])]
        cls.first, cls.changed, cls.again, cls.shop, cls.destroy = parts[:5]

    @staticmethod
    def bodies(requests, api):
        return [r['body'] for r in requests if r.get('api') == api and r['status'] < 300]

    def test_every_alert_is_created_with_the_channels_of_the_list(self):
        policies = self.bodies(self.first, 'monitoring.projects.alertPolicies.create')
        names = {path.stem for path in (ROOT / 'deploy/monitoring/alerts').glob('*.json')}
        # Those that somebody creates by hand in between belong to the first part.
        self.assertEqual({p['userLabels']['alert'] for p in policies if 'alert' in p.get('userLabels', {})}, names)
        self.assertEqual({len(p['notificationChannels']) for p in policies if 'alert' in p.get('userLabels', {})}, {2})

    def test_alerts_are_changed_in_place_and_keep_what_belongs_to_the_user(self):
        sent = self.bodies(self.changed, 'monitoring.projects.alertPolicies.patch')
        patched = {p['userLabels']['alert']: p for p in sent}
        self.assertEqual(len(sent), len(self.bodies(self.first, 'monitoring.projects.alertPolicies.create')) - 2)
        self.assertFalse(self.bodies(self.changed, 'monitoring.projects.alertPolicies.create'))
        self.assertIn(HAND, patched['unpublished']['notificationChannels'])
        self.assertNotIn(HAND, patched['unstored']['notificationChannels'])
        self.assertEqual({name for name, p in patched.items() if p.get('enabled') is False}, {'overflow'})
        for policy in sent:
            self.assertIn('projects/my-project/notificationChannels/999', policy['notificationChannels'])

    def test_a_renamed_alert_replaces_the_old_one(self):
        [renamed] = [p for p in self.bodies(self.changed, 'monitoring.projects.alertPolicies.patch') if p['userLabels']['alert'] == 'no-events']
        self.assertEqual(renamed['displayName'], 'pixel: no event for 12h')
        self.assertIn('[12h]', renamed['conditions'][0]['conditionPrometheusQueryLanguage']['query'])
        # The alert of an earlier version, and nothing else.
        deleted = [r for r in self.changed if r.get('api') == 'monitoring.projects.alertPolicies.delete']
        self.assertEqual(len(deleted), 1)
        output = self.run_.script_output.split('CHANGED')[1].split('AGAIN')[0]
        self.assertIn('alert "pixel: no event for an hour", which is outdated', output)

    def test_a_channel_that_somebody_else_uses_is_kept(self):
        deleted = [r for r in self.run_.requests if r.get('api') == 'monitoring.projects.notificationChannels.delete']
        # Only that of a@example.com, by destroy.sh.
        self.assertEqual(len(deleted), 1)
        self.assertIn('pixel: b@example.com', self.run_.resources)
        self.assertNotIn('pixel: a@example.com', self.run_.resources)

    def test_a_second_run_changes_nothing(self):
        self.assertIn('No changes.', self.run_.script_output.split('AGAIN')[1].split('SHOP')[0])
        self.assertEqual([(r['api'], r['path']) for r in changes(self.again)], [])

    def test_two_pipelines_of_one_project_do_not_touch_each_other(self):
        watched = lambda requests: [r for r in changes(requests) if (r.get('api') or '').startswith(('monitoring.', 'logging.projects.metrics'))]
        # The second pipeline only creates.
        self.assertEqual({r['method'] for r in watched(self.shop)}, {'POST'})
        # The deletion of the first leaves everything of the second.
        metrics = [r['path'] for r in watched(self.destroy) if r['api'] == 'logging.projects.metrics.delete']
        self.assertTrue(metrics and all('/pixel_' in path for path in metrics), metrics)
        left = re.findall(r'(?m)^monitoring/(\w+) +(\S+)', self.run_.resources)
        created = self.bodies(self.shop, 'monitoring.projects.alertPolicies.create')
        self.assertEqual(sum(kind == 'alertPolicies' and name == 'shop:' for kind, name in left), len(created))
        self.assertEqual([(kind, name) for kind, name in left if name.startswith('pixel')], [('notificationChannels', 'pixel:')])

    def test_no_alert_is_on_a_resource_that_does_not_exist(self):
        for requests, pipeline in ((self.first, 'pixel'), (self.shop, 'shop')):
            create = lambda api, r=requests: self.bodies(r, api)
            short = lambda values: {value.rsplit('/', 1)[-1] for value in values}
            named = lambda api: short(self.path_names(requests, api))
            exists = {
                'subscription_id': named('pubsub.projects.subscriptions.create'),
                'topic_id': named('pubsub.projects.topics.create'),
                'backend_target_name': {b['name'] for b in create('compute.backendBuckets.insert')},
                'service_name': {b['metadata']['name'] for b in create('run.namespaces.services.create')},
                'host': {b['monitoredResource']['labels']['host'] for b in create('monitoring.projects.uptimeCheckConfigs.create')},
            }
            metrics = {b['name'] for b in create('logging.projects.metrics.create')}
            objective = {f'projects/my-project/services/{pipeline}-pipeline/serviceLevelObjectives/stored'}
            checked = set()
            for policy in create('monitoring.projects.alertPolicies.create'):
                text = str(policy['conditions']).replace('\\\\', '')
                for label, value in re.findall(r'\b(subscription_id|topic_id|backend_target_name|service_name|host)=~?"([^"]+)"', text):
                    for item in value.replace('[.]', '.').split('|'):
                        self.assertIn(item, exists[label], policy['displayName'])
                    checked.add(label)
                for value in re.findall(r'host=one_of\(([^)]*)\)', text):
                    self.assertEqual(set(re.findall(r'"([^"]+)"', value)), exists['host'])
                    checked.add('host')
                self.assertLessEqual(set(re.findall(r'logging\.googleapis\.com/user/([\w-]+?)_(?:sum|count|bucket)"', text)), metrics)
                self.assertLessEqual(set(re.findall(r'select_slo_burn_rate\("([^"]+)"', text)), objective)
                self.assertNotIn('${', str(policy))
            # Without a domain, the host is the address, which Google chooses.
            self.assertEqual(exists['host'], {'track.example.com'} if pipeline == 'pixel' else {'203.0.113.10'})
            self.assertLessEqual({'subscription_id', 'topic_id', 'backend_target_name', 'host'}, checked)

    @staticmethod
    def path_names(requests, api):
        return [r['path'] for r in requests if r.get('api') == api and r['status'] < 300]
