"""HTTPS: the hosts of DOMAIN and their certificates."""
import re

from support import DeployTest, Run, resources

IMAGE = {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0'}


def certificates(run):
    """The certificates of the proxy after each change of it."""
    bodies = [r['body'] for r in run.requests if r['status'] < 300 and (r.get('api') or '').startswith('compute.targetHttpsProxies.')]
    return [sorted(name.rsplit('/', 1)[1] for name in body['sslCertificates']) for body in bodies if body.get('sslCertificates')]


class Domains(DeployTest):
    def test_hosts_serve_until_they_are_removed(self):
        by_hand = ('gcloud compute ssl-certificates create by-hand --global --domains=hand.example.com'
                   ' && gcloud compute target-https-proxies update pixel-https --global --global-ssl-certificates'
                   ' --ssl-certificates=pixel-a--b-example-com,pixel-a-b-example-com,by-hand')
        run = self.run_clean(f'''
          DOMAIN=a-b.example.com,a.b.example.com deploy/deploy.sh && {by_hand} && echo ONE &&
          DOMAIN=new.example.org deploy/deploy.sh && echo TWO &&
          DOMAIN=new.example.org deploy/deploy.sh && echo THREE &&
          DOMAIN=new.example.org REMOVE_DOMAIN=a-b.example.com,never.example.com deploy/deploy.sh && echo FOUR &&
          DOMAIN=new.example.org REMOVE_DOMAIN=a-b.example.com,never.example.com deploy/deploy.sh && echo FIVE &&
          deploy/destroy.sh''', IMAGE)
        first, second, third, fourth, fifth, _last = re.split('ONE|TWO|THREE|FOUR|FIVE', run.script_output)
        self.assertEqual(certificates(run), [
            ['pixel-a--b-example-com', 'pixel-a-b-example-com'],
            ['by-hand', 'pixel-a--b-example-com', 'pixel-a-b-example-com'],
            ['by-hand', 'pixel-a--b-example-com', 'pixel-a-b-example-com', 'pixel-new-example-org'],
            ['by-hand', 'pixel-a-b-example-com', 'pixel-new-example-org']])
        for host in 'a-b.example.com', 'a.b.example.com':
            self.assertRegex(first, rf'https://{re.escape(host)}/pixel.png +DNS record {re.escape(host)}. A 203\.0\.113\.10 +certificate PROVISIONING')
        self.assertIn('https://a.b.example.com', second)
        self.assertIn('No changes.', third)
        self.assertIn('- certificate pixel-a--b-example-com', fourth)
        self.assertIn('No changes.', fifth)
        # Without DOMAIN, destroy finds the certificates of all hosts. The one that was added by hand stays.
        self.assertEqual({line.split()[1] for line in resources(run) if line.startswith('compute/')}, {'by-hand'})

    def test_the_last_host_can_be_removed(self):
        run = self.run_clean('''DOMAIN=a.example.com deploy/deploy.sh && REMOVE_DOMAIN=a.example.com deploy/deploy.sh && echo AGAIN &&
                                REMOVE_DOMAIN=a.example.com deploy/deploy.sh''', IMAGE)
        again = run.script_output.split('AGAIN')[1]
        self.assertIn('No changes.', again)
        self.assertIn('Browsers do not load this pixel on pages with HTTPS', again)
        self.assertNotIn('https', ' '.join(line for line in resources(run) if line.startswith('compute/')).replace('https://', ''))

    def test_certificates_of_others_and_contradictions_stop_the_script(self):
        run = Run('''gcloud services enable compute.googleapis.com
            gcloud compute ssl-certificates create pixel-a-example-com --global --domains=shop.example.com --description="pixel-pipeline shop"
            DOMAIN=a.example.com,b.example.com REMOVE_DOMAIN=b.example.com deploy/deploy.sh; echo CODE $?''', IMAGE)
        self.assertIn('CODE 1', run.script_output)
        self.assertIn('Nothing was changed', run.script_output)
        self.assertRegex(run.script_output, '(?m)^  certificate/pixel-a-example-com$')
        self.assertIn('domain/b.example.com: is in DOMAIN and in REMOVE_DOMAIN', run.script_output)
