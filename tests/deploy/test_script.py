"""deploy.sh and destroy.sh, as they are, through the real gcloud and bq."""
import re
import subprocess
import tempfile
from pathlib import Path

from support import EVERYTHING, ROOT, DeployTest, binary, changes, environment, made, process, read_until

# Stands before the real gcloud and bq, and dies in the middle: of the calls that change something, the first few
# of a run go through, and the next one fails as if the network had gone.
DYING = r'''#!/usr/bin/env bash
case " $* " in
  *" describe "*|*" list "*|*" ls "*|*" get-iam-policy "*|*" show "*) ;;
  *) echo x >>"$CALLS"
     if [ "$(wc -l <"$CALLS")" -gt "$CALLS_ALLOWED" ]; then echo 'network is unreachable' >&2; exit 1; fi ;;
esac
PATH=${PATH#*:} exec "$(basename "$0")" "$@"
'''


class Deploy(DeployTest):
    """one run with everything that can be asked for, and a second one after it"""

    @classmethod
    def setUpClass(cls):
        cls.run_ = cls.run_clean('deploy/deploy.sh && echo SECOND && deploy/deploy.sh', EVERYTHING)

    def test_a_second_run_changes_nothing(self):
        first, second = self.run_.said.split('SECOND')
        self.assertRegex(first, r'Done: \d+ changes')
        self.assertIn('Nothing had to be changed.', second)
        # Not only what it says: there is no request that changes something.
        starts = [i for i, r in enumerate(self.run_.requests) if r.get('api') == 'serviceusage.services.list']
        self.assertEqual(len(starts), 2)
        self.assertEqual([(r['api'], r['path']) for r in changes(self.run_.requests[starts[1]:])], [])

    def test_nothing_is_public_but_the_pixel(self):
        public = [r['path'] for r in changes(self.run_.requests) if re.search('allUsers|allAuthenticatedUsers', str(r['body']))]
        self.assertEqual(public, ['/storage/v1/b/my-project-pixel/iam'])

    def test_every_alert_goes_to_the_address_that_was_given(self):
        channels = [policy['notificationChannels'] for policy in self.run_.sent('monitoring.projects.alertPolicies.create')]
        self.assertEqual(len(channels), 4)
        self.assertTrue(all(len(names) == 1 and names == channels[0] for names in channels), channels)

    def test_every_variable_that_the_service_is_given_is_one_that_it_knows(self):
        service = self.run_.sent('run.namespaces.services.create')[-1]
        given = {e['name']: e.get('value', '') for e in service['spec']['template']['spec']['containers'][0]['env']}
        text = subprocess.run([binary(), 'serve', '--help'], capture_output=True, text=True, check=True).stdout
        known = set(re.findall(r'\[env:\s+(\w+)[=\]]', text))
        self.assertGreater(len(known), 15, text)
        self.assertEqual(set(given) - known, set())
        # The others: Cloud Run's own, what has no business in a deployment, and keys, which come from Secret Manager.
        # PUSH_AUDIENCE is the service's URL, which is not known before the service is there.
        self.assertEqual(known - set(given), {'PORT', 'SCHEMA_FILE', 'BIGQUERY_ENDPOINT', 'BIGQUERY_EMULATOR_HOST', 'PUSH_AUDIENCE',
                                              'PUSH_JWKS_URL', 'PUSH_AUTH_FORCE', 'HASH_USER_IDS', 'URL_SIGNING_KEY'})
        # Whom the service takes pushes from is who signs them.
        pushes = self.run_.sent('pubsub.projects.subscriptions.create')
        signers = {push['pushConfig']['oidcToken']['serviceAccountEmail'] for push in pushes if push.get('pushConfig', {}).get('oidcToken')}
        self.assertEqual((given['PUSH_AUTH'], {given['PUSH_SERVICE_ACCOUNT']}), ('iam', signers))
        self.assertEqual(given['TABLE_SUFFIX'], '_{user_id}_{date}')
        # And it starts with them.
        with process(binary(), 'serve', env={**given, 'PORT': '0', 'BIGQUERY_EMULATOR_HOST': 'http://127.0.0.1:9'},
                     stderr=subprocess.PIPE) as service:
            read_until(service.stderr, '"listening"', 60)


class Script(DeployTest):
    def test_a_run_that_died_half_way_can_be_continued(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in 'gcloud', 'bq':
                path = Path(folder, name)
                path.write_text(DYING)
                path.chmod(0o755)
            calls = Path(folder, 'calls')
            run = self.run_clean(f'''
                deaths=0
                until PATH={folder}:$PATH CALLS={calls} CALLS_ALLOWED=12 deploy/deploy.sh; do
                  rm {calls}; deaths=$((deaths + 1)); [ $deaths -lt 9 ] || exit 1
                done
                echo "DIED $deaths TIMES"''', EVERYTHING)
        self.assertGreaterEqual(int(re.search(r'DIED (\d+) TIMES', run.said)[1]), 3, run.said)
        self.assertIn('network is unreachable', run.said)
        self.assertIn('run again: it continues where it stopped', run.said)
        whole = self.run_clean('deploy/deploy.sh', EVERYTHING)
        self.assertEqual(made(run), made(whole))

    def test_changed_settings_are_applied_to_what_is_there(self):
        settings = {
            'VALID_ATTRIBUTES=user_id,type TABLE_EXPIRATION_DAYS=30 DOMAIN=track.example.com': [
                'generated tables expire after 30 days', 'deploy pixel-pipeline', 'certificate for track.example.com', 'HTTPS proxy', 'forwarding rule pixel-https'],
            'PIXEL_PATH=/p.gif EXCLUDE_FROM_DEFAULT=false ALERT_EMAIL=ops@example.com': [
                'deploy pixel-pipeline', 'sink pixel to', "let the pixel's entries into", 'pixel /p.gif',
                'alerts go to ops@example.com', 'alert "pixel: no event for an hour"'],
        }
        again = ''.join(f" && echo '### {setting}' && {setting} deploy/deploy.sh" for setting in settings)
        run = self.run_clean('deploy/deploy.sh' + again, {})
        for part in run.said.split('### ')[1:]:
            setting, _, said = part.partition('\n')
            for change in settings[setting]:
                self.assertIn(f'  + {change}', said, setting)
        filters = [r['body']['filter'] for r in run.requests if r['api'] == 'logging.projects.sinks.patch' and r['path'].endswith('/sinks/pixel')]
        self.assertEqual(filters[-1], 'resource.type="http_load_balancer" AND resource.labels.url_map_name="pixel" AND httpRequest.requestUrl:"/p.gif"')

    def test_destroy_takes_down_everything_and_deletes_the_events_only_when_told(self):
        run = self.run_clean('deploy/deploy.sh && deploy/destroy.sh && echo AGAIN && deploy/destroy.sh --delete-data', EVERYTHING)
        first, second = run.said.split('AGAIN')
        self.assertIn('dataset parsed_pixel stays', first)
        self.assertIn('bucket gs://my-project-pixel-archive stays', first)
        self.assertIn('  + dataset parsed_pixel with all its tables', second)
        self.assertIn('  + bucket gs://my-project-pixel-archive', second)
        # Builds are a history that cannot be deleted.
        self.assertEqual({line.split()[0] for line in made(run)}, {'services', 'cloudbuild/builds'})

    def test_a_prebuilt_image_needs_no_build(self):
        run = self.run_clean('deploy/deploy.sh', {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'})
        for what in 'cloudbuild/builds', 'artifactregistry/repositories', 'pixel-build':
            self.assertNotIn(what, run.resources)
        service = run.sent('run.namespaces.services.create')[-1]
        self.assertEqual(service['spec']['template']['spec']['containers'][0]['image'], 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0')


class Settings(DeployTest):
    def refused(self, settings, argument=''):
        run = subprocess.run(['bash', 'deploy/deploy.sh', *([argument] if argument else [])], cwd=ROOT, env=environment(settings),
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        self.assertEqual(run.returncode, 2, run.stderr)
        return run.stderr

    def test_all_mistakes_are_reported_at_once_with_their_names(self):
        said = self.refused({'PIPELINE': 'Pixel', 'REGION': 'europe', 'ARCHIVE': 'perhaps', 'PIXEL_PATH': '*', 'TABLE_NAME': 'event',
                              'VALID_ATTRIBUTES': 'user_id,page'})
        for name in 'PIPELINE', 'REGION', 'ARCHIVE', 'PIXEL_PATH', 'TABLE_NAME', 'VALID_ATTRIBUTES':
            self.assertRegex(said, rf'(?m)^{name}: ')

        self.assertRegex(self.refused({'SCHEMA_FILE': 'none.json'}), '(?m)^SCHEMA_FILE: there is no file none.json')

    def test_a_file_of_settings_is_read_and_never_run(self):
        with tempfile.TemporaryDirectory() as folder:
            file, canary = Path(folder, 'settings'), Path(folder, 'canary')
            file.write_text(f'# a comment\n\nREGION=$(touch {canary})\n')
            self.assertIn('REGION: "$(touch', self.refused({}, str(file)))
            self.assertFalse(canary.exists())
            file.write_text('REGION=us-central1\nREGOIN=us-east1\n')
            self.assertIn(f'{file}:2: there is no setting REGOIN', self.refused({}, str(file)))
            file.write_text('export NAME=x\n')
            self.assertIn(f'{file}:1: "export NAME=x" is not NAME=value', self.refused({}, str(file)))
            self.assertIn('there is no file', self.refused({}, str(file) + '.not'))

    def test_the_environment_wins_over_the_file_and_the_file_over_the_default(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, 'settings')
            file.write_text('PIPELINE=fromfile\nREGION=europe-west1\nDATASET=of_file\n')
            show = f'. deploy/settings.sh; load_settings {file}; echo "$PIPELINE $REGION $DATASET $TABLE_NAME $SERVICE"'
            run = subprocess.run(['bash', '-c', show], cwd=ROOT, env=environment({'PIPELINE': 'mine'}), capture_output=True, text=True)
            self.assertEqual(run.stdout, 'mine europe-west1 of_file pixel mine-pipeline\n', run.stderr)
