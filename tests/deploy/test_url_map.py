"""URL_MAP: a load balancer that exists serves the pixel."""
import re

from support import DeployTest, Run, changes, resources

SETTINGS = {'IMAGE': 'us-docker.pkg.dev/someone/pixel/pixel-pipeline:1.0', 'URL_MAP': 'website', 'PIXEL_PATH': '/p.png,/img/open.png'}
WEBSITE = '''
  gcloud services enable compute.googleapis.com && gcloud compute backend-buckets create site --gcs-bucket-name=website &&
  gcloud compute url-maps create website --global --default-backend-bucket=site'''


class UrlMap(DeployTest):
    def test_only_bucket_backend_bucket_and_sink_are_made(self):
        run = self.run_clean(f'''{WEBSITE} && deploy/deploy.sh && echo RULE &&
            gcloud compute url-maps add-path-matcher website --global --project=my-project --path-matcher-name=pixel --default-backend-bucket=site \\
              --backend-bucket-path-rules=/p.png=pixel,/img/open.png=pixel && deploy/deploy.sh && echo DESTROY &&
            {{ ! deploy/destroy.sh; }} && {{ ! URL_MAP= deploy/destroy.sh; }} && echo REMOVED &&
            gcloud compute url-maps remove-path-matcher website --global --path-matcher-name=pixel && deploy/destroy.sh''', SETTINGS)
        first, second, refused, last = re.split('RULE\n|DESTROY\n|REMOVED\n', run.script_output)
        made = [r['path'].rsplit('/', 1)[1] for r in changes(run.requests) if r['api'].startswith('compute.') and r['api'].endswith('insert')]
        self.assertEqual(made, ['backendBuckets', 'urlMaps', 'backendBuckets'])
        [sink] = run.sent('logging.projects.sinks.create')
        self.assertIn('resource.labels.url_map_name="website" AND (httpRequest.requestUrl:"/p.png" OR httpRequest.requestUrl:"/img/open.png")', sink['filter'])
        self.assertIn('''  pathRules:
  - paths:
    - /p.png
    - /img/open.png
    service: projects/my-project/global/backendBuckets/pixel
''', first)
        # The command that it prints is the one that this test runs.
        self.assertIn('gcloud compute url-maps add-path-matcher website --global --project=my-project --path-matcher-name=pixel'
                      ' --default-backend-bucket=site --backend-bucket-path-rules=/p.png=pixel,/img/open.png=pixel\n', first)
        self.assertIn('No changes.', second)
        self.assertNotIn('pathRules', second)
        # Also without URL_MAP, destroy sees who uses the backend bucket.
        self.assertEqual(refused.count('backend-bucket/pixel: is in use by the URL map website'), 2, refused)
        self.assertEqual(refused.count('Nothing was changed'), 2)
        self.assertIn('Deleted:', last)
        self.assertEqual(sorted(line.split()[1] for line in resources(run) if line.startswith('compute/')), ['site', 'website'])

    def test_a_missing_url_map_and_a_second_load_balancer_stop_the_script(self):
        run = Run(f'deploy/deploy.sh; echo CODE $?; {WEBSITE}; URL_MAP= deploy/deploy.sh >/dev/null && echo DONE && deploy/deploy.sh; echo CODE $?', SETTINGS)
        missing, second = run.script_output.split('DONE')
        self.assertIn('url-map/website: is not a global URL map of my-project', missing)
        self.assertIn("forwarding-rule/pixel-http: is this pipeline's own load balancer", second)
        self.assertEqual(run.script_output.count('CODE 1'), 2, run.script_output)
