"""The keys of a deployment: they exist before the service, and never appear in a request or in the output."""
import re
import subprocess

from support import ROOT, DeployTest, environment

IMAGE = {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'}
KEY = '0123456789abcdef0123456789abcdef'


class Keys(DeployTest):
    def test_generated_keys_exist_before_the_service_and_stay(self):
        run = self.run_clean('deploy/deploy.sh && echo AGAIN && deploy/deploy.sh && deploy/destroy.sh && echo LAST && deploy/destroy.sh --delete-data',
                             {**IMAGE, 'HASH_USER_IDS': 'generate', 'URL_SIGNING_KEY': 'generate'})
        apis = [r.get('api') for r in run.requests]
        service = apis.index('run.namespaces.services.create')
        for api in 'secretmanager.projects.secrets.addVersion', 'secretmanager.projects.secrets.setIamPolicy':
            self.assertEqual(apis[:service].count(api), 2)
        env = run.requests[service]['body']['spec']['template']['spec']['containers'][0]['env']
        secrets = {e['name']: e['valueFrom']['secretKeyRef'] for e in env if 'valueFrom' in e}
        self.assertEqual(secrets, {'HASH_USER_IDS': {'key': 'latest', 'name': 'pixel-hash-user-ids'}, 'URL_SIGNING_KEY': {'key': 'latest', 'name': 'pixel-url-signing-key'}})
        again, last = run.script_output.split('AGAIN')[1].split('LAST')
        self.assertIn('No changes.', again)
        self.assertIn('secret pixel-hash-user-ids is kept', again)
        self.assertIn('  - secret pixel-hash-user-ids', last)
        self.assertNotIn('secretmanager/', run.resources)
        for body in run.sent('secretmanager.projects.secrets.addVersion'):
            self.assertNotIn(body['payload']['data'], run.script_output)

    def test_a_named_secret_must_exist(self):
        run = self.run_clean(f'''deploy/deploy.sh; echo "CODE $?"
            gcloud services enable secretmanager.googleapis.com >/dev/null 2>&1
            printf {KEY} | gcloud secrets create my-key --data-file=- >/dev/null 2>&1
            deploy/deploy.sh''', {**IMAGE, 'HASH_USER_IDS': 'my-key'})
        first, second = run.script_output.split('CODE 1')
        self.assertIn('HASH_USER_IDS: there is no secret of that name', first)
        self.assertIn('  + roles/secretmanager.secretAccessor on my-key', second)
        self.assertEqual(len(run.sent('secretmanager.projects.secrets.addVersion')), 1)

    def test_a_key_in_the_settings_is_refused_and_not_printed(self):
        for script in 'deploy/deploy.sh', 'deploy/destroy.sh':
            run = subprocess.run(['bash', script], cwd=ROOT, env=environment({'HASH_USER_IDS': KEY}), stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self.assertEqual(run.returncode, 2)
            self.assertTrue(re.search('(?m)^HASH_USER_IDS: it is not generate or the name of a secret', run.stderr))
            self.assertNotIn(KEY, run.stdout + run.stderr)
