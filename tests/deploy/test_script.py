"""deploy.sh and destroy.sh through the real gcloud and bq against a fake of Google Cloud."""
import contextlib
import json
import re
import subprocess
import tempfile
from pathlib import Path

from support import EVERYTHING, ROOT, DeployTest, binary, changes, process, read_until, resources

# Wraps the real gcloud and bq. Of the calls that change something, the first CALLS_ALLOWED succeed and the next one fails
# as if the network were unreachable.
FAILING = r'''#!/usr/bin/env bash
case " $* " in
  *" describe "*|*" list "*|*" ls "*|*" get-iam-policy "*|*" show "*|*" get-value "*|*" print-access-token "*) ;;
  *) echo x >>"$CALLS"
     if [ "$(wc -l <"$CALLS")" -gt "$CALLS_ALLOWED" ]; then echo 'network is unreachable' >&2; exit 1; fi ;;
esac
PATH=${PATH#*:} exec "$(basename "$0")" "$@"
'''

# Wraps the real gcloud and bq. The calls whose arguments match REFUSED fail with MESSAGE.
REFUSING = r'''#!/usr/bin/env bash
if [[ "$(basename "$0") $*" =~ $REFUSED ]]; then echo "$MESSAGE" >&2; exit 1; fi
PATH=${PATH#*:} exec "$(basename "$0")" "$@"
'''


@contextlib.contextmanager
def wrapped(wrapper):
    """A folder with this wrapper of gcloud and bq."""
    with tempfile.TemporaryDirectory() as folder:
        for name in 'gcloud', 'bq':
            path = Path(folder, name)
            path.write_text(wrapper)
            path.chmod(0o755)
        yield folder


class Deploy(DeployTest):
    """Two runs with every optional part."""

    @classmethod
    def setUpClass(cls):
        cls.run_ = cls.run_clean('deploy/deploy.sh && echo SECOND && deploy/deploy.sh', EVERYTHING)

    def test_a_second_run_changes_nothing(self):
        first, second = self.run_.script_output.split('SECOND')
        self.assertRegex(first, r'Done: \d+ changes in \d+ seconds')
        self.assertRegex(first, 'log of the build: https://console.cloud.google.com/cloud-build/builds')
        self.assertIn('No changes.', second)
        # The requests of the second run change nothing either.
        starts = [i for i, r in enumerate(self.run_.requests) if r.get('api') == 'serviceusage.services.list']
        self.assertEqual(len(starts), 2)
        self.assertEqual([(r['api'], r['path']) for r in changes(self.run_.requests[starts[1]:])], [])

    def test_only_the_pixel_is_public(self):
        public = [r['path'] for r in changes(self.run_.requests) if re.search('allUsers|allAuthenticatedUsers', str(r['body']))]
        self.assertEqual(public, ['/storage/v1/b/my-project-pixel/iam'])

    def test_every_alert_notifies_the_configured_channels(self):
        channels = [policy['notificationChannels'] for policy in self.run_.sent('monitoring.projects.alertPolicies.create')]
        self.assertEqual(len(channels), len(list((ROOT / 'deploy/monitoring/alerts').glob('*.json'))))
        self.assertTrue(all(len(names) == 3 and names == channels[0] for names in channels), channels)

    def test_the_service_knows_every_variable_it_is_given(self):
        service = self.run_.sent('run.namespaces.services.create')[-1]
        given = {e['name']: e.get('value', '') for e in service['spec']['template']['spec']['containers'][0]['env']}
        text = subprocess.run([binary(), 'serve', '--help'], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r'\[env:\s+(\w+)[=\]]', text))
        self.assertGreater(len(known), 15, text)
        # Google's name of PROJECT_ID.
        names = set(given) - {'GOOGLE_CLOUD_PROJECT'} | {'PROJECT_ID'}
        self.assertIn('GOOGLE_CLOUD_PROJECT', given)
        self.assertEqual(names - known, set())
        # The others are the settings that a deployment does not set, by the column Deployment of docs/settings.md, except
        # the four that it sets itself; SCHEMA_FILE, from which the deployment creates the table; and the keys, which are not set
        # here and come from Secret Manager.
        table = re.findall(r'(?m)^\| `(\w+)`[^|]*\|[^|]*\|[^|]*\| ([^|]*) \|', (ROOT / 'docs/settings.md').read_text())
        not_set = {name for name, deployment in table if deployment == '–'} - {'GOOGLE_CLOUD_PROJECT', 'AUTO_CREATE', 'PUSH_AUTH', 'PUSH_SERVICE_ACCOUNT'}
        self.assertEqual(known - names, (not_set & known) | {'SCHEMA_FILE', 'HASH_USER_IDS', 'URL_SIGNING_KEY'})
        # PUSH_AUDIENCE is the service's URL, which is not known before the service exists.
        self.assertLess({'PUSH_AUDIENCE', 'PORT'}, not_set)
        # The service accepts pushes from the account that signs them.
        pushes = self.run_.sent('pubsub.projects.subscriptions.create')
        signers = {push['pushConfig']['oidcToken']['serviceAccountEmail'] for push in pushes if push.get('pushConfig', {}).get('oidcToken')}
        self.assertEqual((given['PUSH_AUTH'], {given['PUSH_SERVICE_ACCOUNT']}), ('iam', signers))
        self.assertEqual(given['TABLE_SUFFIX'], '_{user_id}_{date}')
        # And it starts with them. Outside of Cloud Run, PUSH_AUTH=iam has to be forced.
        outside = {'PORT': '0', 'BIGQUERY_EMULATOR_HOST': 'http://127.0.0.1:9', 'PUSH_AUTH_FORCE': 'true'}
        with process(binary(), 'serve', env={**given, **outside}, stderr=subprocess.PIPE) as service:
            read_until(service.stderr, '"listening"', 60)


class Script(DeployTest):
    def test_a_failed_run_continues_where_it_stopped(self):
        with wrapped(FAILING) as folder:
            calls = Path(folder, 'calls')
            run = self.run_clean(f'''
                failures=0
                until PATH={folder}:$PATH CALLS={calls} CALLS_ALLOWED=15 deploy/deploy.sh; do
                  rm {calls}; failures=$((failures + 1)); [ $failures -lt 9 ] || exit 1
                done
                echo "FAILED $failures TIMES"''', EVERYTHING)
        self.assertGreaterEqual(int(re.search(r'FAILED (\d+) TIMES', run.script_output)[1]), 3, run.script_output)
        self.assertIn('network is unreachable', run.script_output)
        self.assertIn('Fix the error above and run again', run.script_output)
        whole = self.run_clean('deploy/deploy.sh', EVERYTHING)
        self.assertEqual(resources(run), resources(whole))

    def test_changed_settings_are_applied_to_existing_resources(self):
        settings = {
            'VALID_ATTRIBUTES=user_id,type TABLE_EXPIRATION_DAYS=30 DOMAIN=track.example.com': [
                'generated tables expire after 30 days', 'service pixel-pipeline', 'certificate for track.example.com', 'HTTPS proxy', 'forwarding rule pixel-https'],
            'PIXEL_PATH=/p.gif EXCLUDE_FROM_DEFAULT=false ALERT_EMAIL=ops@example.com': [
                'service pixel-pipeline', 'sink pixel to', "exclusion pixel: the _Default bucket includes the pixel's entries", 'pixel /p.gif',
                'notification channel to ops@example.com', 'alert "pixel: no event for 24h"'],
        }
        again = ''.join(f" && echo '### {setting}' && {setting} deploy/deploy.sh" for setting in settings)
        run = self.run_clean('deploy/deploy.sh' + again, {})
        for part in run.script_output.split('### ')[1:]:
            setting, _, output = part.partition('\n')
            for change in settings[setting]:
                self.assertRegex(output, rf'(?m)^  [-+~] {re.escape(change)}', setting)
        filters = [r['body']['filter'] for r in run.requests if r['api'] == 'logging.projects.sinks.patch' and r['path'].endswith('/sinks/pixel')]
        self.assertEqual(filters[-1], 'resource.type="http_load_balancer" AND resource.labels.url_map_name="pixel" AND httpRequest.requestUrl:"/p.gif"'
                                      ' AND NOT jsonPayload.parentInsertId:* AND NOT httpRequest.userAgent:"Cloud-CDN-Google"')

    def test_destroy_deletes_everything_and_the_events_only_with_the_flag(self):
        run = self.run_clean('deploy/deploy.sh && deploy/destroy.sh && echo AGAIN && deploy/destroy.sh --delete-data', EVERYTHING)
        first, second = run.script_output.split('AGAIN')
        self.assertIn('dataset parsed_pixel is kept', first)
        self.assertIn('bucket gs://my-project-pixel-archive is kept', first)
        self.assertIn('  - dataset parsed_pixel with all its tables', second)
        self.assertIn('  - bucket gs://my-project-pixel-archive', second)
        # Builds cannot be deleted.
        self.assertEqual({line.split()[0] for line in resources(run)}, {'services', 'cloudbuild/builds'})

    def test_destroy_claims_nothing_that_it_cannot_see(self):
        failures = {
            'gcloud|bq': 'ERROR: (gcloud) There was a problem refreshing your current auth tokens: Reauthentication failed.',
            'run services describe|show .*parsed_pixel|subscriptions describe pixel-push': 'ERROR: 503 The service is currently unavailable.',
        }
        with wrapped(REFUSING) as folder:
            lines = [f"REFUSED='{calls}' MESSAGE='{message}' PATH={folder}:$PATH deploy/destroy.sh --yes --delete-data; echo CODE $?"
                     for calls, message in failures.items()]
            run = self.run_clean('\n'.join(['deploy/deploy.sh >/dev/null', 'gcloud pubsub topics create marker >/dev/null 2>&1', *lines]), {})
        self.assertEqual(re.findall('CODE .', run.script_output), 2 * ['CODE 1'])
        self.assertNotIn('Deleted', run.script_output)
        self.assertEqual(run.script_output.count('Nothing was changed.'), 2)
        for name in 'Reauthentication failed', 'service/pixel-pipeline: ', 'subscription/pixel-push: ', 'dataset/parsed_pixel: ':
            self.assertIn(name, run.script_output)
        marker = next(i for i, r in enumerate(run.requests) if r['path'].endswith('/topics/marker'))
        self.assertEqual([(r['api'], r['path']) for r in changes(run.requests[marker + 1:])], [])

    def test_a_region_that_is_left_is_named_and_can_be_destroyed(self):
        image = {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'}
        run = self.run_clean('deploy/deploy.sh >/dev/null; LOCATION=US REGION=us-east1 deploy/deploy.sh; echo THEN; REGION=us-east1 deploy/destroy.sh --delete-data', image)
        deploy, destroy = run.script_output.split('THEN')
        self.assertIn('gcloud run services delete pixel-pipeline --project=my-project --region=us-central1', deploy)
        self.assertIn('  - service pixel-pipeline in us-central1', destroy)
        self.assertNotIn('run/services', run.resources)

    def test_a_deployment_after_destroy_uses_the_data_that_was_kept(self):
        run = self.run_clean('deploy/deploy.sh >/dev/null && deploy/destroy.sh && deploy/deploy.sh && echo AGAIN && deploy/deploy.sh',
                             {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'})
        grant = 'roles/bigquery.dataEditor on parsed_pixel for pixel-run@'
        self.assertIn(f'  - {grant}', run.script_output)
        self.assertIn(f'  + {grant}', run.script_output)
        self.assertNotIn('  + dataset', run.script_output)
        self.assertIn('No changes.', run.script_output.split('AGAIN')[1])

    def test_a_new_column_is_in_all_tables_before_the_service_uses_it(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, 'schema.json')
            columns = json.loads((ROOT / 'schema/pixel.json').read_text()) + [{'name': 'Campaign', 'type': 'STRING'}]
            file.write_text(json.dumps(columns))
            settings = f'SCHEMA_FILE={file} VALID_ATTRIBUTES=user_id,type,order_id,Campaign'
            run = self.run_clean(f'deploy/deploy.sh >/dev/null && {settings} deploy/deploy.sh', {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'})
        order = [next(i for i, r in enumerate(run.requests) if expected in f'{r.get("api")} {r["path"]} {r["body"]}') for expected in (
            "bigquery.tables.patch", 'ADD COLUMN IF NOT EXISTS `Campaign` STRING', 'bigquery.tabledata.insertAll', 'run.namespaces.services.replaceService')]
        self.assertEqual(order, sorted(order), [run.requests[i]['api'] for i in order])
        rows = next(r['body']['rows'] for r in run.requests if r.get('api') == 'bigquery.tabledata.insertAll')
        self.assertEqual(rows[0]['json']['Campaign'], 'x')
        self.assertEqual(len(rows), 2)

    def test_a_prebuilt_image_needs_no_build(self):
        run = self.run_clean('deploy/deploy.sh', {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'})
        for what in 'cloudbuild/builds', 'artifactregistry/repositories', 'pixel-build':
            self.assertNotIn(what, run.resources)
        service = run.sent('run.namespaces.services.create')[-1]
        self.assertEqual(service['spec']['template']['spec']['containers'][0]['image'], 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0')

    def test_the_published_image_is_pulled_through_artifact_registry(self):
        run = self.run_clean('deploy/deploy.sh && deploy/deploy.sh', {'IMAGE': 'ghcr.io/pixel-pipeline/pixel-pipeline:0.1.0'})
        self.assertIn('No changes.', run.script_output)
        self.assertNotIn('cloudbuild/builds', run.resources)
        service = run.sent('run.namespaces.services.create')[-1]
        self.assertEqual(service['spec']['template']['spec']['containers'][0]['image'],
                         'us-central1-docker.pkg.dev/my-project/pixel-ghcr/pixel-pipeline/pixel-pipeline:0.1.0')
